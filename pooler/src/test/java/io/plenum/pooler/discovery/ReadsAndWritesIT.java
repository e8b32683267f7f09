package io.plenum.pooler.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import io.plenum.testbed.StopMode;
import io.plenum.testbed.TestDns;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Reads and writes through a pooler while the cluster behind a headless name changes. */
@ExtendWith(LeakWatch.class)
class ReadsAndWritesIT {
    private static final String NAME = "pg-headless.test";
    private static final String WHO = "SELECT node FROM whoami";

    private PostgresCluster cluster;
    private TestDns dns;

    @BeforeEach
    void startCluster() throws IOException {
        cluster = PostgresCluster.builder().standbys(2).start();
        dns = TestDns.start();
        dns.addresses(NAME, cluster.nodes());
        try (var connection = cluster.primary().connect("app", PostgresCluster.SUPERUSER, "");
                var statement = connection.createStatement()) {
            // A function of the node's own would go to the primary; a view is a read like any other.
            statement.execute("CREATE VIEW whoami AS SELECT current_setting('cluster_name') AS node");
            statement.execute("CREATE TABLE written (id bigserial PRIMARY KEY, node text)");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        cluster.awaitReplay();
    }

    @AfterEach
    void stopCluster() throws IOException {
        cluster.close();
        dns.close();
    }

    @Test
    void readsAreSpreadOverTheStandbysAndWritesGoToThePrimary() throws Exception {
        try (var pooler = startPooler();
                var connection = pooler.connect()) {
            awaitStandbys(connection);
            Map<String, Integer> reads = countReads(connection, 400);

            assertThat(reads).containsOnlyKeys("pg-1", "pg-2");
            assertThat(reads.values()).allMatch(count -> count > 140 && count < 260);
            assertThat(write(connection)).isEqualTo("pg-0");
        }
    }

    @Test
    void readThatTheNetworkCutsInTwoGoesToAStandbyLikeAnyOther() throws Exception {
        try (var pooler = startPooler();
                var connection = pooler.connect();
                WireClient client = pooler.wire()) {
            awaitStandbys(connection);
            byte[] parse = Frames.parse("", WHO);
            byte[] bytes = Frames.join(parse, Frames.bind("", ""), Frames.execute(), Frames.sync());
            for (int cut = parse.length; cut < bytes.length; cut++) { // also between two messages
                client.sendPart(bytes, 0, cut);
                TimeUnit.MILLISECONDS.sleep(20);
                client.sendPart(bytes, cut, bytes.length);
                String node = client.readUntilReady().stream()
                        .filter(message -> message.type() == 'D')
                        .map(message -> message.columns().getFirst())
                        .findFirst()
                        .orElseThrow();

                assertThat(node).as("cut at %d", cut).isIn("pg-1", "pg-2");
            }
        }
    }

    /** PostgreSQL runs what it has, and answers where it is asked to, though the Sync is still to come. */
    @Test
    void groupIsNotKeptWaitingForItsSyncWhereSomebodyCouldNotice() throws Exception {
        try (var pooler = startPooler();
                var connection = pooler.connect();
                WireClient client = pooler.wire()) {
            awaitStandbys(connection);
            client.send(Frames.parse("", WHO), Frames.bind("", ""), Frames.execute(), Frames.flush());
            assertThat(client.readUntil('C')).extracting(Message::type).contains('1', '2', 'D');
            client.send(Frames.sync());
            client.readUntilReady();

            client.send(Frames.parse("", "SELECT pg_advisory_xact_lock(7)"), Frames.bind("", ""), Frames.execute());
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
            while (!"1".equals(cluster.primary().query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))) {
                assertThat(System.nanoTime()).as("the lock").isLessThan(deadline);
                Thread.sleep(5);
            }
            client.send(Frames.sync());
            client.readUntilReady();
        }
    }

    @Test
    void readsOfOneKeyGoToOneStandby() throws Exception {
        try (var pooler = startPooler("host=%s port=%d balance=maglev"
                        .formatted(NAME, cluster.primary().port()));
                var connection = pooler.connect();
                var other = pooler.connect()) {
            for (Connection one : List.of(connection, other)) {
                Set<String> known = new TreeSet<>(); // by the event loop of this client: where a key goes depends on it
                for (int i = 0; i < 2_000 && !known.containsAll(Set.of("pg-1", "pg-2")); i++) {
                    known.add(text(one, "/* plenum:key=tenant" + i % 20 + " */ " + WHO));
                    Thread.sleep(1);
                }
            }
            Map<String, String> nodes = new TreeMap<>();
            for (int i = 0; i < 400; i++) {
                String key = "tenant" + i % 20;
                String node = text(i % 3 == 0 ? other : connection, "/* plenum:key=" + key + " */ " + WHO);
                assertThat(nodes.putIfAbsent(key, node)).as(key).isIn(null, node);
            }

            assertThat(nodes.values()).contains("pg-1", "pg-2");
            for (int i = 0; i < 20; i++) {
                try (var statement = connection.createStatement()) {
                    statement.execute("SET plenum.key = 'tenant" + i + "'");
                }
                text(connection, WHO); // which may find the server of the SET still there
                assertThat(countReads(connection, 50)).containsOnlyKeys(nodes.get("tenant" + i));
            }
        }
    }

    @Test
    void readOnlyTransactionsRunOnOneStandbyEach() throws Exception {
        try (var pooler = startPooler();
                var connection = pooler.connect()) {
            awaitStandbys(connection);
            connection.setReadOnly(true);
            connection.setAutoCommit(false);
            Map<String, Integer> nodes = new TreeMap<>();
            for (int i = 0; i < 60; i++) {
                String first = text(connection, WHO);
                String second = text(connection, "SELECT current_setting('cluster_name')");
                connection.commit();
                assertThat(second).isEqualTo(first);
                nodes.merge(first, 1, Integer::sum);
            }

            assertThat(nodes).containsOnlyKeys("pg-1", "pg-2");
        }
    }

    @Test
    void addedStandbyHasItsShareWithinTwoSecondsOverConnectionsThatWereOpenBefore() throws Exception {
        try (var pooler = startPooler();
                var readers = new Readers(pooler, 4)) {
            readers.awaitReads(200);
            PostgresNode added = cluster.addStandby();
            dns.addresses(NAME, cluster.nodes());
            long named = System.nanoTime();

            TimeUnit.NANOSECONDS.sleep(named + TimeUnit.SECONDS.toNanos(2) - System.nanoTime());
            Map<String, Long> before = readers.counts();
            readers.awaitReads(1_500);
            Map<String, Long> after = readers.counts();

            long mine = after.getOrDefault(added.name(), 0L) - before.getOrDefault(added.name(), 0L);
            long all = sum(after) - sum(before);
            assertThat(before.getOrDefault(added.name(), 0L))
                    .as("reads within 2 s")
                    .isPositive();
            assertThat((double) mine / all).isBetween(0.2, 0.45);
            assertThat(readers.errors()).isEmpty();
        }
    }

    @Test
    void killedStandbyCostsNoRead() throws Exception {
        try (var pooler = startPooler();
                var readers = new Readers(pooler, 8)) {
            readers.awaitReads(1_000);
            cluster.standbys().getFirst().kill9();
            readers.awaitReads(2_000);

            assertThat(readers.errors()).isEmpty();
        }
    }

    @Test
    void standbyThatRestartsCostsNoReadAndIsSoonBack() throws Exception {
        try (var pooler = startPooler();
                var readers = new Readers(pooler, 4);
                var connection = pooler.connect()) {
            awaitStandbys(connection);
            PostgresNode standby = cluster.standbys().getFirst();
            List<StopMode> modes = List.of(StopMode.FAST, StopMode.IMMEDIATE); // SMART waits for the pool's sessions
            for (int i = 0; i < 6; i++) {
                readers.awaitReads(200);
                standby.stop(modes.get(i % 2));
                readers.awaitReads(200);
                standby.start();
                awaitReadFrom(connection, standby, Duration.ofSeconds(3));
            }

            assertThat(readers.errors()).isEmpty();
        }
    }

    /** PostgreSQL's smart shutdown waits for every session, also for the one over which the node is asked what it is. */
    @Test
    void standbyThatDiscoveryLeavesOutGetsNothingNewAndCanEndWhenItsLastTransactionHas() throws Exception {
        try (var pooler = startPooler();
                var readers = new Readers(pooler, 4);
                var transaction = pooler.connect()) {
            awaitStandbys(transaction);
            transaction.setReadOnly(true);
            transaction.setAutoCommit(false);
            String name = text(transaction, WHO);
            PostgresNode leaving = cluster.standbys().stream()
                    .filter(standby -> standby.name().equals(name))
                    .findFirst()
                    .orElseThrow();
            dns.addresses(
                    NAME,
                    cluster.nodes().stream().filter(node -> node != leaving).toList());
            TimeUnit.MILLISECONDS.sleep(2_500); // the TTL is a second
            leaving.beginStop(StopMode.SMART);
            Map<String, Long> before = readers.counts();
            readers.awaitReads(500);

            assertThat(readers.counts().get(name)).isEqualTo(before.get(name));
            assertThat(text(transaction, "SELECT current_setting('cluster_name')"))
                    .isEqualTo(name);
            assertThat(leaving.isRunning()).isTrue();
            transaction.commit();
            long committed = System.nanoTime();
            while (leaving.isRunning()) {
                assertThat(Duration.ofNanos(System.nanoTime() - committed)).isLessThan(Duration.ofSeconds(10));
                TimeUnit.MILLISECONDS.sleep(20);
            }
            assertThat(text(transaction, WHO)).isNotEqualTo(name);
            assertThat(readers.errors()).isEmpty();
        }
    }

    @Test
    void primaryThatDiscoveryLeavesOutTakesWritesUntilItStopsAndThenTheNextOneDoes() throws Exception {
        try (var pooler = startPooler();
                var writers = new Writers(pooler, 3)) {
            PostgresNode old = cluster.primary();
            writers.awaitWriteOn(old.name());
            dns.addresses(NAME, cluster.standbys());
            TimeUnit.MILLISECONDS.sleep(2_500); // the TTL is a second
            long before = writers.writesOn(old.name());
            TimeUnit.SECONDS.sleep(1);
            assertThat(writers.writesOn(old.name())).isGreaterThan(before);
            assertThat(writers.states()).as("what has failed").isEmpty();

            old.stop(StopMode.FAST);
            cluster.promote(cluster.heir());
            writers.awaitWriteOn(cluster.primary().name());

            assertThat(writers.states()).doesNotContain("25006");
        }
    }

    @Test
    void readsGoOnWhileThePrimaryDiesAndAStandbyIsPromoted() throws Exception {
        try (var pooler = startPooler();
                var readers = new Readers(pooler, 4);
                var connection = pooler.connect()) {
            awaitStandbys(connection);
            readers.awaitNoReadOn(cluster.primary());
            cluster.primary().kill9();
            readers.awaitReads(500);
            cluster.promote(cluster.standbys().getFirst());
            readers.awaitReads(500);
            assertThat(write(connection)).isEqualTo(cluster.primary().name());
            awaitReadFrom(connection, cluster.standbys().getLast(), Duration.ofSeconds(3));

            assertThat(readers.errors()).isEmpty();
        }
    }

    @Test
    void frozenStandbyIsLeftOutAndReadsGoOn() throws Exception {
        try (var pooler = startPooler();
                var connection = pooler.connect()) {
            awaitStandbys(connection);
            PostgresNode frozen = cluster.standbys().getFirst();
            frozen.freeze();
            TimeUnit.SECONDS.sleep(5);

            assertThat(countReads(connection, 100))
                    .containsOnlyKeys(cluster.standbys().getLast().name());

            frozen.thaw();
            awaitReadFrom(connection, frozen, Duration.ofSeconds(5));
        }
    }

    @Test
    void writesFollowThePrimaryAndNeverReachAStandby() throws Exception {
        try (var pooler = startPooler();
                var connection = pooler.connect()) {
            assertThat(write(connection)).isEqualTo("pg-0");
            PostgresNode old = cluster.primary();
            PostgresNode next = cluster.standbys().getFirst();
            var writers = new Writers(pooler, 3);

            old.kill9();
            cluster.promote(next);
            long promoted = System.nanoTime();
            writers.awaitWriteOn(next.name());
            long waited = System.nanoTime() - promoted;
            writers.close();

            assertThat(Duration.ofNanos(waited)).isLessThan(Duration.ofSeconds(3));
            assertThat(writers.states()).as("25006: a write on a standby").doesNotContain("25006");
        }
    }

    @Test
    void oldPrimaryThatComesBackAsStandbyGetsReadsAndNoWrites() throws Exception {
        try (var pooler = startPooler();
                var connection = pooler.connect()) {
            write(connection);
            PostgresNode old = cluster.primary();
            var writers = new Writers(pooler, 3);
            cluster.switchOver(cluster.standbys().getFirst());
            writers.awaitWriteOn(cluster.primary().name());
            writers.close();

            assertThat(writers.states()).doesNotContain("25006");
            try (var fresh = pooler.connect()) {
                awaitReadFrom(fresh, old, Duration.ofSeconds(5));
                assertThat(write(fresh)).isEqualTo(cluster.primary().name());
            }
        }
    }

    @Test
    void standbyThatDoesNotFollowTheNewPrimaryServesNoOldData() throws Exception {
        try (var pooler = startPooler();
                var connection = pooler.connect()) {
            awaitStandbys(connection);
            cluster.primary().kill9();
            PostgresNode next = cluster.standbys().getFirst();
            PostgresNode left = cluster.standbys().getLast();
            next.promote(); // and nobody tells the other
            assertThat(write(connection)).isEqualTo(next.name());
            TimeUnit.SECONDS.sleep(8);

            assertThat(countReads(connection, 50)).containsOnlyKeys(next.name());

            left.follow(next);
            awaitReadFrom(connection, left, Duration.ofSeconds(10));
        }
    }

    @Test
    void ofTwoPrimariesTheNewOneGetsAllWritesAndTheOldOneNoneAnyMore() throws Exception {
        try (var pooler = startPooler();
                var writers = new Writers(pooler, 3)) {
            PostgresNode old = cluster.primary();
            PostgresNode next = cluster.standbys().getFirst();
            writers.awaitWriteOn(old.name());
            next.promote(); // and nobody stops the other
            writers.awaitWriteOn(next.name());
            TimeUnit.MILLISECONDS.sleep(500); // for loops and for what was on its way
            long before = writers.writesOn(old.name());
            TimeUnit.SECONDS.sleep(2);

            assertThat(writers.writesOn(old.name())).isEqualTo(before);
            assertThat(writers.states()).doesNotContain("25006");
        }
    }

    @Test
    void outageOfDnsCostsNothing() throws Exception {
        try (var pooler = startPooler();
                var readers = new Readers(pooler, 2)) {
            readers.awaitReads(100);
            for (TestDns.Behaviour behaviour : TestDns.Behaviour.values()) {
                dns.behave(behaviour); // the TTL is a second
                TimeUnit.MILLISECONDS.sleep(1_500);
            }
            for (int i = 0; i < 20; i++) { // and one that comes and goes with every answer
                dns.behave(TestDns.Behaviour.NORMAL);
                dns.addresses(NAME, i % 2 == 0 ? cluster.nodes().subList(0, 1) : cluster.nodes());
                TimeUnit.MILLISECONDS.sleep(150);
            }
            TimeUnit.MILLISECONDS.sleep(1_500); // the last whole answer is the one that lasts
            dns.behave(TestDns.Behaviour.SERVFAIL);
            try (var connection = pooler.connect()) {
                assertThat(countReads(connection, 100)).containsOnlyKeys("pg-1", "pg-2");
                assertThat(write(connection)).isEqualTo("pg-0");
            }

            assertThat(readers.errors()).isEmpty();
        }
    }

    @Test
    void nodeThatLeavesDnsFinishesWhatItRunsAndGetsNoMore() throws Exception {
        try (var pooler = startPooler();
                var connection = pooler.connect();
                var slow = pooler.connect()) {
            awaitStandbys(connection);
            slow.setReadOnly(true);
            slow.setAutoCommit(false);
            String busy = text(slow, WHO);
            var remaining = new ArrayList<>(cluster.nodes());
            remaining.removeIf(node -> node.name().equals(busy));
            dns.addresses(NAME, remaining);
            TimeUnit.MILLISECONDS.sleep(2_500);

            assertThat(countReads(connection, 100)).doesNotContainKey(busy).hasSize(1);
            assertThat(text(slow, "SELECT current_setting('cluster_name')")).isEqualTo(busy);
            slow.commit();
        }
    }

    @Test
    void startsWithoutDnsAndServesWhenItComes() throws Exception {
        dns.behave(TestDns.Behaviour.SILENT);
        long start = System.nanoTime();
        try (var pooler = startPooler()) {
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
            Thread.ofVirtual().start(() -> {
                try {
                    TimeUnit.SECONDS.sleep(2);
                } catch (InterruptedException _) {
                    Thread.currentThread().interrupt();
                }
                dns.behave(TestDns.Behaviour.NORMAL);
            });
            try (var connection = pooler.connect()) { // waits for a primary
                assertThat(write(connection)).isEqualTo("pg-0");
            }
        }
    }

    @Test
    void listOfAddressesNeedsNoDns() throws Exception {
        String hosts = String.join(
                ",", cluster.nodes().stream().map(PostgresNode::host).toList());
        try (var pooler = startPooler(
                        "host=%s port=%d".formatted(hosts, cluster.primary().port()));
                var connection = pooler.connect()) {
            awaitStandbys(connection);
            assertThat(countReads(connection, 100)).containsOnlyKeys("pg-1", "pg-2");
            assertThat(write(connection)).isEqualTo("pg-0");
        }
        assertThat(dns.queries()).isZero();
    }

    @Test
    void loneAddressTakesEverythingWhateverItIs() throws Exception {
        PostgresNode standby = cluster.standbys().getFirst();
        try (var pooler = startPooler("host=%s port=%d".formatted(standby.host(), standby.port()));
                var connection = pooler.connect()) {
            assertThat(countReads(connection, 20)).containsOnlyKeys(standby.name());
            assertThat(text(connection, "SELECT current_setting('cluster_name')"))
                    .isEqualTo(standby.name());
        }
    }

    // --- the test's own means --------------------------------------------------------------------------------------

    private RunningPooler startPooler() {
        return startPooler("host=%s port=%d".formatted(NAME, cluster.primary().port()));
    }

    private RunningPooler startPooler(String entry) {
        return RunningPooler.ofDatabases(
                "app = " + entry, "event_loops = 2", "default_pool_size = 8", "dns_servers = 127.0.0.1:" + dns.port());
    }

    /** Who answered how many of the reads. */
    private static Map<String, Integer> countReads(Connection connection, int reads) throws SQLException {
        Map<String, Integer> counts = new TreeMap<>();
        for (int i = 0; i < reads; i++) {
            counts.merge(text(connection, WHO), 1, Integer::sum);
        }
        return counts;
    }

    private static String write(Connection connection) throws SQLException {
        return text(connection, "INSERT INTO written (node) VALUES (current_setting('cluster_name')) RETURNING node");
    }

    private static String text(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    /** The primary may be found a moment before the standbys, and takes their reads so long. */
    private void awaitStandbys(Connection connection) throws Exception {
        for (PostgresNode standby : cluster.standbys()) {
            awaitReadFrom(connection, standby, Duration.ofSeconds(10));
        }
    }

    private static void awaitReadFrom(Connection connection, PostgresNode node, Duration limit) throws Exception {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!text(connection, WHO).equals(node.name())) {
            assertThat(System.nanoTime()).as("a read from " + node).isLessThan(deadline);
            Thread.sleep(1);
        }
    }

    private static long sum(Map<String, Long> counts) {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    private static void awaitEnd(CountDownLatch running) {
        try {
            assertThat(running.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Connections that read all the time, and what answered. */
    private static final class Readers implements AutoCloseable {
        private final Map<String, AtomicLong> counts = new ConcurrentHashMap<>();
        private final AtomicLong reads = new AtomicLong();
        private final List<SQLException> errors = Collections.synchronizedList(new ArrayList<>());
        private final AtomicBoolean over = new AtomicBoolean();
        private final CountDownLatch running;

        Readers(RunningPooler pooler, int count) throws SQLException {
            running = new CountDownLatch(count);
            for (int i = 0; i < count; i++) {
                Connection connection = pooler.connect();
                Thread.ofVirtual().start(() -> {
                    try (connection) {
                        while (!over.get()) {
                            counts.computeIfAbsent(text(connection, WHO), node -> new AtomicLong())
                                    .incrementAndGet();
                            reads.incrementAndGet();
                        }
                    } catch (SQLException e) {
                        errors.add(e);
                    } finally {
                        running.countDown();
                    }
                });
            }
        }

        void awaitReads(int more) throws InterruptedException {
            long goal = reads.get() + more;
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (reads.get() < goal) {
                assertThat(errors).isEmpty();
                assertThat(System.nanoTime()).as("%d more reads", more).isLessThan(deadline);
                Thread.sleep(5);
            }
        }

        /** Until nodes and catalogue are known to the readers of all loops. */
        void awaitNoReadOn(PostgresNode node) throws InterruptedException {
            Long before;
            do {
                before = counts().get(node.name());
                awaitReads(200);
            } while (!Objects.equals(before, counts().get(node.name())));
        }

        Map<String, Long> counts() {
            Map<String, Long> now = new TreeMap<>();
            counts.forEach((node, count) -> now.put(node, count.get()));
            return now;
        }

        List<SQLException> errors() {
            return errors;
        }

        @Override
        public void close() {
            over.set(true);
            awaitEnd(running);
        }
    }

    /** Connections that write all the time; one that fails is followed by another. */
    private static final class Writers implements AutoCloseable {
        private final Map<String, AtomicLong> nodes = new ConcurrentHashMap<>();
        private final Map<String, AtomicLong> states = new ConcurrentHashMap<>();
        private final AtomicBoolean over = new AtomicBoolean();
        private final CountDownLatch running;

        Writers(RunningPooler pooler, int count) {
            running = new CountDownLatch(count);
            for (int i = 0; i < count; i++) {
                Thread.ofVirtual().start(() -> {
                    while (!over.get()) {
                        try (var connection = pooler.connect()) {
                            while (!over.get()) {
                                nodes.computeIfAbsent(write(connection), node -> new AtomicLong())
                                        .incrementAndGet();
                            }
                        } catch (SQLException e) {
                            states.computeIfAbsent(String.valueOf(e.getSQLState()), state -> new AtomicLong())
                                    .incrementAndGet();
                        }
                    }
                    running.countDown();
                });
            }
        }

        void awaitWriteOn(String node) throws InterruptedException {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (!nodes.containsKey(node)) {
                assertThat(System.nanoTime())
                        .as("a write on %s; so far %s, %s", node, nodes, states)
                        .isLessThan(deadline);
                Thread.sleep(2);
            }
        }

        long writesOn(String node) {
            AtomicLong count = nodes.get(node);
            return count == null ? 0 : count.get();
        }

        Set<String> states() {
            return states.keySet();
        }

        @Override
        public void close() {
            over.set(true);
            awaitEnd(running);
        }
    }
}
