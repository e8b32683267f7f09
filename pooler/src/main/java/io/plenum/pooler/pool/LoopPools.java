package io.plenum.pooler.pool;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.net.Loop;
import io.plenum.routing.topology.Topology;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** All pools of one loop, by database and user. Confined to its event loop. */
public final class LoopPools {
    /** After so long a database is forgotten that nobody has got into: its name may be one that a client made up. */
    private static final long UNPROVED_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Loop loop;
    private final PoolDirectory directory;
    private final Function<DatabaseConfig, TopologySource> topologies;
    private final ServerConnector connector;
    private final Function<DatabaseConfig, BalanceSettings> balances;
    private final Map<Name, PoolGroup> groups = new LinkedHashMap<>();
    private final IdentityHashMap<PoolGroup, Origin> origins = new IdentityHashMap<>();
    private final HoldLimits holdLimits;
    private final Supplier<HoldLimits.Bounds> holdBounds;
    private final Map<String, Pause> paused = new HashMap<>();
    private Pause allPaused = Pause.NONE;

    private record Name(String database, String user) {}

    /** What a group was made from. */
    private record Origin(DatabaseConfig database, TopologySource source, Consumer<Topology> listener) {}

    /** {@code balances} says how the reads of a database are spread. */
    public LoopPools(
            Loop loop,
            PoolDirectory directory,
            Function<DatabaseConfig, TopologySource> topologies,
            ServerConnector connector,
            Function<DatabaseConfig, BalanceSettings> balances,
            HoldLimits holdLimits,
            Supplier<HoldLimits.Bounds> holdBounds) {
        this.loop = loop;
        this.directory = directory;
        this.topologies = topologies;
        this.connector = connector;
        this.balances = balances;
        this.holdLimits = holdLimits;
        this.holdBounds = holdBounds;
    }

    /** The pools of a database for a user; made at the first call. Only for users who have proved who they are. */
    public PoolGroup group(DatabaseConfig database, String user) {
        return groups.computeIfAbsent(new Name(database.name(), user), name -> create(database, user));
    }

    private PoolGroup create(DatabaseConfig database, String user) {
        directory.enter(database, user);
        Consumer<Topology> nobody = _ -> {}; // keeps the source until there is a group to tell
        TopologySource source = TopologySource.subscribed(topologies, database, nobody);
        var group = new PoolGroup(
                database.name(),
                user,
                loop,
                node -> {
                    var key = new PoolKey(node, database.name(), user);
                    PoolSettings settings = directory.settings(database, user);
                    return directory.join(
                            key, database, limits -> new Pool(key, loop, limits, settings, connector, source));
                },
                directory::forget,
                balances.apply(database),
                source::topology,
                holdLimits,
                holdBounds);
        group.setPause(pauseOf(database.name()));
        group.setPositions(source::positions);
        Consumer<Topology> listener = topology -> loop.execute(() -> onTopology(group, topology));
        origins.put(group, new Origin(database, source, listener));
        var _ = source.subscribe(listener); // which has one already
        source.unsubscribe(nobody);
        source.onClientUser(user);
        return group;
    }

    private void onTopology(PoolGroup group, Topology topology) {
        if (origins.containsKey(group)) { // else it was forgotten meanwhile
            group.onTopology(topology);
        }
    }

    /** Whether nobody has used that database, which has no entry of its own, before. */
    public boolean isFirstUse(String database) {
        return directory.isFirstUse(database);
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
     * What of the database, or of all when {@code database} is empty, is not given out. A database that was paused by name
     * stays so when all are resumed, and the other way round.
     */
    public void setPause(String database, Pause pause) {
        if (database.isEmpty()) {
            allPaused = pause;
        } else if (pause == Pause.NONE) {
            paused.remove(database);
        } else {
            paused.put(database, pause);
        }
        for (PoolGroup group : groups(database)) {
            group.setPause(pauseOf(group.database()));
        }
    }

    private Pause pauseOf(String database) {
        return allPaused.with(paused.getOrDefault(database, Pause.NONE));
    }

    /** Upkeep, several times a second. */
    public void tick(long now) {
        for (PoolGroup group : groups.values()) {
            group.tick(now);
        }
        groups.values().removeIf(group -> isUnused(group, now) && forget(group));
    }

    private boolean isUnused(PoolGroup group, long now) {
        Origin origin = origins.get(group);
        boolean auto = origin != null && origin.database().autodb();
        long after = origin == null ? 0 : directory.forgetAfterNanos(auto);
        if (auto && !group.hasHadClient()) {
            after = after > 0 ? Math.min(after, UNPROVED_NANOS) : UNPROVED_NANOS;
        }
        return after > 0 && now - group.lastUsedNanos() > after && group.pause() == Pause.NONE && group.isEmpty();
    }

    private boolean forget(PoolGroup group) {
        Origin origin = origins.remove(group);
        if (origin != null) {
            origin.source().unsubscribe(origin.listener());
        }
        group.pools().forEach(directory::forget);
        directory.leave(group.database(), group.user());
        return true;
    }

    /** Replaces every server connection as soon as it is free, in a moment: they were opened under other settings. */
    public void renewAll() {
        groups.values().forEach(group -> group.pools().forEach(Pool::outdate));
    }

    /** Applies a new configuration to the pools that there are: servers that it would open otherwise are replaced. */
    public void configure(Function<String, @Nullable DatabaseConfig> databases) {
        for (PoolGroup group : groups.values()) {
            DatabaseConfig database = databases.apply(group.database());
            Origin origin = origins.get(group);
            if (database == null || (origin != null && !opensAlike(origin.database(), database))) {
                group.pools().forEach(Pool::renew);
            }
            if (database != null) {
                PoolSettings settings = directory.settings(database, group.user());
                group.pools().forEach(pool -> pool.configure(settings));
                group.setBalance(balances.apply(database));
                origins.computeIfPresent(group, (key, old) -> new Origin(database, old.source(), old.listener()));
            }
        }
    }

    /**
     * Opens what min_pool_size asks for before any client comes, for databases that name their user. To be asked of one loop
     * alone, at the start and behind each {@link #configure}.
     */
    public void keepWarm(Collection<DatabaseConfig> databases, ToIntFunction<DatabaseConfig> minPoolSize) {
        groups.values().forEach(group -> group.setKeptWarm(false));
        for (DatabaseConfig database : databases) {
            String user = database.user();
            if (user != null && minPoolSize.applyAsInt(database) > 0) {
                group(database, user).setKeptWarm(true);
            }
        }
    }

    /** Hosts and ports do not count: the topology follows them. */
    private static boolean opensAlike(DatabaseConfig before, DatabaseConfig now) {
        return before.dbname().equals(now.dbname())
                && Objects.equals(before.user(), now.user())
                && Objects.equals(before.password(), now.password())
                && Objects.equals(before.connectQuery(), now.connectQuery());
    }
}
