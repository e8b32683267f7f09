package io.plenum.pooler.pool;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.server.ServerConnection;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What the pools of all loops share: limits by database, user and pool, and what the settings say of each. Any thread. */
public final class PoolDirectory {
    private final Supplier<PoolerConfig> config;
    private final int loops;
    private final Map<PoolKey, PoolLimits> limits = new ConcurrentHashMap<>();
    private final Map<String, Use> databases = new ConcurrentHashMap<>();
    private final Map<String, Use> users = new ConcurrentHashMap<>();
    private final Set<String> autoDatabases = ConcurrentHashMap.newKeySet();
    private final Consumer<String> unused;

    /** What the groups of a database or of a user share, as long as there are any. */
    private static final class Use {
        private final Permits permits;
        private int groups; // changed while its map computes

        Use(Permits permits) {
            this.permits = permits;
        }
    }

    /** {@code unused} is told of a database that no loop has a group of any more, before one has again. */
    public PoolDirectory(Supplier<PoolerConfig> config, int loops, Consumer<String> unused) {
        this.config = config;
        this.loops = loops;
        this.unused = unused;
    }

    /** One more group of the database and the user; {@link #leave} ends it. */
    void enter(DatabaseConfig database, String user) {
        PoolerConfig now = config.get();
        databases.compute(database.name(), (_, use) -> entered(use, now.maxDbConnections(database)));
        users.compute(user, (_, use) -> entered(use, now.maxUserConnections(now.user(user))));
    }

    private static Use entered(@Nullable Use known, int limit) {
        Use use = known == null ? new Use(new Permits(limit)) : known;
        use.groups++;
        return use;
    }

    /** A group has forgotten all of its pools. */
    void leave(String database, String user) {
        databases.computeIfPresent(database, (name, use) -> {
            use.groups--;
            if (use.groups > 0) {
                return use;
            }
            autoDatabases.remove(name);
            unused.accept(name);
            return null;
        });
        users.computeIfPresent(user, (_, use) -> {
            use.groups--;
            return use.groups > 0 ? use : null;
        });
    }

    /** Makes a part of a pool with the limits that it shares with the others; {@link #forget} ends it. */
    Pool join(PoolKey key, DatabaseConfig database, Function<PoolLimits, Pool> parts) {
        PoolerConfig now = config.get();
        AtomicReference<@Nullable Pool> made = new AtomicReference<>();
        limits.compute(key, (wanted, known) -> {
            PoolLimits shared = known != null
                    ? known
                    : new PoolLimits(
                            new Permits(now.poolSize(database, now.user(key.user()))),
                            Objects.requireNonNull(databases.get(key.database())).permits,
                            Objects.requireNonNull(users.get(key.user())).permits,
                            loops);
            made.set(parts.apply(shared)); // inside, so that a part of another loop that ends does not take them away
            return shared;
        });
        return Objects.requireNonNull(made.get());
    }

    /**
     * Whether PostgreSQL has refused logins of the pool in the last {@code nanos}, for a reason that waiting does not cure, and
     * taken none since: another of the same kind would fill its log with the same.
     */
    public boolean isRefusedSince(PoolKey key, long nanos) {
        PoolLimits shared = limits.get(key);
        return shared != null && shared.isRefusedSince(nanos);
    }

    /** One who logs in as the pool does was refused so. */
    public void noteRefused(PoolKey key) {
        PoolLimits shared = limits.get(key);
        if (shared != null) {
            shared.noteLogin(true);
        }
    }

    /**
     * Who owns, for {@code owner}, a connection that no pool has: it counts in max_db_connections and max_user_connections
     * until it is closed. Null when one of them is reached.
     */
    public ServerConnection.@Nullable Owner guest(PoolKey key, ServerConnection.Owner owner) {
        return Guest.admit(shared(key), owner);
    }

    /** Has a server that idles closed if none may be opened; a guest may come when it is gone, if nobody is quicker. */
    public void makeRoom(PoolKey key) {
        for (Permits limit : shared(key)) {
            if (limit.isReached()) {
                evictOne(limit.sharers().iterator());
            }
        }
    }

    private static void evictOne(Iterator<Pool> pools) {
        if (pools.hasNext()) {
            Pool next = pools.next();
            next.loop().execute(() -> {
                if (!next.evictIdle("the catalogue", () -> {})) {
                    evictOne(pools);
                }
            });
        }
    }

    /** Whether a client has waited in vain since then for what a guest as this one counts in. */
    public boolean isWantedSince(PoolKey key, long nanos) {
        return shared(key).stream().anyMatch(limit -> limit.isWantedSince(nanos));
    }

    /** What all connections of the database and of the user count in. */
    private List<Permits> shared(PoolKey key) {
        List<Permits> limits = new ArrayList<>(2);
        Use database = databases.get(key.database());
        if (database != null) {
            limits.add(database.permits);
        }
        Use user = users.get(key.user());
        if (user != null) {
            limits.add(user.permits);
        }
        return limits;
    }

    /** A part of a pool is over: it has no server and nobody waits. */
    void forget(Pool part) {
        limits.computeIfPresent(part.key(), (key, shared) -> shared.leave(part) ? null : shared);
    }

    /** Whether nobody has used that database, which has no entry of its own, before. */
    boolean isFirstUse(String database) {
        return autoDatabases.add(database);
    }

    /** How long the pools of a database may be unused before they are forgotten, in nanoseconds; 0 is for ever. */
    long forgetAfterNanos(boolean auto) {
        return config.get()
                .get(auto ? Settings.AUTODB_IDLE_TIMEOUT : Settings.POOL_IDLE_TIMEOUT)
                .toNanos();
    }

    /** Applies a new configuration's limits. */
    public void configure(PoolerConfig now) {
        limits.forEach((key, pool) -> {
            DatabaseConfig database = now.database(key.database());
            if (database != null) {
                pool.pool().setLimit(now.poolSize(database, now.user(key.user())));
            }
        });
        databases.forEach((name, use) -> {
            DatabaseConfig database = now.database(name);
            if (database != null) {
                use.permits.setLimit(now.maxDbConnections(database));
            }
        });
        users.forEach((name, use) -> use.permits.setLimit(now.maxUserConnections(now.user(name))));
    }

    PoolSettings settings(DatabaseConfig database, String user) {
        PoolerConfig now = config.get();
        String check = now.get(Settings.SERVER_CHECK_QUERY);
        return new PoolSettings(
                now.poolSize(database, now.user(user)),
                now.minPoolSize(database),
                now.reservePoolSize(database, now.user(user)),
                now.get(Settings.RESERVE_POOL_TIMEOUT).toNanos(),
                now.serverLifetime(database).toNanos(),
                now.get(Settings.SERVER_IDLE_TIMEOUT).toNanos(),
                !check.isEmpty(),
                check.equals("<empty>") ? "" : check,
                now.get(Settings.SERVER_CHECK_DELAY).toNanos(),
                now.get(Settings.SERVER_RESET_QUERY),
                now.get(Settings.SERVER_RESET_QUERY_ALWAYS),
                now.get(Settings.SCRUB),
                now.get(Settings.MAX_PINNED_SHARE),
                now.get(Settings.SERVER_LOGIN_RETRY).toNanos(),
                now.get(Settings.SMART_SHUTDOWN_TIMEOUT).toNanos(),
                now.get(Settings.SERVER_ROUND_ROBIN),
                now.get(Settings.LOG_CONNECTIONS),
                now.get(Settings.LOG_DISCONNECTIONS));
    }
}
