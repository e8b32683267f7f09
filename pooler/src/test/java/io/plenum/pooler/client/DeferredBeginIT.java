package io.plenum.pooler.client;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import io.plenum.testbed.WireClient;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** On which node a transaction runs whose BEGIN comes alone. */
@ExtendWith(LeakWatch.class)
class DeferredBeginIT {
    private static final String NODE = "SELECT node FROM whoami";
    private static final String PRIMARY = "pg-0";
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static PostgresCluster cluster;

    @BeforeAll
    static void startCluster() throws SQLException {
        cluster = PostgresCluster.builder().standbys(1).start();
        try (var connection = cluster.primary().connect("app", PostgresCluster.SUPERUSER, "");
                var statement = connection.createStatement()) {
            statement.execute("CREATE VIEW whoami AS SELECT current_setting('cluster_name') AS node");
            statement.execute("CREATE TABLE kept (id int)");
            statement.execute(
                    "CREATE FUNCTION anything() RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN 1; END'");
        }
        cluster.awaitReplay();
    }

    @AfterAll
    static void stopCluster() {
        cluster.close();
    }

    /** The statements in front of the question where it runs, each in a message of its own. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "BEGIN READ ONLY",
                "START TRANSACTION READ ONLY",
                "START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                "BEGIN|SET TRANSACTION READ ONLY",
                "BEGIN|SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                "BEGIN ISOLATION LEVEL REPEATABLE READ|SET TRANSACTION READ ONLY",
                "BEGIN; SET TRANSACTION READ ONLY",
                "BEGIN READ ONLY|SELECT anything()",
                "BEGIN READ ONLY|SAVEPOINT a",
                "SET default_transaction_read_only = on|BEGIN",
                "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY|BEGIN"
            })
    void readOnlyTransactionRunsOnAStandby(String texts) throws Exception {
        try (var pooler = startPooler();
                var client = connected(pooler)) {
            String first = PRIMARY;
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (first.equals(PRIMARY) && System.nanoTime() < deadline) { // a standby may be left out for a moment
                for (String text : texts.split("\\|", -1)) {
                    client.query(text);
                }
                first = client.value(NODE);
                assertThat(client.value(NODE)).isEqualTo(first);
                assertThat(tags(client.query("COMMIT"))).containsExactly("COMMIT");
            }
            assertThat(first).isNotEqualTo(PRIMARY);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "BEGIN",
                "START TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                "BEGIN|SELECT 1",
                "BEGIN|INSERT INTO kept VALUES (1)",
                "BEGIN READ ONLY|SET TRANSACTION READ WRITE",
                "BEGIN|SET TRANSACTION READ ONLY|SELECT anything()",
                "BEGIN|SET TRANSACTION READ ONLY|SELECT count(*) FROM pg_class",
                "BEGIN READ ONLY|SELECT pg_advisory_xact_lock(1)",
                "SET default_transaction_read_only = on|BEGIN READ WRITE",
                "BEGIN; SET TRANSACTION READ ONLY; COMMIT; BEGIN"
            })
    void everyOtherTransactionRunsOnThePrimary(String texts) throws Exception {
        try (var pooler = startPooler();
                var client = connected(pooler)) {
            for (String text : texts.split("\\|", -1)) {
                client.query(text);
            }

            assertThat(client.value(NODE)).isEqualTo(PRIMARY);
            assertThat(client.value(NODE)).isEqualTo(PRIMARY);
            client.query("ROLLBACK");
        }
    }

    /** What is sent by Parse, Bind and Execute in front of the question where it runs, groups told apart by a line. */
    @ParameterizedTest
    @CsvSource(delimiter = '>', textBlock = """
        BEGIN READ ONLY                                                  > standby
        BEGIN READ ONLY |                                                > standby
        BEGIN | SET TRANSACTION READ ONLY |                              > standby
        BEGIN READ ONLY + SELECT anything()                              > standby
        BEGIN READ ONLY | SELECT anything()                              > standby
        BEGIN READ ONLY + SELECT count(*) FROM pg_class                  > standby
        BEGIN READ ONLY + SAVEPOINT a                                    > standby
        BEGIN                                                            > primary
        BEGIN |                                                          > primary
        BEGIN + SELECT 1 |                                               > primary
        BEGIN READ ONLY + SET TRANSACTION READ WRITE                     > primary
        BEGIN READ ONLY | SET TRANSACTION READ WRITE |                   > primary
        BEGIN READ ONLY + SELECT pg_advisory_xact_lock(1)                > primary
        BEGIN READ ONLY + COMMIT + SELECT anything()                     > primary
        """)
    void transactionInGroupsRunsWhereOneInQueriesDoes(String sent, String node) throws Exception {
        try (var pooler = startPooler();
                var client = connected(pooler)) {
            client.send(parse("b", "BEGIN"), parse("r", "BEGIN READ ONLY"), sync()); // as if it were the sixth time
            client.readUntilReady();
            for (boolean named : new boolean[] {false, true}) {
                List<String> groups = new ArrayList<>(List.of(sent.split("\\|", -1)));
                String last = groups.removeLast();
                for (String group : groups) {
                    client.send(frames(group, named));
                    client.readUntilReady();
                }
                client.send(frames(last + " + " + NODE, named));
                String asked = last(client.readUntilReady());
                assertThat(asked.equals(PRIMARY) ? "primary" : "standby").isEqualTo(node);
                client.query("ROLLBACK");
            }
        }
    }

    /** One group, in one write, or nobody knows what is still to come of it. */
    private static byte[][] frames(String group, boolean named) {
        List<byte[]> frames = new ArrayList<>();
        for (String text : group.split("\\+", -1)) {
            String sql = text.strip();
            String name = !named ? "" : sql.equals("BEGIN") ? "b" : sql.equals("BEGIN READ ONLY") ? "r" : "";
            if (!sql.isEmpty() && name.isEmpty()) {
                frames.add(parse("", sql));
            }
            if (!sql.isEmpty()) {
                frames.add(bind("", name));
                frames.add(execute());
            }
        }
        frames.add(sync());
        return frames.toArray(byte[][]::new);
    }

    @ParameterizedTest
    @ValueSource(strings = {"transaction", "always"})
    void readOnlyTransactionOfPgjdbcMayBeginWithWhatIsNotProven(String readOnlyMode) throws Exception {
        try (var pooler = startPooler();
                var warm = connected(pooler);
                var client = pooler.connect("readOnlyMode=" + readOnlyMode)) {
            assertThat(warm.value(NODE)).isNotEqualTo(PRIMARY);
            client.setReadOnly(true);
            client.setAutoCommit(false);
            for (int i = 0; i < 8; i++) { // from the fifth on BEGIN is a named statement
                try (var statement = client.prepareStatement("SELECT node, anything() FROM whoami");
                        var rows = statement.executeQuery()) {
                    rows.next();
                    assertThat(rows.getString(1)).isNotEqualTo(PRIMARY);
                }
                client.commit();
            }
        }
    }

    @Test
    void whatComesBehindTheEndOfAReadOnlyTransactionIsNoPartOfIt() throws Exception {
        try (var pooler = startPooler();
                var client = connected(pooler)) {
            client.query("BEGIN READ ONLY");

            assertThat(first(client.query("COMMIT; SELECT node, anything() FROM whoami")))
                    .isEqualTo(PRIMARY);
        }
    }

    /** One answer, as if one server had run it all. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        COMMIT; INSERT INTO kept VALUES (2)                       | COMMIT, INSERT 0 1
        /* then */ ROLLBACK WORK ;; INSERT INTO kept VALUES (2);  | ROLLBACK, INSERT 0 1
        end; SELECT anything(); INSERT INTO kept VALUES (2)       | COMMIT, SELECT 1, INSERT 0 1
        COMMIT; BEGIN; INSERT INTO kept VALUES (2); COMMIT        | COMMIT, BEGIN, INSERT 0 1, COMMIT
        """)
    void whatFollowsTheEndOfATransactionOnAStandbyInTheSameQueryMayWrite(String sql, String tags) throws Exception {
        try (var pooler = startPooler();
                var client = connected(pooler)) {
            client.query("BEGIN READ ONLY");
            assertThat(client.value(NODE)).isNotEqualTo(PRIMARY);

            client.send(query(sql), query(NODE));

            var answer = client.readUntilReady();
            assertThat(answer).noneMatch(message -> message.type() == 'E');
            assertThat(String.join(", ", tags(answer))).isEqualTo(tags);
            assertThat(client.transactionStatus()).isEqualTo('I');
            assertThat(tags(client.readUntilReady())).containsExactly("SELECT 1");
        }
    }

    @Test
    void transactionThatBeginsInTheQueryThatEndsOneOnAStandbyIsOneOfItsOwn() throws Exception {
        try (var pooler = startPooler();
                var client = connected(pooler)) {
            client.query("BEGIN READ ONLY");
            assertThat(client.value(NODE)).isNotEqualTo(PRIMARY);

            assertThat(tags(client.query("COMMIT; BEGIN"))).containsExactly("COMMIT", "BEGIN");
            assertThat(client.transactionStatus()).isEqualTo('T');
            assertThat(tags(client.query("INSERT INTO kept VALUES (3)"))).containsExactly("INSERT 0 1");
            assertThat(tags(client.query("ROLLBACK"))).containsExactly("ROLLBACK");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        COMMIT; INSERT INTO nowhere VALUES (2)           | COMMIT | 42P01 | 21 | I
        COMMIT AND CHAIN; INSERT INTO kept VALUES (2)    | COMMIT | 25006 |    | E
        """)
    void errorBehindTheEndOfATransactionOnAStandbyIsThatOfOneServer(
            String sql, String tags, String state, String position, char status) throws Exception {
        try (var pooler = startPooler();
                var client = connected(pooler);
                var direct = WireClient.connect(
                        cluster.primary().host(), cluster.primary().port(), "app", PostgresCluster.SUPERUSER, "")) {
            for (WireClient one : List.of(direct, client)) {
                one.query("BEGIN READ ONLY");
                one.value(NODE);

                var answer = one.query(sql);

                var error = answer.stream()
                        .filter(message -> message.type() == 'E')
                        .findFirst()
                        .orElseThrow();
                assertThat(tags(answer)).containsExactly(tags);
                assertThat(error.field('C')).isEqualTo(state);
                assertThat(error.field('P')).isEqualTo(position);
                assertThat(one.transactionStatus()).isEqualTo(status);
                one.query("ROLLBACK");
            }
        }
    }

    /** Nothing is held back, but what comes in the same packet is seen. */
    @Test
    void whatComesWithABeginThatIsNotHeldIsLookedAt() throws Exception {
        try (var pooler = startPooler("deferred_begin = off");
                var client = connected(pooler)) {
            client.send(query("BEGIN READ ONLY"), query("SET TRANSACTION READ WRITE"), query(NODE), query("ROLLBACK"));
            assertThat(tags(client.readUntilReady())).containsExactly("BEGIN");
            assertThat(tags(client.readUntilReady())).containsExactly("SET");
            assertThat(first(client.readUntilReady())).isEqualTo(PRIMARY);
            client.readUntilReady();

            client.send(
                    Frames.join(frames("BEGIN READ ONLY", false)),
                    Frames.join(frames("SELECT node, anything() FROM whoami", false)));
            assertThat(tags(client.readUntilReady())).containsExactly("BEGIN");
            assertThat(first(client.readUntilReady())).isNotEqualTo(PRIMARY);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"transaction", "always"})
    void readOnlyTransactionOfPgjdbcRunsOnAStandby(String readOnlyMode) throws Exception {
        try (var pooler = startPooler();
                var warm = connected(pooler);
                var client = pooler.connect("readOnlyMode=" + readOnlyMode)) {
            assertThat(warm.value(NODE)).isNotEqualTo(PRIMARY);
            for (boolean readOnly : new boolean[] {true, false, true}) {
                client.setReadOnly(readOnly);
                client.setAutoCommit(false);
                int onStandby = 0;
                for (int i = 0; i < 8; i++) { // from the fifth on as a named statement
                    String first = node(client);
                    assertThat(node(client)).isEqualTo(first);
                    client.commit();
                    onStandby += first.equals(PRIMARY) ? 0 : 1;
                }
                if (readOnly) {
                    assertThat(onStandby).isPositive();
                } else {
                    assertThat(onStandby).isZero();
                }
                client.rollback();
                client.setAutoCommit(true);
            }
        }
    }

    /** As postgres.js, node-postgres and r2dbc do it. */
    @Test
    void pipelinedTransactionRunsOnOneNode() throws Exception {
        try (var pooler = startPooler();
                var client = connected(pooler)) {
            for (String begin : List.of("BEGIN READ ONLY", "BEGIN")) {
                client.send(query(begin), query(NODE), query(NODE), query("COMMIT"));
                assertThat(tags(client.readUntilReady())).containsExactly("BEGIN");
                String node = first(client.readUntilReady());
                assertThat(first(client.readUntilReady())).isEqualTo(node);
                assertThat(tags(client.readUntilReady())).containsExactly("COMMIT");
                if (begin.equals("BEGIN")) {
                    assertThat(node).isEqualTo(PRIMARY);
                }
            }
        }
    }

    // --- the test's own means --------------------------------------------------------------------------------------

    private static RunningPooler startPooler(String... settings) {
        String hosts = cluster.nodes().stream().map(PostgresNode::host).collect(Collectors.joining(","));
        return RunningPooler.ofDatabases(
                "app = host=%s port=%d".formatted(hosts, cluster.primary().port()), settings);
    }

    /** A client of which the reads come to the standby. */
    private static WireClient connected(RunningPooler pooler) throws Exception {
        WireClient client = pooler.wire();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (client.value(NODE).equals(PRIMARY)) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.sleep(1);
        }
        return client;
    }

    private static String node(Connection client) throws SQLException {
        try (var statement = client.prepareStatement(NODE);
                var rows = statement.executeQuery()) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static String first(List<Message> messages) {
        return messages.stream()
                .filter(message -> message.type() == 'D')
                .map(message -> Objects.requireNonNull(message.columns().getFirst()))
                .findFirst()
                .orElseThrow();
    }

    private static String last(List<Message> messages) {
        return messages.stream()
                .filter(message -> message.type() == 'D')
                .map(message -> Objects.requireNonNull(message.columns().getFirst()))
                .reduce((one, other) -> other)
                .orElseThrow();
    }

    private static List<String> tags(List<Message> messages) {
        return messages.stream()
                .filter(message -> message.type() == 'C')
                .map(Message::commandTag)
                .toList();
    }
}
