package io.plenum.pooler.pool;

import io.plenum.pooler.causal.Positions;
import io.plenum.pooler.net.Loop;
import io.plenum.routing.topology.Node;
import io.plenum.routing.topology.NodeHealth;
import io.plenum.routing.topology.NodeRole;
import io.plenum.routing.topology.NodeStatus;
import io.plenum.routing.topology.Topology;
import io.plenum.wire.error.ErrorResponse;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One loop's pools of one database and user, one for each node, and the choice among them.
 *
 * <p>Follows the topology: a node that takes no more reads keeps its running work and gets no new; who waits for a node
 * that is gone is asked to choose again. Confined to its event loop.
 */
public final class PoolGroup {
    private final String database;
    private final String user;
    private final Function<Node, Pool> pools;
    private final Consumer<Pool> over;
    private final Map<Node, Pool> byNode = new LinkedHashMap<>();
    private final WaitQueue withoutPrimary = new WaitQueue();
    private final HoldQueue held;
    private final FreshReads freshReads;
    private final RefusedReads refusedReads = new RefusedReads();
    private final PoolStats stats = new PoolStats();

    private final ReadCandidates reads;
    private final Supplier<Topology> latest;
    private Topology topology = Topology.EMPTY;
    private @Nullable Pool primary;
    private Pause paused = Pause.NONE;
    private Supplier<@Nullable Positions> positions = () -> null;
    private boolean keptWarm;
    private int clientCount;
    private boolean hadClient;
    private long lastUsedNanos;

    /**
     * {@code pools} makes the pool of a node that was not there before, {@code over} hears of one that is over; {@code latest} is
     * the topology with what probes observed since it was last told.
     */
    PoolGroup(
            String database,
            String user,
            Loop loop,
            Function<Node, Pool> pools,
            Consumer<Pool> over,
            BalanceSettings balance,
            Supplier<Topology> latest,
            HoldLimits holdLimits,
            Supplier<HoldLimits.Bounds> holdBounds) {
        this.database = database;
        this.user = user;
        this.pools = pools;
        this.over = over;
        this.reads = new ReadCandidates(balance);
        this.latest = latest;
        this.freshReads = new FreshReads(database, loop, reads::takesPart);
        this.lastUsedNanos = System.nanoTime();
        this.held = new HoldQueue(database, holdLimits, holdBounds, lastUsedNanos);
    }

    /**
     * The pool for whatever is not a proven read; null while no node is the primary: then {@link #hold}, or for a login
     * {@link #awaitPrimary}.
     */
    public @Nullable Pool forWrite() {
        return primary;
    }

    /** The pool for a proven read; null when there is none. {@code key} counts where {@link #balancesByKey}. */
    public @Nullable Pool forRead(long key) {
        return reads.choose(key);
    }

    /** Whether reads of the same key go to the same node. */
    public boolean balancesByKey() {
        return reads.usesKey();
    }

    /** The pool for a read that this pool's node could not answer, of another replica; null when there is none. */
    public @Nullable Pool forReadBeside(Pool other) {
        return reads.leastLoadedBeside(other);
    }

    /** The reads that a standby has refused. */
    public RefusedReads refusedReads() {
        return refusedReads;
    }

    /** The choice among replicas for reads that must have seen something. */
    public FreshReads freshReads() {
        return freshReads;
    }

    /** Where the nodes stand is known from here. */
    void setPositions(Supplier<@Nullable Positions> source) {
        positions = source;
    }

    /** Waits until some node is the primary; then the waiter is told of {@link WaitQueue.Waiter#onTrouble trouble}. */
    public void awaitPrimary(WaitQueue.Place place, long sinceNanos) {
        withoutPrimary.enter(place, sinceNanos);
    }

    /**
     * The same for a transaction of which nothing was sent, within the bounds of {@link HoldLimits}.
     *
     * @param bytes that the client has sent of it
     * @return null when it waits, else what the client is to be told instead
     */
    public @Nullable ErrorResponse hold(WaitQueue.Place place, long sinceNanos, int bytes) {
        return held.hold(place, sinceNanos, bytes, System.nanoTime());
    }

    /** What a client that is {@linkplain #hold held} is to be told because its time is over; null if it may wait. */
    public @Nullable ErrorResponse brokenHold(WaitQueue.Place place, long nowNanos) {
        return held.brokenBy(place, nowNanos);
    }

    void onTopology(Topology now) {
        if (now.version() < topology.version()) {
            return;
        }
        topology = now;
        Pool primaryBefore = primary;
        primary = now.primary() == null ? null : pool(now.primary());
        held.onPrimary(primary != null, System.nanoTime());
        List<Pool> fit = new ArrayList<>();
        for (Node node : now.replicas()) {
            fit.add(pool(node));
        }
        boolean readsBegin = reads.isEmpty() && !fit.isEmpty(); // some of those who are held only read
        reads.become(now.replicas(), fit, System.nanoTime());
        freshReads.follow(positions.get(), fit);
        applyPause(); // before anybody is sent to a node that is another now
        byNode.forEach((node, pool) -> {
            NodeStatus status = now.status(node);
            boolean used = pool == primary || fit.contains(pool);
            boolean alone = now.nodes().size() == 1; // then it takes everything, whatever it is
            pool.expect(status == null || alone ? NodeRole.UNKNOWN : status.role());
            if (used) {
                pool.revive();
            } else {
                if (status == null
                        || status.health() == NodeHealth.DOWN
                        || status.health() == NodeHealth.REFUSING
                        || status.foreign()) {
                    pool.retire();
                } else if (status.health() == NodeHealth.DRAINING) {
                    pool.drain();
                } else {
                    pool.renew();
                }
                pool.sendWaitersAway();
            }
        });
        if (primaryBefore != primary) {
            onPrimaryChanged(primaryBefore);
        }
        if (readsBegin) {
            held.trouble(null);
        }
        if (primary != null || !fit.isEmpty()) {
            withoutPrimary.trouble(null); // without a primary, logins may still go on at a replica
        }
    }

    /**
     * Who waits at either node chooses again: writers must not be given a standby's servers where the old primary has come
     * back as one, nor readers those of the new primary.
     */
    private void onPrimaryChanged(@Nullable Pool before) {
        if (before != null) {
            before.renew(); // sessions that wrote there must not go on as if it still were
            before.sendWaitersAway();
        }
        if (primary != null) {
            primary.sendWaitersAway();
            held.trouble(null);
        }
    }

    private Pool pool(Node node) {
        Pool pool = byNode.get(node);
        if (pool == null) {
            pool = pools.apply(node);
            byNode.put(node, pool);
        }
        return pool;
    }

    /** Upkeep, several times a second. */
    void tick(long now) {
        boolean inUse = clientCount > 0 || keptWarm;
        if (inUse) {
            lastUsedNanos = now;
        }
        if (topology.nodes().size() > 1) {
            watch(now);
        }
        reads.refresh(now);
        for (Pool pool : byNode.values()) {
            pool.tick(now, inUse && (pool == primary || reads.isFit(pool)));
        }
        byNode.values().removeIf(pool -> {
            boolean gone = pool.isOver() && topology.status(pool.key().node()) == null;
            if (gone) {
                over.accept(pool);
            }
            return gone;
        });
    }

    private void watch(long now) {
        Topology seen = latest.get();
        byNode.forEach((node, pool) -> {
            NodeStatus status = seen.status(node);
            if (status == null || status.health() == NodeHealth.DOWN) {
                pool.silence().giveUp(status == null ? null : status.lastSeen(), now);
            } else if (status.health() == NodeHealth.REFUSING) {
                pool.endShutdown(now - status.sinceNanos());
            } else if (reads.isFit(pool)) {
                pool.silence().watch(status.lastSeen(), now);
            }
        });
    }

    /** Whether min_pool_size counts even while there is no client. */
    void setKeptWarm(boolean warm) {
        keptWarm = warm;
    }

    /** Whether there is nothing that would be missed: no client, no server, nobody who waits. */
    boolean isEmpty() {
        return clientCount == 0
                && waiting() == 0
                && byNode.values().stream().allMatch(pool -> pool.servers().isEmpty() && pool.isQuiet());
    }

    /** No server is given out of what this names, until the next call; those in use are given back first. */
    public void setPause(Pause pause) {
        paused = pause;
        applyPause();
    }

    Pause pause() {
        return paused;
    }

    private void applyPause() {
        for (Pool pool : byNode.values()) {
            boolean pause = paused == Pause.ALL || (paused == Pause.PRIMARY && !reads.isFit(pool));
            if (pause && !pool.isPaused()) {
                pool.pause();
            } else if (!pause && pool.isPaused()) {
                pool.resume();
            }
        }
    }

    /** Whether nothing runs of what is paused; with no pause, whether nothing runs at all. */
    public boolean isQuiet() {
        return byNode.values().stream()
                .allMatch(pool -> (paused == Pause.PRIMARY && reads.isFit(pool)) || pool.isQuiet());
    }

    void setBalance(BalanceSettings balance) {
        reads.configure(balance, System.nanoTime());
    }

    public void addClient() {
        clientCount++;
        hadClient = true;
    }

    public void removeClient() {
        clientCount--;
        lastUsedNanos = System.nanoTime();
    }

    /** Whether anybody has ever got in. */
    boolean hasHadClient() {
        return hadClient;
    }

    /** Clients that are logged in to this database as this user, on this loop. */
    public int clientCount() {
        return clientCount;
    }

    public String database() {
        return database;
    }

    public String user() {
        return user;
    }

    public Collection<Pool> pools() {
        return byNode.values();
    }

    /** Logins and replication connections that wait for a primary. */
    public WaitQueue withoutPrimary() {
        return withoutPrimary;
    }

    /** Transactions that wait for a primary. */
    public HoldQueue held() {
        return held;
    }

    public PoolStats stats() {
        return stats;
    }

    /** All who wait in this group. */
    public int waiting() {
        int waiting = freshReads.waiting() + withoutPrimary.size() + held.size();
        for (Pool pool : byNode.values()) {
            waiting += pool.waiters().size() + pool.walSenders().waiting();
        }
        return waiting;
    }

    long lastUsedNanos() {
        return lastUsedNanos;
    }
}
