package io.plenum.pooler;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.auth.Credentials;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.discovery.Clusters;
import io.plenum.pooler.net.EventLoops;
import io.plenum.pooler.net.Transport;
import io.plenum.pooler.pool.TopologySource;
import io.plenum.routing.topology.Node;
import io.plenum.routing.topology.NodeRole;
import io.plenum.routing.topology.NodeStatus;
import io.plenum.routing.topology.Observation;
import io.plenum.routing.topology.Topology;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import io.plenum.testbed.SharedPostgres;
import io.plenum.testbed.TestDns;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Discovery beside a real cluster, without a client. */
class ClustersIT {
    private final EventLoops loops = EventLoops.start(Transport.best(), 1);
    private final PostgresCluster cluster = SharedPostgres.get();
    private final int port = cluster.primary().port();
    private TestDns dns;
    private PoolerConfig config = PoolerConfig.defaults();
    private @Nullable Clusters clusters;

    @BeforeEach
    void startDns() throws IOException {
        dns = TestDns.start();
        dns.addresses("pg.test", cluster.nodes());
    }

    @AfterEach
    void stop() throws IOException {
        clusters().close();
        loops.close();
        dns.close();
    }

    @Test
    void monitorUserFindsEverythingWithoutAClient() throws Exception {
        start("app = host=pg.test port=%d monitor_user=scram_user monitor_password=scram_user".formatted(port));

        Topology topology = await("app", ClustersIT::isWhole);

        assertThat(Objects.requireNonNull(topology.primary()).name())
                .isEqualTo(cluster.primary().address());
        assertThat(topology.replicas())
                .extracting(Node::name)
                .containsExactlyInAnyOrderElementsOf(
                        cluster.standbys().stream().map(PostgresNode::address).toList());
    }

    @Test
    void nodesOfANameWithoutAnEntryAreForgottenWhenNobodyFollowsThem() throws Exception {
        start("* = host=pg.test port=%d monitor_user=postgres".formatted(port));
        var heard = new AtomicInteger();
        Consumer<Topology> one = _ -> heard.incrementAndGet();
        Consumer<Topology> other = _ -> heard.incrementAndGet();
        TopologySource first = source("app");
        assertThat(first.subscribe(one) && first.subscribe(other)).isTrue();
        await("app", ClustersIT::isWhole);
        first.unsubscribe(one);
        assertThat(source("app")).isSameAs(first);

        first.unsubscribe(other);

        assertThat(first.subscribe(one)).isFalse();
        awaitMonitors("0");
        assertThat(clusters()
                        .topology(Objects.requireNonNull(config.database("app")))
                        .nodes())
                .isEmpty();
        assertThat(source("app")).isNotSameAs(first);
        await("app", ClustersIT::isWhole);
    }

    @Test
    void whatDnsHasSaidOfAHostIsKnown() throws Exception {
        start("app = host=pg.test port=%d monitor_user=postgres".formatted(port));
        await("app", ClustersIT::isWhole);

        var lookUps = Objects.requireNonNull(clusters).lookUps();

        assertThat(lookUps.names()).singleElement().satisfies(name -> {
            assertThat(name.name()).isEqualTo("pg.test");
            assertThat(name.seconds()).isBetween(0L, 15L);
            assertThat(name.addresses()).hasSameSizeAs(cluster.nodes());
        });
    }

    @Test
    void probesTellIdentifierTimelineAndPosition() throws Exception {
        start("app = host=pg.test port=%d monitor_user=postgres".formatted(port));
        await("app", ClustersIT::isWhole);
        cluster.primary().execute("SELECT pg_logical_emit_message(false, 'x', 'y')");
        cluster.awaitReplay();
        String identifier = cluster.primary().query("SELECT system_identifier FROM pg_control_system()");
        String lsn = cluster.primary().query("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn");

        Topology topology = await(
                "app",
                now -> now.nodes().stream()
                        .allMatch(status -> seen(status).replayLsn() >= Long.parseLong(Objects.requireNonNull(lsn))));

        for (NodeStatus status : topology.nodes()) {
            assertThat(seen(status).systemIdentifier()).isEqualTo(Long.parseLong(Objects.requireNonNull(identifier)));
            assertThat(seen(status).timeline()).isOne(); // postgres may read pg_stat_wal_receiver
        }
    }

    /** A probe that is cancelled, or in conflict with replay, says nothing of what may be asked. */
    @Test
    void probeOfWhichAPartFailedAsksForAllOfItTheNextTime() throws Exception {
        start("app = host=pg.test port=%d monitor_user=postgres".formatted(port));
        await("app", ClustersIT::isWhole);
        try (var connection = cluster.primary().connect("app", PostgresCluster.SUPERUSER, "");
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("LOCK TABLE pg_catalog.pg_stat_wal_receiver"); // only the full question reads it
            cancelMonitor();
            await("app", now -> ofPrimary(now).replayLsn() == 0);
            connection.rollback();
        }

        Topology later = await("app", now -> ofPrimary(now).replayLsn() != 0);
        assertThat(ofPrimary(later).timeline()).isOne();
        await("app", ClustersIT::isWhole);
    }

    private void cancelMonitor() throws InterruptedException {
        String sql = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
                + " WHERE application_name = 'plenum monitor' AND wait_event_type = 'Lock'";
        long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (!"1".equals(cluster.primary().query(sql))) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.sleep(5);
        }
    }

    private static Observation ofPrimary(Topology topology) {
        return topology.nodes().stream()
                .filter(status -> status.role() == NodeRole.PRIMARY)
                .map(ClustersIT::seen)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void userOfAClientIsBorrowedWhereNobodyIsNamed() throws Exception {
        start("app = host=pg.test port=%d".formatted(port));
        Thread.sleep(300);
        assertThat(source("app").topology().primary()).isNull();

        source("app").onClientUser("trust_user");

        await("app", ClustersIT::isWhole);
    }

    @Test
    void loginThatIsRefusedIsFollowedByTheNext() throws Exception {
        start("app = host=pg.test port=%d monitor_user=scram_user monitor_password=wrong".formatted(port));
        source("app").onClientUser("app"); // whose password nobody told us
        source("app").onClientUser("trust_user");

        await("app", ClustersIT::isWhole);
    }

    @Test
    void missingDatabaseIsNoReasonToBeBlind() throws Exception {
        start("""
            app = host=pg.test port=%1$d dbname=nowhere monitor_user=postgres
            other = host=pg.test port=%1$d dbname=postgres monitor_user=postgres\
            """.formatted(port));

        await("app", ClustersIT::isWhole);
    }

    @Test
    void entriesWithTheSameHostsShareTheirMonitors() throws Exception {
        start("""
            app = host=pg.test port=%1$d monitor_user=postgres
            other = host=pg.test port=%1$d dbname=postgres monitor_user=postgres\
            """.formatted(port));
        await("app", ClustersIT::isWhole);
        await("other", ClustersIT::isWhole);

        for (PostgresNode node : cluster.nodes()) {
            assertThat(node.query("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'plenum monitor'"))
                    .isEqualTo("1");
        }
    }

    @Test
    void reloadMovesADatabaseToOtherHosts() throws Exception {
        start("app = host=pg.test port=%d monitor_user=postgres".formatted(port));
        await("app", ClustersIT::isWhole);
        var versions = new AtomicInteger();
        source("app").subscribe(topology -> versions.set((int) topology.version()));
        long before = source("app").topology().version();

        configure("app = host=%s port=%d".formatted(cluster.primary().host(), port));
        clusters().configure();

        Topology moved = await("app", topology -> topology.nodes().size() == 1);
        assertThat(moved.version()).isGreaterThan(before);
        assertThat(versions.get()).isEqualTo(moved.version());
        awaitMonitors("0");
    }

    @Test
    void nodeOfAnotherClusterIsLeftOut() throws Exception {
        try (PostgresCluster other = PostgresCluster.builder().samePort(false).start()) {
            String hosts = cluster.primary().host() + ","
                    + cluster.standbys().getFirst().host() + ","
                    + other.primary().host();
            String ports = port + "," + port + "," + other.primary().port();
            start("app = host=%s port=%s monitor_user=postgres".formatted(hosts, ports));

            Topology topology = await(
                    "app",
                    now -> now.primary() != null
                            && now.replicas().size() == 1
                            && now.nodes().stream().anyMatch(NodeStatus::foreign));

            assertThat(Objects.requireNonNull(topology.primary()).name())
                    .isEqualTo(cluster.primary().address());
        }
    }

    @Test
    void controlLoopIsNearlyIdle() throws Exception {
        start("app = host=pg.test port=%d monitor_user=postgres".formatted(port));
        await("app", ClustersIT::isWhole);
        Thread.sleep(1_000);
        long before = controlNanos();
        Thread.sleep(5_000);

        assertThat(Duration.ofNanos(controlNanos() - before))
                .as("of 5 s, three nodes")
                .isLessThan(Duration.ofMillis(250));
    }

    // --- the test's own means --------------------------------------------------------------------------------------

    private void configure(String databases) {
        config = PoolerConfig.parse(
                "[databases]\n%s\n[pgbouncer]\ndns_servers = 127.0.0.1:%d\n".formatted(databases, dns.port()),
                Path.of(""));
    }

    private void start(String databases) {
        configure(databases);
        var credentials = new Credentials();
        var connector = SocketConnector.plain(() -> config, credentials);
        clusters = new Clusters(loops.control(), () -> config, credentials, connector::connect, _ -> false);
    }

    private TopologySource source(String database) {
        DatabaseConfig entry = Objects.requireNonNull(config.database(database));
        return clusters().of(entry);
    }

    private Clusters clusters() {
        return Objects.requireNonNull(clusters);
    }

    private Topology await(String database, Predicate<Topology> wanted) throws InterruptedException {
        long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (!wanted.test(source(database).topology())) {
            assertThat(System.nanoTime()).as("%s", source(database).topology()).isLessThan(deadline);
            Thread.sleep(5);
        }
        return source(database).topology();
    }

    private void awaitMonitors(String count) throws InterruptedException {
        String sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'plenum monitor'";
        long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (!count.equals(cluster.primary().query(sql))) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.sleep(20);
        }
    }

    private static boolean isWhole(Topology topology) {
        return topology.primary() != null && topology.replicas().size() == 2;
    }

    private static Observation seen(NodeStatus status) {
        return Objects.requireNonNull(status.lastSeen());
    }

    private static long controlNanos() {
        var threads = ManagementFactory.getThreadMXBean();
        List<Long> control = Arrays.stream(threads.getThreadInfo(threads.getAllThreadIds()))
                .filter(Objects::nonNull)
                .filter(thread -> thread.getThreadName().startsWith("plenum-control"))
                .map(thread -> thread.getThreadId())
                .toList();
        return control.stream().mapToLong(threads::getThreadCpuTime).sum();
    }
}
