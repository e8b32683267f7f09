package io.plenum.pooler.pool;

import io.plenum.pooler.config.Balance;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.net.Loop;
import io.plenum.routing.balance.Balancer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** All pools of one loop, by database and user. Confined to its event loop. */
public final class LoopPools {
    private final Loop loop;
    private final PoolDirectory directory;
    private final Function<DatabaseConfig, TopologySource> topologies;
    private final ServerConnector connector;
    private final Function<DatabaseConfig, Balancer> balancers;
    private final Map<Name, PoolGroup> groups = new LinkedHashMap<>();
    private final Set<String> paused = new HashSet<>();
    private boolean allPaused;

    private record Name(String database, String user) {}

    /** {@code balancers} makes the choice among replicas by what {@link Balance} a database has. */
    public LoopPools(
            Loop loop,
            PoolDirectory directory,
            Function<DatabaseConfig, TopologySource> topologies,
            ServerConnector connector,
            Function<DatabaseConfig, Balancer> balancers) {
        this.loop = loop;
        this.directory = directory;
        this.topologies = topologies;
        this.connector = connector;
        this.balancers = balancers;
    }

    /** The pools of a database for a user; made at the first call. Only for users who have proved who they are. */
    public PoolGroup group(DatabaseConfig database, String user) {
        return groups.computeIfAbsent(new Name(database.name(), user), name -> create(database, user));
    }

    private PoolGroup create(DatabaseConfig database, String user) {
        TopologySource source = topologies.apply(database);
        var group = new PoolGroup(
                database.name(),
                user,
                loop,
                node -> {
                    var key = new PoolKey(node, database.name(), user);
                    return new Pool(
                            key,
                            loop,
                            directory.limits(key, database),
                            directory.settings(database, user),
                            connector,
                            source::suspect);
                },
                balancers.apply(database));
        if (allPaused || paused.contains(database.name())) {
            group.pause();
        }
        source.subscribe(topology -> loop.execute(() -> group.onTopology(topology)));
        source.onClientUser(user);
        return group;
    }

    public Loop loop() {
        return loop;
    }

    public Collection<PoolGroup> groups() {
        return groups.values();
    }

    /** The groups of one database, or of all when {@code database} is empty. */
    public Collection<PoolGroup> groups(String database) {
        if (database.isEmpty()) {
            return groups.values();
        }
        var some = new ArrayList<PoolGroup>();
        for (PoolGroup group : groups.values()) {
            if (group.database().equals(database)) {
                some.add(group);
            }
        }
        return some;
    }

    /**
     * No server of the database, or of any when {@code database} is empty, is given out until the same is resumed: a
     * database that was paused by name stays so when all are resumed, and the other way round.
     */
    public void pause(String database) {
        if (database.isEmpty()) {
            allPaused = true;
        } else {
            paused.add(database);
        }
        groups(database).forEach(PoolGroup::pause);
    }

    public void resume(String database) {
        if (database.isEmpty()) {
            allPaused = false;
        } else {
            paused.remove(database);
        }
        for (PoolGroup group : groups(database)) {
            if (!allPaused && !paused.contains(group.database())) {
                group.resume();
            }
        }
    }

    /** Upkeep, several times a second. */
    public void tick(long now) {
        for (PoolGroup group : groups.values()) {
            group.tick(now);
        }
    }

    /** Applies a new configuration to the pools that there are. */
    public void configure(Function<String, @Nullable DatabaseConfig> databases) {
        for (PoolGroup group : groups.values()) {
            DatabaseConfig database = databases.apply(group.database());
            if (database != null) {
                PoolSettings settings = directory.settings(database, group.user());
                group.pools().forEach(pool -> pool.configure(settings));
                group.setBalancer(balancers.apply(database));
            }
        }
    }
}
