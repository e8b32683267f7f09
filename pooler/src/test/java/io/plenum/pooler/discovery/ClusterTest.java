package io.plenum.pooler.discovery;

import static io.plenum.pooler.discovery.ScriptedNames.found;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.config.HostPort;
import io.plenum.routing.topology.Node;
import io.plenum.routing.topology.NodeHealth;
import io.plenum.routing.topology.NodeStatus;
import io.plenum.routing.topology.Observation;
import io.plenum.routing.topology.Topology;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ClusterTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final long OURS = 7_000_000_001L;
    private static final long THEIRS = 7_000_000_002L;

    private final FrozenLoop time = new FrozenLoop();
    private final ScriptedNames names = new ScriptedNames();
    private final Map<String, ScriptedServer> servers = new HashMap<>();
    private final List<Topology> decisions = new ArrayList<>();

    @Test
    void rolesAreFoundAndNotDeclared() {
        server("10.0.0.1").standby();
        server("10.0.0.2").primary(1);
        server("10.0.0.3").standby();

        Cluster cluster = named("10.0.0.1", "10.0.0.2", "10.0.0.3");

        assertThat(primary(cluster)).isEqualTo("10.0.0.2:5432");
        assertThat(replicas(cluster)).containsExactly("10.0.0.1:5432", "10.0.0.3:5432");
    }

    @Test
    void nodeIsNotUsedBeforeItsFirstAnswer() {
        server("10.0.0.1").primary(1);
        server("10.0.0.2").barred();

        Cluster cluster = named("10.0.0.1", "10.0.0.2");

        assertThat(replicas(cluster)).isEmpty();
        assertThat(health(cluster, "10.0.0.2:5432")).isEqualTo(NodeHealth.UNKNOWN);

        server("10.0.0.2").standby();
        time.pass(Duration.ofSeconds(6));
        assertThat(replicas(cluster)).containsExactly("10.0.0.2:5432");
    }

    @Test
    void refusedConnectionIsTheEndAtOnceButASilentProbeIsNot() {
        server("10.0.0.1").primary(1);
        server("10.0.0.2").standby();
        Cluster cluster = named("10.0.0.1", "10.0.0.2");

        server("10.0.0.2").silent();
        time.pass(Duration.ofMillis(1_100 + 2 * 750));
        assertThat(health(cluster, "10.0.0.2:5432")).isEqualTo(NodeHealth.UP);
        time.pass(Duration.ofMillis(800));
        assertThat(health(cluster, "10.0.0.2:5432")).isEqualTo(NodeHealth.DOWN);

        server("10.0.0.1").gone();
        time.pass(Duration.ofMillis(1_100));
        assertThat(health(cluster, "10.0.0.1:5432")).isEqualTo(NodeHealth.DOWN);
        assertThat(cluster.topology().primary()).isNull();
    }

    /** The connection over which it is asked stands, and answers as ever. */
    @Test
    void primaryThatRefusesSessionsIsAskedOverANewOneAndIsNoneAnyMore() {
        server("10.0.0.1").primary(1);
        server("10.0.0.2").standby();
        Cluster cluster = named("10.0.0.1", "10.0.0.2");
        time.pass(Duration.ofSeconds(2));
        cluster.suspect(node(cluster, "10.0.0.1:5432"));
        assertThat(server("10.0.0.1").renewed).isFalse();

        cluster.refused(node(cluster, "10.0.0.1:5432"));
        server("10.0.0.1").refusing();
        time.pass(Duration.ofMillis(60)); // probes are 50 ms apart at least

        assertThat(server("10.0.0.1").renewed).isTrue();
        assertThat(health(cluster, "10.0.0.1:5432")).isEqualTo(NodeHealth.REFUSING);
        assertThat(cluster.topology().primary()).isNull();

        server("10.0.0.1").primary(1);
        time.pass(Duration.ofMillis(150));
        assertThat(cluster.topology().primary()).isEqualTo(node(cluster, "10.0.0.1:5432"));
    }

    @Test
    void silenceThatIsBrokenCountsFromTheBeginning() {
        server("10.0.0.1").primary(1);
        server("10.0.0.2").standby();
        Cluster cluster = named("10.0.0.1", "10.0.0.2");
        for (int i = 0; i < 5; i++) {
            server("10.0.0.2").silent();
            time.pass(Duration.ofMillis(1_400)); // two misses at most
            server("10.0.0.2").standby();
            time.pass(Duration.ofMillis(1_500));
            assertThat(health(cluster, "10.0.0.2:5432")).isEqualTo(NodeHealth.UP);
        }
    }

    @Test
    void steadyClusterIsAskedOnceASecond() {
        server("10.0.0.1").primary(1);
        server("10.0.0.2").standby();
        named("10.0.0.1", "10.0.0.2");
        time.pass(Duration.ofSeconds(2));
        server("10.0.0.1").probes = 0;

        time.pass(Duration.ofSeconds(20));

        assertThat(server("10.0.0.1").probes).isBetween(17, 23);
    }

    @Test
    void observationsAloneAreNoNewsForThePools() {
        server("10.0.0.1").primary(1);
        server("10.0.0.2").standby();
        Cluster cluster = named("10.0.0.1", "10.0.0.2");
        int before = decisions.size();
        Topology first = cluster.topology();

        time.pass(Duration.ofSeconds(10));

        assertThat(decisions).hasSize(before);
        assertThat(cluster.topology().version()).isEqualTo(first.version());
        assertThat(cluster.topology()).as("what was observed is newer").isNotEqualTo(first);
    }

    @Test
    void promotionIsSeenInAFractionOfASecondWhileThereIsNoPrimary() {
        server("10.0.0.1").primary(1);
        server("10.0.0.2").standby();
        server("10.0.0.3").standby();
        Cluster cluster = named("10.0.0.1", "10.0.0.2", "10.0.0.3");
        time.pass(Duration.ofSeconds(5));
        server("10.0.0.1").gone();
        cluster.suspect(node(cluster, "10.0.0.1:5432"));
        time.pass(Duration.ofMillis(60)); // probes are 50 ms apart at least
        assertThat(cluster.topology().primary()).isNull();

        time.pass(Duration.ofSeconds(3));
        server("10.0.0.3").primary(2);
        time.pass(Duration.ofMillis(250));

        assertThat(primary(cluster)).isEqualTo("10.0.0.3:5432");
    }

    @Test
    void droppedMonitorConnectionAsksAtOnce() {
        server("10.0.0.1").primary(1);
        server("10.0.0.2").standby();
        Cluster cluster = named("10.0.0.1", "10.0.0.2");
        time.pass(Duration.ofMillis(5_300));
        server("10.0.0.2").gone();
        server("10.0.0.2").drop();
        time.pass(Duration.ofMillis(60));

        assertThat(health(cluster, "10.0.0.2:5432")).isEqualTo(NodeHealth.DOWN);
    }

    @Test
    void failedPrimaryThatComesBackOnItsOldTimelineIsNotBelieved() {
        server("10.0.0.1").primary(1);
        server("10.0.0.2").standby();
        Cluster cluster = named("10.0.0.1", "10.0.0.2");
        server("10.0.0.1").gone();
        server("10.0.0.2").primary(2);
        time.pass(Duration.ofSeconds(3));
        server("10.0.0.1").primary(1);
        time.pass(Duration.ofSeconds(3));

        assertThat(primary(cluster)).isEqualTo("10.0.0.2:5432");
    }

    @Test
    void nodeOfAnotherClusterGetsNothing() {
        server("10.0.0.1").primary(1);
        server("10.0.0.2").standby().identifier = THEIRS;
        Cluster cluster = named("10.0.0.1", "10.0.0.2");
        time.pass(Duration.ofMinutes(2));

        assertThat(replicas(cluster)).isEmpty();
        assertThat(Objects.requireNonNull(status(cluster, "10.0.0.2:5432")).foreign())
                .isTrue();
    }

    @Test
    void clusterThatWasMadeAnewIsTakenAfterAWhile() {
        server("10.0.0.1").primary(5);
        Cluster cluster = named("10.0.0.1");
        server("10.0.0.1").gone();
        time.pass(Duration.ofSeconds(5));
        server("10.0.0.1").primary(1).identifier = THEIRS;
        time.pass(Duration.ofSeconds(20));
        assertThat(cluster.topology().primary()).isNull();

        int before = decisions.size();
        time.pass(Duration.ofSeconds(15));

        assertThat(primary(cluster)).isEqualTo("10.0.0.1:5432");
        assertThat(decisions)
                .as("told, though a new roster counts its versions from 1")
                .hasSizeGreaterThan(before);
    }

    @Test
    void oneServerBehindTwoAddressesIsNotTwoPrimaries() {
        server("10.0.0.1").primary(1).started = 77;
        server("fd00::1").primary(1).started = 77;
        server("10.0.0.2").standby();
        Cluster cluster = named("10.0.0.1", "10.0.0.2", "fd00::1");
        time.pass(Duration.ofSeconds(3));

        assertThat(primary(cluster)).isEqualTo("10.0.0.1:5432");
        assertThat(cluster.topology().splitBrain()).isFalse();
        assertThat(replicas(cluster)).containsExactly("10.0.0.2:5432");

        server("10.0.0.1").gone(); // the network of IPv4
        time.pass(Duration.ofSeconds(3));
        assertThat(primary(cluster)).isEqualTo("[fd00:0:0:0:0:0:0:1]:5432");
    }

    @Test
    void nodeThatLeavesDnsIsDrainedWhileItAnswersAndForgottenWhenItDoesNot() {
        server("10.0.0.1").primary(1);
        server("10.0.0.2").standby();
        Cluster cluster = named("10.0.0.1", "10.0.0.2");
        names.say("pg", found(SECOND, "10.0.0.1"));
        time.pass(Duration.ofSeconds(30));
        assertThat(health(cluster, "10.0.0.2:5432")).isEqualTo(NodeHealth.DRAINING);
        assertThat(replicas(cluster)).isEmpty();

        server("10.0.0.2").gone();
        time.pass(Duration.ofSeconds(15));
        assertThat(status(cluster, "10.0.0.2:5432")).isNull();
        assertThat(server("10.0.0.2").closed).isTrue();
    }

    /** Its smart shutdown would wait for the session; the primary is asked as before, for it is to be used. */
    @Test
    void noConnectionIsKeptToAStandbyThatIsToEnd() {
        server("10.0.0.1").primary(1);
        server("10.0.0.2").standby();
        named("10.0.0.1", "10.0.0.2");
        names.say("pg", found(SECOND, "10.0.0.3"));
        time.pass(Duration.ofSeconds(3));
        assertThat(server("10.0.0.2").kept).isFalse();
        assertThat(server("10.0.0.1").kept).isTrue();
        assertThat(server("10.0.0.1").renewed).as("or its shutdown is not seen").isTrue();

        names.say("pg", found(SECOND, "10.0.0.1", "10.0.0.2"));
        time.pass(Duration.ofSeconds(3));
        assertThat(server("10.0.0.2").kept).isTrue();
    }

    @Test
    void membershipThatFlapsCostsNothing() {
        server("10.0.0.1").primary(1);
        server("10.0.0.2").standby();
        Cluster cluster = named("10.0.0.1", "10.0.0.2");
        for (int i = 0; i < 60; i++) {
            names.say("pg", i % 2 == 0 ? found(SECOND, "10.0.0.1") : found(SECOND, "10.0.0.1", "10.0.0.2"));
            time.pass(Duration.ofMillis(1_100));
            assertThat(health(cluster, "10.0.0.2:5432")).isIn(NodeHealth.UP, NodeHealth.DRAINING);
        }
    }

    @Test
    void primaryIsKeptWhenDnsForgetsIt() {
        server("10.0.0.1").primary(1);
        server("10.0.0.2").standby();
        Cluster cluster = named("10.0.0.1", "10.0.0.2");
        names.say("pg", found(SECOND, "10.0.0.2"));
        time.pass(Duration.ofSeconds(60));

        assertThat(primary(cluster)).isEqualTo("10.0.0.1:5432");
    }

    @Test
    void loneAddressIsThePrimaryWithoutAProbe() {
        Cluster cluster = cluster(new Seeds(List.of(new HostPort("10.0.0.1", 5432)), false));
        time.pass(Duration.ofSeconds(10));

        assertThat(primary(cluster)).isEqualTo("10.0.0.1:5432");
        assertThat(servers).isEmpty();
    }

    @Test
    void loneNameWithoutDiscoveryFollowsItsAddress() {
        names.say("pg", found(SECOND, "10.0.0.1"));
        Cluster cluster = cluster(new Seeds(List.of(new HostPort("pg", 5432)), false));
        assertThat(primary(cluster)).isEqualTo("10.0.0.1:5432");

        names.say("pg", found(SECOND, "10.0.0.2"));
        time.pass(Duration.ofSeconds(2));

        assertThat(primary(cluster)).isEqualTo("10.0.0.2:5432");
        assertThat(cluster.topology().nodes()).hasSize(1);
        assertThat(servers).isEmpty();
    }

    @Test
    void newLoginIsTriedAtOnceByThoseWhoWereNotLetIn() {
        server("10.0.0.1").primary(1);
        server("10.0.0.2").barred();
        Cluster cluster = named("10.0.0.1", "10.0.0.2");
        time.pass(Duration.ofSeconds(1));
        server("10.0.0.2").standby();

        cluster.onLogins();
        time.pass(Duration.ofMillis(60));

        assertThat(replicas(cluster)).containsExactly("10.0.0.2:5432");
    }

    @Test
    void closedClusterAsksNobody() {
        server("10.0.0.1").primary(1);
        Cluster cluster = named("10.0.0.1");
        cluster.close();
        server("10.0.0.1").probes = 0;
        names.takeAsked();

        time.pass(Duration.ofSeconds(10));

        assertThat(server("10.0.0.1").probes).isZero();
        assertThat(server("10.0.0.1").closed).isTrue();
        assertThat(names.takeAsked()).isZero();
    }

    // --- the test's own means --------------------------------------------------------------------------------------

    private Cluster named(String... addresses) {
        names.say("pg", found(SECOND, addresses));
        return cluster(new Seeds(List.of(new HostPort("pg", 5432)), true));
    }

    private Cluster cluster(Seeds seeds) {
        var cluster = new Cluster(
                seeds, time.loop(), time.clock(), names, () -> Duration.ofSeconds(15), (node, onDropped) -> {
                    String host = Arrays.stream(node.name().split(":(?=\\d+$)"))
                            .findFirst()
                            .orElseThrow();
                    ScriptedServer server = server(host.equals("[fd00:0:0:0:0:0:0:1]") ? "fd00::1" : host);
                    server.onDropped = onDropped;
                    return server;
                });
        cluster.follow((topology, decides) -> {
            if (decides) {
                decisions.add(topology);
            }
        });
        cluster.start();
        time.pass(Duration.ofMillis(100));
        return cluster;
    }

    private ScriptedServer server(String host) {
        return servers.computeIfAbsent(host, name -> new ScriptedServer());
    }

    private static @Nullable String primary(Cluster cluster) {
        Node primary = cluster.topology().primary();
        return primary == null ? null : primary.name();
    }

    private static List<String> replicas(Cluster cluster) {
        return cluster.topology().replicas().stream().map(Node::name).toList();
    }

    private static @Nullable NodeStatus status(Cluster cluster, String name) {
        return cluster.topology().nodes().stream()
                .filter(status -> status.node().name().equals(name))
                .findFirst()
                .orElse(null);
    }

    private static Node node(Cluster cluster, String name) {
        return Objects.requireNonNull(status(cluster, name)).node();
    }

    private static NodeHealth health(Cluster cluster, String name) {
        return Objects.requireNonNull(status(cluster, name)).health();
    }

    /** A server that answers probes as the test says: at once, or, silent, at the deadline. */
    private final class ScriptedServer implements Prober {
        private @Nullable ProbeResult result;
        private boolean inRecovery;
        private int timeline;
        private long identifier = OURS;
        private long started = System.identityHashCode(this);
        private int probes;
        private boolean kept = true;
        private boolean closed;
        private boolean renewed;
        private Runnable onDropped = () -> {};

        ScriptedServer primary(int timeline) {
            result = null;
            inRecovery = false;
            this.timeline = timeline;
            return this;
        }

        ScriptedServer standby() {
            result = null;
            inRecovery = true;
            return this;
        }

        void gone() {
            result = new ProbeResult.Gone("connection refused");
        }

        void refusing() {
            result = new ProbeResult.Refusing("the database system is shutting down");
        }

        void silent() {
            result = new ProbeResult.Silent();
        }

        void barred() {
            result = new ProbeResult.Barred("28000");
        }

        void drop() {
            onDropped.run();
        }

        @Override
        public void probe(Consumer<ProbeResult> done) {
            probes++;
            if (result instanceof ProbeResult.Silent) {
                var _ = time.loop()
                        .executor()
                        .schedule(
                                () -> done.accept(new ProbeResult.Silent()),
                                MonitorConnection.DEADLINE_MILLIS,
                                TimeUnit.MILLISECONDS);
            } else if (result != null) {
                done.accept(result);
            } else {
                long now = time.clock().getAsLong();
                done.accept(new ProbeResult.Answered(
                        new Observation(inRecovery, identifier, inRecovery ? 0 : timeline, now, now), started));
            }
        }

        @Override
        public void keepConnection(boolean keep) {
            kept = keep;
        }

        @Override
        public void renewConnection() {
            renewed = true;
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
