package io.plenum.pooler.discovery;

import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.plenum.pooler.auth.Credentials;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.HostPort;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.PoolerConfig.MonitorLogin;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.pool.TopologySource;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.ServerTarget;
import io.plenum.routing.topology.Topology;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The clusters behind the database entries, one for all entries that name the same hosts. Any thread; what it starts runs
 * on the control loop.
 */
public final class Clusters implements AutoCloseable {
    /** Opens a connection that belongs to no pool. */
    public interface Probing {
        ServerConnection connect(Loop loop, ServerTarget target, ServerConnection.Owner owner);
    }

    /** Logins of which the monitors of one cluster try the first that works. */
    private static final int MAX_LOGINS = 16;

    private final Loop control;
    private final LongSupplier clock;
    private final Supplier<PoolerConfig> config;
    private final Credentials credentials;
    private final Probing probing;
    private final Predicate<String> claimed;
    private final DnsNames names;
    private final Slices slices = new KubernetesSlices(() -> new KubernetesClientBuilder().build());
    private final Map<String, DatabaseNodes> databases = new LinkedHashMap<>(); // guarded by this
    private final Map<Seeds, Cluster> clusters = new HashMap<>(); // guarded by this
    private boolean closed; // guarded by this

    /**
     * Begins at once to look for the nodes of the databases that the settings name, and waits for none of them. Probes log in to no
     * {@code claimed} database, by its name on the server, while there is another.
     */
    public Clusters(
            Loop control,
            Supplier<PoolerConfig> config,
            Credentials credentials,
            Probing probing,
            Predicate<String> claimed) {
        this.control = control;
        this.clock = System::nanoTime; // the console compares it with its own
        this.config = config;
        this.credentials = credentials;
        this.probing = probing;
        this.claimed = claimed;
        this.names = new DnsNames(control, nameServers(config.get()));
        configure();
    }

    /** None are the system's. */
    private static List<HostPort> nameServers(PoolerConfig config) {
        List<HostPort> servers = config.get(Settings.DNS_SERVERS);
        String file = config.get(Settings.RESOLV_CONF);
        if (!servers.isEmpty() || file.isEmpty()) {
            return servers;
        }
        try (Stream<String> lines = Files.lines(Path.of(file))) {
            return lines.map(line -> line.strip().split("\\s+"))
                    .filter(words -> words.length > 1 && words[0].equals("nameserver"))
                    .map(words -> new HostPort(words[1], 53))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("resolv_conf cannot be read", e);
        }
    }

    Loop control() {
        return control;
    }

    /** What DNS has said of the hosts. */
    public LookUps lookUps() {
        return names.lookUps(config.get().get(Settings.DNS_MAX_TTL));
    }

    /**
     * Where the entry's nodes are known from, now and after reloads that change its hosts. For whoever subscribes: it is kept
     * until nobody does.
     */
    public TopologySource of(DatabaseConfig database) {
        return nodes(database);
    }

    /** What is known of the entry's nodes now. */
    public synchronized Topology topology(DatabaseConfig database) {
        DatabaseNodes known = databases.get(database.name());
        if (known != null) {
            return known.topology();
        }
        Cluster cluster = clusters.get(Seeds.of(config.get(), database));
        return cluster == null ? Topology.EMPTY : cluster.topology();
    }

    /** Nobody listens to it any more: if it has no entry of its own it is forgotten, and so are nodes that only it had. */
    synchronized void onUnused(DatabaseNodes nodes) {
        DatabaseConfig entry = config.get().database(nodes.database());
        if ((entry == null || entry.autodb()) && nodes.end() && databases.remove(nodes.database(), nodes)) {
            control.execute(() -> {
                nodes.unfollow();
                onConfigured();
            });
        }
    }

    private synchronized DatabaseNodes nodes(DatabaseConfig database) {
        DatabaseNodes known = databases.get(database.name());
        if (known != null) {
            return known;
        }
        Seeds seeds = Seeds.of(config.get(), database);
        Cluster cluster = cluster(seeds);
        var made = new DatabaseNodes(database.name(), seeds, cluster, this);
        databases.put(database.name(), made);
        control.execute(() -> made.follow(cluster));
        return made;
    }

    private synchronized Cluster cluster(Seeds seeds) {
        Cluster known = clusters.get(seeds);
        if (known != null) {
            return known;
        }
        MonitorLogins logins = () -> logins(seeds);
        Prober.Factory probers =
                (node, onDropped) -> new MonitorConnection(control, clock, node, logins, probing, onDropped);
        ServiceName service = seeds.service();
        var made = service == null
                ? new Cluster(seeds, control, clock, names, () -> config.get().get(Settings.DNS_MAX_TTL), probers)
                : new Cluster(
                        seeds,
                        control,
                        clock,
                        listener -> new SliceBook(seeds.hosts().getFirst().host(), service, control, slices, listener),
                        probers);
        if (!closed) {
            clusters.put(seeds, made);
            control.execute(() -> {
                // The first to hear of a new primary: before anybody commits there.
                made.follow(new PositionSampler(made.positions(), control, clock, logins, probing));
                made.start();
            });
        }
        return made;
    }

    /** Looks again at what the settings say. */
    public synchronized void configure() {
        PoolerConfig now = config.get();
        now.databases().forEach(this::nodes);
        for (DatabaseNodes nodes : databases.values()) {
            DatabaseConfig database = now.database(nodes.database());
            if (database == null) {
                continue; // clients that are still there keep their nodes
            }
            Seeds seeds = Seeds.of(now, database);
            if (!seeds.equals(nodes.seeds())) {
                Cluster next = cluster(seeds);
                nodes.setSeeds(seeds);
                control.execute(() -> nodes.follow(next));
            }
        }
        control.execute(this::onConfigured);
    }

    private synchronized void onConfigured() {
        clusters.values().removeIf(cluster -> {
            boolean unused =
                    databases.values().stream().noneMatch(nodes -> nodes.seeds().equals(cluster.seeds()));
            if (unused) {
                cluster.close();
            }
            return unused;
        });
        clusters.values().forEach(Cluster::onLogins);
    }

    /** Those that the settings name, of all databases of the cluster, then those of clients that have logged in. */
    private synchronized List<MonitorLogins.Login> logins(Seeds seeds) {
        PoolerConfig now = config.get();
        List<MonitorLogins.Login> configured = new ArrayList<>();
        List<MonitorLogins.Login> lent = new ArrayList<>();
        for (DatabaseNodes nodes : databases.values()) {
            DatabaseConfig database = nodes.seeds().equals(seeds) ? now.database(nodes.database()) : null;
            if (database == null || configured.size() + lent.size() >= MAX_LOGINS) {
                continue;
            }
            // The database's own user is lent by its first client: until then PostgreSQL is left alone, as by
            // PgBouncer.
            MonitorLogin login = now.get(Settings.MONITOR_USER, database).isEmpty() ? null : now.monitorLogin(database);
            if (login != null) {
                configured.add(new MonitorLogins.Login(
                        database.dbname(), login.user(), credentials.of(login.secret(), login.user())));
            }
            for (String user : nodes.clientUsers()) {
                lent.add(new MonitorLogins.Login(database.dbname(), user, credentials.of(now, database, user)));
            }
        }
        configured.addAll(lent);
        List<MonitorLogins.Login> free = configured.stream()
                .filter(login -> !claimed.test(login.database()))
                .toList();
        return free.isEmpty() ? configured : free;
    }

    @Override
    public void close() {
        var ended = control.executor().submit(() -> {
            synchronized (this) {
                closed = true;
                clusters.values().forEach(Cluster::close);
                clusters.clear();
            }
            names.close();
            slices.close();
        });
        if (!control.isCurrent()) {
            ended.awaitUninterruptibly(1, TimeUnit.SECONDS);
        }
    }
}
