package io.plenum.pooler.client;

import static io.plenum.testbed.Frames.query;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.LogBook;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** PgBouncer's settings that limit what a client may do, and what it is told. */
@ExtendWith(LeakWatch.class)
class ClientLimitsIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();
    private static final String ADMIN = "admin_users = postgres";

    @Test
    void userHasSoManyClientsAndNoMore() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "[users]", "postgres = max_user_client_connections=2")) {
            var first = pooler.wire();
            try (var second = pooler.wire()) {
                assertThat(second.value("SELECT 1")).isEqualTo("1");
                assertThatThrownBy(pooler::wire).hasMessageContaining("max_user_client_connections");
                first.close();
                until(() -> connects(pooler));
            }
        }
    }

    @Test
    void databaseHasSoManyClientsAndNoMore() throws Exception {
        String at = "host=%s port=%d dbname=app".formatted(SERVER.host(), SERVER.port());
        try (var pooler = RunningPooler.ofDatabases("app = " + at + " max_db_client_connections=1\nother = " + at);
                var first = pooler.wire();
                var other = pooler.wire(Map.of("database", "other"))) {
            assertThatThrownBy(pooler::wire).hasMessageContaining("max_db_client_connections");
            assertThat(first.value("SELECT 1")).isEqualTo("1");
            assertThat(other.value("SELECT 2")).isEqualTo("2");
        }
    }

    private static boolean connects(RunningPooler pooler) {
        try (var again = pooler.wire()) {
            return again.value("SELECT 1").equals("1");
        } catch (IOException full) {
            return false;
        }
    }

    @Test
    void simpleQueryIsRefusedAndAnExtendedOneIsNotWhenTheSettingSaysSo() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "disable_pqexec = 1")) {
            try (var client = pooler.wire()) {
                client.send(Frames.parse("", "SELECT 1"), Frames.bind("", ""), Frames.execute("", 0), Frames.sync());
                assertThat(client.readUntilReady()).extracting(Message::type).contains('D');
                client.send(query("SELECT 1"));
                assertThat(errorOf(client)).contains("disable_pqexec");
            }
        }
    }

    @Test
    void largerMessageThanAllowedClosesItsClientBeforeAServerSeesIt() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "max_packet_size = 2048");
                var client = pooler.wire()) {
            assertThat(client.value("SELECT length('" + "x".repeat(1900) + "')"))
                    .isEqualTo("1900");
            client.send(query("SELECT length('" + "x".repeat(2048) + "')"));
            assertThat(errorOf(client)).contains("max_packet_size");
        }
    }

    @Test
    void clientThatWaitsIsToldOnceForEachWait() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "query_wait_notify = 1");
                var holder = pooler.wire();
                var waiter = pooler.wire()) {
            for (int i = 0; i < 2; i++) {
                holder.rows("BEGIN; SELECT 1");
                waiter.send(query("SELECT 1"));
                assertThat(waiter.read().text())
                        .contains("No server connection available in app backend, client being queued");
                Thread.sleep(300);
                holder.rows("COMMIT");
                assertThat(waiter.readUntilReady()).extracting(Message::type).containsExactly('T', 'D', 'C', 'Z');
            }
        }
    }

    @Test
    void loginIsFollowedByTheNoticeOfTheSettings() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "login_notify_message = You are now connected");
                var client = pooler.wire()) {
            assertThat(client.loginMessages())
                    .filteredOn(message -> message.type() == 'N')
                    .singleElement()
                    .satisfies(notice -> assertThat(notice.field('M')).isEqualTo("You are now connected"));
        }
    }

    @Test
    void fastCloseEndsASessionBetweenItsTransactionsWhenItsServerIsOld() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, ADMIN, "pool_mode = session", "server_fast_close = 1");
                var client = pooler.wire();
                var console = console(pooler)) {
            client.rows("BEGIN");
            console.query("RECONNECT");
            assertThat(client.value("SELECT 'in its transaction'")).isEqualTo("in its transaction");
            client.rows("COMMIT");
            assertThat(errorOf(client)).contains("database configuration changed");
        }
    }

    @Test
    void limitOfTimeThatIsSetLaterHoldsForThoseWhoAreThere() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, ADMIN);
                var client = pooler.wire();
                var console = console(pooler)) {
            client.rows("SELECT 1");
            console.query("SET client_idle_timeout = 1");
            assertThat(errorOf(client)).contains("client_idle_timeout");
        }
    }

    @Test
    void queryTimeoutCountsTheWaitForAServer() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "query_timeout = 1");
                var holder = pooler.wire();
                var waiter = pooler.wire()) {
            holder.rows("BEGIN; SELECT 1");
            waiter.send(query("SELECT 1"));
            assertThat(errorOf(waiter)).contains("query_timeout");
        }
    }

    @Test
    void unusedPoolIsForgottenAndMadeAnew() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, ADMIN, "server_idle_timeout = 0.3", "autodb_idle_timeout = 0.5");
                var console = console(pooler);
                var log = new LogBook()) {
            connects(pooler);
            assertThat(pools(console)).contains("app");
            until(() -> !pools(console).contains("app"));
            assertThat(connects(pooler)).isTrue();
            assertThat(pools(console)).contains("app");
            assertThat(log.lines())
                    .filteredOn(line -> line.endsWith("registered new auto-database: app"))
                    .hasSize(2);
        }
    }

    @Test
    void databaseThatNobodyUsesIsForgottenWithAllThatIsKnownOfIt() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, ADMIN, "server_idle_timeout = 0.3", "autodb_idle_timeout = 0.5");
                var console = console(pooler);
                var log = new LogBook()) {
            for (int time = 1; time <= 2; time++) {
                int times = time;
                try (var client = pooler.wire()) {
                    client.query("LISTEN forgotten");
                    until(() -> count(log, "event=catalog_read database=app .*") == times);
                    assertThat(count(log, "event=listener_open database=app .*"))
                            .isEqualTo(times);
                }
                until(() -> !pools(console).contains("app"));
                assertThat(console.rows("SHOW DATABASES")).noneMatch(row -> "app".equals(row.getFirst()));
            }
        }
    }

    private static long count(LogBook log, String line) {
        return log.lines().stream().filter(text -> text.matches(line)).count();
    }

    @Test
    void poolOfADatabaseThatNamesItsUserIsFilledBeforeAnyClientComes() throws Exception {
        String at = "host=%s port=%d dbname=app".formatted(SERVER.host(), SERVER.port());
        try (var direct = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
            direct.rows("DROP ROLE IF EXISTS warm");
            direct.rows("CREATE ROLE warm LOGIN");
            String count = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'warm'";
            try (var pooler = RunningPooler.ofDatabases("warm = " + at + " user=warm min_pool_size=3")) {
                until(() -> value(direct, count).equals("3"));
                assertThat(pooler.port()).isPositive();
            }
            until(() -> value(direct, count).equals("0"));
            direct.rows("DROP ROLE warm");
        }
    }

    private static String value(WireClient client, String sql) {
        try {
            return client.value(sql);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static List<String> pools(WireClient console) {
        try {
            return console.rows("SHOW POOLS").stream().map(List::getFirst).toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void logTellsOfAConnectionInTheWordsOfPgbouncer() throws Exception {
        try (var log = new LogBook();
                var pooler = RunningPooler.start(SERVER, "server_lifetime = 1")) {
            connects(pooler);
            assertThatThrownBy(() -> pooler.wire(Map.of("user", "nobody"))).isNotNull();
            String who = "-0x[0-9a-f]+: app/postgres@127\\.0\\.0\\.1:[0-9]+ ";
            log.await("C" + who + "login attempt: db=app user=postgres tls=no replication=no");
            log.await("S" + who + "new connection to server \\(from 127\\.0\\.0\\.1:[0-9]+\\)");
            log.await("C" + who + "closing because: client close request \\(age=0s\\)");
            log.await("S" + who + "closing because: server lifetime over \\(age=[1-3]s\\)");
            log.await("C-0x[0-9a-f]+: app/nobody@127.* pooler error: role \"nobody\" does not exist.*");
            log.await("app/nobody@.* server login failed: FATAL role \"nobody\" does not exist.*");
            log.await("C-0x[0-9a-f]+: app/nobody@127.* closing because: role \"nobody\" does not exist.*");
        }
    }

    private static void until(BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (!condition.getAsBoolean() && System.nanoTime() < end) {
            Thread.sleep(20);
        }
        assertThat(condition.getAsBoolean()).isTrue();
    }

    private static WireClient console(RunningPooler pooler) throws IOException {
        return pooler.wire(Map.of("database", "pgbouncer"));
    }

    /** The text of the one error that the client is closed with. */
    private static String errorOf(WireClient client) throws IOException {
        client.timeout(Duration.ofSeconds(5));
        var errors = new ArrayList<String>();
        try {
            while (true) {
                Message message = client.read();
                if (message.type() == 'E') {
                    assertThat(message.field('S')).isEqualTo("FATAL");
                    errors.add(message.field('M'));
                }
            }
        } catch (EOFException closed) {
            // as it should
        }
        assertThat(errors).hasSize(1);
        return errors.getFirst();
    }
}
