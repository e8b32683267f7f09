package io.plenum.pooler.discovery;

import io.plenum.pooler.causal.Positions;
import io.plenum.pooler.net.Loop;
import io.plenum.routing.topology.Node;
import io.plenum.routing.topology.NodeHealth;
import io.plenum.routing.topology.NodeRole;
import io.plenum.routing.topology.NodeStatus;
import io.plenum.routing.topology.Observation;
import io.plenum.routing.topology.Roster;
import io.plenum.routing.topology.Topology;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One PostgreSQL cluster: a primary and its standbys behind a list of hosts or one name. Puts together what the address
 * book finds and what the monitors see.
 *
 * <p>Confined to the control loop, but for {@link #topology()}.
 */
final class Cluster implements Monitor.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(Cluster.class);

    /** How long a cluster without a primary is asked more often than usual. */
    private static final long EAGER_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** How long none of our nodes answers, and others do, until those are the cluster. */
    static final long REPLACED_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** Who is told of every topology. Control loop. */
    interface Follower {
        /** {@code decides} is false when nothing but what was observed is newer. */
        void onTopology(Topology topology, boolean decides);

        /** Nobody needs the cluster any more. */
        default void onClosed() {}
    }

    private final Seeds seeds;
    private final Loop loop;
    private final LongSupplier clock;
    private final NodeSource addresses;
    private final Prober.Factory probers;
    private final Map<Node, Monitor> monitors = new LinkedHashMap<>();
    private final List<Follower> followers = new ArrayList<>();
    private final Set<Node> twins = new HashSet<>();
    private final Map<Node, String> barred = new LinkedHashMap<>();
    private final Positions positions = new Positions();

    private Roster roster = new Roster();
    private long eagerUntilNanos;
    private long ownSeenNanos;
    private boolean toldUnasked;
    private boolean startedAnew;
    private volatile Topology topology = Topology.EMPTY;

    /** Of hosts and names; see the other. */
    Cluster(
            Seeds seeds,
            Loop loop,
            LongSupplier clock,
            Names names,
            Supplier<Duration> maxTtl,
            Prober.Factory probers) {
        this(
                seeds,
                loop,
                clock,
                listener ->
                        new AddressBook(seeds, loop, clock, names, maxTtl, nodes -> listener.onNodes(nodes, Set.of())),
                probers);
    }

    /** Knows what can be known without asking anybody; {@link #start} begins to ask. Any thread. */
    Cluster(Seeds seeds, Loop loop, LongSupplier clock, NodeSource.Factory sources, Prober.Factory probers) {
        this.seeds = seeds;
        this.loop = loop;
        this.clock = clock;
        this.probers = probers;
        this.addresses = sources.of(this::onAddresses);
        List<Node> known = addresses.nodes();
        long now = clock.getAsLong();
        eagerUntilNanos = now + EAGER_NANOS;
        ownSeenNanos = now;
        if (!known.isEmpty()) {
            topology = seeds.isSolo() ? solo(known.getFirst()) : roster.discovered(known, now);
        }
    }

    Seeds seeds() {
        return seeds;
    }

    /** What is known now. Any thread. */
    Topology topology() {
        return topology;
    }

    /** Where its nodes stand. Any thread. */
    Positions positions() {
        return positions;
    }

    void start() {
        addresses.start();
        keepMonitors();
    }

    void close() {
        addresses.close();
        monitors.values().forEach(Monitor::stop);
        monitors.clear();
        followers.forEach(Follower::onClosed);
    }

    void follow(Follower follower) {
        followers.add(follower);
    }

    void unfollow(Follower follower) {
        followers.remove(follower);
    }

    /** A login is known that was not, or another: those who were not let in try again. */
    void onLogins() {
        if (topology.primary() == null || !barred.isEmpty()) {
            monitors.values().forEach(Monitor::probeSoon);
        }
    }

    /** Whoever used the node had trouble: it is asked at once, and so is DNS. */
    void suspect(Node node) {
        Monitor monitor = monitors.get(node);
        if (monitor != null) {
            monitor.suspect();
        }
        addresses.lookUpSoon();
    }

    /** A node that starts or is being stopped has refused a login. */
    void refused(Node node) {
        Monitor monitor = monitors.get(node);
        if (monitor != null) {
            monitor.suspectRefusal();
        }
        addresses.lookUpSoon();
    }

    // --- addresses -------------------------------------------------------------------------------------------------

    private void onAddresses(List<Node> nodes, Set<Node> leaving) {
        if (!seeds.isSolo()) {
            publish(roster.discovered(nodes, leaving, clock.getAsLong()));
        } else if (!nodes.getFirst().equals(topology.primary())) {
            publish(solo(nodes.getFirst()));
        }
    }

    private Topology solo(Node node) {
        var status = new NodeStatus(node, NodeRole.PRIMARY, NodeHealth.UP, false, null, clock.getAsLong());
        return new Topology(topology.version() + 1, List.of(status), node, List.of(), false);
    }

    // --- answers ---------------------------------------------------------------------------------------------------

    @Override
    public void onAnswer(Monitor monitor, ProbeResult.Answered answer) {
        Node node = monitor.node();
        if (barred.remove(node) != null) {
            LOG.info("event=monitor_let_in node={}", node);
        }
        if (isTwin(monitor)) {
            return;
        }
        publish(roster.observed(node, answer.seen()));
        if (isReplaced(answer.seen())) {
            startAnew(answer.seen().systemIdentifier());
            publish(roster.observed(node, answer.seen()));
        }
    }

    @Override
    public void onUnreachable(Monitor monitor, String reason) {
        noteOut(monitor.node(), NodeHealth.DOWN, "node_unreachable", reason);
        publish(roster.unreachable(monitor.node(), clock.getAsLong()));
    }

    @Override
    public void onRefusing(Monitor monitor, String reason) {
        noteOut(monitor.node(), NodeHealth.REFUSING, "node_refuses_sessions", reason);
        publish(roster.refusing(monitor.node(), clock.getAsLong()));
    }

    /** The log hears of it once. */
    private void noteOut(Node node, NodeHealth health, String event, String reason) {
        NodeStatus before = topology.status(node);
        if (before != null && before.health() != health) {
            LOG.warn("event={} node={} reason=\"{}\"", event, node, reason);
        }
        barred.remove(node);
    }

    @Override
    public void onBarred(Monitor monitor, String reason) {
        if (!reason.equals(barred.put(monitor.node(), reason))) {
            LOG.warn("event=monitor_not_let_in node={} reason=\"{}\"", monitor.node(), reason);
        }
    }

    @Override
    public void onUnasked() {
        if (!toldUnasked) {
            toldUnasked = true;
            LOG.info(
                    "event=monitor_waits hosts={} reason=\"no monitor_user; the first client's login will do\"",
                    seeds.hosts());
        }
    }

    @Override
    public boolean isEager() {
        return topology.primary() == null && clock.getAsLong() - eagerUntilNanos < 0;
    }

    /**
     * One server behind two addresses (IPv4 and IPv6, two names) must not count twice, least of all a primary: the address
     * known first stands for it, and the other for nothing.
     */
    private boolean isTwin(Monitor answered) {
        if (answered.startedMicros() == 0) {
            return false;
        }
        boolean behind = false;
        for (Monitor other : monitors.values()) {
            if (other == answered) {
                behind = true;
            } else if (other.startedMicros() == answered.startedMicros()) {
                Monitor twin = behind ? other : answered;
                if (twins.add(twin.node())) {
                    LOG.warn(
                            "event=node_ignored node={} reason=\"the same server as {}\"",
                            twin.node(),
                            behind ? answered.node() : other.node());
                }
                NodeStatus status = topology.status(twin.node());
                if (status != null && status.answers()) {
                    publish(roster.unreachable(twin.node(), clock.getAsLong()));
                }
                if (twin == answered) {
                    return true;
                }
            }
        }
        twins.remove(answered.node());
        return false;
    }

    /** Whether what answers is another cluster than the one we knew, of which nothing is left: it was made anew. */
    private boolean isReplaced(Observation seen) {
        boolean own = false;
        for (NodeStatus status : topology.nodes()) {
            own |= status.answers();
        }
        if (own) {
            ownSeenNanos = seen.atNanos();
        }
        return seen.systemIdentifier() != 0 && seen.atNanos() - ownSeenNanos > REPLACED_NANOS;
    }

    private void startAnew(long systemIdentifier) {
        LOG.warn("event=cluster_replaced hosts={} system_identifier={}", seeds.hosts(), systemIdentifier);
        ownSeenNanos = clock.getAsLong();
        roster = new Roster();
        startedAnew = true;
        publish(roster.discovered(addresses.nodes(), clock.getAsLong()));
    }

    // --- news ------------------------------------------------------------------------------------------------------

    private void publish(Topology now) {
        Topology before = topology;
        if (now.equals(before)) {
            return;
        }
        topology = now;
        boolean decides = startedAnew || now.version() != before.version(); // a new roster counts from the beginning
        startedAnew = false;
        if (decides) {
            log(before, now);
            if (before.primary() != null && now.primary() == null) {
                eagerUntilNanos = clock.getAsLong() + EAGER_NANOS;
                monitors.values().forEach(Monitor::probeSoon);
                addresses.lookUpSoon();
            }
        }
        keepMonitors();
        if (decides) {
            for (NodeStatus status : now.nodes()) {
                Monitor monitor = monitors.get(status.node());
                if (monitor != null) {
                    monitor.setLeaving(status.health() == NodeHealth.DRAINING, status.role() == NodeRole.REPLICA);
                }
            }
        }
        for (Follower follower : followers) {
            follower.onTopology(now, decides);
        }
    }

    /** One monitor for each node that there is. */
    private void keepMonitors() {
        if (seeds.isSolo()) {
            return;
        }
        Topology now = topology;
        if (monitors.size() != now.nodes().size()
                || !now.nodes().stream().allMatch(s -> monitors.containsKey(s.node()))) {
            for (Monitor monitor : List.copyOf(monitors.values())) {
                if (now.status(monitor.node()) == null) {
                    monitors.remove(monitor.node());
                    twins.remove(monitor.node());
                    barred.remove(monitor.node());
                    monitor.stop();
                }
            }
            for (NodeStatus status : now.nodes()) {
                if (!monitors.containsKey(status.node())) {
                    var monitor = new Monitor(status.node(), loop, clock, probers, this);
                    monitors.put(status.node(), monitor);
                    monitor.probeSoon();
                }
            }
        }
    }

    private void log(Topology before, Topology now) {
        for (NodeStatus status : now.nodes()) {
            NodeStatus old = before.status(status.node());
            if (old == null
                    || old.role() != status.role()
                    || old.health() != status.health()
                    || old.foreign() != status.foreign()) {
                LOG.info(
                        "event=node_changed node={} role={} health={} foreign={}",
                        status.node(),
                        status.role(),
                        status.health(),
                        status.foreign());
            }
        }
        for (NodeStatus old : before.nodes()) {
            if (now.status(old.node()) == null) {
                LOG.info("event=node_forgotten node={}", old.node());
            }
        }
        if (!before.replicas().equals(now.replicas())) {
            LOG.info("event=replicas_changed replicas={}", now.replicas());
        }
        if (!same(before.primary(), now.primary()) || before.splitBrain() != now.splitBrain()) {
            LOG.info(
                    "event=primary_changed from={} to={} split_brain={}",
                    before.primary(),
                    now.primary(),
                    now.splitBrain());
        }
    }

    private static boolean same(@Nullable Node one, @Nullable Node other) {
        return one == null ? other == null : one.equals(other);
    }
}
