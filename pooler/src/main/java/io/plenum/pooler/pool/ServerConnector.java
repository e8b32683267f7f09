package io.plenum.pooler.pool;

import io.plenum.pooler.net.Loop;
import io.plenum.pooler.server.ServerConnection;

/** Opens connections to PostgreSQL. */
public interface ServerConnector {
    /** Begins to connect and to log in on the loop; {@code owner} hears how it ends. */
    ServerConnection connect(Loop loop, PoolKey key, ServerConnection.Owner owner);
}
