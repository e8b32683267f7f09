package io.plenum.pooler.drivers;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Another client of the same pool, on a thread of its own: short transactions without end, with settings that no
 * scenario has and with the statement names that every pgjdbc uses. It watches that nothing of others reaches it.
 */
final class Neighbour implements AutoCloseable {
    private static final String SETTINGS =
            "options=-c%20IntervalStyle=iso_8601%20-c%20work_mem=5MB%20-c%20search_path=of_the_neighbour"
                    + "&ApplicationName=neighbour&prepareThreshold=1";

    private final Connection connection;
    private final Thread thread;
    private final Set<Integer> servers = new HashSet<>(); // confined to the thread
    private volatile boolean ended;
    private volatile @Nullable Throwable failure;

    Neighbour(Way way) throws SQLException {
        connection = way.jdbc(SETTINGS);
        connection.setAutoCommit(false);
        thread = Thread.ofPlatform().name("neighbour").start(this::live);
    }

    private void live() {
        try (var statement = connection.prepareStatement("SELECT pg_backend_pid(), ?::int + 1,"
                + " current_setting('IntervalStyle') || ' ' || current_setting('work_mem') || ' '"
                + " || current_setting('search_path') || ' ' || current_setting('application_name')")) {
            for (int token = 0; !ended; token++) {
                look(statement, token);
                Thread.sleep(1); // a server is held while nothing runs on it, as applications do
                connection.commit();
                Thread.sleep(2);
            }
        } catch (SQLException | InterruptedException | AssertionError failed) {
            failure = failed;
            leave(); // else it would hold a server, and all that follows would fail by waiting
        }
    }

    private void look(PreparedStatement statement, int token) throws SQLException {
        statement.setInt(1, token);
        try (var rows = statement.executeQuery()) {
            rows.next();
            servers.add(rows.getInt(1));
            var seen = rows.getInt(2) + " " + rows.getString(3);
            var expected = (token + 1) + " iso_8601 5MB of_the_neighbour neighbour";
            if (!seen.equals(expected)) {
                throw new AssertionError("the neighbour saw " + seen + " in the place of " + expected);
            }
        }
    }

    /** Fails if the neighbour has seen something that is not its own. */
    void check() {
        var failed = failure;
        if (failed != null) {
            throw new AssertionError("the neighbour failed", failed);
        }
    }

    private void leave() {
        try {
            connection.close();
        } catch (SQLException failed) {
            failure = failure == null ? failed : failure;
        }
    }

    /** Ends the neighbour; fails if it had one server only, for then nothing was proved. */
    @Override
    public void close() {
        ended = true;
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        leave();
        check();
        if (servers.size() < 2) {
            throw new AssertionError("the servers did not change: " + servers);
        }
    }
}
