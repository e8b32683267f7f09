package io.plenum.pooler.client;

import io.plenum.pooler.catalog.Catalogs;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.server.OpenServers;
import io.plenum.pooler.server.OpenServers.Place;
import io.plenum.pooler.server.ServerTarget;
import io.plenum.routing.topology.Node;
import io.plenum.routing.topology.NodeStatus;
import io.plenum.routing.topology.Topology;
import java.net.SocketAddress;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What clients do to databases and roles, and server connections must follow: those that idle in a database keep PostgreSQL from
 * dropping it, and those that are there live on with what their role and database were when they logged in. Any thread.
 */
public final class ServerRenewal {
    /** PostgreSQL waits five seconds for others to leave a database, and looks as often. */
    private static final long CLAIM_NANOS = TimeUnit.SECONDS.toNanos(6);

    private static final long LOOK_MILLIS = 100;

    /** Standbys hear of a change later than the primary; what was opened there before is no good either. */
    private static final long REPLAY_MILLIS = 2_000;

    private final Loop control;
    private final Supplier<PoolerConfig> config;
    private final Function<DatabaseConfig, Topology> topologies;
    private final OpenServers servers;
    private final Headcount headcount;
    private final Catalogs catalogs;
    private final AtomicInteger generation = new AtomicInteger();

    public ServerRenewal(
            Loop control,
            Supplier<PoolerConfig> config,
            Function<DatabaseConfig, Topology> topologies,
            OpenServers servers,
            Admission admission,
            Catalogs catalogs) {
        this.control = control;
        this.config = config;
        this.topologies = topologies;
        this.servers = servers;
        this.headcount = admission.headcount();
        this.catalogs = catalogs;
    }

    /** Of which renewal the servers are: what was learnt of sessions in another one may be wrong. */
    int generation() {
        return generation.get();
    }

    /** What was learnt of sessions is learnt anew: whatever changed them may have been done elsewhere. */
    public void forgetLearnt() {
        generation.incrementAndGet();
    }

    /**
     * A client of the entry is about to ask the node for what needs a database for itself: as long as PostgreSQL may wait for it,
     * whatever of ours is there ends, unless another client is logged in.
     */
    void claim(String entry, Node node, String database) {
        var place = new Place(node.address(), database);
        if (servers.claim(place, System.nanoTime() + CLAIM_NANOS)) {
            control.execute(() -> look(entry, node, place));
        }
    }

    private void look(String entry, Node node, Place place) {
        if (!servers.isClaimed(place)) {
            return;
        }
        boolean used = headcount.hasMore(name -> leadsTo(name, node, place), name -> name.equals(entry) ? 1 : 0);
        if (!used) {
            servers.dismiss(place::isOf);
        }
        var _ = control.executor().schedule(() -> look(entry, node, place), LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private boolean leadsTo(String name, Node node, Place place) {
        DatabaseConfig entry = entryOf(name, place.database());
        return entry != null && topologies.apply(entry).status(node) != null;
    }

    /** The entry of this name; null if it leads to another database than this. */
    private @Nullable DatabaseConfig entryOf(String name, String database) {
        DatabaseConfig entry = config.get().database(name);
        return entry != null && entry.dbname().equals(database) ? entry : null;
    }

    /**
     * A client of the entry has changed what sessions of this role begin with in this database; null is all of the cluster. New
     * clients get no server that is older.
     */
    void renew(String entry, @Nullable String role, @Nullable String database) {
        DatabaseConfig own = config.get().database(entry);
        Topology nodes = own == null ? Topology.EMPTY : topologies.apply(own);
        Set<SocketAddress> addresses =
                nodes.nodes().stream().map(NodeStatus::node).map(Node::address).collect(Collectors.toSet());
        Predicate<ServerTarget> meant = target -> addresses.contains(target.address())
                && (role == null || role.equals(target.user()))
                && (database == null || database.equals(target.database()));
        servers.dismiss(meant);
        forgetLearnt();
        if (role == null && database != null) {
            catalogs.outdate(name -> entryOf(name, database) != null);
        }
        Node primary = nodes.primary();
        if (primary != null && addresses.size() > 1) {
            Predicate<ServerTarget> there = target -> !target.address().equals(primary.address());
            var _ = control.executor()
                    .schedule(() -> servers.dismiss(meant.and(there)), REPLAY_MILLIS, TimeUnit.MILLISECONDS);
        }
    }
}
