package io.plenum.pooler;

import io.netty.channel.ChannelHandler;
import io.plenum.pooler.InheritedSockets.Inherited;
import io.plenum.pooler.admin.Console;
import io.plenum.pooler.admin.Controls;
import io.plenum.pooler.admin.HttpControl;
import io.plenum.pooler.admin.LoopCensus;
import io.plenum.pooler.auth.AuthQueries;
import io.plenum.pooler.auth.Authenticator;
import io.plenum.pooler.auth.Credentials;
import io.plenum.pooler.auth.SecretSource;
import io.plenum.pooler.catalog.Catalogs;
import io.plenum.pooler.client.Admission;
import io.plenum.pooler.client.Admission.Phase;
import io.plenum.pooler.client.CancelKeys;
import io.plenum.pooler.client.CancelRequests;
import io.plenum.pooler.client.ClientConnection;
import io.plenum.pooler.client.LoopClients;
import io.plenum.pooler.client.ServerRenewal;
import io.plenum.pooler.client.SessionProfile;
import io.plenum.pooler.config.ConfigLoader;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.LoadResult;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.discovery.Clusters;
import io.plenum.pooler.discovery.LookUps;
import io.plenum.pooler.link.StatementCache;
import io.plenum.pooler.listen.ListenHubs;
import io.plenum.pooler.metrics.Census;
import io.plenum.pooler.metrics.Endpoints;
import io.plenum.pooler.metrics.History;
import io.plenum.pooler.metrics.HttpServer;
import io.plenum.pooler.metrics.Installation;
import io.plenum.pooler.metrics.StatsLine;
import io.plenum.pooler.net.Dialer;
import io.plenum.pooler.net.EventLoops;
import io.plenum.pooler.net.Listener;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.net.TlsContexts;
import io.plenum.pooler.net.Transport;
import io.plenum.pooler.net.UnixSocketFile;
import io.plenum.pooler.peer.Peers;
import io.plenum.pooler.pool.BalanceSettings;
import io.plenum.pooler.pool.HoldLimits;
import io.plenum.pooler.pool.LoopPools;
import io.plenum.pooler.pool.Pause;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.pool.PoolDirectory;
import io.plenum.pooler.pool.PoolGroup;
import io.plenum.pooler.server.OpenServers;
import io.plenum.routing.balance.BalancePolicy;
import io.plenum.routing.topology.Topology;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The whole pooler in one object: what there is, in the order in which it starts and stops. Any thread. */
public final class Pooler implements PoolerControl, Controls, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Pooler.class);
    private static final long TICK_MILLIS = 100;
    private static final long LAST_WORDS_NANOS = 1_500_000_000L;
    private static final long STATEMENT_CACHE_BYTES = 64L * 1024 * 1024;
    private static final int MAX_PROFILES = 10_000;

    private final EventLoops loops;
    private final PoolDirectory directory;
    private final Clusters clusters;
    private final ListenHubs hubs;
    private final AuthQueries authQueries;
    private final Authenticator authenticator;
    private final Catalogs catalogs;
    private final Peers peers;
    private final Admission admission = new Admission();
    private final List<LoopPools> pools = new ArrayList<>();
    private final List<LoopClients> clients = new ArrayList<>();
    private final Map<SessionProfile.Key, SessionProfile> profiles = boundedMap();
    private final HoldLimits holds = new HoldLimits();
    /** By database; the value stands for one PAUSE, so that its deadline ends no later one. */
    private final Map<String, Pausing> paused = new ConcurrentHashMap<>();

    private final History history = new History();
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final AtomicBoolean closing = new AtomicBoolean();
    private final Map<String, String> environment;
    /** Changes of the configuration, one at a time: each is made of what the one before has left. */
    private final ExecutorService changes = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("plenum-config").factory());

    private final LoopCensus census;
    private final Console console;
    private final Listener listener;
    private final @Nullable HttpPage http;
    private volatile PoolerConfig config;
    private volatile TlsContexts tls;

    private Pooler(PoolerConfig config, Map<String, String> environment) {
        this.config = config;
        this.tls = tls(config, null);
        this.environment = Map.copyOf(environment);
        List<Inherited> inherited = InheritedSockets.of(environment);
        Transport transport = inherited.isEmpty() ? transport(config) : Transport.EPOLL; // io_uring can adopt none
        loops = EventLoops.start(transport, config.eventLoops());
        directory = new PoolDirectory(this::config, loops.loops().size(), this::onUnused);
        var credentials = new Credentials();
        var ids = new AtomicLong();
        var dialer = new Dialer(() -> tls.servers(), () -> SocketConnector.socketOptions(this.config));
        var servers = new OpenServers();
        var connector = new SocketConnector(this::config, credentials, ids::incrementAndGet, dialer, servers);
        clusters = new Clusters(loops.control(), this::config, credentials, connector::connect, servers::isClaimed);
        census = new LoopCensus(this::config, clusters::topology, pools, clients);
        hubs = new ListenHubs(clusters::of, connector, ListenHubs.GRACE);
        peers = new Peers(loops.control(), this::config);
        var statements = new StatementCache(STATEMENT_CACHE_BYTES);
        var cancelKeys = new CancelKeys(peers::ownId);
        catalogs = new Catalogs(
                loops.control(),
                clusters::of,
                (loop, key, owner) -> connector.connectAs("plenum catalog", loop, key, owner),
                directory,
                () -> this.config.get(Settings.CATALOG_REFRESH));
        var renewal =
                new ServerRenewal(loops.control(), this::config, clusters::topology, servers, admission, catalogs);
        console = new Console(
                Version.text(),
                this,
                census,
                history,
                admission,
                pools,
                clients,
                peers,
                statements,
                catalogs,
                renewal,
                clusters::lookUps,
                loops.control());
        authQueries = new AuthQueries(this::config, clusters::of, connector::connect, credentials, loops.control());
        authenticator =
                new Authenticator(new SecretSource(authQueries, console::isConsole, admission::isDisabled), config);
        var shared = new LoopClients.Shared(
                this::config,
                ids::incrementAndGet,
                () -> tls,
                authenticator,
                credentials,
                statements,
                cancelKeys,
                admission,
                profiles,
                new CancelRequests(this::config, cancelKeys, peers, dialer),
                hubs,
                catalogs,
                renewal,
                console);
        for (Loop loop : loops.loops()) {
            var loopPools =
                    new LoopPools(loop, directory, clusters::of, connector, this::balance, holds, this::holdBounds);
            var loopClients = new LoopClients(loop, loopPools, shared);
            pools.add(loopPools);
            clients.add(loopClients);
            var _ = loop.executor()
                    .scheduleAtFixedRate(
                            () -> {
                                long now = System.nanoTime();
                                loopClients.tick(now);
                                loopPools.tick(now);
                            },
                            TICK_MILLIS,
                            TICK_MILLIS,
                            TimeUnit.MILLISECONDS);
        }
        keepWarm(config);
        listener = new Listener(
                loops,
                inherited.isEmpty() ? listenAddresses(config) : List.of(),
                config.get(Settings.LISTEN_BACKLOG),
                config.get(Settings.SO_REUSEPORT),
                SocketConnector.socketOptions(config),
                this::newClient);
        if (inherited.isEmpty()) {
            listenOnUnixSocket(config);
        }
        inherited.forEach(
                socket -> listener.adopt(socket.descriptor(), socket.unix(), config.get(Settings.LISTEN_BACKLOG)));
        listener.deferAccept(config.get(Settings.TCP_DEFER_ACCEPT));
        var _ = loops.control()
                .executor()
                .scheduleAtFixedRate(this::sample, 0, History.STEP_NANOS, TimeUnit.NANOSECONDS);
        http = openHttp(config);
        AuthFileWatch.start(this::change, stopped);
        listener.addresses()
                .forEach(address ->
                        LOG.info("listening on {}:{}", address.getAddress().getHostAddress(), address.getPort()));
        if (!listener.unixPath().isEmpty()) {
            LOG.info("listening on unix:{}", listener.unixPath());
        }
        if (!inherited.isEmpty()) {
            inherited.stream()
                    .filter(Inherited::unix)
                    .forEach(socket -> LOG.info("listening on unix:{}", socket.path()));
            LOG.info("event=sockets_inherited count={}", inherited.size());
        }
        LOG.info(
                "event=transport transport={} event_loops={}",
                transport,
                loops.loops().size());
    }

    /** Starts a pooler that listens when this returns; a reload reads the environment of the process too. */
    public static Pooler start(PoolerConfig config) {
        return start(config, System.getenv());
    }

    /** Starts a pooler that listens when this returns; a reload has {@code environment} win over the file. */
    public static Pooler start(PoolerConfig config, Map<String, String> environment) {
        return new Pooler(config, environment);
    }

    private static TlsContexts tls(PoolerConfig config, @Nullable TlsContexts before) {
        try {
            return TlsContexts.of(config, before);
        } catch (SSLException cannot) {
            throw new UncheckedIOException("cannot set up TLS", cannot);
        }
    }

    /** The directory that nobody wrote is a wish, for a container may have none; one that is written is an order. */
    private void listenOnUnixSocket(PoolerConfig config) {
        String directory = config.get(Settings.UNIX_SOCKET_DIR);
        if (directory.isEmpty()) {
            return;
        }
        List<InetSocketAddress> byTcp = listener.addresses();
        int port = config.get(Settings.LISTEN_PORT);
        var file = new UnixSocketFile(
                directory,
                port == 0 && !byTcp.isEmpty() ? byTcp.getFirst().getPort() : port,
                config.get(Settings.UNIX_SOCKET_MODE),
                config.get(Settings.UNIX_SOCKET_GROUP));
        try {
            listener.listenOn(file, config.get(Settings.LISTEN_BACKLOG));
        } catch (UncheckedIOException cannot) {
            if (!directory.equals(Settings.UNIX_SOCKET_DIR.defaultValue())) {
                listener.close();
                throw cannot;
            }
            LOG.warn(
                    "event=no_unix_socket reason=\"{}: {}\" hint=\"unix_socket_dir = (empty) turns it off\"",
                    cannot.getMessage(),
                    String.valueOf(cannot.getCause()));
        }
    }

    private @Nullable HttpPage openHttp(PoolerConfig config) {
        int port = config.get(Settings.HTTP_LISTEN_PORT);
        List<String> hosts = config.get(Settings.HTTP_LISTEN_ADDR);
        if (port == 0 || hosts.isEmpty()) {
            return null;
        }
        Loop control = loops.control();
        return HttpPage.open(
                control,
                () -> HttpServer.start(
                        control,
                        addresses(hosts, port),
                        new Endpoints(
                                Version.text(),
                                census,
                                history,
                                this::installation,
                                () -> admission.phase() == Admission.Phase.OPEN),
                        new HttpControl(console, () -> this.config.get(Settings.HTTP_CONTROL_TOKEN))));
    }

    private Installation installation() {
        LookUps lookUps = clusters.lookUps();
        return new Installation(
                Console.title(Version.text()),
                config,
                this::isPaused,
                admission::isDisabled,
                admission.connected(),
                admission.consoles(),
                lookUps.names().size(),
                lookUps.zones().size(),
                lookUps.open());
    }

    private void sample() {
        if (closing.get()) {
            return;
        }
        var _ = census.take(Census.Depth.SUMS).whenComplete((taken, failure) -> {
            if (taken == null) {
                if (!closing.get()) {
                    LOG.error("event=sample_failed", failure);
                }
            } else {
                loops.control().execute(() -> keep(taken));
            }
        });
    }

    private void keep(Census taken) {
        boolean periodEnds =
                history.add(taken, config.get(Settings.STATS_PERIOD).toNanos());
        if (periodEnds && config.get(Settings.LOG_STATS)) {
            LOG.info("{}", StatsLine.of(history.averages()));
        }
    }

    private ChannelHandler newClient(Loop loop) {
        return new ClientConnection(clients.get(loop.index()));
    }

    private static Transport transport(PoolerConfig config) {
        Transport wanted = switch (config.get(Settings.TRANSPORT)) {
            case AUTO -> Transport.best();
            case IO_URING -> Transport.IO_URING;
            case EPOLL -> Transport.EPOLL;
            case NIO -> Transport.NIO;
        };
        if (!wanted.isAvailable()) {
            Transport instead = Transport.best();
            LOG.warn("event=transport_unavailable wanted={} instead={}", wanted, instead);
            return instead;
        }
        return wanted;
    }

    private BalanceSettings balance(DatabaseConfig database) {
        PoolerConfig now = config;
        BalancePolicy named = BalancePolicy.named(now.balance(database).word());
        BalancePolicy policy = named == null ? BalancePolicy.TWO_CHOICES : named;
        return new BalanceSettings(
                () -> policy.create(new SplittableRandom()),
                now.get(Settings.ZONE),
                now.get(Settings.SLOW_START, database).toNanos(),
                now.get(Settings.OUTLIER_EJECTION, database));
    }

    /** Of a name all addresses. */
    static List<InetSocketAddress> listenAddresses(PoolerConfig config) {
        int port = config.get(Settings.LISTEN_PORT);
        Set<InetSocketAddress> addresses = new LinkedHashSet<>();
        for (String host : config.get(Settings.LISTEN_ADDR)) {
            if (host.equals("*")) {
                addresses.add(new InetSocketAddress(port));
                continue;
            }
            try {
                for (InetAddress address : InetAddress.getAllByName(host)) {
                    addresses.add(new InetSocketAddress(address, port));
                }
            } catch (UnknownHostException unknown) {
                throw new UncheckedIOException("cannot listen on " + host, unknown);
            }
        }
        return List.copyOf(addresses);
    }

    private static List<InetSocketAddress> addresses(List<String> hosts, int port) {
        return hosts.stream()
                .map(host -> host.equals("*") ? new InetSocketAddress(port) : new InetSocketAddress(host, port))
                .toList();
    }

    private static Map<SessionProfile.Key, SessionProfile> boundedMap() {
        return Collections.synchronizedMap(new LinkedHashMap<>(64, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<SessionProfile.Key, SessionProfile> eldest) {
                return size() > MAX_PROFILES;
            }
        });
    }

    @Override
    public PoolerConfig config() {
        return config;
    }

    /** Where clients connect, with the port that the kernel chose when the setting is 0. */
    public List<InetSocketAddress> addresses() {
        return listener.addresses();
    }

    /** Takes over a configuration that somebody else has made; returns when every loop works by it. */
    public void reload(PoolerConfig next) {
        change(_ -> new LoadResult.Loaded(next)).join();
    }

    /**
     * Has another configuration made of the one in force, where files may be read and hashes made, and takes it over.
     * Completes when every loop works by it; when it is refused, or the same, at once.
     */
    @Override
    public CompletableFuture<LoadResult> change(Function<PoolerConfig, LoadResult> change) {
        try {
            return CompletableFuture.supplyAsync(
                            () -> {
                                PoolerConfig running = config;
                                LoadResult result = change.apply(running);
                                return result instanceof LoadResult.Loaded(PoolerConfig next) && next != running
                                        ? takeOver(next).thenApply(_ -> result)
                                        : CompletableFuture.completedFuture(result);
                            },
                            changes)
                    .thenCompose(Function.identity());
        } catch (RejectedExecutionException ended) {
            return CompletableFuture.failedFuture(ended);
        }
    }

    /**
     * Completes when every loop works by it: a loop reads from its sockets before it does what it was told, so whoever is
     * answered sooner can be served by what was.
     */
    private CompletableFuture<Void> takeOver(PoolerConfig next) {
        authenticator.configure(next); // first, for whoever logs in under the new settings
        TlsContexts before = tls;
        try {
            tls = TlsContexts.of(next, before);
        } catch (SSLException cannot) {
            LOG.error("event=tls_refused reason=\"{}\" hint=\"TLS stays as it was\"", cannot.getMessage());
        }
        config = next;
        if (tls.servers() != before.servers()) {
            everyPools(LoopPools::renewAll); // what was agreed under the old settings may be too weak for the new
        }
        directory.configure(next);
        clusters.configure();
        authQueries.configure();
        catalogs.configure();
        peers.configure();
        profiles.clear();
        listener.deferAccept(next.get(Settings.TCP_DEFER_ACCEPT));
        for (LoopPools loopPools : pools) {
            loopPools.loop().execute(() -> loopPools.configure(next::database));
        }
        for (LoopClients loopClients : clients) {
            loopClients.loop().execute(loopClients::configure);
        }
        keepWarm(next);
        return allLoops();
    }

    /** Completes when each loop has done what it was told before. */
    private CompletableFuture<Void> allLoops() {
        return CompletableFuture.allOf(pools.stream()
                .map(loopPools -> CompletableFuture.runAsync(() -> {}, loopPools.loop()))
                .toArray(CompletableFuture<?>[]::new));
    }

    /** No loop has pools of the database any more: what else is known of it goes too. */
    private void onUnused(String database) {
        catalogs.forget(database);
        hubs.forget(database);
    }

    private void keepWarm(PoolerConfig now) {
        LoopPools first = pools.getFirst();
        first.loop().execute(() -> first.keepWarm(now.databases(), now::minPoolSize));
    }

    /** Reads the file again; what is wrong with it is logged besides. */
    @Override
    public CompletionStage<LoadResult> reload() {
        return change(running -> Main.reread(running, environment));
    }

    @Override
    public CompletionStage<LoadResult> set(String setting, String text) {
        return change(running -> {
            LoadResult result = ConfigLoader.set(running, setting, text);
            if (result instanceof LoadResult.Loaded(PoolerConfig changed)) {
                ProcessLog.apply(changed);
                if (!changed.warnings().equals(running.warnings())) {
                    changed.warnings().forEach(warning -> LOG.error("event=tls_refused fault=\"{}\"", warning));
                }
            }
            return result;
        });
    }

    @Override
    public void awaitTermination() throws InterruptedException {
        stopped.await();
    }

    private HoldLimits.Bounds holdBounds() {
        PoolerConfig now = config;
        return new HoldLimits.Bounds(
                now.get(Settings.HOLD_WINDOW).toNanos(),
                now.get(Settings.HOLD_MAX_REQUESTS),
                now.get(Settings.HOLD_MAX_BYTES));
    }

    @Override
    public void pause() {
        pause("", Pause.PRIMARY, Duration.ZERO);
    }

    @Override
    public void resume() {
        endSuspend();
        resume("");
    }

    @Override
    public boolean isPaused() {
        return isPaused("") || isSuspended();
    }

    @Override
    public boolean isStopping() {
        return admission.phase() != Phase.OPEN;
    }

    @Override
    public void pause(String database, Pause what, Duration longest) {
        var pause = new Pausing(what);
        paused.put(database, pause);
        everyPools(loopPools -> loopPools.setPause(database, what));
        if (longest.isPositive()) {
            var _ = loops.control()
                    .executor()
                    .schedule(() -> endOverdue(database, pause), longest.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    /** One PAUSE or KILL, and no other of the same kind. */
    private static final class Pausing {
        private final Pause what;

        Pausing(Pause what) {
            this.what = what;
        }
    }

    private void endOverdue(String database, Pausing pause) {
        if (paused.remove(database, pause)) {
            LOG.warn("event=pause_overdue database={}", database.isEmpty() ? "*" : database);
            everyPools(loopPools -> loopPools.setPause(database, Pause.NONE));
        }
    }

    @Override
    public void resume(String database) {
        paused.remove(database);
        everyPools(loopPools -> loopPools.setPause(database, Pause.NONE));
    }

    @Override
    public boolean isPaused(String database) {
        return paused.containsKey(database);
    }

    @Override
    public Pause pauseOf(String database) {
        Pausing all = paused.get("");
        Pausing one = paused.get(database);
        Pause ofAll = all == null ? Pause.NONE : all.what;
        return one == null ? ofAll : ofAll.with(one.what);
    }

    @Override
    public Topology topology(DatabaseConfig database) {
        return clusters.topology(database);
    }

    @Override
    public void suspend() {
        suspend(true);
    }

    @Override
    public void endSuspend() {
        suspend(false);
    }

    private void suspend(boolean begin) {
        admission.setSuspended(begin);
        for (LoopClients loopClients : clients) {
            loopClients.loop().execute(loopClients::onSuspension);
        }
    }

    @Override
    public boolean isSuspended() {
        return admission.isSuspended();
    }

    // --- the end ---------------------------------------------------------------------------------------------------

    /**
     * Drains, as a Pod must. At once {@code /readyz} says no, while new clients are still welcome, for balancers take
     * their time to notice; not so with {@code so_reuseport}, where the kernel is the balancer and sends them to the other
     * processes. After {@code drain_delay} no client may come and no transaction begin, and those who are between two
     * transactions leave with 57P01. Ends when the last has left.
     */
    @Override
    public void stopWhenClientsAreGone() {
        Duration delay = config.get(Settings.DRAIN_DELAY);
        LOG.info("event=drain delay_s={} clients={}", delay.toSeconds(), admission.connected());
        if (config.get(Settings.SO_REUSEPORT)) {
            listener.stopAccepting();
            admission.advance(Phase.REFUSING);
        } else {
            admission.advance(Phase.UNREADY);
        }
        var _ = loops.control()
                .executor()
                .schedule(
                        () -> {
                            listener.stopAccepting();
                            admission.advance(Phase.CLOSING);
                            stopWhen(() -> admission.connectedToDatabases() == 0);
                        },
                        delay.toNanos(),
                        TimeUnit.NANOSECONDS);
    }

    /** PgBouncer's SHUTDOWN WAIT_FOR_CLIENTS: nobody is sent away. */
    @Override
    public void stopWhenClientsHaveLeft() {
        LOG.info("event=stop_when_clients_left clients={}", admission.connected());
        listener.stopAccepting();
        admission.advance(Phase.REFUSING);
        stopWhen(() -> admission.connectedToDatabases() == 0);
    }

    /**
     * No transaction begins any more, so clients that wait or idle leave. Ends when no server connection is lent, for which
     * sessions in session mode are waited for.
     */
    @Override
    public void stopWhenServersAreFree() {
        LOG.info("event=stop_when_servers_free clients={}", admission.connected());
        listener.stopAccepting();
        admission.advance(Phase.FREEING);
        stopWhen(this::areServersFree);
    }

    @Override
    public void stopNow() {
        Thread.ofPlatform().name("plenum-stop").start(this::close);
    }

    private boolean areServersFree() {
        for (LoopPools loopPools : pools) {
            var free = loopPools
                    .loop()
                    .executor()
                    .submit(() -> loopPools.groups().stream().allMatch(PoolGroup::isQuiet));
            if (!free.awaitUninterruptibly(1, TimeUnit.SECONDS) || !free.getNow()) {
                return false;
            }
        }
        return true;
    }

    private void stopWhen(BooleanSupplier condition) {
        Thread.ofVirtual().name("plenum-drain").start(() -> {
            try {
                while (!condition.getAsBoolean()) {
                    if (stopped.await(TICK_MILLIS, TimeUnit.MILLISECONDS)) {
                        return;
                    }
                }
                stopNow();
            } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
            } catch (RejectedExecutionException ended) {
                LOG.debug("event=stopped_meanwhile");
            }
        });
    }

    private void everyPools(Consumer<LoopPools> task) {
        for (LoopPools loopPools : pools) {
            loopPools.loop().execute(() -> task.accept(loopPools));
        }
    }

    /**
     * Stops at once, in the order in which the world should notice: nobody new, every client told 57P01, its server closed,
     * then what nobody asks any more. A second call waits for the first.
     */
    @Override
    public void close() {
        if (closing.getAndSet(true)) {
            awaitStop();
            return;
        }
        admission.advance(Phase.CLOSING);
        changes.shutdown(); // who waits for one hears of its end
        listener.close();
        for (int i = 0; i < pools.size(); i++) {
            LoopClients loopClients = clients.get(i);
            LoopPools loopPools = pools.get(i);
            var closed = loopPools.loop().executor().submit(() -> {
                loopClients.closeAll();
                for (PoolGroup group : loopPools.groups()) {
                    group.pools().forEach(Pool::kill);
                }
            });
            closed.awaitUninterruptibly(1, TimeUnit.SECONDS);
        }
        awaitLastWords();
        hubs.close();
        authQueries.close();
        authenticator.close();
        catalogs.close();
        peers.close();
        clusters.close();
        if (http != null) {
            http.close();
        }
        loops.close();
        LOG.info("event=stopped");
        stopped.countDown();
    }

    /** A client that heard our last word closes by itself, or is closed a second later: until then the loops are needed. */
    private void awaitLastWords() {
        long deadline = System.nanoTime() + LAST_WORDS_NANOS;
        try {
            while (admission.connected() > 0 && System.nanoTime() - deadline < 0) {
                var _ = stopped.await(5, TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void awaitStop() {
        try {
            stopped.await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
