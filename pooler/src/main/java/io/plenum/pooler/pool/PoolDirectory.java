package io.plenum.pooler.pool;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** What the pools of all loops share: limits by database, user and pool, and what the settings say of each. Any thread. */
public final class PoolDirectory {
    private final Supplier<PoolerConfig> config;
    private final int loops;
    private final Map<PoolKey, PoolLimits> limits = new ConcurrentHashMap<>();
    private final Map<String, Permits> databases = new ConcurrentHashMap<>();
    private final Map<String, Permits> users = new ConcurrentHashMap<>();

    public PoolDirectory(Supplier<PoolerConfig> config, int loops) {
        this.config = config;
        this.loops = loops;
    }

    PoolLimits limits(PoolKey key, DatabaseConfig database) {
        PoolerConfig now = config.get();
        return limits.computeIfAbsent(
                key,
                wanted -> new PoolLimits(
                        new Permits(now.poolSize(database, now.user(key.user()))),
                        databases.computeIfAbsent(key.database(), name -> new Permits(now.maxDbConnections(database))),
                        users.computeIfAbsent(key.user(), name -> new Permits(now.maxUserConnections(now.user(name)))),
                        loops));
    }

    /** Connections of a database, over all its pools. */
    public int databaseConnections(String database) {
        Permits permits = databases.get(database);
        return permits == null ? 0 : permits.taken();
    }

    /** Connections of a user, over all pools. */
    public int userConnections(String user) {
        Permits permits = users.get(user);
        return permits == null ? 0 : permits.taken();
    }

    /** Applies a new configuration's limits. */
    public void configure(PoolerConfig now) {
        limits.forEach((key, pool) -> {
            DatabaseConfig database = now.database(key.database());
            if (database != null) {
                pool.pool().setLimit(now.poolSize(database, now.user(key.user())));
            }
        });
        databases.forEach((name, permits) -> {
            DatabaseConfig database = now.database(name);
            if (database != null) {
                permits.setLimit(now.maxDbConnections(database));
            }
        });
        users.forEach((name, permits) -> permits.setLimit(now.maxUserConnections(now.user(name))));
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
                true,
                check.equals("<empty>") ? "" : check,
                now.get(Settings.SERVER_CHECK_DELAY).toNanos(),
                now.get(Settings.SERVER_RESET_QUERY),
                now.get(Settings.SERVER_RESET_QUERY_ALWAYS),
                now.get(Settings.SCRUB),
                now.get(Settings.MAX_PINNED_SHARE),
                now.get(Settings.SERVER_LOGIN_RETRY).toNanos(),
                now.get(Settings.SERVER_ROUND_ROBIN));
    }
}
