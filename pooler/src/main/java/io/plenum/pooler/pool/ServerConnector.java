package io.plenum.pooler.pool;

import io.plenum.pooler.net.Loop;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.wire.startup.StartupParameters.Replication;
import java.util.Map;

/** Opens connections to PostgreSQL. */
public interface ServerConnector {
    /** Begins to connect and to log in on the loop; {@code owner} hears how it ends. */
    ServerConnection connect(Loop loop, PoolKey key, ServerConnection.Owner owner);

    /** The same for a WAL sender with these startup parameters; no connect_query runs there. */
    ServerConnection connectWalSender(
            Loop loop,
            PoolKey key,
            Replication replication,
            Map<String, String> parameters,
            ServerConnection.Owner owner);

    /** Whether somebody needs the database for himself, so that whoever need not connect waits. */
    default boolean isClaimed(PoolKey key) {
        return false;
    }
}
