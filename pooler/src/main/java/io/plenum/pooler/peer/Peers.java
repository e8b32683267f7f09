package io.plenum.pooler.peer;

import io.netty.util.NetUtil;
import io.plenum.pooler.config.HostPort;
import io.plenum.pooler.config.PeerConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.discovery.NameWatch;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.net.UnixSockets;
import io.plenum.wire.startup.CancelKey;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketAddress;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All processes behind the same address, written in {@code [peers]} or found by {@code peer_service}, and the way of a
 * cancel request to the one that gave its key. Any thread; what it does runs on the control loop.
 *
 * <p>A balancer sends a cancel request anywhere. Whoever gets one that is none of its own reads in the key whose it is, and
 * passes it on, at most three times. Nothing is believed of it: the peer compares the whole key, as with any client.
 */
public final class Peers implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Peers.class);

    /** A request for a peer that is not known waits so long for the next answer of DNS: the Pod may be new. */
    private static final long STRAY_MILLIS = 2_500;

    private static final int MOST_STRAYS = 64;

    private final Loop control;
    private final Supplier<PoolerConfig> config;
    private final List<InetAddress> ownAddresses;
    private final Map<Integer, PeerPool> pools = new LinkedHashMap<>(); // confined to the control loop, as all below
    private final Map<PeerConfig, NameWatch> watched = new LinkedHashMap<>();
    private List<PeerConfig> written = List.of();
    private final Deque<Stray> strays = new ArrayDeque<>();
    private @Nullable HostPort serviceHost;
    private @Nullable NameWatch service;
    private boolean closed;
    private volatile int ownId;
    private volatile List<Peer> known = List.of();

    private record Stray(CancelKey key, Runnable done) {}

    /** Reads the addresses of this machine, so not on a loop. */
    public Peers(Loop control, Supplier<PoolerConfig> config) {
        this.control = control;
        this.config = config;
        this.ownAddresses = ownAddresses(config.get().get(Settings.LISTEN_ADDR));
        this.ownId = ownId(config.get(), ownAddresses, List.of()); // the first client may come before the first answer
        configure();
    }

    /** Those that the process listens at, when they are named one by one; else those of the machine, IPv4 first. */
    private static List<InetAddress> ownAddresses(List<String> listen) {
        List<InetAddress> named = new ArrayList<>();
        for (String host : listen) {
            InetAddress literal = NetUtil.createInetAddressFromIpAddressString(host);
            if (literal != null && !literal.isAnyLocalAddress()) {
                named.add(literal);
            }
        }
        if (!named.isEmpty()) {
            return named;
        }
        try {
            return NetworkInterface.networkInterfaces()
                    .flatMap(NetworkInterface::inetAddresses)
                    .filter(address -> !address.isLoopbackAddress() && !address.isLinkLocalAddress())
                    .sorted(Comparator.comparingInt((InetAddress address) -> address.getAddress().length))
                    .toList();
        } catch (SocketException unknown) {
            LOG.warn("event=own_address_unknown reason=\"{}\"", unknown.getMessage());
            return List.of();
        }
    }

    /** The id that our cancel keys carry; 0 if there are no peers. */
    public int ownId() {
        return ownId;
    }

    /** Who there is, without ourselves unless {@code [peers]} says so. */
    public List<Peer> known() {
        return known;
    }

    /** What goes on with those that something was passed on to; on the control loop. */
    public List<PeerFacts> facts() {
        return pools.values().stream().map(PeerPool::facts).toList();
    }

    /**
     * Passes on a request whose key is none of ours; {@code done} runs once, when the peer is done with it or nobody can
     * be.
     */
    public void pass(CancelKey key, Runnable done) {
        if (ownId == 0 || PeerKeys.hopsLeft(key) == 0) {
            done.run();
        } else {
            control.execute(() -> route(key, done, true));
        }
    }

    private void route(CancelKey key, Runnable done, boolean mayWait) {
        int id = PeerKeys.idOf(key);
        // What [peers] says of our own id is ourselves; an address that has the same id by chance is somebody else.
        List<Peer> meant = known.stream()
                .filter(peer -> peer.id() == id && (id != ownId || isFound(peer)))
                .toList();
        if (!meant.isEmpty()) {
            send(PeerKeys.passedOn(key), meant, done);
        } else if (mayWait && service != null && id != ownId && strays.size() < MOST_STRAYS && !closed) {
            await(new Stray(key, done));
        } else {
            LOG.debug("event=cancel_of_nobody peer={}", id);
            done.run();
        }
    }

    private boolean isFound(Peer peer) {
        return written.stream().noneMatch(one -> one.id() == peer.id());
    }

    private void send(CancelKey key, List<Peer> peers, Runnable done) {
        Duration patience = config.get().get(Settings.CANCEL_WAIT_TIMEOUT);
        long copies = peers.stream().mapToLong(peer -> peer.addresses().size()).sum();
        if (copies == 0) {
            done.run();
            return;
        }
        var rest = new Object() {
            private long copies;
        };
        rest.copies = copies;
        for (Peer peer : peers) {
            PeerPool pool = pools.computeIfAbsent(peer.id(), id -> new PeerPool(id, control));
            pool.resize(peer.poolSize());
            for (SocketAddress address : peer.addresses()) {
                pool.pass(key, address, patience, () -> {
                    if (--rest.copies == 0) {
                        done.run();
                    }
                });
            }
        }
    }

    private void await(Stray stray) {
        strays.add(stray);
        control.executor()
                .schedule(
                        () -> {
                            if (strays.remove(stray)) {
                                route(stray.key(), stray.done(), false);
                            }
                        },
                        STRAY_MILLIS,
                        TimeUnit.MILLISECONDS);
        if (service != null) {
            service.lookUpSoon();
        }
    }

    // --- who there is ----------------------------------------------------------------------------------------------

    /** Looks again at what the settings say. */
    public void configure() {
        control.execute(this::onConfigured);
    }

    private void onConfigured() {
        if (closed) {
            return;
        }
        PoolerConfig now = config.get();
        written = now.peers();
        watched.entrySet().removeIf(entry -> {
            boolean gone = !written.contains(entry.getKey());
            if (gone) {
                entry.getValue().close();
            }
            return gone;
        });
        for (PeerConfig peer : written) {
            var host = new HostPort(peer.host(), peer.port());
            if (!host.isUnix()) {
                watched.computeIfAbsent(peer, _ -> watch(host));
            }
        }
        String name = now.get(Settings.PEER_SERVICE);
        HostPort wanted = name.isEmpty() ? null : new HostPort(name, now.get(Settings.LISTEN_PORT));
        if (wanted == null ? serviceHost != null : !wanted.equals(serviceHost)) {
            if (service != null) {
                service.close();
            }
            serviceHost = wanted;
            service = wanted == null ? null : watch(wanted);
        }
        refresh();
    }

    private NameWatch watch(HostPort host) {
        PoolerConfig now = config.get();
        return new NameWatch(
                host,
                control,
                now.get(Settings.DNS_SERVERS),
                () -> config.get().get(Settings.DNS_MAX_TTL),
                addresses -> refresh());
    }

    private void refresh() {
        if (closed) {
            return;
        }
        PoolerConfig now = config.get();
        int usualSize = now.get(Settings.DEFAULT_POOL_SIZE);
        List<Peer> peers = new ArrayList<>();
        for (PeerConfig peer : written) {
            NameWatch watch = watched.get(peer);
            peers.add(new Peer(
                    peer.id(),
                    peer.host(),
                    peer.port(),
                    peer.poolSize() == null ? usualSize : peer.poolSize(),
                    watch == null ? List.of(UnixSockets.address(peer.host(), peer.port())) : watch.addresses()));
        }
        List<InetSocketAddress> found = service == null ? List.of() : service.addresses();
        for (InetSocketAddress address : found) {
            InetAddress host = address.getAddress();
            if (!ownAddresses.contains(host)) {
                peers.add(new Peer(
                        PeerKeys.idOf(host), host.getHostAddress(), address.getPort(), usualSize, List.of(address)));
            }
        }
        List<Peer> before = known;
        known = List.copyOf(peers);
        ownId = ownId(now, ownAddresses, found);
        if (!peers.equals(before)) {
            LOG.info("event=peers own_id={} peers={}", ownId, names(peers));
        }
        passStrays();
    }

    private static List<String> names(List<Peer> peers) {
        return peers.stream()
                .map(peer -> peer.id() + "@" + peer.host() + ":" + peer.port())
                .toList();
    }

    /** As it is written; else made from that of our addresses by which others find us. */
    private static int ownId(PoolerConfig now, List<InetAddress> own, List<InetSocketAddress> found) {
        int id = now.get(Settings.PEER_ID);
        if (id != 0 || now.get(Settings.PEER_SERVICE).isEmpty() || own.isEmpty()) {
            return id;
        }
        InetAddress ours = own.stream()
                .filter(address ->
                        found.stream().anyMatch(other -> other.getAddress().equals(address)))
                .findFirst()
                .orElse(own.getFirst());
        return PeerKeys.idOf(ours);
    }

    private void passStrays() {
        List<Stray> waiting = List.copyOf(strays);
        for (Stray stray : waiting) {
            int id = PeerKeys.idOf(stray.key());
            if (known.stream().anyMatch(peer -> peer.id() == id) && strays.remove(stray)) {
                route(stray.key(), stray.done(), false);
            }
        }
    }

    @Override
    public void close() {
        control.execute(() -> {
            closed = true;
            watched.values().forEach(NameWatch::close);
            if (service != null) {
                service.close();
            }
            List.copyOf(strays).forEach(stray -> stray.done().run());
            strays.clear();
        });
    }
}
