package io.plenum.pooler.catalog;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.pool.PoolDirectory;
import io.plenum.pooler.pool.PoolKey;
import io.plenum.pooler.pool.TopologySource;
import io.plenum.pooler.server.ServerConnection;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The catalogues of the process, one for each database that clients use. Any thread. */
public final class Catalogs implements AutoCloseable {
    /** Opens a connection that belongs to no pool, although a pool could have it. */
    public interface Connecting {
        ServerConnection connect(Loop loop, PoolKey key, ServerConnection.Owner owner);
    }

    private final Loop control;
    private final Function<DatabaseConfig, TopologySource> topologies;
    private final Connecting connector;
    private final PoolDirectory pools;
    private final Supplier<Duration> refresh;
    private final Map<String, DatabaseCatalog> catalogs = new LinkedHashMap<>(); // guarded by this

    /** {@code pools} know whose logins are in vain; {@code refresh} is how often each is looked at, 0 for never. */
    public Catalogs(
            Loop control,
            Function<DatabaseConfig, TopologySource> topologies,
            Connecting connector,
            PoolDirectory pools,
            Supplier<Duration> refresh) {
        this.control = control;
        this.topologies = topologies;
        this.connector = connector;
        this.pools = pools;
        this.refresh = refresh;
    }

    /** That of the database; made at the first call, and read once somebody {@linkplain DatabaseCatalog#enter enters}. */
    public synchronized DatabaseCatalog of(DatabaseConfig database) {
        return catalogs.computeIfAbsent(
                database.name(), name -> new DatabaseCatalog(database, control, topologies, connector, pools, refresh));
    }

    /** Nobody uses the database any more. */
    public synchronized void forget(String database) {
        DatabaseCatalog unused = catalogs.remove(database);
        if (unused != null) {
            control.execute(unused::close);
        }
    }

    /** That of the database if anybody has used it. */
    public synchronized @Nullable DatabaseCatalog find(String database) {
        return catalogs.get(database);
    }

    /** These databases, by the names that clients give, may be others now. */
    public synchronized void outdate(Predicate<String> databases) {
        catalogs.forEach((database, catalog) -> {
            if (databases.test(database)) {
                catalog.onDefined();
            }
        });
    }

    /** The settings may say something else now. */
    public synchronized void configure() {
        catalogs.values().forEach(catalog -> control.execute(catalog::configure));
    }

    @Override
    public synchronized void close() {
        catalogs.values().forEach(catalog -> control.execute(catalog::close));
    }
}
