package io.plenum.pooler.discovery;

import io.netty.util.concurrent.Future;
import io.plenum.pooler.config.HostPort;
import io.plenum.pooler.net.Loop;
import io.plenum.routing.topology.Node;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
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
final class AddressBook {
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
        for (HostPort host : seeds.hosts()) {
            entries.add(new Entry(host));
        }
    }

    /** Begins to look up what is a name. */
    void start() {
        entries.forEach(Entry::lookUp);
    }

    /** Something is amiss: asks again now, but no name more than once a second. */
    void lookUpSoon() {
        entries.forEach(Entry::lookUpSoon);
    }

    void close() {
        closed = true;
        entries.forEach(Entry::cancel);
    }

    /** All that is known, each address once, in the order of the hosts. */
    List<Node> nodes() {
        Set<Node> nodes = new LinkedHashSet<>();
        for (Entry entry : entries) {
            for (InetAddress address : entry.good) {
                nodes.add(Node.at(new InetSocketAddress(address, entry.host.port())));
            }
        }
        return List.copyOf(nodes);
    }

    /** One host and its last good addresses. */
    private final class Entry {
        private final HostPort host;
        private final boolean isName;
        private List<InetAddress> good = List.of();
        private int failures;
        private boolean asking;
        private long askedNanos;
        private @Nullable Future<?> next;

        Entry(HostPort host) {
            this.host = host;
            InetAddress literal = Seeds.literal(host);
            isName = literal == null;
            if (literal != null) {
                good = List.of(literal);
            }
        }

        void lookUp() {
            next = null;
            if (isName && !asking && !closed) {
                asking = true;
                askedNanos = clock.getAsLong();
                names.lookUp(host.host(), this::onAnswer);
            }
        }

        void lookUpSoon() {
            if (isName && !asking) {
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

        private void onAnswer(Names.Answer answer) {
            asking = false;
            if (closed) {
                return;
            }
            switch (answer) {
                case Names.Found found -> onFound(found);
                case Names.NotFound(String reason) -> onNotFound(reason);
            }
        }

        private void onFound(Names.Found found) {
            if (failures > 0) {
                LOG.info("event=name_found_again name={} failures={}", host.host(), failures);
            }
            failures = 0;
            good = everyAddress ? withUnanswered(found) : oneOf(found.addresses());
            long longest = Math.max(SHORTEST_NANOS, maxTtl.get().toNanos());
            plan(Math.clamp(found.ttl().toNanos(), SHORTEST_NANOS, longest));
            listener.accept(nodes());
        }

        /** Of a family that was not answered for, what was known before stays. */
        private List<InetAddress> withUnanswered(Names.Found found) {
            if (found.complete()) {
                return found.addresses();
            }
            List<InetAddress> all = new ArrayList<>(found.addresses());
            Class<?> answered = all.getFirst().getClass();
            good.stream().filter(known -> known.getClass() != answered).forEach(all::add);
            return all;
        }

        /** One host is one node: the address that it has, as long as its name means that, else the first. */
        private List<InetAddress> oneOf(List<InetAddress> addresses) {
            return !good.isEmpty() && addresses.contains(good.getFirst()) ? good : List.of(addresses.getFirst());
        }

        private void onNotFound(String reason) {
            if (failures++ == 0) {
                LOG.warn(
                        "event=name_not_found name={} reason=\"{}\" kept={}",
                        host.host(),
                        reason,
                        good.stream().map(InetAddress::getHostAddress).toList());
            }
            plan(Math.min(LAST_RETRY_NANOS, FIRST_RETRY_NANOS << Math.min(failures - 1, 10)));
        }
    }
}
