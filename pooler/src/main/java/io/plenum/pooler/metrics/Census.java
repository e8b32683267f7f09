package io.plenum.pooler.metrics;

import io.plenum.routing.Reason;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What there was at one moment, over all loops: the one source of console, metrics and averages. Immutable.
 *
 * <p>Each loop reports its own part, so the moment is the same only within a loop; numbers of one row never come from two
 * reports of the same loop.
 *
 * @param atNanos when it was asked for, on {@link System#nanoTime}'s clock
 * @param atMillis the same on the wall clock
 * @param pools one for each database and user
 * @param nodes one for each database and node
 * @param clients empty unless asked for
 * @param servers empty unless asked for
 */
public record Census(
        long atNanos,
        long atMillis,
        List<PoolFacts> pools,
        List<NodeFacts> nodes,
        List<ClientFacts> clients,
        List<ServerFacts> servers) {

    public Census {
        pools = List.copyOf(pools);
        nodes = List.copyOf(nodes);
        clients = List.copyOf(clients);
        servers = List.copyOf(servers);
    }

    /** How much is gathered: each depth holds all of those before it. */
    public enum Depth {
        /** Sums that cost nothing to read. */
        SUMS,
        /** What clients do, counted: one look at each. */
        COUNTS,
        /** Every client and every server connection. */
        CONNECTIONS
    }

    /** Who gathers. */
    public interface Taker {
        /** Any thread; completes on any thread, within moments, for no loop is ever waited for by another. */
        CompletionStage<Census> take(Depth depth);
    }

    /**
     * One database and user.
     *
     * @param clients logged in, those that wait among them
     * @param waiting for a server connection, those who wait in their login among them
     * @param waitingLoggedIn those of {@code waiting} that are {@code clients} too; 0 unless counts were asked for
     * @param oldestWaitNanos age of the oldest waiter, 0 without
     * @param held those of {@code waiting} that wait for a primary
     * @param routes how often each reason sent a batch its way
     * @param pins clients that keep their server, by the reason
     */
    public record PoolFacts(
            String database,
            String user,
            Totals totals,
            long reruns,
            int clients,
            int waiting,
            int waitingLoggedIn,
            ServerCounts servers,
            long oldestWaitNanos,
            HeldFacts held,
            Map<Reason, Long> routes,
            Map<Reason, Long> pins) {

        /** Both as one, under the name of this. */
        PoolFacts plus(PoolFacts other) {
            return plus(other, database, user);
        }

        PoolFacts plus(PoolFacts other, String database, String user) {
            return new PoolFacts(
                    database,
                    user,
                    totals.plus(other.totals),
                    reruns + other.reruns,
                    clients + other.clients,
                    waiting + other.waiting,
                    waitingLoggedIn + other.waitingLoggedIn,
                    servers.plus(other.servers),
                    Math.max(oldestWaitNanos, other.oldestWaitNanos),
                    held.plus(other.held),
                    sum(routes, other.routes),
                    sum(pins, other.pins));
        }

        private static Map<Reason, Long> sum(Map<Reason, Long> some, Map<Reason, Long> more) {
            Map<Reason, Long> sum = new EnumMap<>(Reason.class);
            sum.putAll(some);
            more.forEach((reason, count) -> sum.merge(reason, count, Long::sum));
            return Map.copyOf(sum);
        }

        /** Clients that have what they want: a server, or nothing to ask of one. */
        public int active() {
            return clients - waitingLoggedIn;
        }
    }

    /**
     * Transactions that are held because there is no primary.
     *
     * @param bytes that they had sent when their wait began
     * @param oldestNanos age of the oldest, 0 without
     * @param refused those that were answered with an error instead, since the start
     */
    public record HeldFacts(int requests, long bytes, long oldestNanos, long refused) {
        public static final HeldFacts NONE = new HeldFacts(0, 0, 0, 0);

        HeldFacts plus(HeldFacts other) {
            return new HeldFacts(
                    requests + other.requests,
                    bytes + other.bytes,
                    Math.max(oldestNanos, other.oldestNanos),
                    refused + other.refused);
        }
    }

    /**
     * Server connections by what they do.
     *
     * @param active given to a client
     * @param canceling those for which a cancel request is on its way
     * @param beingCanceled released, but held back until such requests have been seen through
     * @param tested running SQL of ours: a check, a reset
     * @param login being opened
     * @param cancelsWaiting cancel requests that wait for others to be over; they are no connections
     */
    public record ServerCounts(
            int active, int canceling, int beingCanceled, int idle, int tested, int login, int cancelsWaiting) {
        public static final ServerCounts NONE = new ServerCounts(0, 0, 0, 0, 0, 0, 0);

        public ServerCounts plus(ServerCounts other) {
            return new ServerCounts(
                    active + other.active,
                    canceling + other.canceling,
                    beingCanceled + other.beingCanceled,
                    idle + other.idle,
                    tested + other.tested,
                    login + other.login,
                    cancelsWaiting + other.cancelsWaiting);
        }

        public int total() {
            return active + beingCanceled + idle + tested + login;
        }
    }

    /**
     * One node of a database, over all users.
     *
     * @param role of the node, in lower case
     * @param state of the node, in lower case
     * @param takesReads whether it is among those that reads are balanced over
     * @param takesWrites whether it is the primary
     * @param replayLsn 0 if unknown
     * @param lagBytes behind the primary; -1 if unknown
     * @param sinceNanos when role or state last changed; 0 if unknown
     */
    public record NodeFacts(
            String database,
            String node,
            String host,
            int port,
            String role,
            String state,
            String zone,
            int weight,
            boolean takesReads,
            boolean takesWrites,
            boolean answers,
            ServerCounts servers,
            int inFlight,
            long transactions,
            long reads,
            long replayLsn,
            long lagBytes,
            long sinceNanos) {}

    /** Why and since when a client keeps its server. */
    public record PinFacts(Reason reason, long ageNanos, String statement) {}

    /**
     * One client.
     *
     * @param replication none, logical or physical
     * @param state active, idle, waiting or login
     * @param serverId its server connection; 0 if it has none
     * @param fd of its socket; -1 if the transport does not tell
     * @param tls version and cipher; empty in plain text
     */
    public record ClientFacts(
            long id,
            String user,
            String database,
            String replication,
            String state,
            Peer peer,
            long connectedAtMillis,
            long requestAtMillis,
            long waitNanos,
            boolean closeNeeded,
            long serverId,
            int fd,
            String applicationName,
            int preparedStatements,
            String tls,
            @Nullable PinFacts pin) {}

    /**
     * One server connection.
     *
     * @param replication none, logical or physical
     * @param state active, idle, tested, new or being_canceled
     * @param clientId whom it works for; 0 if nobody
     * @param processId of the backend; 0 if not known
     * @param fd of its socket; -1 if the transport does not tell
     * @param tls version and cipher; empty in plain text
     */
    public record ServerFacts(
            long id,
            String user,
            String database,
            String replication,
            String state,
            Peer peer,
            long connectedAtMillis,
            long requestAtMillis,
            boolean closeNeeded,
            long clientId,
            int processId,
            int fd,
            String applicationName,
            int preparedStatements,
            String tls) {}

    /** Both ends of a connection, {@code unix} those of a Unix socket; empty and 0 where one is not known. */
    public record Peer(String address, int port, String localAddress, int localPort) {
        public static final Peer UNKNOWN = new Peer("", 0, "", 0);
    }

    /** Joins the reports of loops: pools of the same database and user become one. */
    public static List<PoolFacts> sum(List<PoolFacts> parts) {
        record Name(String database, String user) {}
        Map<Name, PoolFacts> sums = new LinkedHashMap<>();
        for (PoolFacts part : parts) {
            sums.merge(new Name(part.database(), part.user()), part, PoolFacts::plus);
        }
        return new ArrayList<>(sums.values());
    }

    /** The totals of each database. */
    public Map<String, Totals> totalsByDatabase() {
        Map<String, Totals> sums = new LinkedHashMap<>();
        for (PoolFacts pool : pools) {
            sums.merge(pool.database(), pool.totals(), Totals::plus);
        }
        return sums;
    }

    /** The nodes of one database. */
    public List<NodeFacts> nodesOf(String database) {
        return nodes.stream().filter(node -> node.database().equals(database)).toList();
    }

    /** How often each reason sent a batch of each database its way. */
    public Map<String, Map<Reason, Long>> routesByDatabase() {
        Map<String, Map<Reason, Long>> sums = new LinkedHashMap<>();
        for (PoolFacts pool : pools) {
            Map<Reason, Long> of = sums.computeIfAbsent(pool.database(), name -> new EnumMap<>(Reason.class));
            pool.routes().forEach((reason, count) -> of.merge(reason, count, Long::sum));
        }
        return sums;
    }

    /** Whether any node of any database answers, or there is no database whose nodes are known. */
    public boolean anyNodeAnswers() {
        return nodes.isEmpty() || nodes.stream().anyMatch(NodeFacts::answers);
    }
}
