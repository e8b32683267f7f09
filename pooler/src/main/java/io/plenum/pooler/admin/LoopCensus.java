package io.plenum.pooler.admin;

import io.netty.channel.Channel;
import io.netty.channel.unix.UnixChannel;
import io.plenum.pooler.client.ClientConnection;
import io.plenum.pooler.client.LoopClients;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.link.Link;
import io.plenum.pooler.metrics.Census;
import io.plenum.pooler.metrics.Census.ClientFacts;
import io.plenum.pooler.metrics.Census.Depth;
import io.plenum.pooler.metrics.Census.HeldFacts;
import io.plenum.pooler.metrics.Census.NodeFacts;
import io.plenum.pooler.metrics.Census.Peer;
import io.plenum.pooler.metrics.Census.PinFacts;
import io.plenum.pooler.metrics.Census.PoolFacts;
import io.plenum.pooler.metrics.Census.ServerCounts;
import io.plenum.pooler.metrics.Census.ServerFacts;
import io.plenum.pooler.metrics.Totals;
import io.plenum.pooler.net.TlsSession;
import io.plenum.pooler.net.UnixSockets;
import io.plenum.pooler.pool.HoldQueue;
import io.plenum.pooler.pool.LoopPools;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.pool.PoolGroup;
import io.plenum.pooler.pool.PoolStats;
import io.plenum.pooler.pool.WaitQueue;
import io.plenum.pooler.pool.WalSenders;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.Reason;
import io.plenum.routing.topology.Node;
import io.plenum.routing.topology.NodeStatus;
import io.plenum.routing.topology.Observation;
import io.plenum.routing.topology.Topology;
import io.plenum.wire.AsciiCase;
import io.plenum.wire.startup.CancelKey;
import io.plenum.wire.startup.StartupParameters.Replication;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Gathers a {@link Census}: one short task on each loop, whose reports are joined by the thread that ends last. Any thread. */
public final class LoopCensus implements Census.Taker {
    private static final long NANOS_PER_MICRO = 1_000;
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final Supplier<PoolerConfig> config;
    private final Function<DatabaseConfig, Topology> topologies;
    private final List<LoopPools> pools;
    private final List<LoopClients> clients;

    /** Both lists in the order of the loops; they may still grow until the first call. */
    public LoopCensus(
            Supplier<PoolerConfig> config,
            Function<DatabaseConfig, Topology> topologies,
            List<LoopPools> pools,
            List<LoopClients> clients) {
        this.config = config;
        this.topologies = topologies;
        this.pools = pools;
        this.clients = clients;
    }

    private record NodeKey(String database, Node node) {}

    private record NodeWork(ServerCounts servers, int inFlight, long transactions, long reads) {
        static final NodeWork NONE = new NodeWork(ServerCounts.NONE, 0, 0, 0);

        NodeWork plus(NodeWork other) {
            return new NodeWork(
                    servers.plus(other.servers),
                    inFlight + other.inFlight,
                    transactions + other.transactions,
                    reads + other.reads);
        }
    }

    /** What one loop says. */
    private record Report(
            List<PoolFacts> pools, Map<NodeKey, NodeWork> work, List<ClientFacts> clients, List<ServerFacts> servers) {}

    @Override
    public CompletionStage<Census> take(Depth depth) {
        long nanos = System.nanoTime();
        long millis = System.currentTimeMillis();
        List<CompletableFuture<Report>> reports = new ArrayList<>();
        for (int i = 0; i < pools.size(); i++) {
            LoopPools ofPools = pools.get(i);
            LoopClients ofClients = clients.get(i);
            reports.add(OnLoop.call(ofPools.loop(), () -> report(ofPools, ofClients, depth, millis)));
        }
        return OnLoop.all(reports).thenApply(all -> join(nanos, millis, all));
    }

    // --- on each loop ----------------------------------------------------------------------------------------------

    private static Report report(LoopPools pools, LoopClients clients, Depth depth, long millis) {
        long now = System.nanoTime();
        List<PoolFacts> facts = new ArrayList<>();
        Map<NodeKey, NodeWork> work = new LinkedHashMap<>();
        Map<PoolGroup, Tally> tallies = depth == Depth.SUMS ? Map.of() : tallies(clients);
        for (PoolGroup group : pools.groups()) {
            Tally tally = tallies.getOrDefault(group, Tally.NONE);
            ServerCounts servers = ServerCounts.NONE;
            for (Pool pool : group.pools()) {
                ServerCounts counts = counts(pool, depth);
                servers = servers.plus(counts);
                work.merge(
                        new NodeKey(group.database(), pool.key().node()),
                        new NodeWork(counts, pool.inFlight(), pool.transactions(), pool.reads()),
                        NodeWork::plus);
            }
            facts.add(new PoolFacts(
                    group.database(),
                    group.user(),
                    totals(group.stats()),
                    group.stats().reruns,
                    group.clientCount(),
                    group.waiting(),
                    tally.waiting,
                    servers,
                    oldestWait(group, now),
                    held(group.held(), now),
                    routes(group.stats()),
                    Map.copyOf(tally.pins)));
        }
        if (depth != Depth.CONNECTIONS) {
            return new Report(facts, work, List.of(), List.of());
        }
        var clock = new Clock(now, millis);
        Map<ServerConnection, ClientConnection> links = new HashMap<>();
        List<ClientFacts> clientFacts = new ArrayList<>();
        for (ClientConnection client : clients.clients()) {
            Link link = client.linkOrNull();
            if (link != null && link.server() != null) {
                links.put(link.server(), client);
            }
            if (client.walSenderOrNull() != null) {
                links.put(client.walSenderOrNull(), client);
            }
            clientFacts.add(facts(client, clock));
        }
        List<ServerFacts> serverFacts = new ArrayList<>();
        for (PoolGroup group : pools.groups()) {
            for (Pool pool : group.pools()) {
                for (ServerConnection server : pool.servers()) {
                    serverFacts.add(facts(group, pool, server, links.get(server), clock));
                }
            }
        }
        return new Report(facts, work, clientFacts, serverFacts);
    }

    /** Turns moments of one clock into those of the other. */
    private record Clock(long nanos, long millis) {
        long millisAt(long thenNanos) {
            return millis - (nanos - thenNanos) / NANOS_PER_MILLI;
        }
    }

    /** What the clients of one database and user do. */
    private static final class Tally {
        static final Tally NONE = new Tally();

        private int waiting;
        private final Map<Reason, Long> pins = new EnumMap<>(Reason.class);
    }

    private static Map<PoolGroup, Tally> tallies(LoopClients clients) {
        Map<PoolGroup, Tally> tallies = new HashMap<>();
        for (ClientConnection client : clients.clients()) {
            PoolGroup pools = client.poolsOrNull();
            Link link = client.linkOrNull();
            Reason pin = link == null ? null : link.pin();
            boolean waits = client.state() == ClientConnection.State.WAITING;
            if (pools != null && (waits || pin != null)) {
                Tally tally = tallies.computeIfAbsent(pools, group -> new Tally());
                tally.waiting += waits ? 1 : 0;
                if (pin != null) {
                    tally.pins.merge(pin, 1L, Long::sum);
                }
            }
        }
        return tallies;
    }

    private static ServerCounts counts(Pool pool, Depth depth) {
        int canceling = 0;
        int cancelsWaiting = 0;
        if (depth != Depth.SUMS) {
            for (ServerConnection server : pool.servers()) {
                canceling += server.hasCancelsInFlight() ? 1 : 0;
                cancelsWaiting += server.cancelsWaiting();
            }
        }
        return new ServerCounts(
                pool.active(),
                canceling,
                pool.beingCanceled(),
                pool.idleCount(),
                pool.busy(),
                pool.connecting(),
                cancelsWaiting);
    }

    private static Totals totals(PoolStats stats) {
        return Totals.of(
                stats.assignments,
                stats.transactions,
                stats.queries,
                stats.receivedBytes,
                stats.sentBytes,
                stats.transactionNanos / NANOS_PER_MICRO,
                stats.queryNanos / NANOS_PER_MICRO,
                stats.waitNanos / NANOS_PER_MICRO,
                stats.clientParses,
                stats.serverParses,
                stats.binds,
                stats.clientLogins);
    }

    private static Map<Reason, Long> routes(PoolStats stats) {
        Map<Reason, Long> routes = new EnumMap<>(Reason.class);
        for (Reason reason : Reason.values()) {
            long count = stats.routes(reason);
            if (count > 0) {
                routes.put(reason, count);
            }
        }
        return Map.copyOf(routes);
    }

    private static HeldFacts held(HoldQueue held, long now) {
        return new HeldFacts(held.size(), held.bytes(), age(held.oldest(), now), held.refused());
    }

    private static long oldestWait(PoolGroup group, long now) {
        long oldest = Math.max(
                age(group.withoutPrimary().oldest(), now), age(group.held().oldest(), now));
        for (Pool pool : group.pools()) {
            oldest = Math.max(oldest, age(pool.waiters().oldest(), now));
            WalSenders walSenders = pool.walSenders();
            if (walSenders.isWaitedFor()) {
                oldest = Math.max(oldest, now - walSenders.oldestSinceNanos());
            }
        }
        return oldest;
    }

    private static long age(WaitQueue.@Nullable Place place, long now) {
        return place == null ? 0 : Math.max(0, now - place.sinceNanos());
    }

    private static ClientFacts facts(ClientConnection client, Clock clock) {
        Link link = client.linkOrNull();
        ServerConnection server = link == null ? client.walSenderOrNull() : link.server();
        boolean waits = client.state() == ClientConnection.State.WAITING;
        String application = client.settings().get("application_name");
        Reason pin = link == null ? null : link.pin();
        return new ClientFacts(
                client.id(),
                client.user(),
                client.database(),
                word(client.replication()),
                switch (client.state()) {
                    case LOGIN -> "login";
                    case IDLE, CONSOLE -> "idle";
                    case WAITING -> "waiting";
                    case LINKED, REPLICATION -> "active";
                    case LEAVING, GONE -> "leaving";
                },
                peer(client),
                client.connectedAtMillis(),
                client.requestNanos() == 0 ? client.connectedAtMillis() : clock.millisAt(client.requestNanos()),
                waits ? Math.max(0, clock.nanos() - client.waitingSinceNanos()) : 0,
                client.isClosing(),
                server == null ? 0 : server.id(),
                fd(client.channelOrNull()),
                application == null ? "" : application,
                client.preparedStatements(),
                tls(client.transport().tls()),
                link == null || pin == null
                        ? null
                        : new PinFacts(pin, clock.nanos() - link.pinnedSinceNanos(), link.pinnedBy()));
    }

    private static ServerFacts facts(
            PoolGroup group, Pool pool, ServerConnection server, @Nullable ClientConnection client, Clock clock) {
        CancelKey key = server.cancelKey();
        String application = server.settings().get("application_name");
        Link link = client == null ? null : client.linkOrNull();
        return new ServerFacts(
                server.id(),
                group.user(),
                group.database(),
                word(server.target().replication()),
                state(pool, server),
                server.isConnected() && !server.isClosed()
                        ? peer(
                                server.channel().remoteAddress(),
                                server.channel().localAddress())
                        : peer(pool.key().node().address(), null),
                clock.millisAt(server.bornNanos()),
                clock.millisAt(link == null ? server.idleSinceNanos() : link.querySinceNanos()),
                server.isCloseWhenReleased(),
                client == null ? 0 : client.id(),
                key == null ? 0 : key.processId(),
                server.isConnected() && !server.isClosed() ? fd(server.channel()) : -1,
                application == null ? "" : application,
                server.statements().size(),
                tls(server.tls()));
    }

    /** PgBouncer's word. */
    private static String word(Replication replication) {
        return switch (replication) {
            case NONE -> "none";
            case PHYSICAL -> "physical";
            case DATABASE -> "logical";
        };
    }

    private static String state(Pool pool, ServerConnection server) {
        if (!server.isLoggedIn()) {
            return "new";
        }
        if (server.isLinked()) {
            return "active";
        }
        return server.hasCancelsInFlight() ? "being_canceled" : pool.isIdle(server) ? "idle" : "tested";
    }

    private static int fd(@Nullable Channel channel) {
        return channel instanceof UnixChannel unix ? unix.fd().intValue() : -1;
    }

    private static String tls(@Nullable TlsSession session) {
        return session == null ? "" : session.describe();
    }

    /** The other end of a Unix socket has no name: it gets ours, as in PgBouncer. */
    private static Peer peer(ClientConnection client) {
        SocketAddress local = client.localAddress();
        SocketAddress remote = client.remoteAddress();
        return UnixSockets.isUnix(local) && !(remote instanceof InetSocketAddress)
                ? peer(local, local)
                : peer(remote, local);
    }

    private static Peer peer(@Nullable SocketAddress remote, @Nullable SocketAddress local) {
        return new Peer(
                UnixSockets.host(remote), UnixSockets.port(remote), UnixSockets.host(local), UnixSockets.port(local));
    }

    // --- over all loops --------------------------------------------------------------------------------------------

    private Census join(long nanos, long millis, List<Report> reports) {
        List<PoolFacts> facts = new ArrayList<>();
        Map<NodeKey, NodeWork> work = new LinkedHashMap<>();
        List<ClientFacts> clientFacts = new ArrayList<>();
        List<ServerFacts> serverFacts = new ArrayList<>();
        for (Report report : reports) {
            facts.addAll(report.pools());
            report.work().forEach((key, done) -> work.merge(key, done, NodeWork::plus));
            clientFacts.addAll(report.clients());
            serverFacts.addAll(report.servers());
        }
        return new Census(nanos, millis, Census.sum(facts), nodes(facts, work), clientFacts, serverFacts);
    }

    private List<NodeFacts> nodes(List<PoolFacts> facts, Map<NodeKey, NodeWork> work) {
        PoolerConfig now = config.get();
        Set<String> databases = new LinkedHashSet<>();
        now.databases().forEach(database -> databases.add(database.name()));
        facts.forEach(pool -> databases.add(pool.database()));
        List<NodeFacts> nodes = new ArrayList<>();
        for (String name : databases) {
            DatabaseConfig database = now.database(name);
            Topology topology = database == null ? Topology.EMPTY : topologies.apply(database);
            for (NodeStatus status : topology.nodes()) {
                NodeWork done = work.remove(new NodeKey(name, status.node()));
                nodes.add(node(name, topology, status, done == null ? NodeWork.NONE : done));
            }
        }
        work.forEach((key, done) -> {
            if (done.servers().total() + done.inFlight() > 0) {
                nodes.add(gone(key, done));
            }
        });
        return nodes;
    }

    private static NodeFacts node(String database, Topology topology, NodeStatus status, NodeWork done) {
        Node node = status.node();
        long lsn = lsn(status);
        NodeStatus primary = topology.primary() == null ? null : topology.status(topology.primary());
        long head = primary == null ? 0 : lsn(primary);
        return new NodeFacts(
                database,
                node.name(),
                UnixSockets.host(node.address()),
                UnixSockets.port(node.address()),
                AsciiCase.lower(status.role().name()),
                status.foreign() ? "foreign" : AsciiCase.lower(status.health().name()),
                node.zone(),
                node.weight(),
                topology.replicas().contains(node),
                node.equals(topology.primary()),
                status.answers(),
                done.servers(),
                done.inFlight(),
                done.transactions(),
                done.reads(),
                lsn,
                lsn == 0 || head == 0 ? -1 : Math.max(0, head - lsn),
                status.sinceNanos());
    }

    /** A node that discovery no longer names, but that still has connections. */
    private static NodeFacts gone(NodeKey key, NodeWork done) {
        Node node = key.node();
        return new NodeFacts(
                key.database(),
                node.name(),
                UnixSockets.host(node.address()),
                UnixSockets.port(node.address()),
                "unknown",
                "gone",
                node.zone(),
                node.weight(),
                false,
                false,
                false,
                done.servers(),
                done.inFlight(),
                done.transactions(),
                done.reads(),
                0,
                -1,
                0);
    }

    private static long lsn(NodeStatus status) {
        Observation seen = status.lastSeen();
        return seen == null ? 0 : seen.replayLsn();
    }
}
