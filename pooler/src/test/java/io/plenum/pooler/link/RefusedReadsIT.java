package io.plenum.pooler.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Fault;
import io.plenum.testbed.FaultProxy;
import io.plenum.testbed.Frames;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Reads that a standby refuses, and that the client is answered by another node without hearing of it. */
@ExtendWith(LeakWatch.class)
class RefusedReadsIT {
    private static final String NODE = "SELECT node FROM whoami";
    private static PostgresCluster cluster;

    @BeforeAll
    static void startCluster() {
        cluster = PostgresCluster.builder()
                .standbys(1)
                .setting("max_standby_streaming_delay", "100ms")
                .start();
        execute(
                "CREATE VIEW whoami AS SELECT current_setting('cluster_name') AS node",
                "CREATE TABLE kept (id int)",
                "INSERT INTO kept SELECT generate_series(1, 1000)",
                "CREATE FUNCTION writes() RETURNS int LANGUAGE plpgsql AS"
                        + " 'BEGIN INSERT INTO kept VALUES (0); RETURN 1; END'");
        cluster.awaitReplay();
    }

    @AfterAll
    static void stopCluster() {
        cluster.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"simple", "extended", "extendedForPrepared"})
    void whatIsNotThereYetIsAskedOfThePrimary(String mode) throws Exception {
        String table = "fresh_" + mode.toLowerCase(java.util.Locale.ROOT);
        try (var pooler = startPooler("read_consistency = eventual");
                var client = connected(pooler, "prepareThreshold=0&preferQueryMode=" + mode)) {
            cluster.standbys().getFirst().pauseReplay();
            execute("CREATE TABLE " + table + " AS SELECT 7 AS n");

            assertThat(text(client, "SELECT n FROM " + table)).isEqualTo("7");
            assertThat(text(client, NODE)).as("other reads").isNotEqualTo("pg-0");
        } finally {
            cluster.standbys().getFirst().resumeReplay();
        }
    }

    @Test
    void errorThatThePrimaryHasTooIsItsOwn() throws Exception {
        try (var pooler = startPooler();
                var client = connected(pooler, "")) {
            for (int i = 0; i < 3; i++) {
                assertThat(state(client, "SELECT 1 FROM nowhere")).isEqualTo("42P01");
                assertThat(state(client, "SELECT nothing FROM kept")).isEqualTo("42703");
                assertThat(state(client, "SELECT 1 / 0")).isEqualTo("22012");
            }

            assertThat(text(client, NODE)).isNotEqualTo("pg-0");
        }
    }

    /** What comes before the error is no reason to show it, though it may come first and alone. */
    @ParameterizedTest
    @ValueSource(strings = {"simple", "extended", "extendedForPrepared"})
    void refusalThatComesInPiecesIsNotSeenEither(String mode) throws Exception {
        PostgresNode standby = cluster.standbys().getFirst();
        execute("CREATE UNLOGGED TABLE IF NOT EXISTS fleeting AS SELECT 7 AS n");
        cluster.awaitReplay();
        try (var proxy = FaultProxy.start("127.0.7.1", standby.port(), standby.host(), standby.port());
                var pooler = RunningPooler.ofDatabases(
                        "app = host=%s,%s port=%d".formatted(cluster.primary().host(), proxy.host(), standby.port()),
                        "read_consistency = eventual",
                        "catalog_refresh = 0");
                var client = connected(pooler, "prepareThreshold=1&preferQueryMode=" + mode)) {
            assertThat(text(client, NODE)).isEqualTo("pg-1");
            proxy.set(FaultProxy.Direction.TO_CLIENT, new Fault.Chop(1, Duration.ofNanos(200_000)));
            for (String column : List.of("n", "n + 0", "n + 0.0")) { // each one text that is not known yet
                assertThat(text(client, "SELECT " + column + " FROM fleeting")).startsWith("7");
            }
            assertThat(text(client, NODE)).as("other reads").isEqualTo("pg-1");
        }
    }

    @Test
    void readThatReplayCannotWaitForEndsOnAnotherNode() throws Exception {
        try (var pooler = startPooler("read_consistency = eventual");
                var client = connected(pooler, "")) {
            var read = CompletableFuture.supplyAsync(() -> {
                try {
                    // Long enough on the standby for the conflict; nothing is answered before the end.
                    return text(
                            client,
                            "SELECT count(*) || ' ' || (SELECT node FROM whoami) FROM kept a, kept b, kept c"
                                    + " WHERE c.id <= 10 AND a.id + b.id + c.id < 300");
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
            });
            Thread.sleep(100);
            execute("ALTER TABLE kept ADD COLUMN IF NOT EXISTS more int"); // the lock that replay must have

            assertThat(read.get()).endsWith(" pg-0");
        }
    }

    /** Its name is given on the standby, and again on the primary; the second time both servers have the statement already. */
    @Test
    void readThatIsRefusedMayGiveANameToItsStatement() throws Exception {
        try (var pooler = startPooler("read_consistency = eventual");
                var client = connected(pooler, "");
                WireClient wire = pooler.wire()) {
            cluster.standbys().getFirst().pauseReplay();
            execute("CREATE TABLE named AS SELECT 7 AS n");
            for (String name : List.of("a", "b", "c")) {
                wire.send(
                        Frames.closeStatement(name),
                        Frames.parse(name, "SELECT n FROM named"),
                        Frames.bind("", name),
                        Frames.execute(),
                        Frames.sync());
                assertThat(types(wire)).isEqualTo("312DCZ");
                wire.send(Frames.bind("", name), Frames.execute(), Frames.sync());
                assertThat(types(wire)).as("by its name").isEqualTo("2DCZ");
            }
            wire.send(Frames.parse("a", "SELECT 1"), Frames.sync());
            assertThat(types(wire)).as("a name that is taken").isEqualTo("EZ");
            assertThat(text(client, NODE)).as("other reads").isNotEqualTo("pg-0");
        } finally {
            cluster.standbys().getFirst().resumeReplay();
        }
    }

    /** Its ParseComplete was on its way, and behind it the answer to a Close that nobody was asked for. */
    @Test
    void readThatIsRefusedLateMayGiveANameToItsStatement() throws Exception {
        execute("CREATE UNLOGGED TABLE IF NOT EXISTS fleeting AS SELECT 7 AS n");
        cluster.awaitReplay();
        try (var pooler = startPooler("read_consistency = eventual", "catalog_refresh = 0");
                var client = connected(pooler, "");
                WireClient wire = pooler.wire()) {
            for (String name : List.of("a", "b", "c")) {
                wire.send(
                        Frames.closeStatement(name),
                        Frames.parse(name, "SELECT n AS " + name + " FROM fleeting"),
                        Frames.bind("", name),
                        Frames.execute(),
                        Frames.sync());
                assertThat(types(wire)).as(name).isEqualTo("312DCZ");
            }
            assertThat(text(client, NODE)).as("other reads").isNotEqualTo("pg-0");
        }
    }

    private static String types(WireClient wire) throws IOException {
        StringBuilder types = new StringBuilder();
        wire.readUntilReady().forEach(message -> types.append(message.type()));
        return types.toString();
    }

    /** What stood before it was answered by the standby; what stands behind it comes after it, and so from the primary. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void readThatIsRefusedInAPipelineTakesThoseBehindItAlong(boolean extended) throws Exception {
        String table = "piped_" + extended;
        try (var pooler = startPooler("read_consistency = eventual");
                var client = connected(pooler, "");
                WireClient wire = pooler.wire()) {
            cluster.standbys().getFirst().pauseReplay();
            execute("CREATE TABLE " + table + " AS SELECT 7 AS n");
            for (int i = 0; i < 3; i++) {
                List<String> reads =
                        List.of(NODE, NODE, "SELECT n FROM " + table, NODE, "SELECT n + 1 FROM " + table, NODE);
                wire.send(reads.stream()
                        .map(read -> extended ? alone(read) : Frames.query(read))
                        .toArray(byte[][]::new));

                assertThat(values(wire, reads.size()))
                        .as("pipeline %d", i)
                        .containsExactly("pg-1", "pg-1", "7", "pg-0", "8", "pg-0");
                assertThat(wire.value(NODE)).as("the next one").isEqualTo("pg-1");
            }
        } finally {
            cluster.standbys().getFirst().resumeReplay();
        }
    }

    /** A name that was given before means the same when the batches between are run again. */
    @Test
    void namesOfAPipelineMeanWhatTheyDidWhenItIsTakenBack() throws Exception {
        try (var pooler = startPooler("read_consistency = eventual");
                var client = connected(pooler, "");
                WireClient wire = pooler.wire()) {
            cluster.standbys().getFirst().pauseReplay();
            execute("CREATE TABLE renamed AS SELECT 7 AS n");
            for (int i = 0; i < 3; i++) {
                wire.send(Frames.parse("a", "SELECT 1"), Frames.bind("", "a"), Frames.execute(), Frames.sync());
                assertThat(types(wire)).isEqualTo("12DCZ");

                wire.send(
                        named("a"),
                        alone("SELECT n FROM renamed"),
                        named("a"),
                        Frames.closeStatement("a"),
                        Frames.parse("a", "SELECT 2"),
                        named("a"),
                        named("a"),
                        Frames.parse("b", "SELECT 3"),
                        named("b"));

                assertThat(values(wire, 6)).containsExactly("1", "7", "1", "2", "2", "3");
                assertThat(text(client, NODE)).as("other reads").isNotEqualTo("pg-0");
                wire.send(
                        named("a"), named("b"), Frames.closeStatement("a"), Frames.closeStatement("b"), Frames.sync());
                assertThat(values(wire, 2)).containsExactly("2", "3");
                assertThat(types(wire)).isEqualTo("33Z");
            }
        } finally {
            cluster.standbys().getFirst().resumeReplay();
        }
    }

    /** The Close waits until it is known what its name means by then, while the read before it is refused already. */
    @Test
    void batchOfWhichAPartIsSentIsTakenBackOnce() throws Exception {
        try (var pooler = startPooler("read_consistency = eventual");
                var client = connected(pooler, "");
                WireClient wire = pooler.wire()) {
            cluster.standbys().getFirst().pauseReplay();
            execute("CREATE TABLE halved AS SELECT 7 AS n");

            wire.send(
                    alone("SELECT n FROM halved"),
                    Frames.parse("c", "SELECT 1"),
                    named("c"),
                    Frames.bind("", "c"),
                    Frames.execute(),
                    Frames.closeStatement("c"),
                    Frames.sync(),
                    alone("SELECT 2"));

            assertThat(values(wire, 4)).containsExactly("7", "1", "1", "2");
            assertThat(text(client, NODE)).as("other reads").isNotEqualTo("pg-0");
            assertThat(wire.value("SELECT 3")).isEqualTo("3");
        } finally {
            cluster.standbys().getFirst().resumeReplay();
        }
    }

    /** A Query ends the unnamed statement when it is sent; it is there again when that is taken back. */
    @Test
    void unnamedStatementIsThereForAReadThatIsRunAgainWithAQueryBehindIt() throws Exception {
        try (var pooler = startPooler("read_consistency = eventual");
                var client = connected(pooler, "");
                WireClient wire = pooler.wire()) {
            cluster.standbys().getFirst().pauseReplay();
            execute("CREATE TABLE bound AS SELECT 7 AS n");
            wire.send(alone("SELECT n FROM bound"));
            assertThat(values(wire, 1)).containsExactly("7");

            wire.send(named(""), Frames.query("SELECT 1"), alone("SELECT 2"), named(""));

            assertThat(values(wire, 4)).containsExactly("7", "1", "2", "2");
        } finally {
            cluster.standbys().getFirst().resumeReplay();
        }
    }

    @Test
    void textThatIsKnownAsRefusedCostsAPipelineNoConnection() throws Exception {
        execute("CREATE UNLOGGED TABLE IF NOT EXISTS vanishing AS SELECT 7 AS n");
        cluster.awaitReplay();
        try (var pooler = startPooler("read_consistency = eventual", "catalog_refresh = 0", "event_loops = 1");
                var client = connected(pooler, "");
                WireClient wire = pooler.wire()) {
            byte[][] pipeline = {alone(NODE), alone("SELECT n FROM vanishing"), alone(NODE)};
            wire.send(pipeline);
            assertThat(values(wire, 3)).containsExactly("pg-1", "7", "pg-0");
            assertThat(text(client, NODE)).isEqualTo("pg-1"); // opens one again
            String before = standbyBackends();

            for (int i = 0; i < 3; i++) {
                wire.send(pipeline);
                assertThat(values(wire, 3)).containsExactly("pg-1", "7", "pg-0");
            }

            assertThat(standbyBackends()).isEqualTo(before);
        }
    }

    private static String standbyBackends() {
        return String.valueOf(cluster.standbys()
                .getFirst()
                .query("SELECT string_agg(pid::text, ' ' ORDER BY pid) FROM pg_stat_activity WHERE datname = 'app'"
                        + " AND backend_type = 'client backend' AND application_name NOT LIKE 'plenum %'"));
    }

    @Test
    void pipelineWhoseStandbyDiesIsRunOnFromWhereItWasHeard() throws Exception {
        try (var pooler = startPooler("read_consistency = eventual");
                var client = connected(pooler, "");
                WireClient wire = pooler.wire()) {
            wire.send(
                    alone(NODE),
                    alone("SELECT count(*) FROM kept a, kept b, kept c WHERE c.id <= 5 AND a.id < b.id"),
                    alone(NODE));
            assertThat(values(wire, 1)).containsExactly("pg-1");
            String end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    + " WHERE query LIKE '%kept a, kept b%' AND pid <> pg_backend_pid()";
            long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
            while (!"1".equals(cluster.standbys().getFirst().query(end))) { // it may not have begun yet
                assertThat(System.nanoTime()).isLessThan(deadline);
            }

            List<String> rest = values(wire, 2);
            assertThat(rest.getFirst()).isNotEqualTo("0");
            assertThat(rest.getLast()).startsWith("pg-");
        }
    }

    @Test
    void answerInAPipelineDoesNotWaitForTheNextOne() throws Exception {
        try (var pooler = startPooler("read_consistency = eventual");
                var client = connected(pooler, "");
                WireClient wire = pooler.wire()) {
            assertThat(wire.value(NODE)).isEqualTo("pg-1");
            long begin = System.nanoTime();
            wire.send(alone(NODE), alone("SELECT count(*) FROM kept a, kept b, kept c WHERE c.id <= 10"));

            assertThat(values(wire, 1)).containsExactly("pg-1");
            long first = System.nanoTime() - begin;
            values(wire, 1);

            assertThat(first).isLessThan((System.nanoTime() - begin) / 2);
        }
    }

    /** A group of its own. */
    private static byte[] alone(String sql) {
        return Frames.join(Frames.parse("", sql), Frames.bind("", ""), Frames.execute(), Frames.sync());
    }

    private static byte[] named(String name) {
        return Frames.join(Frames.bind("", name), Frames.execute(), Frames.sync());
    }

    /** The one value of each of the next answers, or the error. */
    private static List<String> values(WireClient wire, int answers) throws IOException {
        List<String> values = new ArrayList<>();
        for (int i = 0; i < answers; i++) {
            values.add(wire.readUntilReady().stream()
                    .filter(message -> message.type() == 'D' || message.type() == 'E')
                    .map(message -> message.type() == 'D'
                            ? String.valueOf(message.columns().getFirst())
                            : message.text())
                    .findFirst()
                    .orElse("nothing"));
        }
        return values;
    }

    @Test
    void whatAHintAloneSentToAStandbyIsNotRunTwice() throws Exception {
        try (var pooler = startPooler("routing_hints = on");
                var client = connected(pooler, "")) {
            assertThat(state(client, "/* plenum:replica */ SELECT writes()")).isEqualTo("25006");
            assertThat(state(client, "SELECT writes()")).isEqualTo("1");
            assertThat(text(client, "SELECT count(*) FROM kept WHERE id = 0")).isEqualTo("1");
        }
    }

    @Test
    void lockThatWouldKeepNobodyOutIsRefusedInATransactionOnAStandby() throws Exception {
        try (var pooler = startPooler();
                var first = connected(pooler, "");
                var later = connected(pooler, "")) {
            for (Connection client : List.of(first, later)) {
                client.setReadOnly(true);
                client.setAutoCommit(false);
            }

            text(first, "SELECT pg_advisory_xact_lock(1)");
            assertThat(text(first, NODE)).as("it began with the lock").isEqualTo("pg-0");
            assertThat(text(later, NODE)).isEqualTo("pg-1");
            var refused =
                    catchThrowableOfType(SQLException.class, () -> text(later, "SELECT pg_advisory_xact_lock(1)"));

            assertThat(refused.getSQLState()).isEqualTo("0A000");
            assertThat(refused.getMessage()).contains("advisory lock");
        }
    }

    // --- the test's own means --------------------------------------------------------------------------------------

    private static RunningPooler startPooler(String... settings) {
        String hosts = cluster.nodes().stream().map(PostgresNode::host).collect(Collectors.joining(","));
        return RunningPooler.ofDatabases(
                "app = host=%s port=%d".formatted(hosts, cluster.primary().port()), settings);
    }

    private static Connection connected(RunningPooler pooler, String parameters) throws Exception {
        Connection client = pooler.connect(parameters);
        long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (text(client, NODE).equals("pg-0")) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.sleep(1);
        }
        return client;
    }

    private static String text(Connection client, String sql) throws SQLException {
        try (var statement = client.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static String state(Connection client, String sql) {
        try {
            return text(client, sql);
        } catch (SQLException e) {
            return String.valueOf(e.getSQLState());
        }
    }

    private static void execute(String... statements) {
        try (var connection = cluster.primary().connect("app", PostgresCluster.SUPERUSER, "");
                var statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
