package io.plenum.pooler.metrics;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.metrics.Census.PoolFacts;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Which databases and users there are, written or not. */
public final class Inventory {
    private Inventory() {}

    /** The entries of the file, then those made from {@code *} that have a pool. */
    public static List<DatabaseConfig> databases(PoolerConfig config, Census census) {
        Map<String, DatabaseConfig> databases = new LinkedHashMap<>();
        config.databases().forEach(database -> databases.put(database.name(), database));
        for (PoolFacts pool : census.pools()) {
            DatabaseConfig automatic = config.database(pool.database());
            if (automatic != null) {
                databases.putIfAbsent(pool.database(), automatic);
            }
        }
        return List.copyOf(databases.values());
    }

    /** By name: the users of {@code auth_file} and {@code [users]}, and those who have a pool. */
    public static Set<String> users(PoolerConfig config, Census census) {
        Set<String> names = new TreeSet<>(config.userList().names());
        config.users().forEach(user -> names.add(user.name()));
        census.pools().forEach(pool -> names.add(pool.user()));
        return names;
    }

    /** Server connections of the database, over all users. */
    static int servers(Census census, String database) {
        return census.pools().stream()
                .filter(pool -> pool.database().equals(database))
                .mapToInt(pool -> pool.servers().total())
                .sum();
    }
}
