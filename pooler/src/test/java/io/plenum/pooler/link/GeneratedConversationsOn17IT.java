package io.plenum.pooler.link;

import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.PostgresServer;

/** Fewer conversations, with PostgreSQL 17. */
class GeneratedConversationsOn17IT extends GeneratedConversationsIT {
    private static final int COUNT = 300;

    @Override
    PostgresServer server() {
        return RunningPooler.sharedServer17();
    }

    @Override
    int count() {
        return Math.min(COUNT, super.count());
    }
}
