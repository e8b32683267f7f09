package io.plenum.bench.rig;

import io.plenum.testbed.WireClient;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A pooler and the PostgreSQL behind it, as one user of one database reaches them.
 *
 * @param postgresHost where the same user reaches PostgreSQL itself; the pooler's host where that is not known
 */
public record Target(
        String host,
        int port,
        String postgresHost,
        int postgresPort,
        String database,
        String user,
        @Nullable String password) {

    /** Opens a session through the pooler. */
    public WireClient connect() throws IOException {
        return WireClient.connect(host, port, database, user, password);
    }

    /** Opens a session past the pooler. */
    public WireClient connectDirectly() throws IOException {
        return WireClient.connect(postgresHost, postgresPort, database, user, password);
    }

    /** Opens a session with the pooler's console. */
    public WireClient connectToConsole() throws IOException {
        return WireClient.connect(host, port, "pgbouncer", user, password);
    }
}
