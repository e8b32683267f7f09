package io.plenum.pooler.link;

import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Message;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.util.List;
import java.util.Objects;

/**
 * What the console says of the pool of the superuser in the database {@code app}.
 *
 * <p>The answer comes from the loop that serves the clients, so it is true of what they have been told before.
 */
final class PoolView implements AutoCloseable {
    /** Lines of settings that let this class in, and that keep a thousand clients out of the log. */
    static final String ALLOWED = "admin_users = postgres\nlog_connections = 0\nlog_disconnections = 0";

    private final WireClient console;

    PoolView(RunningPooler pooler) throws IOException {
        console = WireClient.connect("127.0.0.1", pooler.port(), "pgbouncer", "postgres", null);
    }

    /** Server connections that a client has at the moment, in a transaction or for longer. */
    int serversAtWork() throws IOException {
        List<String> names = List.of();
        for (Message message : console.query("SHOW POOLS")) {
            if (message.type() == 'T') {
                names = message.columnNames();
            } else if (message.type() == 'D' && "app".equals(message.columns().getFirst())) {
                return Integer.parseInt(Objects.requireNonNull(message.columns().get(names.indexOf("sv_active"))));
            }
        }
        return 0;
    }

    @Override
    public void close() throws IOException {
        console.close();
    }
}
