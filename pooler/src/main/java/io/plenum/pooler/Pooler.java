package io.plenum.pooler;

import io.netty.channel.ChannelHandler;
import io.plenum.pooler.auth.Authenticator;
import io.plenum.pooler.auth.Credentials;
import io.plenum.pooler.client.Admission;
import io.plenum.pooler.client.CancelKeys;
import io.plenum.pooler.client.CancelRequests;
import io.plenum.pooler.client.ClientConnection;
import io.plenum.pooler.client.ConsoleSession;
import io.plenum.pooler.client.LoopClients;
import io.plenum.pooler.client.SessionProfile;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.discovery.Clusters;
import io.plenum.pooler.link.StatementCache;
import io.plenum.pooler.net.EventLoops;
import io.plenum.pooler.net.Listener;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.net.Transport;
import io.plenum.pooler.pool.LoopPools;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.pool.PoolDirectory;
import io.plenum.pooler.pool.PoolGroup;
import io.plenum.routing.balance.BalancePolicy;
import io.plenum.routing.balance.Balancer;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The whole pooler in one object: what there is, in the order in which it starts and stops. Any thread. */
public final class Pooler implements PoolerControl, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Pooler.class);
    private static final long TICK_MILLIS = 100;
    private static final long STATEMENT_CACHE_BYTES = 64L * 1024 * 1024;
    private static final int MAX_PROFILES = 10_000;

    private final EventLoops loops;
    private final PoolDirectory directory;
    private final Clusters clusters;
    private final Admission admission = new Admission();
    private final List<LoopPools> pools = new ArrayList<>();
    private final List<LoopClients> clients = new ArrayList<>();
    private final Map<SessionProfile.Key, SessionProfile> profiles = boundedMap();
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Listener listener;
    private volatile PoolerConfig config;

    private Pooler(PoolerConfig config) {
        this.config = config;
        Transport transport = transport(config);
        loops = EventLoops.start(transport, config.eventLoops());
        directory = new PoolDirectory(this::config, loops.loops().size());
        var credentials = new Credentials();
        var connector = new SocketConnector(this::config, credentials);
        clusters = new Clusters(loops.control(), this::config, credentials, connector::connect);
        var shared = new LoopClients.Shared(
                this::config,
                new Authenticator(),
                credentials,
                new StatementCache(STATEMENT_CACHE_BYTES),
                new CancelKeys(),
                admission,
                profiles,
                new CancelRequests(),
                new NoConsole());
        for (Loop loop : loops.loops()) {
            var loopPools = new LoopPools(
                    loop,
                    directory,
                    clusters::of,
                    connector,
                    database -> balancer(config().balance(database).word()));
            var loopClients = new LoopClients(loop, loopPools, shared);
            pools.add(loopPools);
            clients.add(loopClients);
            var unused = loop.executor()
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
        listener = new Listener(
                loops,
                listenAddresses(config),
                config.get(Settings.LISTEN_BACKLOG),
                SocketConnector.socketOptions(config),
                this::newClient);
        LOG.info(
                "event=listening addresses={} transport={} event_loops={}",
                listener.addresses(),
                transport,
                loops.loops().size());
    }

    /** Starts a pooler that listens when this returns. */
    public static Pooler start(PoolerConfig config) {
        return new Pooler(config);
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

    private static Balancer balancer(String word) {
        BalancePolicy policy = BalancePolicy.named(word);
        return (policy == null ? BalancePolicy.TWO_CHOICES : policy).create(new SplittableRandom());
    }

    private static List<InetSocketAddress> listenAddresses(PoolerConfig config) {
        int port = config.get(Settings.LISTEN_PORT);
        List<String> hosts = config.get(Settings.LISTEN_ADDR);
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

    @Override
    public void reload(PoolerConfig next) {
        config = next;
        directory.configure(next);
        clusters.configure();
        profiles.clear();
        for (LoopPools loopPools : pools) {
            loopPools.loop().execute(() -> loopPools.configure(next::database));
        }
    }

    @Override
    public void awaitTermination() throws InterruptedException {
        stopped.await();
    }

    @Override
    public void pause() {
        everyPools(loopPools -> loopPools.pause(""));
    }

    @Override
    public void resume() {
        everyPools(loopPools -> loopPools.resume(""));
    }

    @Override
    public void stopWhenClientsAreGone() {
        admission.close();
        stopWhen(() -> admission.connected() == 0);
    }

    @Override
    public void stopWhenServersAreFree() {
        pause();
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
                while (stopped.getCount() > 0 && !condition.getAsBoolean()) {
                    if (stopped.await(TICK_MILLIS, TimeUnit.MILLISECONDS)) {
                        return;
                    }
                }
                stopNow();
            } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
            }
        });
    }

    private void everyPools(Consumer<LoopPools> task) {
        for (LoopPools loopPools : pools) {
            loopPools.loop().execute(() -> task.accept(loopPools));
        }
    }

    /** Stops at once: clients and servers are closed wherever they stand. */
    @Override
    public void close() {
        admission.close();
        listener.close();
        clusters.close();
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
        loops.close();
        stopped.countDown();
    }

    /** A console that is not there. */
    private static final class NoConsole implements ConsoleSession.Factory {
        @Override
        public boolean isConsole(String database) {
            return false;
        }

        @Override
        public ConsoleSession open(ClientConnection client, String user) {
            throw new IllegalStateException("no console");
        }
    }
}
