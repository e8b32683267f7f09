package io.plenum.pooler.discovery;

import io.netty.util.concurrent.Future;
import io.plenum.pooler.config.HostPort;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.net.UnixSockets;
import io.plenum.routing.topology.Node;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The addresses behind the hosts of a cluster. Each name is looked up again when its answer's TTL ends, a little later
 * each time, so that many processes do not ask at the same moment; one that fails keeps its last good answer and is tried
 * again soon. Confined to the control loop.
 */
final class AddressBook implements NodeSource {
    private static final Logger LOG = LoggerFactory.getLogger(AddressBook.class);

    /** A TTL of 0 does not make us ask all the time. */
    static final long SHORTEST_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long FIRST_RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long LAST_RETRY_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final Loop loop;
    private final LongSupplier clock;
    private final Names names;
    private final boolean everyAddress;
    private final Supplier<Duration> maxTtl;
    private final Consumer<List<Node>> listener;
    private final List<Entry> entries = new ArrayList<>();
    private boolean closed;

    /** {@code listener} hears all nodes after each good answer; {@code maxTtl} is asked each time. */
    AddressBook(
            Seeds seeds,
            Loop loop,
            LongSupplier clock,
            Names names,
            Supplier<Duration> maxTtl,
            Consumer<List<Node>> listener) {
        this.loop = loop;
        this.clock = clock;
        this.names = names;
        this.everyAddress = seeds.everyAddress();
        this.maxTtl = maxTtl;
        this.listener = listener;
        for (int i = 0; i < seeds.hosts().size(); i++) {
            HostPort host = seeds.hosts().get(i);
            entries.add(
                    Seeds.isServiceRecord(host)
                            ? new TargetsEntry(host)
                            : new HostEntry(host, seeds.weight(i), everyAddress));
        }
    }

    /** Begins to look up what is a name. */
    @Override
    public void start() {
        entries.forEach(Entry::lookUp);
    }

    /** Something is amiss: asks again now, but no name more than once a second. */
    @Override
    public void lookUpSoon() {
        entries.forEach(Entry::lookUpSoon);
    }

    @Override
    public void close() {
        closed = true;
        entries.forEach(Entry::cancel);
    }

    /** All that is known, each address once, in the order of the hosts. */
    @Override
    public List<Node> nodes() {
        Set<Node> nodes = new LinkedHashSet<>();
        entries.forEach(entry -> entry.collect(nodes));
        return List.copyOf(nodes);
    }

    /** One name and its last good answer; or a literal address, which nobody is asked for. */
    private abstract class Entry {
        final HostPort host;
        private int failures;
        private boolean asking;
        private long askedNanos;
        private @Nullable Future<?> next;

        Entry(HostPort host) {
            this.host = host;
        }

        abstract boolean isName();

        /** Asks; the answer goes to {@link #onGood} or {@link #onNotFound}. */
        abstract void ask();

        abstract void collect(Set<Node> nodes);

        void lookUp() {
            next = null;
            if (isName() && !asking && !closed) {
                asking = true;
                askedNanos = clock.getAsLong();
                ask();
            }
        }

        void lookUpSoon() {
            if (isName() && !asking) {
                cancel();
                plan(Math.max(0, SHORTEST_NANOS - (clock.getAsLong() - askedNanos)));
            }
        }

        void cancel() {
            if (next != null) {
                next.cancel(false);
                next = null;
            }
        }

        private void plan(long delayNanos) {
            long jitter = ThreadLocalRandom.current().nextLong(delayNanos / 10 + 1);
            next = loop.executor().schedule(this::lookUp, delayNanos + jitter, TimeUnit.NANOSECONDS);
        }

        /** Says whether the answer that came is still wanted. */
        final boolean isAwaited() {
            asking = false;
            return !closed;
        }

        final void onGood(Duration ttl) {
            if (failures > 0) {
                LOG.info("event=name_found_again name={} failures={}", host.host(), failures);
            }
            failures = 0;
            long longest = Math.max(SHORTEST_NANOS, maxTtl.get().toNanos());
            plan(Math.clamp(ttl.toNanos(), SHORTEST_NANOS, longest));
            listener.accept(nodes());
        }

        final void onNotFound(String reason) {
            if (failures++ == 0) {
                Set<Node> kept = new LinkedHashSet<>();
                collect(kept);
                LOG.warn("event=name_not_found name={} reason=\"{}\" kept={}", host.host(), reason, kept);
            }
            plan(Math.min(LAST_RETRY_NANOS, FIRST_RETRY_NANOS << Math.min(failures - 1, 10)));
        }
    }

    /** A host with its addresses. */
    private final class HostEntry extends Entry {
        private final int weight;
        private final boolean all;
        private final boolean isName;
        private List<InetAddress> good = List.of();

        HostEntry(HostPort host, int weight, boolean all) {
            super(host);
            this.weight = weight;
            this.all = all;
            InetAddress literal = host.isUnix() ? null : Seeds.literal(host);
            isName = literal == null && !host.isUnix();
            if (literal != null) {
                good = List.of(literal);
            }
        }

        @Override
        boolean isName() {
            return isName;
        }

        @Override
        void ask() {
            names.lookUp(host.host(), answer -> {
                if (isAwaited()) {
                    switch (answer) {
                        case Names.Found found -> {
                            good = all ? withUnanswered(found) : oneOf(found.addresses());
                            onGood(found.ttl());
                        }
                        case Names.NotFound(String reason) -> onNotFound(reason);
                    }
                }
            });
        }

        @Override
        void collect(Set<Node> nodes) {
            if (host.isUnix()) {
                nodes.add(new Node(UnixSockets.address(host.host(), host.port()), host.toString(), weight, ""));
            }
            for (InetAddress address : good) {
                Node node = Node.at(new InetSocketAddress(named(address), host.port()));
                nodes.add(new Node(node.address(), node.name(), weight, ""));
            }
        }

        /** The address with the name that the operator wrote: the one that its certificate must be for. */
        private InetAddress named(InetAddress address) {
            try {
                return isName ? InetAddress.getByAddress(host.host(), address.getAddress()) : address;
            } catch (UnknownHostException impossible) {
                throw new IllegalStateException("the bytes of an address are an address", impossible);
            }
        }

        /** Of a family that was not answered for, what was known before stays. */
        private List<InetAddress> withUnanswered(Names.Found found) {
            if (found.complete()) {
                return found.addresses();
            }
            List<InetAddress> some = new ArrayList<>(found.addresses());
            Class<?> answered = some.getFirst().getClass();
            good.stream().filter(known -> known.getClass() != answered).forEach(some::add);
            return some;
        }

        /** One host is one node: the address that it has, as long as its name means that, else the first. */
        private List<InetAddress> oneOf(List<InetAddress> addresses) {
            return !good.isEmpty() && addresses.contains(good.getFirst()) ? good : List.of(addresses.getFirst());
        }
    }

    /** A name with SRV records: each of their targets is a host with a port of its own, looked up by itself. */
    private final class TargetsEntry extends Entry {
        private Map<Names.Target, HostEntry> targets = new LinkedHashMap<>();

        TargetsEntry(HostPort host) {
            super(host);
        }

        @Override
        boolean isName() {
            return true;
        }

        @Override
        void ask() {
            names.lookUpTargets(host.host(), answer -> {
                if (!isAwaited()) {
                    return;
                }
                if (answer == null) {
                    onNotFound("no SRV record");
                } else {
                    become(answer.targets());
                    onGood(answer.ttl());
                }
            });
        }

        private void become(List<Names.Target> now) {
            Map<Names.Target, HostEntry> next = new LinkedHashMap<>();
            for (Names.Target target : now) {
                HostEntry known = targets.remove(target);
                next.put(
                        target,
                        known != null
                                ? known
                                : new HostEntry(new HostPort(target.host(), target.port()), target.weight(), true));
            }
            targets.values().forEach(Entry::cancel); // an answer that is on its way is told to nobody
            Map<Names.Target, HostEntry> before = targets;
            targets = next;
            next.forEach((target, entry) -> {
                if (!before.containsKey(target) && entry.good.isEmpty()) {
                    entry.lookUp();
                }
            });
        }

        @Override
        void lookUpSoon() {
            super.lookUpSoon();
            targets.values().forEach(Entry::lookUpSoon);
        }

        @Override
        void cancel() {
            super.cancel();
            targets.values().forEach(Entry::cancel);
        }

        @Override
        void collect(Set<Node> nodes) {
            targets.values().forEach(target -> target.collect(nodes));
        }
    }
}
