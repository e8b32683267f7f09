package io.plenum.pooler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.plenum.testbed.Frames;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import io.plenum.testbed.StopMode;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Transactions that need a primary while there is none, or while it is paused. */
@ExtendWith(LeakWatch.class)
class HoldIT {
    private static final ExecutorService THREADS = Executors.newVirtualThreadPerTaskExecutor();
    private static PostgresCluster cluster;

    private int httpPort;

    @BeforeAll
    static void startCluster() {
        cluster = PostgresCluster.builder().standbys(1).start();
        cluster.primary().execute("SELECT 1");
        try (Connection connection = cluster.primary().connect("app", PostgresCluster.SUPERUSER, "");
                var statement = connection.createStatement()) {
            statement.execute("CREATE TABLE written (id bigserial PRIMARY KEY)");
            statement.execute("CREATE VIEW whoami AS SELECT current_setting('cluster_name') AS node");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        cluster.awaitReplay();
    }

    @AfterAll
    static void stopCluster() {
        cluster.close();
    }

    @BeforeEach
    void choosePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            httpPort = socket.getLocalPort();
        }
    }

    @AfterEach
    void thePrimaryIsBack() {
        if (!cluster.primary().isRunning()) {
            cluster.primary().start();
        }
    }

    @Test
    void writeThatBeginsWithoutAPrimaryIsDoneWhenThereIsOneAndReadsGoOn() throws Exception {
        try (var pooler = start("");
                var writer = pooler.connect();
                var reader = pooler.connect()) {
            long before = count(writer);
            cluster.primary().stop(StopMode.FAST);
            Future<Integer> write = THREADS.submit(() -> insert(writer));
            TimeUnit.MILLISECONDS.sleep(500);

            assertThat(text(reader, "SELECT node FROM whoami")).isEqualTo("pg-1");
            assertThat(write.isDone()).isFalse();
            try (WireClient late = pooler.wire()) { // logins go on; a driver's first SET would wait
                assertThat(late.value("SELECT node FROM whoami")).isEqualTo("pg-1");
            }

            cluster.primary().start();
            assertThat(write.get(10, TimeUnit.SECONDS)).isEqualTo(1);
            assertThat(count(writer)).isEqualTo(before + 1);
        }
    }

    @Test
    void sessionThatHasSetSomethingAndWrittenNothingReadsOn() throws Exception {
        try (var pooler = start("read_consistency = session");
                var reader = pooler.connect()) {
            await(() -> text(reader, "SELECT node FROM whoami").equals("pg-1"));
            try (var statement = reader.createStatement()) {
                statement.execute("SET work_mem = '5MB'");
                statement.executeQuery("SHOW work_mem").close();
                cluster.primary().stop(StopMode.FAST);
            }

            Future<String> read = THREADS.submit(() -> text(reader, "SELECT node FROM whoami"));

            assertThat(read.get(2, TimeUnit.SECONDS)).isEqualTo("pg-1");
        }
    }

    @Test
    void whoIsHeldForTooLongIsToldThatNothingWasSentAndMayGoOn() throws Exception {
        try (var pooler = start("hold_window = 1");
                WireClient client = pooler.wire()) {
            client.query("INSERT INTO written DEFAULT VALUES");
            cluster.primary().stop(StopMode.FAST);
            awaitNoPrimary(pooler);
            long asked = System.nanoTime();

            // in one write, as a driver does it: the error ends the group, and one ReadyForQuery the whole
            client.send(
                    Frames.parse("", "INSERT INTO written DEFAULT VALUES"),
                    Frames.bind("", ""),
                    Frames.execute(),
                    Frames.sync());
            var refused = client.readUntilReady();

            assertThat(refused).hasSize(2);
            assertThat(refused.getFirst().field('C')).isEqualTo("57P03");
            assertThat(refused.getFirst().field('S')).isEqualTo("ERROR");
            assertThat(Duration.ofNanos(System.nanoTime() - asked))
                    .isBetween(Duration.ofMillis(900), Duration.ofSeconds(3));
            assertThat(client.value("SELECT node FROM whoami")).isEqualTo("pg-1");

            cluster.primary().start();
            awaitWritable(client);
        }
    }

    /** In the midst of a transaction of this client's, and the next transaction of any needs a login. */
    private static void beginSmartShutdownOf(PostgresNode primary, WireClient open, Connection console)
            throws Exception {
        open.query("BEGIN");
        open.query("INSERT INTO written DEFAULT VALUES");
        run(console, "RECONNECT app");
        primary.beginStop(StopMode.SMART);
    }

    /** Its sessions answer as ever, also that over which it is asked what it is. */
    @Test
    void primaryInASmartShutdownEndsWhatItRunsAndWhatItRefusesIsHeld() throws Exception {
        PostgresNode primary = cluster.primary();
        try (var pooler = start("");
                var console = console(pooler);
                WireClient open = pooler.wire();
                var writer = pooler.connect()) {
            long before = count(writer);
            beginSmartShutdownOf(primary, open, console);
            Future<Integer> write = THREADS.submit(() -> insert(writer));
            awaitPrimary(pooler, "refusing");

            assertThat(write.isDone()).isFalse();
            assertThat(open.query("INSERT INTO written DEFAULT VALUES")
                            .getFirst()
                            .type())
                    .isEqualTo('C');
            assertThat(open.query("COMMIT").getFirst().commandTag()).isEqualTo("COMMIT");
            await(() -> !primary.isRunning());

            primary.start();
            assertThat(write.get(10, TimeUnit.SECONDS)).isEqualTo(1);
            assertThat(count(writer)).isEqualTo(before + 3);
        }
    }

    @Test
    void sessionsDoNotKeepThePrimaryFromItsEndForever() throws Exception {
        PostgresNode primary = cluster.primary();
        try (var pooler = start("smart_shutdown_timeout = 1");
                var console = console(pooler);
                WireClient open = pooler.wire();
                WireClient writer = pooler.wire()) {
            beginSmartShutdownOf(primary, open, console);
            writer.send(Frames.query("INSERT INTO written DEFAULT VALUES"));

            await(() -> !primary.isRunning());
            assertThat(open.read().field('C')).isEqualTo("08006");

            primary.start();
            assertThat(writer.readUntilReady().getFirst().commandTag()).isEqualTo("INSERT 0 1");
        }
    }

    @Test
    void moreThanMayBeHeldIsRefusedOldestFirst() throws Exception {
        try (var pooler = start(
                "hold_max_requests = 2",
                "event_loops = 1",
                "http_listen_addr = 127.0.0.1",
                "http_listen_port = " + httpPort)) {
            List<WireClient> clients = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                clients.add(pooler.wire());
            }
            cluster.primary().stop(StopMode.FAST);
            awaitNoPrimary(pooler);
            for (WireClient client : clients) {
                client.send(Frames.query("INSERT INTO written DEFAULT VALUES"));
                TimeUnit.MILLISECONDS.sleep(100);
            }

            assertThat(clients.getFirst().readUntilReady().getFirst().field('C'))
                    .isEqualTo("57P03");
            assertThat(metric("plenum_held_requests")).isEqualTo(2);
            assertThat(metric("plenum_held_bytes"))
                    .isEqualTo(2 * Frames.query("INSERT INTO written DEFAULT VALUES").length);
            assertThat(metric("plenum_oldest_held_seconds")).isBetween(0.1, 10.0);
            assertThat(metric("plenum_held_refused_total")).isEqualTo(1);
            cluster.primary().start();
            for (WireClient client : clients.subList(1, 3)) {
                assertThat(client.readUntilReady().getFirst().commandTag()).isEqualTo("INSERT 0 1");
            }
            awaitWritable(clients.getFirst());
            for (WireClient client : clients) {
                client.close();
            }
        }
    }

    @Test
    void cancelTakesAHeldWriteOutOfTheQueue() throws Exception {
        try (var pooler = start("");
                WireClient client = pooler.wire()) {
            cluster.primary().stop(StopMode.FAST);
            awaitNoPrimary(pooler);
            client.send(Frames.query("INSERT INTO written DEFAULT VALUES"));
            TimeUnit.MILLISECONDS.sleep(200);
            client.cancel();

            assertThat(client.readUntilReady().getFirst().field('C')).isEqualTo("57014");
        }
    }

    @Test
    void pauseHoldsWritesLetsReadsGoOnAndEndsByItself() throws Exception {
        try (var pooler = start("");
                var writer = pooler.connect();
                var reader = pooler.connect();
                var console = console(pooler)) {
            insert(writer);
            run(console, "PAUSE app FOR 2");
            long paused = System.nanoTime();
            Future<Integer> write = THREADS.submit(() -> insert(writer));

            for (int i = 0; i < 50; i++) {
                assertThat(text(reader, "SELECT node FROM whoami")).isEqualTo("pg-1");
            }
            assertThat(write.isDone()).isFalse();
            assertThat(write.get(10, TimeUnit.SECONDS)).isEqualTo(1);
            assertThat(Duration.ofNanos(System.nanoTime() - paused)).isGreaterThan(Duration.ofMillis(1_500));
        }
    }

    @Test
    void explainRouteSaysWhatWouldBeHeldAndWhy() throws Exception {
        try (var pooler = start("");
                var writer = pooler.connect();
                var console = console(pooler)) {
            insert(writer);
            assertThat(held(console, "DELETE FROM written")).isEqualTo("no");
            assertThat(held(console, "SELECT 1")).isEqualTo("no");

            run(console, "PAUSE app FOR 20");
            assertThat(held(console, "DELETE FROM written")).isEqualTo("paused");
            assertThat(held(console, "SELECT 1")).as("standbys go on").isEqualTo("no");
            run(console, "RESUME app");
            run(console, "SUSPEND");
            assertThat(held(console, "SELECT 1")).isEqualTo("suspended");
            run(console, "RESUME");
            assertThat(held(console, "DELETE FROM written")).isEqualTo("no");

            cluster.primary().stop(StopMode.FAST);
            awaitNoPrimary(pooler);
            assertThat(held(console, "DELETE FROM written")).isEqualTo("no_primary");
            assertThat(held(console, "SELECT 1")).isEqualTo("no");
        }
    }

    private static String held(Connection console, String sql) throws SQLException {
        try (var statement = console.createStatement();
                var rows = statement.executeQuery("EXPLAIN ROUTE FOR app " + sql)) {
            rows.next();
            return rows.getString("held");
        }
    }

    @Test
    void pauseThatCannotBeginInItsTimeFailsAndIsOver() throws Exception {
        try (var pooler = start("");
                var busy = pooler.connect();
                var writer = pooler.connect();
                var console = console(pooler)) {
            busy.setAutoCommit(false);
            insert(busy);

            var failed = catchThrowableOfType(SQLException.class, () -> run(console, "PAUSE app FOR 1"));

            assertThat(failed.getSQLState()).isEqualTo("57014");
            assertThat(insert(writer)).isEqualTo(1);
            busy.rollback();
        }
    }

    @Test
    void hooksPauseAndResumeByHttpWithTheTokenAlone() throws Exception {
        try (var pooler = start("http_control_token = sesame", "http_listen_port = " + httpPort);
                var writer = pooler.connect()) {
            insert(writer);
            assertThat(post("/pause?database=app", "")).isEqualTo(401);
            assertThat(post("/pause?database=app", "Bearer open")).isEqualTo(401);
            assertThat(post("/pause?database=app&for=ever", "Bearer sesame")).isEqualTo(400);
            assertThat(post("/pause?database=nowhere", "Bearer sesame")).isEqualTo(409);
            assertThat(post("/resume?database=app", "Bearer sesame")).isEqualTo(409);
            assertThat(insert(writer)).isEqualTo(1);

            assertThat(post("/pause?database=app&for=20", "Bearer sesame")).isEqualTo(200);
            Future<Integer> write = THREADS.submit(() -> insert(writer));
            TimeUnit.MILLISECONDS.sleep(300);
            assertThat(write.isDone()).isFalse();
            assertThat(post("/resume?database=app", "Bearer sesame")).isEqualTo(200);
            assertThat(write.get(5, TimeUnit.SECONDS)).isEqualTo(1);
        }
    }

    @Test
    void withoutATokenNobodyPausesByHttp() throws Exception {
        try (var pooler = start("http_listen_port = " + httpPort)) {
            assertThat(post("/pause", "Bearer ")).isEqualTo(403);
            assertThat(pooler.pooler().isPaused("")).isFalse();
        }
    }

    @Test
    void frozenStandbyCostsNoReadMoreThanAMoment() throws Exception {
        PostgresNode second = cluster.addStandby();
        try (var pooler = start("")) {
            List<Connection> readers = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                readers.add(pooler.connect());
            }
            for (int i = 0; i < 40; i++) {
                text(readers.get(i % 8), "SELECT node FROM whoami");
            }
            List<CompletableFuture<Long>> slowest = new ArrayList<>();
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(6);
            for (Connection reader : readers) {
                slowest.add(CompletableFuture.supplyAsync(() -> slowestRead(reader, end), THREADS));
            }
            TimeUnit.MILLISECONDS.sleep(1_000);
            second.freeze();
            for (CompletableFuture<Long> one : slowest) {
                assertThat(Duration.ofNanos(one.get(30, TimeUnit.SECONDS)))
                        .as("the slowest read of a client")
                        .isLessThan(Duration.ofSeconds(3)); // 2,000 on a machine of its own
            }
            for (Connection reader : readers) {
                reader.close();
            }
        } finally {
            if (second.isFrozen()) {
                second.thaw();
            }
            cluster.remove(second);
        }
    }

    private static long slowestRead(Connection reader, long end) {
        long slowest = 0;
        try {
            while (System.nanoTime() - end < 0) {
                long began = System.nanoTime();
                text(reader, "SELECT node FROM whoami");
                slowest = Math.max(slowest, System.nanoTime() - began);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return slowest;
    }

    // --- the test's own means --------------------------------------------------------------------------------------

    /** Returns when reads go to a standby: nodes and catalogue are known then. */
    private static RunningPooler start(String... settings) throws Exception {
        String hosts = cluster.nodes().stream().map(PostgresNode::host).collect(Collectors.joining(","));
        // Where the last commit of a session stands is not known once its primary is gone: its reads would wait for one
        // too.
        List<String> all =
                new ArrayList<>(List.of("event_loops = 2", "admin_users = postgres", "read_consistency = eventual"));
        all.addAll(List.of(settings));
        RunningPooler pooler = RunningPooler.ofDatabases(
                "app = host=%s port=%d".formatted(hosts, cluster.primary().port()), all.toArray(String[]::new));
        try (Connection reader = pooler.connect()) {
            await(() -> !text(reader, "SELECT node FROM whoami")
                    .equals(cluster.primary().name()));
        }
        return pooler;
    }

    private static Connection console(RunningPooler pooler) throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + pooler.port() + "/pgbouncer?user=postgres");
    }

    /** Of the one user that there is. */
    private double metric(String name) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + "/metrics"))
                    .build();
            return http.send(request, HttpResponse.BodyHandlers.ofLines())
                    .body()
                    .filter(line -> line.startsWith(name + "{"))
                    .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                    .sum();
        }
    }

    private int post(String path, String authorization) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + path))
                    .POST(HttpRequest.BodyPublishers.noBody());
            if (!authorization.isEmpty()) {
                request.header("Authorization", authorization);
            }
            return http.send(request.build(), HttpResponse.BodyHandlers.ofString())
                    .statusCode();
        }
    }

    /** Until the pooler knows that the primary is gone. */
    private static void awaitNoPrimary(RunningPooler pooler) throws Exception {
        awaitPrimary(pooler, "down");
    }

    private static void awaitPrimary(RunningPooler pooler, String state) throws Exception {
        try (var console = console(pooler)) {
            await(() -> {
                try (var statement = console.createStatement();
                        var nodes = statement.executeQuery("SHOW NODES")) {
                    boolean so = false;
                    while (nodes.next()) {
                        so |= nodes.getString("role").equals("primary")
                                && nodes.getString("state").equals(state);
                    }
                    return so;
                }
            });
        }
    }

    private static void awaitWritable(WireClient client) throws Exception {
        await(() ->
                client.query("INSERT INTO written DEFAULT VALUES").getFirst().type() == 'C');
    }

    private static void await(Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.call()) {
            assertThat(System.nanoTime()).as("20 s and still not").isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    private static int insert(Connection connection) throws SQLException {
        try (var statement = connection.createStatement()) {
            return statement.executeUpdate("INSERT INTO written DEFAULT VALUES");
        }
    }

    private static long count(Connection connection) throws SQLException {
        return Long.parseLong(
                text(connection, "WITH asks AS (SELECT txid_current()) SELECT count(*) FROM written, asks"));
    }

    private static void run(Connection console, String sql) throws SQLException {
        try (var statement = console.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String text(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }
}
