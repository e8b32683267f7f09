package io.plenum.pooler.pool;

import static io.plenum.testbed.Frames.query;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.net.Transport;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How many servers there are, who gets them and how long they live. PostgreSQL itself counts. */
@ExtendWith(LeakWatch.class)
class PoolIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    private static final String OF_SERVERS = " FROM pg_stat_activity"
            + " WHERE backend_type = 'client backend' AND application_name NOT IN ('control', 'plenum catalog')"
            + " AND pid <> pg_backend_pid() AND datname IN ('app', 'postgres')";

    private WireClient control;

    @BeforeEach
    void connect() throws Exception {
        control = RunningPooler.wire(SERVER.port(), Map.of("application_name", "control"), null);
        awaitServers(0);
    }

    @AfterEach
    void disconnect() throws Exception {
        control.close();
    }

    @Test
    void serversAreNoMoreThanThePoolHolds() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 3");
                var clients = new Clients(pooler, 12)) {
            clients.sendAll("SELECT pg_sleep(0.05)");
            assertThat(servers()).isBetween(1, 3);
            clients.readAll();
            assertThat(servers()).isEqualTo(3);
        }
        awaitServers(0);
    }

    @Test
    void waitersAreServedInTheirOrder() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var holder = pooler.wire();
                var clients = new Clients(pooler, 5)) {
            holder.rows("BEGIN; SELECT 1");
            for (var client : clients.all) {
                client.send(query("SELECT clock_timestamp()"));
                Thread.sleep(20);
            }
            holder.rows("COMMIT");

            List<String> times = new ArrayList<>();
            for (var client : clients.all) {
                times.add(client.readUntilReady().get(1).text());
            }
            assertThat(times).isSorted();
        }
    }

    @Test
    void reserveOpensForThoseWhoWaitedLong() throws Exception {
        try (var pooler = RunningPooler.start(
                        SERVER, "default_pool_size = 1", "reserve_pool_size = 1", "reserve_pool_timeout = 1");
                var holder = pooler.wire();
                var waiter = pooler.wire()) {
            holder.rows("BEGIN; SELECT 1");
            long asked = System.nanoTime();
            assertThat(waiter.value("SELECT 'by reserve'")).isEqualTo("by reserve");
            assertThat(Duration.ofNanos(System.nanoTime() - asked)).isGreaterThan(Duration.ofMillis(900));
        }
    }

    @Test
    void maxDbConnectionsHoldsForAllUsers() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 5", "max_db_connections = 2");
                var second = pooler.wire();
                var third = pooler.wire(Map.of("user", "trust_user"))) {
            var first = pooler.wire();
            first.rows("BEGIN; SELECT 1");
            second.rows("BEGIN; SELECT 1");
            assertThat(servers()).isEqualTo(2);
            third.send(query("SELECT 'at last'"));
            Thread.sleep(200);
            assertThat(servers()).isEqualTo(2);

            first.rows("COMMIT");
            first.close();
            // the idle server of another user has to make room
            assertThat(third.readUntilReady())
                    .anySatisfy(m -> assertThat(m.text()).contains("at last"));
        }
    }

    @Test
    void minPoolSizeIsKept() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 5", "min_pool_size = 3");
                var client = pooler.wire()) {
            client.rows("SELECT 1");
            awaitServers(3);
        }
    }

    @Test
    void oldServersAreReplaced() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "server_lifetime = 1");
                var client = pooler.wire()) {
            var before = client.value("SELECT pg_backend_pid()");
            Thread.sleep(1_300);
            assertThat(client.value("SELECT pg_backend_pid()")).isNotEqualTo(before);
            client.rows("BEGIN");
            var inside = client.value("SELECT pg_backend_pid()");
            Thread.sleep(1_300);
            assertThat(client.value("SELECT pg_backend_pid()")).isEqualTo(inside);
            client.rows("COMMIT");
        }
    }

    @Test
    void serverWithoutALifetimeIsUsedOnce() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "server_lifetime = 0");
                var client = pooler.wire();
                var other = pooler.wire()) {
            client.rows("BEGIN");
            var first = client.value("SELECT pg_backend_pid()");
            assertThat(client.value("SELECT pg_backend_pid()")).isEqualTo(first);
            other.send(query("SELECT pg_backend_pid()"));
            client.rows("COMMIT");

            assertThat(other.readUntilReady().get(1).text()).doesNotContain(first);
            assertThat(client.value("SELECT pg_backend_pid()")).isNotEqualTo(first);
        }
    }

    @Test
    void serverWithoutALifetimeIsUsedOnceIfItsClientVanishesToo() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "server_lifetime = 0");
                var other = pooler.wire()) {
            String first;
            try (var client = pooler.wire()) {
                client.rows("BEGIN");
                first = client.value("SELECT pg_backend_pid()");
            }
            assertThat(other.value("SELECT pg_backend_pid()")).isNotEqualTo(first);
        }
    }

    @Test
    void serverWithoutALifetimeThatALoginAskedIsStillToBeUsed() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "server_lifetime = 0");
                var client = pooler.wire()) {
            var asked = control.value("SELECT pid" + OF_SERVERS);
            assertThat(client.value("SELECT pg_backend_pid()")).isEqualTo(asked);
            assertThat(client.value("SELECT pg_backend_pid()")).isNotEqualTo(asked);
        }
    }

    @Test
    void idleServersAreClosed() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 3", "server_idle_timeout = 1");
                var clients = new Clients(pooler, 3)) {
            clients.sendAll("SELECT pg_sleep(0.1)");
            clients.readAll();
            assertThat(servers()).isEqualTo(3);
            awaitServers(0);
        }
    }

    @Test
    void serverIsCheckedAfterAPause() throws Exception {
        try (var pooler = RunningPooler.start(
                        SERVER, "default_pool_size = 1", "server_check_delay = 0", "server_check_query = SELECT 4711");
                var client = pooler.wire()) {
            var pid = client.value("SELECT pg_backend_pid()");
            Thread.sleep(20);
            client.rows("SELECT 1");
            assertThat(client.value("SELECT pg_backend_pid()")).isEqualTo(pid);
        }
    }

    @Test
    void sessionModeGivesTheServerForLifeAndResetsIt() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "pool_mode = session", "default_pool_size = 1");
                var next = pooler.wire()) {
            String pid;
            try (var first = pooler.wire()) {
                pid = first.value("SELECT pg_backend_pid()");
                first.rows("SET work_mem = '3MB'");
                first.rows("CREATE TEMP TABLE mine (id int)");
                first.rows("PREPARE p AS SELECT 1");
                assertThat(first.value("SHOW work_mem")).isEqualTo("3MB");
                assertThat(first.value("SELECT pg_backend_pid()")).isEqualTo(pid);
            }
            assertThat(next.value("SELECT pg_backend_pid()")).isEqualTo(pid);
            assertThat(next.value("SHOW work_mem")).isEqualTo("4MB");
            assertThat(next.value("SELECT count(*) FROM pg_prepared_statements"))
                    .isEqualTo("0");
            assertThat(next.value("SELECT count(*) FROM pg_class WHERE relname = 'mine'"))
                    .isEqualTo("0");
        }
    }

    @Test
    void sessionModeKeepsWhatTheStartupPacketAskedFor() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "pool_mode = session", "default_pool_size = 1");
                var client = pooler.wire(Map.of("application_name", "mine", "work_mem", "5MB"))) {
            assertThat(client.value("SHOW application_name")).isEqualTo("mine");
            client.rows("SET work_mem = '6MB'");
            client.rows("SET application_name = 'other'");
            client.rows("DISCARD ALL");
            assertThat(client.value("SHOW work_mem")).isEqualTo("5MB");
            assertThat(client.value("SHOW application_name")).isEqualTo("mine");
        }
    }

    @Test
    void resetRunsAfterEachTransactionWhereAsked() throws Exception {
        try (var pooler = RunningPooler.start(
                        SERVER,
                        "default_pool_size = 1",
                        "server_reset_query_always = 1",
                        "server_reset_query = SET application_name = 'was reset'");
                var client = pooler.wire();
                var seer = pooler.wire()) {
            client.rows("SELECT 1");
            String nameOfServer = "SELECT application_name FROM pg_stat_activity WHERE datname = 'app' AND"
                    + " application_name NOT IN ('control', 'plenum catalog') AND backend_type = 'client backend'";
            for (int i = 0; i < 250 && !"was reset".equals(control.value(nameOfServer)); i++) {
                Thread.sleep(10); // it runs behind the client's back
            }
            assertThat(control.value(nameOfServer)).isEqualTo("was reset");
            assertThat(seer.value("SHOW application_name")).isEmpty();
        }
    }

    @Test
    void statementModeTakesNoTransaction() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "pool_mode = statement", "default_pool_size = 1");
                var next = pooler.wire();
                var client = pooler.wire()) {
            assertThat(client.value("SELECT 1")).isEqualTo("1");
            client.send(query("BEGIN"));
            var messages = new ArrayList<String>();
            try {
                while (true) {
                    messages.add(client.read().toString());
                }
            } catch (EOFException closed) {
                assertThat(messages).anySatisfy(m -> assertThat(m).contains("transaction blocks not allowed"));
            }
            assertThat(next.value("SELECT 2")).isEqualTo("2");
        }
    }

    @Test
    void usersDoNotShareServers() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2");
                var one = pooler.wire();
                var two = pooler.wire(Map.of("user", "trust_user"));
                var elsewhere = pooler.wire(Map.of("database", "postgres"))) {
            for (int i = 0; i < 20; i++) {
                assertThat(one.value("SELECT session_user || current_database()"))
                        .isEqualTo("postgresapp");
                assertThat(two.value("SELECT session_user || current_database()"))
                        .isEqualTo("trust_userapp");
                assertThat(elsewhere.value("SELECT session_user || current_database()"))
                        .isEqualTo("postgrespostgres");
            }
        }
    }

    @Test
    void unknownDatabaseIsRefusedInPostgresWords() throws Exception {
        try (var pooler = RunningPooler.start(SERVER);
                var client = pooler.open()) {
            client.send(io.plenum.testbed.Frames.startup(
                    io.plenum.testbed.Frames.PROTOCOL_3_0, Map.of("user", "postgres", "database", "nowhere")));
            var error = client.readUntil('E').getLast();
            assertThat(error.field('C')).isEqualTo("3D000");
            assertThat(error.field('M')).isEqualTo("database \"nowhere\" does not exist");
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void oneServerServesTheClientsOfAllLoops(Transport transport) throws Exception {
        try (var pooler = RunningPooler.start(
                        SERVER, "default_pool_size = 1", "event_loops = 2", RunningPooler.on(transport));
                var clients = new Clients(pooler, 8)) {
            var pids = new HashSet<String>();
            var work = new ArrayList<Future<Integer>>();
            try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
                for (var client : clients.all) {
                    work.add(threads.submit(() -> {
                        for (int i = 0; i < 60; i++) {
                            String token = client.processId() + "/" + i;
                            assertThat(client.value("SELECT '" + token + "'")).isEqualTo(token);
                        }
                        return 60;
                    }));
                }
            }
            for (var done : work) {
                assertThat(done.get()).isEqualTo(60);
            }
            for (var client : clients.all) {
                pids.add(client.value("SELECT pg_backend_pid()"));
            }
            if (transport.movesConnections()) {
                assertThat(pids).hasSize(1);
            }
            awaitServers(1); // what was closed here and opened there may take a moment to be gone from PostgreSQL
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void nobodyStarvesBesideBusyNeighbours(Transport transport) throws Exception {
        try (var pooler = RunningPooler.start(
                        SERVER, "default_pool_size = 2", "event_loops = 2", RunningPooler.on(transport));
                var clients = new Clients(pooler, 10)) {
            long end = System.nanoTime() + Duration.ofMillis(1_500).toNanos();
            var counts = new ArrayList<Future<Integer>>();
            try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
                for (var client : clients.all) {
                    counts.add(threads.submit(() -> {
                        int count = 0;
                        while (System.nanoTime() < end) {
                            client.value("SELECT pg_sleep(0.001)");
                            count++;
                        }
                        return count;
                    }));
                }
            }
            for (var count : counts) {
                assertThat(count.get()).isGreaterThan(10);
            }
        }
    }

    @Test
    void loginStormOpensFewConnectionsAtOnce() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 20");
                var clients = new Clients(pooler, 60)) {
            clients.sendAll("SELECT pg_sleep(0.02)");
            clients.readAll();
            assertThat(servers()).isLessThanOrEqualTo(20);
        }
    }

    @Test
    void serverWithoutRoomIsAskedAgain() throws Exception {
        try (var own = PostgresServer.start(io.plenum.testbed.PostgresCluster.builder()
                        .setting("max_connections", "8")
                        .setting("max_wal_senders", "2")
                        .setting("superuser_reserved_connections", "1"));
                var pooler = RunningPooler.start(own, "default_pool_size = 30", "query_wait_timeout = 10");
                var clients = new Clients(pooler, 20, Map.of("user", "trust_user"))) {
            clients.sendAll("SELECT pg_sleep(0.05)");
            clients.readAll();
        }
    }

    // --- counting --------------------------------------------------------------------------------------------------

    private int servers() throws IOException {
        return Integer.parseInt(control.value("SELECT count(*)" + OF_SERVERS));
    }

    private void awaitServers(int count) throws Exception {
        for (int i = 0; i < 250 && servers() != count; i++) {
            Thread.sleep(10);
        }
        assertThat(servers()).isEqualTo(count);
    }

    private static final class Clients implements AutoCloseable {
        private final List<WireClient> all = new ArrayList<>();

        Clients(RunningPooler pooler, int count) throws IOException {
            this(pooler, count, Map.of());
        }

        Clients(RunningPooler pooler, int count, Map<String, String> parameters) throws IOException {
            for (int i = 0; i < count; i++) {
                all.add(pooler.wire(parameters));
            }
        }

        void sendAll(String sql) throws IOException {
            for (var client : all) {
                client.send(query(sql));
            }
        }

        void readAll() throws IOException {
            for (var client : all) {
                for (var message : client.readUntilReady()) {
                    if (message.type() == 'E') {
                        throw new AssertionError(message.text());
                    }
                }
            }
        }

        @Override
        public void close() throws IOException {
            for (var client : all) {
                client.close();
            }
        }
    }
}
