package io.plenum.pooler.listen;

import io.netty.util.concurrent.Future;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.error.PoolerErrors;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.pool.LoginRetry;
import io.plenum.pooler.pool.ServerConnector;
import io.plenum.pooler.pool.TopologySource;
import io.plenum.routing.topology.Node;
import io.plenum.routing.topology.NodeHealth;
import io.plenum.routing.topology.NodeStatus;
import io.plenum.routing.topology.Topology;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All LISTENs of one database and user over one connection to the primary.
 *
 * <p>The connection is opened when the first channel is wanted, follows the primary, is opened anew when it is lost, and is
 * closed a while after the last channel has no subscriber. SQL goes over it in rounds: whatever LISTENs and UNLISTENs are
 * due, as one simple Query, whose ReadyForQuery also ends the barriers that were asked for before it was sent. What else a
 * client's text holds never gets here: a name, quoted, is all.
 *
 * <p>Confined to the loop of whoever asked for it first. {@link #subscribe}, {@link #unsubscribe} and {@link #barrier} are
 * called on the client's loop, and what they are given runs there, never before they have returned.
 */
public final class ListenHub {
    private static final Logger LOG = LoggerFactory.getLogger(ListenHub.class);

    /** How often the connection is looked at. */
    private static final long WATCH_NANOS = 1_000_000_000L;

    /** A client is not held back for longer than this and {@link #WATCH_NANOS}: a late notification is better. */
    private static final long BARRIER_NANOS = 1_000_000_000L;

    /** A connection that leaves a round trip unanswered for so long is dead. */
    private static final long ANSWER_NANOS = 10_000_000_000L;

    /** The same for a connection that does not come to be; server_connect_timeout mostly ends it before. */
    private static final long LOGIN_NANOS = 30_000_000_000L;

    /** A connection that says nothing is asked whether it still stands: else we would wait for ever at a dead peer. */
    private static final long SILENCE_NANOS = 10_000_000_000L;

    /** Bounds the SQL of one round, to some 140 KiB. */
    private static final int CHANGES_AT_ONCE = 1_000;

    private final String database;
    private final String user;
    private final Loop loop;
    private final TopologySource topologies;
    private final Consumer<Topology> listener = this::tell;
    private final ServerConnector connector;
    private final Duration grace;

    /** The channels that are subscribed to, oldest first, and by whom. */
    private final Map<String, Subscribers> channels = new LinkedHashMap<>();

    /** What the connection listens to; a channel whose UNLISTEN was sent is no more among them. */
    private final Set<String> listened = new HashSet<>();

    /** The channels for which the two above may differ, oldest first. */
    private final LinkedHashSet<String> dirty = new LinkedHashSet<>();

    /** Those who wait for a round that is still to be sent. */
    private List<Barrier> barriers = new ArrayList<>();

    /** Whether any channel is subscribed to; written on the hub's loop. */
    private volatile boolean subscribed;

    /** What was read and not handed over yet, for each loop. */
    private final Map<Loop, List<Delivery>> deliveries = new HashMap<>();

    private final ListenConnection.Events events = new FromServer();

    private Topology topology = Topology.EMPTY;
    private @Nullable ListenConnection connection;
    private boolean open;
    private boolean reopened;
    private boolean closed;
    private @Nullable Round round;

    /** Rounds of one change each that are to come, because a round of several failed. */
    private int oneByOne;

    private @Nullable Future<?> retry;
    private @Nullable Future<?> ending;
    private boolean watching;
    private final LoginRetry logins = new LoginRetry();
    private long spokeNanos;

    /** Written on the hub's loop; told to a client that waited in vain. */
    private volatile @Nullable ErrorResponse lastTrouble;

    private long notifications;
    private long deliveredCount;
    private long losses;

    /** SQL that is being run: {@code channel}s whose standing it changes, and who waits for its end. */
    private record Round(List<String> listens, List<String> unlistens, List<Barrier> barriers, long sentNanos) {
        int changes() {
            return listens.size() + unlistens.size();
        }
    }

    private record Barrier(Loop loop, Runnable done, long sinceNanos) {
        void end() {
            loop.executeLater(done);
        }
    }

    /** What the connection tells; not for anybody else to call. */
    private final class FromServer implements ListenConnection.Events {
        @Override
        public void onOpen() {
            ListenHub.this.onOpen();
        }

        @Override
        public void onAnswer(@Nullable ErrorResponse error) {
            ListenHub.this.onAnswer(error);
        }

        @Override
        public void onNotification(Notification notification) {
            ListenHub.this.onNotification(notification);
        }

        @Override
        public void onBatchEnd() {
            handOver();
        }

        @Override
        public void onDismissed() {
            if (channels.isEmpty()) {
                end();
            }
        }

        @Override
        public void onEnd(String step, @Nullable ErrorResponse lastWords) {
            ListenHub.this.onEnd(step, lastWords);
        }
    }

    private record Delivery(Notification notification, Subscription[] subscriptions) {}

    /**
     * What a hub is at one moment; immutable.
     *
     * @param node where the connection goes, empty when there is none
     * @param open whether it is logged in
     * @param channels that clients subscribed to
     * @param listened channels that the server has confirmed
     * @param notifications received so far, each counted once
     * @param deliveries the same, counted once for each client
     * @param losses connections that ended without our wish, or never came to be
     */
    public record Facts(
            String database,
            String user,
            String node,
            boolean open,
            int channels,
            int listened,
            int subscriptions,
            long notifications,
            long deliveries,
            long losses) {}

    ListenHub(
            DatabaseConfig database,
            String user,
            Loop loop,
            Function<DatabaseConfig, TopologySource> topologies,
            ServerConnector connector,
            Duration grace) {
        this.database = database.name();
        this.user = user;
        this.loop = loop;
        this.connector = connector;
        this.grace = grace;
        this.topologies = TopologySource.subscribed(topologies, database, listener);
    }

    private void tell(Topology now) {
        loop.execute(() -> onTopology(now));
    }

    // --- for clients, on their loops -------------------------------------------------------------------------------

    /**
     * Subscribes to a channel, whose name is {@linkplain ChannelName#cut cut} as PostgreSQL does. A listener has at most one
     * subscription to a channel: {@link ClientChannels} sees to it.
     *
     * <p>One of {@code confirmed} and {@code failed} runs once, unless {@link #unsubscribe} comes first: the former when the
     * server has answered LISTEN, from when on the listener hears; the latter when PostgreSQL refused it, or {@code within}
     * has passed. A failed subscription is over.
     */
    public Subscription subscribe(
            String channel,
            NotificationListener listener,
            Loop clientLoop,
            Duration within,
            Runnable confirmed,
            Consumer<ErrorResponse> failed) {
        var subscription = new Subscription(ChannelName.cut(channel), listener, clientLoop, confirmed, failed);
        subscription.setDeadline(clientLoop
                .executor()
                .schedule(() -> onDeadline(subscription, within), within.toNanos(), TimeUnit.NANOSECONDS));
        loop.execute(() -> add(subscription));
        return subscription;
    }

    private void onDeadline(Subscription subscription, Duration within) {
        ErrorResponse error =
                PoolerErrors.listenerUnavailable(subscription.channel(), database, user, within, lastTrouble);
        if (subscription.fail(error)) {
            loop.execute(() -> remove(subscription));
        }
    }

    /** Ends a subscription, whatever its state: nothing of it is called from here on. Doing so twice is harmless. */
    public void unsubscribe(Subscription subscription) {
        if (subscription.end()) {
            loop.execute(() -> remove(subscription));
        }
    }

    /**
     * Has {@code done} run on the client's loop once everything that was notified by transactions committed before this call
     * has been handed to the listeners of that loop.
     *
     * <p>A round trip on the listener connection: PostgreSQL signals the listening processes before the notifier hears
     * ReadyForQuery (AtCommit_Notify), and a process delivers what it was signalled before it says ReadyForQuery itself
     * (PostgresMain). Without a connection, or with one that does not answer within two seconds, it runs all the same: it
     * orders what is heard and promises no delivery.
     */
    public void barrier(Loop clientLoop, Runnable done) {
        loop.execute(() -> add(new Barrier(clientLoop, done, System.nanoTime())));
    }

    /** The database that it listens in. */
    String database() {
        return database;
    }

    /** Whether a client has subscribed to a channel. Any thread. */
    boolean isSubscribed() {
        return subscribed;
    }

    /** The loop to ask for {@link #facts} on. */
    public Loop loop() {
        return loop;
    }

    // --- what is wanted --------------------------------------------------------------------------------------------

    private void add(Subscription subscription) {
        if (closed) {
            refuse(subscription, PoolerErrors.shuttingDown());
            return;
        }
        String name = subscription.channel();
        channels.computeIfAbsent(name, wanted -> new Subscribers()).add(subscription);
        subscribed = true;
        if (ending != null) {
            ending.cancel(false);
            ending = null;
        }
        if (open && listened.contains(name)) {
            // What is on its way was notified before, and is not for who begins to listen only now.
            subscription.heldByHub = true;
            add(new Barrier(subscription.loop(), subscription::confirm, System.nanoTime()));
        } else {
            dirty.add(name);
            pursue();
        }
    }

    private void remove(Subscription subscription) {
        String name = subscription.channel();
        Subscribers subscribers = channels.get(name);
        if (subscribers == null) {
            return;
        }
        subscribers.remove(subscription);
        if (subscribers.isEmpty()) {
            removeChannel(name);
            dirty.add(name);
            pursue();
            endLater();
        }
    }

    private void removeChannel(String name) {
        channels.remove(name);
        subscribed = !channels.isEmpty();
    }

    private static void confirm(Subscription subscription) {
        subscription.heldByHub = true;
        subscription.loop().executeLater(subscription::confirm);
    }

    private static void refuse(Subscription subscription, ErrorResponse error) {
        subscription.loop().executeLater(() -> subscription.fail(error));
    }

    private void add(Barrier barrier) {
        if (!open || (listened.isEmpty() && round == null)) {
            barrier.end();
        } else {
            barriers.add(barrier);
            pursue();
        }
    }

    // --- rounds ----------------------------------------------------------------------------------------------------

    /** Goes on towards what is wanted: opens the connection, or sends the next round. */
    private void pursue() {
        if (connection == null) {
            connect();
        } else if (open && round == null) {
            sendRound();
        }
    }

    private void sendRound() {
        Round next = nextRound();
        if (next.changes() == 0 && next.barriers().isEmpty()) {
            return;
        }
        send(next);
    }

    private Round nextRound() {
        List<String> listens = new ArrayList<>();
        List<String> unlistens = new ArrayList<>();
        int most = oneByOne > 0 ? 1 : CHANGES_AT_ONCE;
        Iterator<String> names = dirty.iterator();
        while (names.hasNext() && listens.size() + unlistens.size() < most) {
            String name = names.next();
            names.remove();
            boolean wanted = channels.containsKey(name);
            if (wanted && !listened.contains(name)) {
                listens.add(name);
            } else if (!wanted && listened.remove(name)) {
                unlistens.add(name);
            }
        }
        oneByOne = Math.max(0, oneByOne - 1);
        List<Barrier> waiting = barriers;
        barriers = new ArrayList<>();
        return new Round(listens, unlistens, waiting, System.nanoTime());
    }

    private void send(Round next) {
        ListenConnection current = connection;
        if (current == null) {
            throw new IllegalStateException("not connected");
        }
        var sql = new StringBuilder();
        for (String name : next.unlistens()) {
            append(sql, "UNLISTEN ", name);
        }
        for (String name : next.listens()) {
            append(sql, "LISTEN ", name);
        }
        round = next;
        current.run(sql.toString());
    }

    private static void append(StringBuilder sql, String command, String name) {
        sql.append(command);
        ChannelName.quote(sql, name);
        sql.append(';');
    }

    private void onAnswer(@Nullable ErrorResponse error) {
        Round over = round;
        if (over == null) {
            throw new IllegalStateException("an answer that nobody waits for");
        }
        round = null;
        spokeNanos = System.nanoTime();
        handOver(); // PostgreSQL has notified before it was ready, so what follows must come behind it
        if (error == null) {
            for (String name : over.listens()) {
                listened.add(name);
                onListened(name);
            }
            if (dirty.isEmpty()) {
                logins.onGood();
            }
        } else {
            onFailed(over, error);
        }
        over.barriers().forEach(Barrier::end);
        if (open && reopened && dirty.isEmpty()) {
            reopened = false;
        }
        pursue();
    }

    private void onListened(String name) {
        Subscribers subscribers = channels.get(name);
        if (subscribers == null) {
            return; // they left meanwhile, and so it is dirty
        }
        boolean again = reopened;
        subscribers.forEach(subscription -> {
            if (!subscription.heldByHub) {
                confirm(subscription);
            } else if (again) {
                subscription.loop().executeLater(subscription::tellGap);
            }
        });
    }

    /** Several statements of one Query are one transaction: none of them was done, and each is tried by itself. */
    private void onFailed(Round over, ErrorResponse error) {
        if (error.is(SqlState.READ_ONLY_SQL_TRANSACTION) && topology.nodes().size() > 1) {
            giveUp("standby", error); // the primary is elsewhere, and we shall hear where
            return;
        }
        if (over.changes() > 1) {
            oneByOne = over.changes();
            listened.addAll(over.unlistens());
            dirty.addAll(over.listens());
            dirty.addAll(over.unlistens());
            return;
        }
        LOG.warn(
                "event=listen_refused database={} user={} sqlstate={} message=\"{}\"",
                database,
                user,
                error.code(),
                error.message());
        for (String name : over.listens()) {
            Subscribers subscribers = channels.get(name);
            if (subscribers != null) {
                refuseWaiting(name, subscribers, error);
            }
        }
        if (!over.unlistens().isEmpty() || over.listens().stream().anyMatch(channels::containsKey)) {
            giveUp("listen", error); // somebody was promised what this session does not do: another may
        }
    }

    private void refuseWaiting(String name, Subscribers subscribers, ErrorResponse error) {
        List<Subscription> refused = new ArrayList<>();
        subscribers.forEach(subscription -> {
            if (!subscription.heldByHub) {
                refused.add(subscription);
            }
        });
        for (Subscription subscription : refused) {
            subscribers.remove(subscription);
            refuse(subscription, error);
        }
        if (subscribers.isEmpty()) {
            removeChannel(name);
            endLater();
        }
    }

    // --- notifications ---------------------------------------------------------------------------------------------

    private void onNotification(Notification notification) {
        notifications++;
        Subscribers subscribers = channels.get(notification.channel());
        if (subscribers == null) {
            return; // the last one left, and UNLISTEN is on its way
        }
        for (Subscribers.OfLoop part : subscribers.loops()) {
            deliveredCount += part.now().length;
            deliveries
                    .computeIfAbsent(part.loop(), wanted -> new ArrayList<>())
                    .add(new Delivery(notification, part.now()));
        }
    }

    /** Hands what was read to the loops, in one task each. */
    private void handOver() {
        if (deliveries.isEmpty()) {
            return;
        }
        spokeNanos = System.nanoTime();
        deliveries.forEach((to, those) -> to.executeLater(() -> deliver(those)));
        deliveries.clear();
    }

    private static void deliver(List<Delivery> deliveries) {
        for (Delivery delivery : deliveries) {
            for (Subscription subscription : delivery.subscriptions()) {
                subscription.deliver(delivery.notification());
            }
        }
    }

    // --- the connection --------------------------------------------------------------------------------------------

    private void connect() {
        Node primary = topology.primary();
        if (closed || retry != null || primary == null || channels.isEmpty()) {
            return; // the retry, the topology or the next subscriber brings us back
        }
        var made = new ListenConnection(primary, events);
        connection = made;
        spokeNanos = System.nanoTime();
        made.connect(connector, loop, database, user);
        if (!watching) {
            watching = true;
            watchLater();
        }
    }

    private void onTopology(Topology now) {
        if (now.version() < topology.version()) {
            return;
        }
        topology = now;
        Node primary = now.primary();
        ListenConnection current = connection;
        if (primary == null) {
            NodeStatus last = current == null ? null : now.status(current.node());
            if (last != null && last.health() == NodeHealth.REFUSING) {
                giveUp("node refuses sessions", null); // its smart shutdown waits for us
            }
            return; // else, as long as nobody else is the primary, what we have may still speak
        }
        if (current != null && !current.node().equals(primary)) {
            LOG.info("event=listener_moves database={} user={} from={} to={}", database, user, current.node(), primary);
            drop();
        }
        if (connection == null) {
            logins.onGood();
            if (retry != null) {
                retry.cancel(false);
                retry = null;
            }
            connect();
        }
    }

    private void onOpen() {
        ListenConnection current = connection;
        if (current == null) {
            throw new IllegalStateException("a login that nobody waits for");
        }
        if (current.isStandby() && topology.nodes().size() > 1) {
            giveUp("standby", null);
            return;
        }
        lastTrouble = null;
        open = true;
        spokeNanos = System.nanoTime();
        listened.clear();
        dirty.clear();
        dirty.addAll(channels.keySet());
        LOG.info("event=listener_open database={} user={} node={}", database, user, current.node());
        pursue();
    }

    /** Leaves a connection that is no good and tries another after a while. */
    private void giveUp(String step, @Nullable ErrorResponse reason) {
        ListenConnection current = connection;
        if (current != null) {
            current.leave();
            onEnd(step, reason);
        }
    }

    private void onEnd(String step, @Nullable ErrorResponse lastWords) {
        ListenConnection current = connection;
        boolean wasOpen = open;
        losses++;
        lastTrouble = lastWords;
        drop();
        logins.onFailed(Long.MAX_VALUE);
        LOG.warn(
                "event=listener_lost database={} user={} node={} open={} step={} sqlstate={} message=\"{}\""
                        + " retry_ms={}",
                database,
                user,
                current == null ? "" : current.node(),
                wasOpen,
                step,
                lastWords == null ? "" : lastWords.code(),
                lastWords == null ? "" : lastWords.message(),
                logins.pauseMillis());
        if (current != null && (lastWords == null || lastWords.code().startsWith("57P") || step.equals("standby"))) {
            topologies.suspect(current.node());
        }
        if (!closed) {
            retry = loop.executor()
                    .schedule(
                            () -> {
                                retry = null;
                                pursue();
                            },
                            logins.left(System.nanoTime()),
                            TimeUnit.NANOSECONDS);
        }
    }

    /** Forgets the connection; who waited for a round of it waits no more, who waits for a channel does. */
    private void drop() {
        ListenConnection current = connection;
        connection = null;
        reopened |= open;
        open = false;
        oneByOne = 0;
        listened.clear();
        handOver();
        if (current != null) {
            current.leave();
        }
        Round cut = round;
        round = null;
        if (cut != null) {
            cut.barriers().forEach(Barrier::end);
        }
        endBarriers();
    }

    private void endBarriers() {
        List<Barrier> waiting = barriers;
        barriers = new ArrayList<>();
        waiting.forEach(Barrier::end);
    }

    // --- upkeep ----------------------------------------------------------------------------------------------------

    private void watchLater() {
        var _ = loop.executor().schedule(this::watch, WATCH_NANOS, TimeUnit.NANOSECONDS);
    }

    private void watch() {
        if (closed || (connection == null && channels.isEmpty())) {
            watching = false;
            return;
        }
        long now = System.nanoTime();
        Round running = round;
        if (running != null && now - running.sentNanos() > ANSWER_NANOS) {
            giveUp("silent", null);
        } else if (running != null && now - running.sentNanos() > BARRIER_NANOS) {
            round = new Round(running.listens(), running.unlistens(), new ArrayList<>(), running.sentNanos());
            running.barriers().forEach(Barrier::end);
            endBarriers();
        } else if (open && running == null && now - spokeNanos > SILENCE_NANOS) {
            send(nextRound());
        } else if (!open && connection != null && now - spokeNanos > LOGIN_NANOS) {
            giveUp("silent", null);
        }
        watchLater();
    }

    /** Closes the connection unless a channel is wanted again in time. */
    private void endLater() {
        if (channels.isEmpty() && ending == null && connection != null) {
            ending = loop.executor().schedule(this::end, grace.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    /** Closes the connection, for nobody listens. */
    private void end() {
        if (ending != null) {
            ending.cancel(false);
            ending = null;
        }
        LOG.info("event=listener_closed database={} user={}", database, user);
        drop();
        reopened = false; // nobody is left who could have missed anything
    }

    /** Ends the connection for good; who waits for a channel is told. Any thread. */
    void close() {
        topologies.unsubscribe(listener);
        loop.execute(() -> {
            closed = true;
            drop();
            if (retry != null) {
                retry.cancel(false);
            }
            channels.values()
                    .forEach(subscribers ->
                            subscribers.forEach(subscription -> refuse(subscription, PoolerErrors.shuttingDown())));
            channels.clear();
            subscribed = false;
        });
    }

    /** What there is now. On {@link #loop}. */
    public Facts facts() {
        int subscriptions = 0;
        for (Subscribers subscribers : channels.values()) {
            subscriptions += subscribers.size();
        }
        ListenConnection current = connection;
        return new Facts(
                database,
                user,
                current == null ? "" : current.node().name(),
                open,
                channels.size(),
                listened.size(),
                subscriptions,
                notifications,
                deliveredCount,
                losses);
    }
}
