package io.plenum.pooler.link;

import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.PostgresServer;

/** The scripts with PostgreSQL 17, each in whole writes. */
class ScriptsOn17IT extends ScriptsIT {
    @Override
    PostgresServer server() {
        return RunningPooler.sharedServer17();
    }

    @Override
    boolean isForAllSegments(PgsScript script) {
        return false;
    }
}
