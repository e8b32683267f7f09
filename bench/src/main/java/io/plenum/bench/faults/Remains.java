package io.plenum.bench.faults;

import io.plenum.bench.rig.Target;
import io.plenum.testbed.ServerErrorException;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a pooler still holds when all clients have gone, as PostgreSQL and the pooler's console tell it. */
final class Remains {
    private static final Duration CALM = Duration.ofSeconds(20);

    private final Target target;
    private final int poolSize;
    private final Tally tally;

    Remains(Target target, int poolSize, Tally tally) {
        this.target = target;
        this.poolSize = poolSize;
        this.tally = tally;
    }

    /** Looks until nothing is left over or the time for it is up; then counts what is. */
    void check() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + CALM.toNanos();
        List<String> left = look();
        while (!left.isEmpty() && System.nanoTime() < deadline) {
            Thread.sleep(250);
            left = look();
        }
        left.forEach(this::leak);
        checkPermits();
    }

    /** One line for each thing left over. */
    private List<String> look() throws IOException {
        List<String> left = new ArrayList<>();
        try (var postgres = target.connectDirectly()) {
            // Through the pooler the session that looks is one of its server connections; past it, it is not.
            boolean pooled = target.postgresPort() == target.port()
                    && target.postgresHost().equals(target.host());
            var backends = postgres.rows("""
                SELECT pid, state FROM pg_stat_activity
                WHERE datname = current_database() AND usename = current_user AND backend_type = 'client backend'
                    AND application_name NOT IN ('plenum listener', 'plenum catalog')
                """ + (pooled ? "" : " AND pid <> pg_backend_pid()"));
            int allowed = poolSize;
            for (int i = allowed; i < backends.size(); i++) {
                left.add("server connection beyond the pool's %d: %s".formatted(poolSize, backends.get(i)));
            }
            backends.stream()
                    .filter(backend -> !"idle".equals(backend.get(1)) && !(pooled && "active".equals(backend.get(1))))
                    .forEach(backend -> left.add("server connection that is not idle: " + backend));
            // Temporary tables go a moment after their session.
            var objects = postgres.rows("""
                SELECT 'advisory lock ' || classid || ', ' || objid FROM pg_locks WHERE locktype = 'advisory'
                UNION ALL SELECT 'temporary relation ' || relname FROM pg_class WHERE relpersistence = 't'
                """);
            objects.forEach(object -> left.add(String.valueOf(object.getFirst())));
            lookAtConsole(backends.size(), left);
        }
        return left;
    }

    private void lookAtConsole(int backends, List<String> left) throws IOException {
        try (var console = target.connectToConsole()) {
            int servers = count(console, "SHOW SERVERS");
            if (servers != backends) {
                left.add("SHOW SERVERS has %d, pg_stat_activity has %d".formatted(servers, backends));
            }
            int clients = count(console, "SHOW CLIENTS");
            if (clients > 0) {
                left.add("SHOW CLIENTS still has " + clients);
            }
        } catch (ServerErrorException e) {
            tally.count("console not asked: " + e.getMessage());
        }
    }

    private int count(WireClient console, String command) throws IOException {
        int column = -1;
        int count = 0;
        for (var message : console.query(command)) {
            switch (message.type()) {
                case 'T' -> column = message.columnNames().indexOf("database");
                case 'D' -> {
                    if (target.database().equals(value(message.columns(), column))) {
                        count++;
                    }
                }
                case 'E' -> throw new IOException(command + ": " + message.field('M'));
                default -> {
                    // the end
                }
            }
        }
        return count;
    }

    private static @Nullable String value(List<@Nullable String> columns, int column) {
        return column < 0 ? null : columns.get(column);
    }

    /** The whole pool can still be used at once: nobody who is gone holds a place in it. */
    private void checkPermits() throws IOException {
        List<WireClient> holders = new ArrayList<>();
        try {
            for (int i = 0; i < poolSize; i++) {
                var holder = target.connect();
                holders.add(holder);
                holder.timeout(Duration.ofSeconds(10));
                try {
                    holder.rows("BEGIN; SELECT 1");
                } catch (IOException e) {
                    leak("only %d of %d server connections can be had: %s".formatted(i, poolSize, e));
                    return;
                }
            }
        } finally {
            for (var holder : holders) {
                holder.close();
            }
        }
    }

    private void leak(String what) {
        tally.leaked.increment();
        tally.find("left over: " + what);
    }
}
