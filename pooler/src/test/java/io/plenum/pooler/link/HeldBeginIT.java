package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.closePortal;
import static io.plenum.testbed.Frames.describePortal;
import static io.plenum.testbed.Frames.describeStatement;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A BEGIN that comes alone is answered by the pooler and takes no server before the statement behind it. */
@ExtendWith(LeakWatch.class)
class HeldBeginIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "BEGIN|COMMIT|C BEGIN, Z T|C COMMIT, Z I",
                "begin work;|rollback|C BEGIN, Z T|C ROLLBACK, Z I",
                "START TRANSACTION READ ONLY|END|C START TRANSACTION, Z T|C COMMIT, Z I",
                "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY|ABORT|C BEGIN, Z T|C ROLLBACK, Z I"
            })
    void transactionWithoutStatementsNeedsNoServer(String conversation) throws Exception {
        String[] said = conversation.split("\\|", -1);
        try (var pooler = startPooler();
                var holder = holder(pooler);
                var client = pooler.wire()) {
            assertThat(told(client.query(said[0]))).isEqualTo(said[2]);
            assertThat(told(client.query("SET TRANSACTION READ ONLY"))).isEqualTo("C SET, Z T");
            client.send(sync());
            assertThat(told(client.readUntilReady())).isEqualTo("Z T");
            assertThat(told(client.query(said[1]))).isEqualTo(said[3]);

            holder.query("COMMIT");
            assertThat(client.value("SELECT 'served'")).isEqualTo("served");
        }
    }

    @Test
    void transactionInGroupsWithoutStatementsNeedsNoServer() throws Exception {
        try (var pooler = startPooler();
                var holder = pooler.wire();
                var client = pooler.wire()) {
            client.send(parse("b", "BEGIN"), parse("c", "COMMIT"), sync());
            client.readUntilReady();
            holder.query("BEGIN; SELECT 1");
            for (String end : List.of("COMMIT", "ROLLBACK")) {
                client.send(parse("", "BEGIN"), bind("", ""), describePortal(""), execute(), sync());
                assertThat(told(client.readUntilReady())).isEqualTo("1, 2, n, C BEGIN, Z T");
                client.send(
                        parse("", "SET TRANSACTION READ ONLY"), describeStatement(""), bind("", ""), execute(), sync());
                assertThat(told(client.readUntilReady())).isEqualTo("1, t, n, 2, C SET, Z T");
                client.send(parse("", end), bind("", ""), execute(), sync());
                assertThat(told(client.readUntilReady())).isEqualTo("1, 2, C " + end + ", Z I");
                client.send(bind("", "b"), execute(), closePortal(""), sync(), bind("", "c"), execute(), sync());
                assertThat(told(client.readUntilReady())).isEqualTo("2, C BEGIN, 3, Z T");
                assertThat(told(client.readUntilReady())).isEqualTo("2, C COMMIT, Z I");
            }
            client.send(parse("", "BEGIN"), bind("", ""), execute(), sync());
            assertThat(told(client.readUntilReady())).isEqualTo("1, 2, C BEGIN, Z T");
            cancelled(client);
            client.send(bind("", "c"), execute(), sync());
            assertThat(told(client.readUntilReady())).isEqualTo("2, C ROLLBACK, Z I");

            holder.query("COMMIT");
            assertThat(client.value("SELECT 'served'")).isEqualTo("served");
        }
    }

    @Test
    void transactionTakesItsServerWithTheFirstStatementAndKeepsIt() throws Exception {
        try (var pooler = startPooler();
                var view = new PoolView(pooler);
                var client = pooler.wire();
                var other = pooler.wire()) {
            client.query("BEGIN");
            awaitNoServerAtWork(view);
            assertThat(other.value("SELECT 'meanwhile'")).isEqualTo("meanwhile");

            client.query("CREATE TEMP TABLE IF NOT EXISTS held (id int) ON COMMIT DROP");
            assertThat(view.serversAtWork()).isOne();
            assertThat(client.transactionStatus()).isEqualTo('T');
            client.query("ROLLBACK");
            awaitNoServerAtWork(view);
            assertThat(client.value("SELECT to_regclass('pg_temp.held') IS NULL"))
                    .isEqualTo("t");
        }
    }

    @Test
    void whatIsWrittenBehindItIsRolledBackWithIt() throws Exception {
        try (var pooler = startPooler();
                var client = pooler.wire()) {
            client.query("CREATE TABLE IF NOT EXISTS held_writes (id int)");
            client.query("TRUNCATE held_writes");
            for (String end : List.of("ROLLBACK", "COMMIT")) {
                client.send(query("BEGIN"), query("INSERT INTO held_writes VALUES (1)"));
                client.send(parse("", "INSERT INTO held_writes VALUES (2)"), bind("", ""), execute(), sync());
                client.send(query(end));
                for (int i = 0; i < 4; i++) {
                    client.readUntilReady();
                }
                client.send(query("BEGIN"));
                client.send(parse("", "INSERT INTO held_writes VALUES (3)"), bind("", ""), execute(), sync());
                client.send(query(end));
                for (int i = 0; i < 3; i++) {
                    client.readUntilReady();
                }
                assertThat(client.value("SELECT count(*) FROM held_writes"))
                        .isEqualTo(end.equals("COMMIT") ? "3" : "0");
            }
        }
    }

    @Test
    void modesAreThoseThatWereAskedFor() throws Exception {
        try (var pooler = startPooler();
                var client = pooler.wire()) {
            client.query("BEGIN ISOLATION LEVEL REPEATABLE READ /* and a comment */");
            client.query("SET TRANSACTION READ ONLY");

            assertThat(client.rows("SELECT current_setting('transaction_isolation'),"
                            + " current_setting('transaction_read_only')"))
                    .containsExactly(List.of("repeatable read", "on"));
            assertThat(told(client.query("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")))
                    .startsWith("E 25001");
        }
    }

    @Test
    void refusedWhileItWaitsTheTransactionHasFailed() throws Exception {
        try (var pooler = startPooler();
                var holder = holder(pooler);
                var client = pooler.wire()) {
            client.query("BEGIN");
            cancelled(client);
            assertThat(told(client.query("ROLLBACK"))).isEqualTo("C ROLLBACK, Z I");

            client.query("BEGIN");
            cancelled(client);
            assertThat(told(client.query("COMMIT"))).isEqualTo("C ROLLBACK, Z I");

            client.query("BEGIN");
            cancelled(client);
            holder.query("COMMIT");
            assertThat(told(client.query("SELECT 1"))).isEqualTo("E 25P02, Z E");
            assertThat(told(client.query("SELEC 1"))).isEqualTo("E 42601, Z E");
            client.send(parse("", "COMMIT"), bind("", ""), execute(), sync());
            assertThat(told(client.readUntilReady())).isEqualTo("1, 2, C ROLLBACK, Z I");
            assertThat(client.value("SELECT 'well again'")).isEqualTo("well again");
            client.query("BEGIN");
            assertThat(client.value("SELECT 'and on the same server'")).isEqualTo("and on the same server");
            client.query("COMMIT");
        }
    }

    private static void cancelled(WireClient client) throws Exception {
        client.send(query("SELECT 'never'"));
        Thread.sleep(50);
        client.cancel();
        assertThat(told(client.readUntilReady())).isEqualTo("E 57014, Z E");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SET idle_in_transaction_session_timeout = '200ms'|BEGIN",
                "SET transaction_timeout = '200ms'|BEGIN",
                "SELECT 1|BEGIN READ WRITE",
                "SELECT 1|BEGIN ISOLATION LEVEL SERIALIZABLE",
                "SELECT 1|/* plenum:primary */ BEGIN",
                "SELECT 1|BEGIN -- ä",
                "SELECT 1|BEGIN; SELECT 1",
                "SET client_encoding = 'SJIS'|BEGIN"
            })
    void whatIsNotSureGoesToAServerAtOnce(String conversation) throws Exception {
        String[] said = conversation.split("\\|", -1);
        try (var pooler = startPooler();
                var view = new PoolView(pooler);
                var client = pooler.wire()) {
            client.query(said[0]);
            client.query(said[1]);

            assertThat(view.serversAtWork()).isOne();
        }
    }

    @Test
    void turnedOffItGoesToAServerAtOnce() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "deferred_begin = off", PoolView.ALLOWED);
                var view = new PoolView(pooler);
                var client = pooler.wire()) {
            client.query("BEGIN");

            assertThat(view.serversAtWork()).isOne();
        }
    }

    @Test
    void limitsOfIdleTransactionsHold() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "idle_transaction_timeout = 1", "client_idle_timeout = 60");
                var client = pooler.wire()) {
            client.query("BEGIN");
            assertThat(told(List.of(client.read()))).isEqualTo("E 25P03");
        }
        try (var pooler = RunningPooler.start(SERVER, "transaction_timeout = 1");
                var client = pooler.wire()) {
            client.query("BEGIN");
            assertThat(told(List.of(client.read()))).isEqualTo("E 25P04");
        }
    }

    @Test
    void drainWaitsForItsEnd() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "drain_delay = 0");
                var client = pooler.wire();
                var idle = pooler.wire();
                var empty = pooler.wire()) {
            client.query("BEGIN");
            empty.query("BEGIN");
            pooler.pooler().stopWhenClientsAreGone();
            assertThat(told(List.of(idle.read()))).isEqualTo("E 57P01");

            assertThat(client.value("SELECT 'still served'")).isEqualTo("still served");
            assertThat(told(client.query("COMMIT"))).isEqualTo("C COMMIT, Z I");
            assertThat(told(List.of(client.read()))).isEqualTo("E 57P01");
            assertThat(told(empty.query("COMMIT"))).isEqualTo("C COMMIT, Z I");
            assertThat(told(List.of(empty.read()))).isEqualTo("E 57P01");
        }
    }

    @Test
    void pauseDoesNotWaitForItAndItWaitsForResume() throws Exception {
        try (var pooler = startPooler();
                var console = WireClient.connect("127.0.0.1", pooler.port(), "pgbouncer", "postgres", null);
                var client = pooler.wire()) {
            client.query("BEGIN");
            assertThat(told(console.query("PAUSE"))).isEqualTo("C PAUSE, Z I");
            client.send(query("SELECT 'behind the pause'"));
            assertThat(client.isClosedWithin(Duration.ofMillis(100))).isFalse();
            console.query("RESUME");

            assertThat(told(client.readUntilReady())).isEqualTo("T, D, C SELECT 1, Z T");
        }
    }

    /** The names of Parse that a text of SQL means are known before the BEGIN is answered. */
    @Test
    void firstStatementMayNameAPreparedOne() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2", "max_prepared_statements = 1");
                var client = pooler.wire()) {
            client.query("CREATE TABLE IF NOT EXISTS held_names (id int)");
            client.send(parse("s", "SELECT id, 'named' FROM held_names"), sync());
            client.readUntilReady();
            client.send(parse("t", "SELECT 'another takes its place on the server'"), sync());
            client.readUntilReady();
            client.send(query("BEGIN"), query("EXECUTE s"), query("COMMIT"));
            assertThat(told(client.readUntilReady())).isEqualTo("C BEGIN, Z T");
            assertThat(told(client.readUntilReady())).isEqualTo("T, C SELECT 0, Z T");
            assertThat(told(client.readUntilReady())).isEqualTo("C COMMIT, Z I");

            client.send(query("BEGIN"), query("DROP TABLE held_names"), query("COMMIT"));
            for (int i = 0; i < 3; i++) {
                client.readUntilReady();
            }
            client.send(parse("u", "SELECT 'and another'"), sync());
            client.readUntilReady();
            client.send(query("BEGIN"), query("EXECUTE s"), query("ROLLBACK"));
            assertThat(told(client.readUntilReady())).isEqualTo("C BEGIN, Z T");
            assertThat(told(client.readUntilReady())).startsWith("E ").endsWith(", Z E");
            assertThat(told(client.readUntilReady())).isEqualTo("C ROLLBACK, Z I");
        }
    }

    // --- the test's own means --------------------------------------------------------------------------------------

    private static RunningPooler startPooler() {
        return RunningPooler.start(SERVER, "default_pool_size = 1", PoolView.ALLOWED);
    }

    /** A moment ago one was asked for the values that the login told. */
    private static void awaitNoServerAtWork(PoolView view) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(5).toNanos();
        while (view.serversAtWork() > 0) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.sleep(1);
        }
    }

    /** Whoever has the only server. */
    private static WireClient holder(RunningPooler pooler) throws IOException {
        WireClient holder = pooler.wire(Map.of());
        holder.query("BEGIN; SELECT 1");
        return holder;
    }

    private static String told(List<Message> messages) {
        return messages.stream()
                .map(message -> switch (message.type()) {
                    case 'C' -> "C " + message.commandTag();
                    case 'Z' -> "Z " + message.transactionStatus();
                    case 'E' -> "E " + message.field('C');
                    default -> String.valueOf(message.type());
                })
                .collect(Collectors.joining(", "));
    }
}
