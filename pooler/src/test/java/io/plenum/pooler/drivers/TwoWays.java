package io.plenum.pooler.drivers;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.PostgresServer;
import java.sql.SQLException;
import java.util.List;

/**
 * PostgreSQL itself, and a pooler before it that has two servers and gives each transaction the one that was idle for
 * longest, while a neighbour with other settings takes its turns: whatever a scenario does, its servers change.
 */
final class TwoWays implements AutoCloseable {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    private final Way direct;
    private final Way pooled;
    private final RunningPooler pooler;
    private final Neighbour neighbour;

    private TwoWays(String database, RunningPooler pooler) throws SQLException {
        this.pooler = pooler;
        direct = new Way("direct", SERVER.host(), SERVER.port(), database);
        pooled = new Way("pooled", "127.0.0.1", pooler.port(), database);
        neighbour = new Neighbour(pooled);
    }

    /**
     * Makes the database, the pooler and the neighbour.
     *
     * @param database a name that no other test uses; dropped at the end
     * @param settings of the pooler; a second {@code default_pool_size} wins
     */
    static TwoWays start(String database, String... settings) throws SQLException {
        maintain("DROP DATABASE IF EXISTS " + database + " WITH (FORCE)", "CREATE DATABASE " + database);
        var lines = String.join("\n", settings);
        return new TwoWays(
                database,
                RunningPooler.start(
                        SERVER, "default_pool_size = 2", "server_round_robin = 1", "query_wait_timeout = 15", lines));
    }

    Way pooled() {
        return pooled;
    }

    /** Plays the scenario straight to PostgreSQL and through the pooler, and wants the same to be seen. */
    void play(Scenario scenario) throws Exception {
        var expected = seen(direct, scenario);
        assertThat(expected).as("a scenario that sees nothing compares nothing").isNotEmpty();
        var actual = seen(pooled, scenario);
        int same = 0;
        while (same < Math.min(expected.size(), actual.size())
                && expected.get(same).equals(actual.get(same))) {
            same++;
        }
        assertThat(from(same, actual))
                .as("after %d notes that are the same, the last: %s", same, same == 0 ? "none" : expected.get(same - 1))
                .isEqualTo(from(same, expected));
        neighbour.check();
    }

    /** A few notes from this one on, which tell more than all of them would. */
    private static List<String> from(int first, List<String> notes) {
        return notes.stream()
                .skip(first)
                .limit(5)
                .map(note -> note.length() < 2_000 ? note : note.substring(0, 2_000) + " ...")
                .toList();
    }

    private static List<String> seen(Way way, Scenario scenario) throws Exception {
        var notes = new Notes();
        try {
            scenario.run(way, notes);
        } catch (Exception | AssertionError failed) {
            throw new AssertionError(
                    way.name() + " failed after " + notes.lines().size() + " notes, the last: "
                            + (notes.lines().isEmpty() ? "none" : notes.lines().getLast()),
                    failed);
        }
        return notes.lines();
    }

    @Override
    public void close() throws SQLException {
        try {
            neighbour.close();
        } finally {
            pooler.close();
            maintain("DROP DATABASE " + direct.database() + " WITH (FORCE)");
        }
    }

    private static void maintain(String... statements) throws SQLException {
        try (var connection = SERVER.connect();
                var statement = connection.createStatement()) {
            for (var sql : statements) {
                statement.execute(sql);
            }
        }
    }
}
