package io.plenum.pooler.pool;

import io.plenum.pooler.net.LogName;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.routing.balance.Standing;
import io.plenum.routing.topology.NodeRole;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One loop's part of the server connections to one node, for one database and user.
 *
 * <p>A server is, in turn: connecting; idle in {@link #idle}; given to a waiter or a taker (active); or busy with SQL of
 * ours (a check, a reset). Whoever took it calls {@link #release} once. {@link #walSenders()} are none of these. Confined to
 * its event loop.
 */
public final class Pool implements ServerConnection.Owner {
    private static final Logger LOG = LoggerFactory.getLogger(Pool.class);

    /** Logins in flight at once: a server that just came back is not trampled. */
    private static final int LOGINS_AT_ONCE = 4;

    private static final String CONFIGURATION_CHANGED = "database configuration changed";
    private static final String LIFETIME_OVER = "server lifetime over";
    private static final String EVICTED = "evicted for "; // and the limit

    private final PoolKey key;
    private final Loop loop;
    private final PoolLimits limits;
    private final ServerConnector connector;
    private final TopologySource nodes;
    private final List<ServerConnection> servers = new ArrayList<>();
    private final ArrayDeque<ServerConnection> idle = new ArrayDeque<>();
    private final WaitQueue waiters = new WaitQueue();
    private final WalSenders walSenders;
    private final Standing standing = new Standing();
    private final SilentNode silence;
    private final LoginRetry retry = new LoginRetry();
    private final Renewal renewal = new Renewal();
    private final Eviction eviction = new Eviction(this);
    private final LaterOnce seekAtRetry;
    private final LoopSharing sharing;

    private PoolSettings settings;
    private int connecting;
    private int active;
    private int busy;
    /** Given back while a cancel was on its way to them; each goes on when that has been seen through. */
    private final List<ServerConnection> beingCanceled = new ArrayList<>();

    /** On their way out, for the sake of others who hear of it. */
    private final IdentityHashMap<ServerConnection, Runnable> evicted = new IdentityHashMap<>();

    private boolean paused;
    private boolean retired;
    private boolean sequencesAsked;
    private NodeRole expected = NodeRole.UNKNOWN;
    private long transactions;
    private long reads;

    /** {@code nodes} hears when a connection to the node fails or is not what it should be. */
    Pool(
            PoolKey key,
            Loop loop,
            PoolLimits limits,
            PoolSettings settings,
            ServerConnector connector,
            TopologySource nodes) {
        this.key = key;
        this.loop = loop;
        this.limits = limits;
        this.settings = settings;
        this.connector = connector;
        this.nodes = nodes;
        this.walSenders = new WalSenders(this, connector);
        this.silence = new SilentNode(this, nodes);
        this.seekAtRetry = new LaterOnce(loop, this::seekServers);
        this.sharing = new LoopSharing(this, limits);
        limits.join(this);
    }

    // --- taking and giving back ------------------------------------------------------------------------------------

    /** An idle server, now the caller's; null when there is none: then {@link #await}. */
    public @Nullable ServerConnection take(long nowNanos) {
        if (paused || !waiters.isEmpty()) {
            return null;
        }
        while (true) {
            ServerConnection server = settings.rotate() ? idle.pollFirst() : idle.pollLast();
            if (server == null) {
                return null;
            }
            noteIdle();
            if (server.isClosed()) {
                continue;
            }
            if (server.isCloseWhenReleased()) {
                server.blame(CONFIGURATION_CHANGED).terminate();
                continue;
            }
            if (settings.checks() && nowNanos - server.idleSinceNanos() > settings.checkDelayNanos()) {
                check(server);
                continue;
            }
            active++;
            return server;
        }
    }

    /** Puts the waiter in the queue, since {@code sinceNanos}, and sees to it that a server comes. */
    public void await(WaitQueue.Place place, long sinceNanos) {
        waiters.enter(place, sinceNanos);
        seekServers();
    }

    /** Takes back a server that was given; a clean one serves the next waiter, any doubt closes it. */
    public void release(ServerConnection server) {
        server.setUsed();
        releaseUnused(server);
    }

    /** The same for one that no client's statement has seen: a login asked it what the client is to be told. */
    public void releaseUnused(ServerConnection server) {
        active--;
        if (server.hasCancelsInFlight() && !server.isClosed()) {
            beingCanceled.add(server); // a late cancel would hit the next client: onCancelsDone goes on
            return;
        }
        putBack(server);
    }

    /** PgBouncer's meaning of a lifetime of 0: nobody gets a server that somebody else had. */
    private boolean isUsedOnce() {
        return settings.lifetimeNanos() == 0;
    }

    /** Takes back a server whose session is over: it is reset before anybody else gets it. */
    public void releaseWithReset(ServerConnection server) {
        if (settings.resetQuery().isEmpty() || server.isClosed() || server.isCloseWhenReleased() || isUsedOnce()) {
            release(server);
            return;
        }
        server.setUsed();
        active--;
        runOwn(server, settings.resetQuery());
    }

    /**
     * Takes back a server whose session may hold what could not be seen: settings, roles, locks, temporary objects, cursors and
     * registrations are undone before anybody else gets it; prepared statements of the protocol stay. {@code hidden} says that
     * it may hold {@link io.plenum.routing.HiddenState}.
     */
    public void releaseWithScrub(ServerConnection server, boolean hidden) {
        if (server.isClosed() || server.isCloseWhenReleased() || isUsedOnce()) {
            release(server);
            return;
        }
        server.setUsed();
        active--;
        runOwn(server, scrub(server, hidden));
    }

    private static String scrub(ServerConnection server, boolean hidden) {
        server.assumeSettings(SessionSettings.NONE);
        server.sequences().forget();
        return ScrubQuery.of(server, hidden);
    }

    /** A client asked by currval or lastval what its session drew from sequences. */
    public void setSequencesAsked() {
        sequencesAsked = true;
    }

    public boolean areSequencesAsked() {
        return sequencesAsked;
    }

    /** Lets one more client keep its server beyond its transactions; false when no more may. */
    public boolean tryPin() {
        return limits.tryPin(Math.max(1, settings.size() * settings.maxPinnedShare() / 100));
    }

    public void unpin() {
        limits.unpin();
    }

    /**
     * Takes back a server in an open transaction at a message boundary, and rolls it back first; {@code scrub} says that the
     * session may hold what no rollback undoes, and {@code hidden} as in {@link #releaseWithScrub}.
     */
    public void releaseWithRollback(ServerConnection server, boolean scrub, boolean hidden) {
        server.setUsed();
        active--;
        runOwn(server, scrub ? "ROLLBACK;" + scrub(server, hidden) : "ROLLBACK");
    }

    private void runOwn(ServerConnection server, String sql) {
        busy++;
        server.runOwn(sql, ok -> {
            busy--;
            if (!ok) {
                server.blame("query of our own failed: " + sql).close();
            } else if (server.hasCancelsInFlight()) {
                beingCanceled.add(server);
            } else {
                putBack(server);
            }
        });
    }

    private void check(ServerConnection server) {
        runOwn(server, settings.checkQuery());
    }

    private void putBack(ServerConnection server) {
        if (server.isClosed()) {
            return; // onClosed sees to the rest
        }
        long now = System.nanoTime();
        String unfit = unfit(server, now);
        if (unfit != null) {
            server.blame(unfit).terminate();
            return;
        }
        if (server.settings().endsIdle()) { // else PostgreSQL ends it here, perhaps in the hands of who takes it next
            runOwn(server, scrub(server, false));
            return;
        }
        if (limits.isShared() && sharing.feed(server, now)) {
            return;
        }
        if (walSenders.isTurn(now)) {
            forget(server.blame(EVICTED + "pool_size")); // its permit stays with us
            server.terminate();
            walSenders.open();
            return;
        }
        WaitQueue.Place oldest = paused ? null : waiters.poll();
        if (oldest == null) {
            idle.addLast(server);
            noteIdle();
            return;
        }
        noteFed();
        active++;
        oldest.waiter().onServer(server);
    }

    /** Why the server is closed and not kept; null if it may be. */
    private @Nullable String unfit(ServerConnection server, long now) {
        if (paused) {
            return "pause";
        }
        if (retired) {
            return "node takes no new work";
        }
        if (server.isCloseWhenReleased()) {
            return CONFIGURATION_CHANGED;
        }
        if (!server.areSettingsKnown()) {
            return "settings of connect_query undone";
        }
        return isTooOld(server, now) ? LIFETIME_OVER : null;
    }

    private boolean isTooOld(ServerConnection server, long now) {
        return isUsedOnce() ? server.isUsed() : now - server.bornNanos() > settings.lifetimeNanos();
    }

    // --- opening ---------------------------------------------------------------------------------------------------

    /** Opens connections for those who wait, as far as limits allow; else asks the other loops. */
    void seekServers() {
        if (paused || retired) {
            return;
        }
        long now = System.nanoTime();
        walSenders.seek(now);
        while (connecting + busy < waiters.size() && connecting < LOGINS_AT_ONCE) {
            if (!retry.isDue(now)) {
                seekAtRetry.in(Math.max(retry.left(now), 1));
                return;
            }
            int reserve = reserveFor(now);
            if (!limits.tryOpen(reserve, this)) {
                break;
            }
            if (reserve > 0 && limits.open() > settings.size()) {
                LOG.warn("{}/{}@{} taking connection from reserve_pool", key.database(), key.user(), key.node());
            }
            open();
        }
        WaitQueue.Place oldest = waiters.oldest();
        if (limits.isShared() && walSenders.isWaitedFor()) {
            limits.setStarving(loop.index(), waitedSince(now));
        }
        if (limits.isShared() && oldest != null && connecting == 0) {
            sharing.starve(waitedSince(now));
        }
    }

    private int reserveFor(long now) {
        WaitQueue.Place oldest = waiters.oldest();
        boolean due = settings.reserveAfterNanos() > 0
                && oldest != null
                && now - oldest.sinceNanos() >= settings.reserveAfterNanos();
        return due ? settings.reserve() : 0;
    }

    private void open() {
        connecting++;
        servers.add(connector.connect(loop, key, this));
    }

    /** Whether a connection may be opened for one who waits since then, and no older waiter of ours is passed over. */
    boolean mayOpen(long sinceNanos, long now) {
        WaitQueue.Place oldest = waiters.oldest();
        return !paused && !retired && retry.isDue(now) && (oldest == null || sinceNanos - oldest.sinceNanos() <= 0);
    }

    /** Takes the permit for one connection, of one that idles if there is no other; else has others make room. */
    boolean makeRoom() {
        if (limits.tryOpen(0, null)) {
            return true;
        }
        if (!idle.isEmpty()) {
            return closeOldest("pool_size");
        }
        if (limits.tryOpen(0, this)) {
            return true;
        }
        evictAmong(limits.parts(), "pool_size"); // nothing new if that was what a limit of database or user asked for
        return false;
    }

    @Override
    public void onLoggedIn(ServerConnection server) {
        connecting--;
        if (settings.logsConnections()) {
            LOG.info(
                    "{} new connection to server (from {})",
                    name(server),
                    LogName.of(server.channel().localAddress()));
        }
        if (isMisplaced(server)) {
            refuseStandby(server);
            return;
        }
        retry.onGood();
        limits.noteLogin(false);
        String connectQuery = server.target().connectQuery();
        if (connectQuery != null) {
            runOwn(server, connectQuery);
        } else {
            putBack(server);
        }
        seekServers();
    }

    /** Whether the old primary came back as a standby, and nobody has noticed yet: nothing is written there. */
    boolean isMisplaced(ServerConnection server) {
        if (expected == NodeRole.UNKNOWN || server.isStandby() == (expected == NodeRole.REPLICA)) {
            return false;
        }
        nodes.suspect(key.node());
        if (server.isStandby()) {
            LOG.warn("event=standby_refused node={} server={} expected=primary", key.node(), server.id());
        }
        return server.isStandby();
    }

    private void refuseStandby(ServerConnection server) {
        backOff(server);
        server.blame("a standby where the primary was expected").terminate();
        waiters.trouble(null);
    }

    /** Nothing came of this connection: the next is not opened at once. */
    void backOff(ServerConnection server) {
        retry.onFailed(server.bornNanos(), settings.loginRetryNanos());
    }

    @Override
    public void onLoginFailed(ServerConnection server, @Nullable ErrorResponse refusal, String step) {
        connecting--;
        if (refusal != null && LoginRetry.isLasting(refusal)) {
            limits.noteLogin(true);
        }
        server.blame(refusal == null ? "connect failed" : "login failed");
        if (!retired) { // else what is wrong with the node is known
            if (isOfNode(refusal)) {
                standing.onFailure(System.nanoTime());
            }
            backOff(server);
            onRefused(refusal, step);
        }
        waiters.trouble(refusal);
    }

    /** A WAL sender's login failed: others wait only if the node, and not the login, is what is wrong. */
    void onWalSenderRefused(ServerConnection server, @Nullable ErrorResponse refusal, String step) {
        if (isOfNode(refusal)) {
            backOff(server);
        }
        onRefused(refusal, step);
    }

    /** Whether the node is gone, starting or stopping: not a matter of this login. */
    private static boolean isOfNode(@Nullable ErrorResponse refusal) {
        return refusal == null || refusal.code().startsWith("57P");
    }

    private void onRefused(@Nullable ErrorResponse refusal, String step) {
        if (refusal != null && refusal.is(SqlState.CANNOT_CONNECT_NOW)) {
            nodes.refused(key.node());
        } else if (isOfNode(refusal)) {
            nodes.suspect(key.node());
        }
        LOG.warn(
                "{}/{}@{} {} (step={} sqlstate={} retry_ms={})",
                key.database(),
                key.user(),
                key.node(),
                refusal == null
                        ? "connect failed"
                        : "server login failed: " + refusal.severity() + " " + refusal.message(),
                step,
                refusal == null ? "" : refusal.code(),
                retry.pauseMillis());
    }

    /** Takes a server that is to be closed off the list, and has the log told. */
    boolean forget(ServerConnection server) {
        boolean ours = servers.remove(server);
        if (ours) {
            logClosing(server);
        }
        return ours;
    }

    private void logClosing(ServerConnection server) {
        if (settings.logsDisconnections()) {
            LOG.info(
                    "{} closing because: {} (age={}s)",
                    name(server),
                    server.closeReason(),
                    TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - server.bornNanos()));
        }
    }

    private String name(ServerConnection server) {
        return LogName.ofServer(
                server.id(), key.database(), key.user(), server.target().address());
    }

    @Override
    public void onClosed(ServerConnection server) {
        if (forget(server)) {
            if (server.isEndedByPeer() && !server.target().isWalSender()) { // a client's Terminate ends those
                nodes.suspect(key.node());
            }
            limits.onClosed();
            if (idle.remove(server)) {
                noteIdle();
            }
            Runnable awaited = evicted.remove(server);
            if (awaited != null) {
                awaited.run();
            }
            seekServers();
        }
    }

    @Override
    public void onDismissed(ServerConnection server) {
        if (idle.remove(server)) {
            noteIdle();
            server.blame(CONFIGURATION_CHANGED).terminate();
        }
    }

    /** Traffic tells of a promotion before any probe does. */
    @Override
    public void onPromoted(ServerConnection server) {
        nodes.suspect(key.node());
    }

    @Override
    public void onCancelsDone(ServerConnection server) {
        if (beingCanceled.remove(server)) {
            putBack(server);
        }
    }

    // --- other loops -----------------------------------------------------------------------------------------------

    /** Gives idle servers of this loop to those that starve. */
    void feedStarving() {
        ServerConnection server = idle.peekLast();
        while (server != null && !server.isClosed() && sharing.feed(server, System.nanoTime())) {
            idle.remove(server);
            noteIdle();
            server = idle.peekLast();
        }
    }

    /** Opens a connection with the permit of one that another loop has closed for us. */
    void openInstead() {
        if (paused || retired) {
            limits.onClosed();
        } else {
            open();
        }
    }

    /** Takes a server that another loop has given away. */
    void adopt(ServerConnection server) {
        if (server.isClosed()) { // it died on its way, when it was on neither list
            limits.onClosed();
            seekServers();
            return;
        }
        servers.add(server);
        if (renewal.concerns(server.bornNanos())) { // it was on its way from another loop, and on no list
            server.setCloseWhenReleased();
        }
        server.moveTo(loop, this);
        loop.executor().register(server.channel()).addListener(joined -> {
            if (joined.isSuccess() && isMisplaced(server)) {
                server.terminate(); // the other loop has heard already that the node is a standby now
            } else if (joined.isSuccess()) {
                putBack(server);
            } else {
                LOG.error("event=server_move_failed server={}", server.id(), joined.cause());
                server.close();
                onClosed(server); // without a loop nothing else tells
            }
            seekServers();
        });
    }

    // --- other pools -----------------------------------------------------------------------------------------------

    /** Has one of these close an idle server, so that the {@code limit} that we share with them lets us open one. */
    void evictAmong(List<Pool> sharers, String limit) {
        eviction.among(sharers, limit);
    }

    /**
     * Closes a server that idles, and that nobody waits for here, for the sake of this limit; false if there is none.
     * {@code gone} runs when PostgreSQL has closed it too: only then is there room for another, for it counts as well.
     */
    boolean evictIdle(String limit, Runnable gone) {
        if (!waiters.isEmpty() || idle.isEmpty()) {
            return false;
        }
        ServerConnection server = idle.removeFirst();
        noteIdle();
        evicted.put(server, gone);
        server.blame(EVICTED + limit).terminateAtServer();
        return true;
    }

    /** Closes the server that idles longest because of this limit; says whether its permit is the caller's now. */
    private boolean closeOldest(String limit) {
        ServerConnection server = idle.removeFirst();
        noteIdle();
        boolean ours = forget(server.blame(EVICTED + limit));
        server.terminate();
        return ours;
    }

    /** Since when the oldest waits, whatever it waits for; {@code otherwise} when nobody does. */
    long waitedSince(long otherwise) {
        WaitQueue.Place oldest = waiters.oldest();
        long since = oldest == null ? otherwise : oldest.sinceNanos();
        return walSenders.isWaitedFor() && walSenders.oldestSinceNanos() - since < 0
                ? walSenders.oldestSinceNanos()
                : since;
    }

    /** Whether anybody waits here, for whatever it be. */
    boolean isWaitedFor() {
        return !waiters.isEmpty() || walSenders.isWaitedFor();
    }

    /** Called when a waiter has been served. */
    void noteFed() {
        if (!isWaitedFor()) {
            limits.setFed(loop.index());
        }
    }

    private void noteIdle() {
        if (limits.isShared()) {
            limits.setIdle(loop.index(), idle.size());
        }
    }

    // --- upkeep ----------------------------------------------------------------------------------------------------

    /** Called several times a second: ages, sizes, retries. */
    void tick(long now, boolean inUse) {
        if (renewal.isDrained(now)) {
            renew();
        }
        if (renewal.isToClose(now)) {
            closeOutdated();
        }
        while (true) {
            ServerConnection oldest = idle.peekFirst();
            if (oldest == null) {
                break;
            }
            boolean surplus = servers.size() > settings.minSize();
            boolean stale = settings.idleTimeoutNanos() > 0
                    && surplus
                    && now - oldest.idleSinceNanos() > settings.idleTimeoutNanos();
            if (!stale && !isTooOld(oldest, now)) {
                break;
            }
            idle.pollFirst();
            noteIdle();
            oldest.blame(stale ? "server idle timeout" : LIFETIME_OVER).terminate();
        }
        if (inUse && !paused && !retired && limits.open() < settings.minSize() && retry.isDue(now)) {
            if (connecting < LOGINS_AT_ONCE && !connector.isClaimed(key) && limits.tryOpen(0, null)) {
                open();
            }
        }
        if (isWaitedFor()) {
            seekServers();
        }
    }

    /** The node has been in a smart shutdown for so long: what keeps it from its end is closed when that was long enough. */
    void endShutdown(long forNanos) {
        long limit = settings.smartShutdownNanos();
        if (limit > 0 && forNanos >= limit) {
            for (ServerConnection server : List.copyOf(servers)) {
                if (!server.target().isWalSender()) { // PostgreSQL itself ends those when the others are gone
                    server.blame("smart_shutdown_timeout").close();
                }
            }
        }
    }

    /** Gives no server until {@link #resume}; those in use are given back first. */
    void pause() {
        paused = true;
        closeIdle("pause");
    }

    void resume() {
        paused = false;
        seekServers();
    }

    public boolean isPaused() {
        return paused;
    }

    /** Closes every server as soon as it is free: RECONNECT, a changed password, a node that is gone. */
    public void renew() {
        renewal.begin();
        closeIdle(CONFIGURATION_CHANGED);
        for (ServerConnection server : servers) {
            server.setCloseWhenReleased();
        }
    }

    /**
     * Like {@link #renew}, but a little later: the node may be back by then. One that is to end waits for its sessions, so they
     * are not kept for long either.
     */
    void drain() {
        renewal.drain();
    }

    /**
     * No connection that there is now is given to anybody any more; those that idle are closed in a moment. WAL senders
     * stay, for a client would lose its stream.
     */
    void outdate() {
        renewal.begin();
        for (ServerConnection server : servers) {
            if (!server.target().isWalSender()) {
                server.setCloseWhenReleased();
            }
        }
        renewal.closeSoon();
    }

    private void closeOutdated() {
        for (ServerConnection server : List.copyOf(idle)) {
            if (server.isCloseWhenReleased()) {
                idle.remove(server);
                server.blame(CONFIGURATION_CHANGED).terminate();
            }
        }
        noteIdle();
    }

    /**
     * Like {@link #renew}, and opens no more: the node takes no new work. Logins that it may never answer are given up, for
     * they hold what the limits of database and user allow, which the next primary needs.
     */
    void retire() {
        retired = true;
        renew();
        loop.executor().execute(this::giveUpLogins); // later: who waits for them must know all of the news
    }

    private void giveUpLogins() {
        for (ServerConnection server : retired ? List.copyOf(servers) : List.<ServerConnection>of()) {
            if (!server.isClosed() && !server.isLoggedIn()) {
                server.blame("node takes no new work").close();
            }
        }
    }

    /** What a server of this pool must be when it logs in; UNKNOWN takes it as it is. */
    void expect(NodeRole role) {
        expected = role;
    }

    /** The node is back. */
    void revive() {
        retired = false;
        renewal.stopDraining();
        retry.onGood();
        seekServers();
    }

    /** Asks all who wait here to choose again. */
    void sendWaitersAway() {
        waiters.trouble(null);
        walSenders.trouble();
    }

    /** Closes everything at once. */
    public void kill() {
        for (ServerConnection server : List.copyOf(servers)) {
            server.blame("admin forced disconnect").close();
        }
    }

    private void closeIdle(String reason) {
        ServerConnection server = idle.pollLast();
        while (server != null) {
            server.blame(reason).terminate();
            server = idle.pollLast();
        }
        noteIdle();
    }

    void configure(PoolSettings settings) {
        this.settings = settings;
    }

    // --- what there is ---------------------------------------------------------------------------------------------

    public PoolKey key() {
        return key;
    }

    Loop loop() {
        return loop;
    }

    public PoolSettings settings() {
        return settings;
    }

    /** Work given to this node by this loop and not finished: what balancing compares. */
    public int inFlight() {
        return active + waiters.size();
    }

    public int active() {
        return active + walSenders.active();
    }

    public int idleCount() {
        return idle.size();
    }

    /** Whether the server waits here to be taken. */
    public boolean isIdle(ServerConnection server) {
        return idle.contains(server);
    }

    public int connecting() {
        return connecting + walSenders.connecting();
    }

    public int busy() {
        return busy;
    }

    public int beingCanceled() {
        return beingCanceled.size();
    }

    public WaitQueue waiters() {
        return waiters;
    }

    /** Connections that belong to one client each, for replication. */
    public WalSenders walSenders() {
        return walSenders;
    }

    /** All servers, wherever they stand. */
    public List<ServerConnection> servers() {
        return servers;
    }

    /** What is done when the node does not answer. */
    SilentNode silence() {
        return silence;
    }

    /** What was seen of the node by this loop. */
    Standing standing() {
        return standing;
    }

    /** A read of a client had its first byte after so long. */
    public void noteLatency(long tookNanos, long nowNanos) {
        standing.onAnswer(tookNanos, nowNanos);
    }

    /** Whether one more client would have to wait here. */
    boolean isFull() {
        return !waiters.isEmpty() || (idle.isEmpty() && limits.open() >= settings.size()) || isTroubled();
    }

    /** Whether the last login failed and the next try is still to come. */
    boolean isTroubled() {
        return retry.isAhead();
    }

    /** Whether nothing is lent; of a paused pool, whether it has no connection left on any loop, so that the pause holds. */
    boolean isQuiet() {
        return active() == 0 && busy == 0 && beingCanceled.isEmpty() && (!paused || limits.open() == 0);
    }

    /** Whether nothing is left of a pool whose node is gone. */
    boolean isOver() {
        return retired && servers.isEmpty() && waiters.isEmpty() && !walSenders.isWaitedFor() && isQuiet();
    }

    public void countTransaction(boolean read) {
        transactions++;
        if (read) {
            reads++;
        }
    }

    public long transactions() {
        return transactions;
    }

    public long reads() {
        return reads;
    }
}
