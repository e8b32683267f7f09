package io.plenum.pooler.causal;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a read sees that may be answered by a standby, with standbys that lag. */
@ExtendWith(LeakWatch.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class CausalReadsIT {
    private static final Duration LAG = Duration.ofMillis(150);
    private static PostgresCluster cluster;

    /** A value and the node that it was read from. */
    private record Seen(int value, String node) {
        boolean isOfStandby() {
            return !node.equals(cluster.primary().name());
        }
    }

    @BeforeAll
    static void startCluster() {
        cluster = PostgresCluster.builder().standbys(2).start();
        try (var connection = cluster.primary().connect("app", PostgresCluster.SUPERUSER, "");
                var statement = connection.createStatement()) {
            statement.execute("CREATE VIEW whoami AS SELECT current_setting('cluster_name') AS node");
            statement.execute("CREATE TABLE counter (id int PRIMARY KEY, n int)");
            statement.execute("INSERT INTO counter SELECT i, 0 FROM generate_series(1, 9) i");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        cluster.awaitReplay();
    }

    @AfterAll
    static void stopCluster() {
        cluster.close();
    }

    @AfterEach
    void catchUp() {
        for (PostgresNode standby : cluster.standbys()) {
            standby.delayReplay(Duration.ZERO);
            standby.resumeReplay();
        }
        cluster.awaitReplay();
    }

    @Test
    void clientReadsItsOwnWritesThoughTheStandbysLag() throws Exception {
        try (var pooler = startPooler("causal_wait = 0.01");
                var client = connected(pooler)) {
            lag();

            List<Seen> reads = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                int written = increment(client, 1);
                Seen read = read(client, 1);
                assertThat(read.value())
                        .as("after writing %d, on %s", written, read.node())
                        .isEqualTo(written);
                reads.add(read);
            }

            assertThat(reads)
                    .as("the standbys are 150 ms behind")
                    .filteredOn(Seen::isOfStandby)
                    .hasSizeLessThan(reads.size() / 2); // none, but for pauses of this machine
            Thread.sleep(2 * LAG.toMillis());
            assertThat(read(client, 1)).matches(Seen::isOfStandby, "once they have caught up");
        }
    }

    /** Without which the test before would prove nothing. */
    @Test
    void eventualReadsAreStale() throws Exception {
        try (var pooler = startPooler("read_consistency = eventual");
                var client = connected(pooler)) {
            lag();

            assertThat(stale(client, 20)).isEqualTo(20);
        }
    }

    @Test
    void readThatMayWaitIsAnsweredByAStandbyThatHasTheWrite() throws Exception {
        try (var pooler = startPooler("causal_wait = 5");
                var client = connected(pooler)) {
            for (boolean flushed : new boolean[] {true, false}) {
                execute(client, "SET synchronous_commit = " + (flushed ? "on" : "off"));
                int ofStandbys = 0;
                for (int i = 0; i < 40; i++) {
                    int written = increment(client, 2);
                    Seen read = read(client, 2);
                    assertThat(read.value()).isEqualTo(written);
                    ofStandbys += read.isOfStandby() ? 1 : 0;
                }

                assertThat(ofStandbys)
                        .as("of 40 reads, synchronous_commit %s", flushed)
                        .isGreaterThan(36);
            }
        }
    }

    @Test
    void commitWithoutAFlushThatOnlyTheTransactionKnowsOfIsSeen() throws Exception {
        try (var pooler = startPooler("causal_wait = 5");
                var client = connected(pooler)) {
            for (int i = 0; i < 10; i++) {
                execute(client, "BEGIN");
                execute(client, "SET LOCAL synchronous_commit = off");
                int written = increment(client, 3);
                execute(client, "COMMIT");

                assertThat(read(client, 3).value()).isEqualTo(written);
            }
        }
    }

    @Test
    void clientsOfAPodSeeWhatOthersOfItWrote() throws Exception {
        try (var pooler = startPooler("read_consistency = pod");
                var writer = connected(pooler);
                var reader = connected(pooler)) {
            lag();
            for (int i = 0; i < 20; i++) {
                int written = increment(writer, 4);

                assertThat(read(reader, 4).value()).isEqualTo(written);
            }
        }
    }

    @Test
    void readsOfTheWholeClusterSeeWhatWasWrittenPastThePooler() throws Exception {
        try (var pooler = startPooler("read_consistency = cluster");
                var writer = cluster.primary().connect("app", PostgresCluster.SUPERUSER, "");
                var reader = connected(pooler)) {
            lag();
            for (int i = 0; i < 20; i++) {
                int written = increment(writer, 5);

                assertThat(read(reader, 5).value()).isEqualTo(written);
            }
        }
    }

    @Test
    void positionThatOneClientTellsMakesAnotherSeeItsWrites() throws Exception {
        try (var pooler = startPooler("read_consistency = eventual");
                var writer = connected(pooler);
                var reader = connected(pooler);
                var simple = pooler.connect("preferQueryMode=simple")) {
            lag();
            int before = read(reader, 6).value();
            int written = increment(writer, 6);
            assertThat(read(reader, 6).value()).isEqualTo(before);
            String position = text(writer, "SHOW plenum.lsn");
            assertThat(text(simple, " show PLENUM.lsn; ")).matches("[0-9A-F]+/[0-9A-F]+");

            execute(reader, "SET plenum.min_lsn = '" + position + "'");

            assertThat(read(reader, 6).value()).isEqualTo(written);
            assertThat(text(reader, "SHOW plenum.min_lsn")).isEqualTo(position);

            execute(reader, "SET plenum.min_lsn = 'nonsense'");
            assertThat(read(reader, 6).isOfStandby())
                    .as("what is no position is beyond all")
                    .isFalse();
            execute(reader, "RESET plenum.min_lsn");
            assertThat(read(reader, 6).isOfStandby()).isTrue();
        }
    }

    @Test
    void monotonicReadsNeverGoBack() throws Exception {
        try (var pooler = startPooler("read_consistency = monotonic", "balance = round_robin");
                var careless = startPooler("read_consistency = eventual", "balance = round_robin");
                var writer = cluster.primary().connect("app", PostgresCluster.SUPERUSER, "");
                var reader = connected(pooler);
                var loose = connected(careless)) {
            cluster.standbys().getFirst().delayReplay(LAG);
            int last = 0;
            int lastLoose = 0;
            int backward = 0;
            for (int i = 0; i < 60; i++) {
                increment(writer, 7);
                Thread.sleep(2);
                Seen now = read(reader, 7);
                assertThat(now.value()).as("on " + now.node()).isGreaterThanOrEqualTo(last);
                last = now.value();
                int nowLoose = read(loose, 7).value();
                backward += nowLoose < lastLoose ? 1 : 0;
                lastLoose = nowLoose;
            }

            assertThat(backward).as("eventual reads go back").isPositive();
        }
    }

    @Test
    void positionBehindTheEndOfASegmentIsReached() throws Exception {
        try (var pooler = startPooler("causal_wait = 2");
                var client = connected(pooler)) {
            execute(client, "SET synchronous_commit = off");
            increment(client, 8);
            text(client, "SELECT pg_switch_wal()");

            assertThat(read(client, 8).isOfStandby()).isTrue();
        }
    }

    @Test
    @Order(Integer.MAX_VALUE)
    void writesBeforeASwitchoverAreSeenBehindIt() throws Exception {
        try (var pooler = startPooler("causal_wait = 0.05");
                var client = connected(pooler)) {
            PostgresNode next = cluster.standbys().getFirst();
            PostgresNode other = cluster.standbys().getLast();
            read(client, 9);
            int written = increment(client, 9);
            other.pauseReplay();

            cluster.switchOver(next);

            assertThat(read(client, 9).value()).isEqualTo(written);
            int again = increment(client, 9);
            assertThat(read(client, 9).value()).isEqualTo(again);
            other.resumeReplay();
        }
    }

    // --- the test's own means --------------------------------------------------------------------------------------

    private static RunningPooler startPooler(String... settings) {
        String hosts = cluster.nodes().stream().map(PostgresNode::host).collect(Collectors.joining(","));
        List<String> all = new ArrayList<>(List.of(settings));
        all.add("event_loops = 2");
        return RunningPooler.ofDatabases(
                "app = host=%s port=%d".formatted(hosts, cluster.primary().port()), all.toArray(String[]::new));
    }

    /** A client that reads from the standbys, which may be found a moment after the primary. */
    private static Connection connected(RunningPooler pooler) throws Exception {
        Connection client = pooler.connect();
        for (PostgresNode standby : cluster.standbys()) {
            await(client, seen -> seen.node().equals(standby.name()));
        }
        return client;
    }

    private static void await(Connection client, Predicate<Seen> condition) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (!condition.test(read(client, 1))) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.sleep(1);
        }
    }

    private static void lag() {
        cluster.standbys().forEach(standby -> standby.delayReplay(LAG));
    }

    private static int stale(Connection client, int pairs) throws SQLException {
        int stale = 0;
        for (int i = 0; i < pairs; i++) {
            int written = increment(client, 1);
            stale += read(client, 1).value() < written ? 1 : 0;
        }
        return stale;
    }

    private static int increment(Connection client, int id) throws SQLException {
        return Integer.parseInt(text(client, "UPDATE counter SET n = n + 1 WHERE id = " + id + " RETURNING n"));
    }

    private static Seen read(Connection client, int id) throws SQLException {
        try (var statement = client.createStatement();
                var rows = statement.executeQuery("SELECT n, node FROM counter, whoami WHERE id = " + id)) {
            rows.next();
            return new Seen(rows.getInt(1), rows.getString(2));
        }
    }

    private static String text(Connection client, String sql) throws SQLException {
        try (var statement = client.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static void execute(Connection client, String sql) throws SQLException {
        try (var statement = client.createStatement()) {
            statement.execute(sql);
        }
    }
}
