package io.plenum.pooler.pool;

import io.plenum.pooler.net.Loop;
import io.plenum.routing.balance.Balancer;
import io.plenum.routing.topology.Node;
import io.plenum.routing.topology.NodeHealth;
import io.plenum.routing.topology.NodeRole;
import io.plenum.routing.topology.NodeStatus;
import io.plenum.routing.topology.Topology;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One loop's pools of one database and user, one for each node, and the choice among them.
 *
 * <p>Follows the topology: a node that takes no more reads keeps its running work and gets no new; who waits for a node
 * that is gone is asked to choose again. Confined to its event loop.
 */
public final class PoolGroup implements Balancer.Loads {
    private final String database;
    private final String user;
    private final Loop loop;
    private final Function<Node, Pool> pools;
    private final Map<Node, Pool> byNode = new LinkedHashMap<>();
    private final WaitQueue withoutPrimary = new WaitQueue();
    private final PoolStats stats = new PoolStats();

    private Balancer balancer;
    private Topology topology = Topology.EMPTY;
    private @Nullable Pool primary;
    private Pool[] replicas = new Pool[0];
    private boolean paused;
    private boolean keptWarm;
    private int clientCount;
    private long lastUsedNanos;

    /** {@code pools} makes the pool of a node that was not there before. */
    public PoolGroup(String database, String user, Loop loop, Function<Node, Pool> pools, Balancer balancer) {
        this.database = database;
        this.user = user;
        this.loop = loop;
        this.pools = pools;
        this.balancer = balancer;
        this.lastUsedNanos = System.nanoTime();
    }

    /** The pool for whatever is not a proven read; null while no node is the primary: then {@link #awaitPrimary}. */
    public @Nullable Pool forWrite() {
        return primary;
    }

    /** The pool for a proven read, of the least loaded replica; null when there is none. */
    public @Nullable Pool forRead() {
        Pool[] candidates = replicas;
        if (candidates.length == 0) {
            return null;
        }
        Pool chosen = candidates.length == 1 ? candidates[0] : candidates[balancer.choose(candidates.length, this)];
        return chosen.isTroubled() ? leastLoadedWithoutTrouble() : chosen;
    }

    private @Nullable Pool leastLoadedWithoutTrouble() {
        Pool least = null;
        for (Pool candidate : replicas) {
            if (!candidate.isTroubled() && (least == null || candidate.inFlight() < least.inFlight())) {
                least = candidate;
            }
        }
        return least;
    }

    @Override
    public int inFlight(int candidate) {
        return replicas[candidate].inFlight();
    }

    /** Waits until some node is the primary; then the waiter is told of {@link WaitQueue.Waiter#onTrouble trouble}. */
    public void awaitPrimary(WaitQueue.Place place, long sinceNanos) {
        withoutPrimary.enter(place, sinceNanos);
    }

    public void onTopology(Topology now) {
        if (now.version() < topology.version()) {
            return;
        }
        topology = now;
        Pool primaryBefore = primary;
        primary = now.primary() == null ? null : pool(now.primary());
        List<Pool> fit = new ArrayList<>();
        for (Node node : now.replicas()) {
            fit.add(pool(node));
        }
        replicas = fit.toArray(Pool[]::new);
        byNode.forEach((node, pool) -> {
            NodeStatus status = now.status(node);
            boolean used = pool == primary || fit.contains(pool);
            boolean alone = now.nodes().size() == 1; // then it takes everything, whatever it is
            pool.expect(status == null || alone ? NodeRole.UNKNOWN : status.role());
            if (used) {
                pool.revive();
            } else {
                if (status == null || status.health() == NodeHealth.DOWN || status.foreign()) {
                    pool.retire();
                } else if (status.health() == NodeHealth.DRAINING) {
                    pool.drain();
                } else {
                    pool.renew();
                }
                pool.sendWaitersAway();
            }
        });
        if (primaryBefore != null && primaryBefore != primary) {
            primaryBefore.renew(); // sessions that wrote there must not go on as if it still were
        }
        if (primary != null || replicas.length > 0) {
            withoutPrimary.trouble(null); // without a primary, logins may still go on at a replica
        }
    }

    private Pool pool(Node node) {
        Pool pool = byNode.get(node);
        if (pool == null) {
            pool = pools.apply(node);
            byNode.put(node, pool);
            if (paused) {
                pool.pause();
            }
        }
        return pool;
    }

    /** Upkeep, several times a second. */
    public void tick(long now) {
        boolean inUse = clientCount > 0 || keptWarm;
        if (inUse) {
            lastUsedNanos = now;
        }
        for (Pool pool : byNode.values()) {
            pool.tick(now, inUse && (pool == primary || isReplica(pool)));
        }
        byNode.values()
                .removeIf(pool -> pool.isOver() && topology.status(pool.key().node()) == null);
    }

    private boolean isReplica(Pool pool) {
        for (Pool replica : replicas) {
            if (replica == pool) {
                return true;
            }
        }
        return false;
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

    public void pause() {
        paused = true;
        byNode.values().forEach(Pool::pause);
    }

    public void resume() {
        paused = false;
        byNode.values().forEach(Pool::resume);
    }

    public boolean isPaused() {
        return paused;
    }

    public boolean isQuiet() {
        return byNode.values().stream().allMatch(Pool::isQuiet);
    }

    public void setBalancer(Balancer balancer) {
        this.balancer = balancer;
    }

    public void addClient() {
        clientCount++;
    }

    public void removeClient() {
        clientCount--;
        lastUsedNanos = System.nanoTime();
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

    public Loop loop() {
        return loop;
    }

    public Topology topology() {
        return topology;
    }

    public Collection<Pool> pools() {
        return byNode.values();
    }

    public WaitQueue withoutPrimary() {
        return withoutPrimary;
    }

    public PoolStats stats() {
        return stats;
    }

    /** All who wait in this group. */
    public int waiting() {
        int waiting = withoutPrimary.size();
        for (Pool pool : byNode.values()) {
            waiting += pool.waiters().size() + pool.walSenders().waiting();
        }
        return waiting;
    }

    public long lastUsedNanos() {
        return lastUsedNanos;
    }
}
