package io.plenum.pooler.link;

import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.PostgresServer;
import java.util.List;

/** What a client leaves in a session of PostgreSQL 17, at the ends at which most of it would stay. */
class LeakMatrixOn17IT extends LeakMatrixIT {
    @Override
    PostgresServer server() {
        return RunningPooler.sharedServer17();
    }

    @Override
    List<Ending> endings() {
        return List.of(Ending.NO_TRANSACTION, Ending.COMMIT, Ending.DISCONNECT);
    }
}
