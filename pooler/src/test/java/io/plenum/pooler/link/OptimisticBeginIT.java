package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.link.ScriptPlayer.Segments;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code deferred_begin = optimistic}: a transaction that may write reads on a standby first, and nobody notices. */
@ExtendWith(LeakWatch.class)
class OptimisticBeginIT {
    private static final String NODE = "SELECT node FROM whoami";
    private static final String PRIMARY = "pg-0";
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static PostgresCluster cluster;

    @BeforeAll
    static void startCluster() {
        cluster = PostgresCluster.builder().standbys(1).start();
        direct(
                "CREATE VIEW whoami AS SELECT current_setting('cluster_name') AS node",
                "CREATE TABLE work (id int PRIMARY KEY, v text)",
                "CREATE TABLE seen AS SELECT g AS id, 'v' || g AS v FROM generate_series(1, 50) g",
                "CREATE SEQUENCE counter",
                "CREATE FUNCTION shout(text) RETURNS text LANGUAGE plpgsql AS"
                        + " $$BEGIN RAISE NOTICE 'heard %', $1; RETURN upper($1); END$$",
                "CREATE FUNCTION anything() RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN 1; END'");
        cluster.awaitReplay();
    }

    @AfterAll
    static void stopCluster() {
        cluster.close();
    }

    @BeforeEach
    void clean() {
        if (!direct("SELECT count(*) FROM pg_prepared_xacts").equals("0")) {
            direct("ROLLBACK PREPARED '" + direct("SELECT gid FROM pg_prepared_xacts") + "'");
        }
        direct("TRUNCATE work", "SELECT setval('counter', 1, false)");
        cluster.awaitReplay();
    }

    /** The statements of a transaction, each a message of its own, behind which the question stands where it runs. */
    @ParameterizedTest
    @CsvSource(delimiter = '>', textBlock = """
        BEGIN                                                           > standby
        BEGIN | SELECT count(*) FROM work                               > standby
        START TRANSACTION ISOLATION LEVEL READ COMMITTED                > standby
        BEGIN | SELECT 1; SELECT 2 | -- nothing                         > standby
        BEGIN | SELECT 1 | INSERT INTO work VALUES (1)                  > primary
        BEGIN | INSERT INTO work VALUES (1)                             > primary
        BEGIN | SELECT 1 | SELECT 1 FROM work FOR UPDATE                > primary
        BEGIN | SELECT 1 | SELECT anything()                            > primary
        BEGIN | SELECT 1 | SET LOCAL work_mem = '1MB'                   > primary
        BEGIN | SELECT 1 | SAVEPOINT a                                  > primary
        BEGIN | SELECT 1 | DECLARE c CURSOR FOR SELECT 1                > primary
        BEGIN | SELECT 1 | SET TRANSACTION READ ONLY                    > primary
        BEGIN | SELECT 1 | COPY work TO STDOUT                          > primary
        BEGIN | SELECT 1 | CREATE TEMP TABLE x (id int) ON COMMIT DROP  > primary
        BEGIN | SET TRANSACTION ISOLATION LEVEL REPEATABLE READ         > primary
        BEGIN ISOLATION LEVEL REPEATABLE READ                           > primary
        BEGIN ISOLATION LEVEL SERIALIZABLE                              > primary
        BEGIN READ WRITE                                                > primary
        SET default_transaction_isolation = 'repeatable read' | SELECT 1 | BEGIN > primary
        SET default_transaction_isolation = 'read committed' | SELECT 1 | BEGIN > standby
        SET idle_in_transaction_session_timeout = '1h' | SELECT 1 | BEGIN > primary
        """)
    void transactionReadsOnAStandbyUntilMoreIsSaid(String texts, String node) throws Exception {
        for (String form : List.of("queries", "groups", "with begin")) {
            try (var pooler = startPooler();
                    var client = connected(pooler)) {
                List<String> said = new ArrayList<>(List.of(texts.split("\\|", -1)));
                said.add(NODE);
                List<Message> answer = List.of();
                List<byte[]> frames = new ArrayList<>();
                for (String text : said) {
                    String sql = text.strip();
                    boolean begins = sql.startsWith("BEGIN") || sql.startsWith("START");
                    if (form.equals("queries") || sql.startsWith("SET default") || sql.contains(";")) {
                        frames.add(query(sql));
                    } else {
                        frames.addAll(List.of(parse("", sql), bind("", ""), execute()));
                        if (begins && form.equals("with begin") && !texts.contains(";")) {
                            continue; // in one group with what comes next, as pgjdbc has it
                        }
                        frames.add(sync());
                    }
                    client.send(frames.toArray(byte[][]::new));
                    frames.clear();
                    answer = client.readUntilReady();
                    assertThat(answer).as("%s in %s", sql, form).noneMatch(message -> message.type() == 'E');
                }
                assertThat(rows(answer).getFirst().equals(PRIMARY) ? "primary" : "standby")
                        .as(form)
                        .isEqualTo(node);
                client.query("ROLLBACK");
                assertThat(client.transactionStatus()).isEqualTo('I');
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "preferQueryMode=simple", "prepareThreshold=1", "prepareThreshold=0"})
    void transactionOfPgjdbcReadsThenWritesAndReadsThat(String parameters) throws Exception {
        try (var pooler = startPooler();
                var warm = connected(pooler);
                var client = pooler.connect(parameters)) {
            assertThat(warm.value(NODE)).isNotEqualTo(PRIMARY);
            client.setAutoCommit(false);
            int onStandby = 0;
            for (int i = 1; i <= 8; i++) {
                cluster.awaitReplay(); // else the standby may be too old for the session
                onStandby += text(client, NODE).equals(PRIMARY) ? 0 : 1;
                assertThat(text(client, "SELECT count(*) FROM work")).isEqualTo(String.valueOf(i - 1));
                try (var insert = client.prepareStatement("INSERT INTO work VALUES (?, 'written')")) {
                    insert.setInt(1, i);
                    insert.executeUpdate();
                }
                assertThat(text(client, "SELECT count(*) FROM work")).isEqualTo(String.valueOf(i));
                assertThat(text(client, NODE)).isEqualTo(PRIMARY);
                client.commit();
                assertThat(text(client, "SELECT count(*) FROM work"))
                        .as("and what it committed")
                        .isEqualTo(String.valueOf(i));
                client.rollback();
            }
            assertThat(onStandby).isPositive();
        }
    }

    @Test
    void cursorOfPgjdbcStaysWhereItIs() throws Exception {
        try (var pooler = startPooler();
                var warm = connected(pooler);
                var client = pooler.connect("")) {
            assertThat(warm.value(NODE)).isNotEqualTo(PRIMARY);
            client.setAutoCommit(false);
            try (var statement = client.prepareStatement("SELECT id FROM seen ORDER BY id")) {
                statement.setFetchSize(7);
                try (var rows = statement.executeQuery()) {
                    for (int i = 1; i <= 50; i++) {
                        assertThat(rows.next()).isTrue();
                        assertThat(rows.getInt(1)).isEqualTo(i);
                        if (i == 20) {
                            try (var insert = client.createStatement()) {
                                insert.executeUpdate("INSERT INTO work VALUES (1, 'in the midst')");
                            }
                        }
                    }
                }
            }
            client.commit();
            assertThat(text(client, "SELECT v FROM work")).isEqualTo("in the midst");
        }
    }

    @Test
    void whatHasFailedOnTheStandbyHasFailed() throws Exception {
        try (var pooler = startPooler();
                var client = connected(pooler)) {
            for (String next : List.of("INSERT INTO work VALUES (1)", "SELECT 1", "LISTEN x", "SAVEPOINT a")) {
                client.query("BEGIN");
                assertThat(client.value(NODE)).isNotEqualTo(PRIMARY);
                assertThat(told(client.query("SELECT 1/0"))).isEqualTo("E 22012, Z E");
                assertThat(told(client.query(next))).as(next).isEqualTo("E 25P02, Z E");
                assertThat(told(client.query("COMMIT"))).isEqualTo("C ROLLBACK, Z I");
            }
            assertThat(direct("SELECT count(*) FROM work")).isEqualTo("0");
        }
    }

    @Test
    void whatTheStandbyRefusesThePrimaryAnswersInTheSameTransaction() throws Exception {
        PostgresNode standby = cluster.standbys().getFirst();
        try (var pooler = startPooler("read_consistency = eventual");
                var client = connected(pooler)) {
            standby.pauseReplay();
            direct("CREATE TABLE fresh AS SELECT 7 AS n", "INSERT INTO work VALUES (7, 'fresh')");
            for (boolean first : new boolean[] {true, false}) {
                client.query("BEGIN");
                if (!first) {
                    assertThat(client.value(NODE)).isNotEqualTo(PRIMARY);
                }
                assertThat(client.value("SELECT n FROM fresh")).isEqualTo("7");
                assertThat(client.transactionStatus()).isEqualTo('T');
                assertThat(client.value(NODE)).isEqualTo(PRIMARY);
                assertThat(told(client.query("UPDATE work SET v = 'seen' WHERE id = 7")))
                        .isEqualTo("C UPDATE 1, Z T");
                assertThat(told(client.query("COMMIT"))).isEqualTo("C COMMIT, Z I");

                if (!first) {
                    client.send(group("BEGIN", NODE));
                    assertThat(rows(client.readUntilReady()))
                            .doesNotContain(PRIMARY)
                            .hasSize(1);
                }
                client.send(first ? group("BEGIN", "SELECT n FROM fresh") : group("SELECT n FROM fresh"));
                assertThat(rows(client.readUntilReady())).containsExactly("7");
                assertThat(client.value(NODE)).isEqualTo(PRIMARY);
                assertThat(told(client.query("COMMIT"))).isEqualTo("C COMMIT, Z I");
            }
        } finally {
            standby.resumeReplay();
            direct("DROP TABLE fresh");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"session", "monotonic", "pod", "cluster"})
    void sessionReadsWhatItWrote(String consistency) throws Exception {
        PostgresNode standby = cluster.standbys().getFirst();
        try (var pooler = startPooler("read_consistency = " + consistency, "causal_wait = 0");
                var client = pooler.wire()) {
            standby.pauseReplay();
            for (int i = 1; i <= 3; i++) {
                client.query("INSERT INTO work VALUES (" + i + ")");
                client.query("BEGIN");
                assertThat(client.value("SELECT count(*) FROM work")).isEqualTo(String.valueOf(i));
                client.query("COMMIT");
            }
        } finally {
            standby.resumeReplay();
        }
    }

    /** What others commit meanwhile is to be seen by the next statement of the transaction, where all of it is to be seen. */
    @Test
    void laterStatementsSeeWhatTheirsMustSee() throws Exception {
        PostgresNode standby = cluster.standbys().getFirst();
        try (var pooler = startPooler("read_consistency = cluster", "causal_wait = 2");
                var client = connected(pooler)) {
            client.query("BEGIN");
            assertThat(client.value(NODE)).isNotEqualTo(PRIMARY);
            standby.pauseReplay();
            direct("INSERT INTO work VALUES (1)");
            assertThat(client.value("SELECT count(*) FROM work")).isEqualTo("1");
            client.query("COMMIT");
        } finally {
            standby.resumeReplay();
        }
    }

    @Test
    void standbyThatSendsAnIdleTransactionAwayIsNotNoticed() throws Exception {
        PostgresNode standby = cluster.standbys().getFirst();
        try (var pooler = startPooler();
                var client = connected(pooler);
                var grouped = connected(pooler)) {
            client.query("BEGIN");
            assertThat(client.value(NODE)).isNotEqualTo(PRIMARY);
            grouped.send(group("BEGIN", NODE));
            assertThat(rows(grouped.readUntilReady())).doesNotContain(PRIMARY).hasSize(1);
            standby.query("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE state = 'idle in"
                    + " transaction'");
            Thread.sleep(100);

            for (WireClient each : List.of(client, grouped)) {
                assertThat(told(each.query("INSERT INTO work VALUES (" + (each == client ? 1 : 2) + ")")))
                        .isEqualTo("C INSERT 0 1, Z T");
                assertThat(told(each.query("COMMIT"))).isEqualTo("C COMMIT, Z I");
            }
            assertThat(direct("SELECT count(*) FROM work")).isEqualTo("2");
        }
    }

    @Test
    void modesBehindAStatementAreRefusedAsEverywhere() throws Exception {
        try (var pooler = startPooler();
                var client = connected(pooler)) {
            client.query("BEGIN");
            assertThat(client.value(NODE)).isNotEqualTo(PRIMARY);
            assertThat(told(client.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")))
                    .isEqualTo("E 25001, Z E");
            assertThat(told(client.query("ROLLBACK"))).isEqualTo("C ROLLBACK, Z I");
            client.query("BEGIN");
            assertThat(client.value(NODE)).isNotEqualTo(PRIMARY);
            assertThat(told(client.query("COMMIT AND CHAIN"))).isEqualTo("C COMMIT, Z T");
            assertThat(told(client.query("INSERT INTO work VALUES (1)"))).isEqualTo("C INSERT 0 1, Z T");
            assertThat(told(client.query("ROLLBACK"))).isEqualTo("C ROLLBACK, Z I");
        }
    }

    @Test
    void pipelineIsAnsweredInItsOrder() throws Exception {
        try (var pooler = startPooler();
                var client = connected(pooler)) {
            int onStandby = 0;
            for (int i = 1; i <= 20; i++) {
                cluster.awaitReplay(); // else the first of them may be too old for the session
                client.send(
                        query("BEGIN"),
                        query(NODE),
                        query("SELECT count(*) FROM work"),
                        query("INSERT INTO work VALUES (" + i + ")"),
                        query(NODE),
                        query("COMMIT"),
                        query("SELECT count(*) FROM work"));
                List<String> answers = new ArrayList<>();
                for (int k = 0; k < 7; k++) {
                    answers.add(String.join(",", rows(client.readUntilReady())));
                }
                onStandby += answers.get(1).equals(PRIMARY) ? 0 : 1; // it may be too old for the session all the same
                answers.remove(1);
                assertThat(answers).containsExactly("", String.valueOf(i - 1), "", PRIMARY, "", String.valueOf(i));
            }
            assertThat(onStandby).isPositive();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"transactions", "simple", "pipelines", "portals", "names", "errors", "drivers"})
    void scriptsGetTheSameBytes(String theme) throws Exception {
        URL file = Objects.requireNonNull(OptimisticBeginIT.class.getResource("scripts/" + theme + ".pgs"), theme);
        List<PgsScript> scripts = PgsReader.read(theme, Files.readString(Path.of(file.toURI())));
        try (var pooler = startPooler()) {
            try (var client = connected(pooler)) {
                assertThat(client.value(NODE)).isNotEqualTo(PRIMARY);
            }
            for (PgsScript script : scripts) {
                if (!script.login().isEmpty()) {
                    continue;
                }
                clean();
                List<String> expected =
                        play(script, cluster.primary().host(), cluster.primary().port());
                clean();
                assertThat(play(script, "127.0.0.1", pooler.port()))
                        .as(script.name())
                        .isEqualTo(expected);
            }
        }
    }

    private static List<String> play(PgsScript script, String host, int port) throws IOException {
        try (var client = WireClient.connect(host, port, "app", PostgresCluster.SUPERUSER, null)) {
            var player = new ScriptPlayer(client, Segments.WHOLE, () -> {});
            script.play(player, new PgsScript.Others() {
                @Override
                public void meanwhile(String sql) {
                    direct(sql);
                }

                @Override
                public void stranger(String sql) throws IOException {
                    try (var stranger = WireClient.connect(host, port, "app", PostgresCluster.SUPERUSER, null)) {
                        stranger.query(sql);
                    }
                }
            });
            return player.transcript();
        }
    }

    /** Statements by Parse, Bind and Execute up to one Sync. */
    private static byte[] group(String... texts) {
        List<byte[]> frames = new ArrayList<>();
        for (String sql : texts) {
            frames.addAll(List.of(parse("", sql), bind("", ""), execute()));
        }
        frames.add(sync());
        return Frames.join(frames.toArray(byte[][]::new));
    }

    @Test
    void explainRouteSaysWhereATransactionOfWhomWouldBegin() throws Exception {
        String hosts = cluster.nodes().stream().map(PostgresNode::host).collect(Collectors.joining(","));
        try (var pooler = RunningPooler.ofDatabases(
                        "app = host=%s port=%d"
                                .formatted(hosts, cluster.primary().port()),
                        "admin_users = postgres",
                        "[users]",
                        "eager = deferred_begin=optimistic");
                var reader = connected(pooler); // so the catalogue is read
                var console = pooler.wire(Map.of("database", "pgbouncer"))) {
            assertThat(reader.transactionStatus()).isEqualTo('I');
            assertThat(behindBegin(console, "SELECT * FROM work")).isEqualTo("transaction");
            assertThat(behindBegin(console, "AS other SELECT * FROM work")).isEqualTo("transaction");
            assertThat(behindBegin(console, "AS eager SELECT * FROM work")).isEqualTo("read_so_far");
            assertThat(behindBegin(console, "AS \"eager\" INSERT INTO work VALUES (1)"))
                    .isEqualTo("write");
            assertThat(behindBegin(console, "AS eager BEGIN")).isEmpty();
        }
    }

    private static @Nullable String behindBegin(WireClient console, String sql) throws IOException {
        return console.rows("EXPLAIN ROUTE FOR app " + sql).getFirst().getLast();
    }

    // --- the test's own means --------------------------------------------------------------------------------------

    private static RunningPooler startPooler(String... settings) {
        String hosts = cluster.nodes().stream().map(PostgresNode::host).collect(Collectors.joining(","));
        List<String> all = new ArrayList<>(List.of(settings));
        all.add("deferred_begin = optimistic");
        return RunningPooler.ofDatabases(
                "app = host=%s port=%d".formatted(hosts, cluster.primary().port()), all.toArray(String[]::new));
    }

    /** A client of which the reads come to the standby. */
    private static WireClient connected(RunningPooler pooler) throws Exception {
        WireClient client = pooler.wire(Map.of());
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (client.value(NODE).equals(PRIMARY)) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.sleep(1);
        }
        return client;
    }

    private static String direct(String... sql) {
        try (var connection = cluster.primary().connect("app", PostgresCluster.SUPERUSER, "");
                var statement = connection.createStatement()) {
            String last = "";
            for (String each : sql) {
                if (statement.execute(each)) {
                    try (var rows = statement.getResultSet()) {
                        last = rows.next() ? String.valueOf(rows.getString(1)) : "";
                    }
                }
            }
            return last;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String text(Connection client, String sql) throws SQLException {
        try (var statement = client.prepareStatement(sql);
                var rows = statement.executeQuery()) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static List<String> rows(List<Message> messages) {
        return messages.stream()
                .filter(message -> message.type() == 'D')
                .map(message -> Objects.requireNonNull(message.columns().getFirst()))
                .toList();
    }

    private static String told(List<Message> messages) {
        return messages.stream()
                .filter(message -> "CEZ".indexOf(message.type()) >= 0)
                .map(message -> switch (message.type()) {
                    case 'C' -> "C " + message.commandTag();
                    case 'E' -> "E " + message.field('C');
                    default -> "Z " + message.transactionStatus();
                })
                .collect(Collectors.joining(", "));
    }
}
