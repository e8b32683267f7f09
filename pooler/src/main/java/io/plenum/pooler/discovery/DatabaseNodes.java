package io.plenum.pooler.discovery;

import io.plenum.pooler.causal.Positions;
import io.plenum.pooler.pool.TopologySource;
import io.plenum.routing.topology.Node;
import io.plenum.routing.topology.Topology;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * The nodes of one database entry: those of the cluster that its hosts name now. A reload may name others; versions go on
 * counting, so that whoever follows the database sees only ever newer topologies.
 *
 * <p>A name that has no entry of its own is followed as long as somebody listens, for clients make such names up. Written on
 * the control loop, read by any thread.
 */
final class DatabaseNodes implements TopologySource, Cluster.Follower {
    /** Users of clients whose logins the monitors may borrow; the first that works is used. */
    private static final int MAX_CLIENT_USERS = 8;

    private final String database;
    private final Clusters clusters;
    private final List<Consumer<Topology>> listeners = new CopyOnWriteArrayList<>();
    private final List<String> clientUsers = new CopyOnWriteArrayList<>();
    private boolean over; // guarded by listeners
    private volatile Seeds seeds;
    private volatile Cluster cluster;
    private volatile Topology topology;

    DatabaseNodes(String database, Seeds seeds, Cluster cluster, Clusters clusters) {
        this.database = database;
        this.seeds = seeds;
        this.cluster = cluster;
        this.clusters = clusters;
        this.topology = cluster.topology();
    }

    String database() {
        return database;
    }

    /** Of the cluster that this follows, or will as soon as the control loop comes to it. */
    Seeds seeds() {
        return seeds;
    }

    void setSeeds(Seeds seeds) {
        this.seeds = seeds;
    }

    List<String> clientUsers() {
        return clientUsers;
    }

    /** Follows this cluster and no other. Control loop. */
    void follow(Cluster next) {
        cluster.unfollow(this);
        cluster = next;
        next.follow(this);
        onTopology(next.topology(), true);
    }

    /** Whether nobody listens; then nobody will again. */
    boolean end() {
        synchronized (listeners) {
            over = over || listeners.isEmpty();
            return over;
        }
    }

    /** Follows no cluster any more. Control loop. */
    void unfollow() {
        cluster.unfollow(this);
    }

    @Override
    public void onTopology(Topology now, boolean decides) {
        Topology numbered = new Topology(
                topology.version() + (decides ? 1 : 0), now.nodes(), now.primary(), now.replicas(), now.splitBrain());
        topology = numbered;
        if (decides) {
            listeners.forEach(listener -> listener.accept(numbered));
        }
    }

    @Override
    public Topology topology() {
        return topology;
    }

    @Override
    public Positions positions() {
        return cluster.positions();
    }

    @Override
    public boolean subscribe(Consumer<Topology> listener) {
        synchronized (listeners) {
            if (over) {
                return false;
            }
            listeners.add(listener);
        }
        listener.accept(topology); // perhaps a second time, or behind a newer one: versions tell
        return true;
    }

    @Override
    public void unsubscribe(Consumer<Topology> listener) {
        if (listeners.remove(listener) && listeners.isEmpty()) {
            clusters.onUnused(this);
        }
    }

    @Override
    public void suspect(Node node) {
        clusters.control().execute(() -> cluster.suspect(node));
    }

    @Override
    public void refused(Node node) {
        clusters.control().execute(() -> cluster.refused(node));
    }

    @Override
    public void onClientUser(String user) {
        clusters.control().execute(() -> {
            if (clientUsers.size() < MAX_CLIENT_USERS && !clientUsers.contains(user)) {
                clientUsers.add(user);
                cluster.onLogins();
            }
        });
    }
}
