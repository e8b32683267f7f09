package io.plenum.pooler.discovery;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.dns.DefaultDnsQuestion;
import io.netty.handler.codec.dns.DefaultDnsRecordDecoder;
import io.netty.handler.codec.dns.DnsRawRecord;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.resolver.dns.NoopAuthoritativeDnsServerCache;
import io.netty.resolver.dns.NoopDnsCache;
import io.netty.resolver.dns.NoopDnsCnameCache;
import io.netty.resolver.dns.SequentialDnsServerAddressStreamProvider;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import io.plenum.pooler.config.HostPort;
import io.plenum.pooler.net.Loop;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * DNS with all addresses and the TTL that the server gave, neither of which the JDK's resolver shows. Nothing is answered
 * from a cache: whoever asks knows when to ask again.
 *
 * <p>A truncated answer is asked for again by TCP. The hosts file and the search list count, as for any other program.
 */
final class DnsNames implements Names {
    private static final Logger LOG = LoggerFactory.getLogger(DnsNames.class);
    private static final long QUERY_TIMEOUT_MILLIS = 1_000;

    /** A name that nobody has asked for since is not used any more. */
    private static final Duration FORGOTTEN_AFTER = Duration.ofMinutes(10);

    private final Loop loop;
    private final List<HostPort> servers;
    private final Map<String, Known> known = new ConcurrentHashMap<>();
    private final AtomicInteger open = new AtomicInteger();
    private @Nullable DnsNameResolver resolver;

    /** The last answer for a name; only for those who look. */
    private record Known(List<InetAddress> addresses, Duration ttl, long atNanos) {
        Duration age() {
            return Duration.ofNanos(System.nanoTime() - atNanos);
        }
    }

    /** {@code servers} by address; none are the system's. */
    DnsNames(Loop loop, List<HostPort> servers) {
        this.loop = loop;
        this.servers = servers;
    }

    @Override
    public void lookUp(String name, Consumer<Answer> done) {
        open.incrementAndGet();
        new LookUp(answer -> {
                    open.decrementAndGet();
                    note(name, answer);
                    done.accept(answer);
                })
                .start(resolver(), name);
    }

    private void note(String name, Answer answer) {
        known.values().removeIf(old -> old.age().compareTo(FORGOTTEN_AFTER) > 0); // names of Pods are used once
        Known before = known.get(name);
        long now = System.nanoTime();
        known.put(
                name,
                switch (answer) {
                    case Found found -> new Known(found.addresses(), found.ttl(), now);
                    case NotFound _ -> new Known(before == null ? List.of() : before.addresses(), Duration.ZERO, now);
                });
    }

    /** What is known, of which nothing holds longer than {@code maxTtl}. Any thread. */
    LookUps lookUps(Duration maxTtl) {
        List<LookUps.Name> names = new ArrayList<>();
        new TreeMap<>(known).forEach((name, last) -> {
            Duration holds = last.ttl().compareTo(maxTtl) < 0 ? last.ttl() : maxTtl;
            names.add(new LookUps.Name(name, Math.max(0, holds.minus(last.age()).toSeconds()), last.addresses()));
        });
        return new LookUps(names, open.get());
    }

    @Override
    public void lookUpTargets(String name, Consumer<@Nullable Targets> done) {
        Future<List<DnsRecord>> records;
        try {
            records = resolver().resolveAll(new DefaultDnsQuestion(name, DnsRecordType.SRV));
        } catch (IllegalArgumentException notAName) {
            LOG.warn("event=name_malformed name={} reason=\"{}\"", name, notAName.getMessage());
            done.accept(null);
            return;
        }
        records.addListener((Future<List<DnsRecord>> answer) ->
                done.accept(answer.isSuccess() ? targets(name, answer.getNow()) : null));
    }

    private static @Nullable Targets targets(String name, List<DnsRecord> records) {
        List<Target> targets = new ArrayList<>();
        long ttlSeconds = Long.MAX_VALUE;
        for (DnsRecord record : records) {
            try {
                if (record.type().equals(DnsRecordType.SRV) && record instanceof DnsRawRecord raw) {
                    ByteBuf content = raw.content().duplicate().skipBytes(2); // priority: all are nodes
                    int weight = content.readUnsignedShort();
                    int port = content.readUnsignedShort();
                    String host = DefaultDnsRecordDecoder.decodeName(content);
                    targets.add(new Target(
                            host.endsWith(".") ? host.substring(0, host.length() - 1) : host,
                            port,
                            Math.max(1, weight)));
                    ttlSeconds = Math.min(ttlSeconds, record.timeToLive());
                }
            } catch (IndexOutOfBoundsException | CorruptedFrameException malformed) {
                LOG.warn("event=srv_malformed name={} reason=\"{}\"", name, malformed.getMessage());
            } finally {
                ReferenceCountUtil.release(record);
            }
        }
        return targets.isEmpty() ? null : new Targets(targets, Duration.ofSeconds(ttlSeconds));
    }

    @Override
    public void close() {
        if (resolver != null) {
            resolver.close();
        }
    }

    /** Made at the first name, for it reads files of the system and many configurations have only addresses. */
    private DnsNameResolver resolver() {
        DnsNameResolver made = resolver;
        if (made == null) {
            var builder = new DnsNameResolverBuilder(loop.executor())
                    .datagramChannelType(loop.transport().datagram())
                    .socketChannelType(loop.transport().socket())
                    .resolveCache(NoopDnsCache.INSTANCE)
                    .cnameCache(NoopDnsCnameCache.INSTANCE)
                    .authoritativeDnsServerCache(NoopAuthoritativeDnsServerCache.INSTANCE)
                    .queryTimeoutMillis(QUERY_TIMEOUT_MILLIS);
            List<InetSocketAddress> addresses = serverAddresses();
            if (!addresses.isEmpty()) {
                builder.nameServerProvider(new SequentialDnsServerAddressStreamProvider(addresses));
            }
            made = builder.build();
            resolver = made;
        }
        return made;
    }

    private List<InetSocketAddress> serverAddresses() {
        List<InetSocketAddress> addresses = new ArrayList<>();
        for (HostPort server : servers) {
            InetAddress address = Seeds.literal(server);
            if (address == null) {
                LOG.warn("event=dns_server_ignored server={} reason=\"its address is needed, not its name\"", server);
            } else {
                addresses.add(new InetSocketAddress(address, server.port()));
            }
        }
        return addresses;
    }

    /** The two questions for one name, asked at once. */
    private static final class LookUp {
        private final Consumer<Answer> done;
        private final Set<InetAddress> v4 = new LinkedHashSet<>();
        private final Set<InetAddress> v6 = new LinkedHashSet<>();
        private long ttlSeconds = Long.MAX_VALUE;
        private boolean complete = true;
        private String trouble = "";
        private int open = 2;

        LookUp(Consumer<Answer> done) {
            this.done = done;
        }

        void start(DnsNameResolver resolver, String name) {
            ask(resolver, name, DnsRecordType.A, v4);
            ask(resolver, name, DnsRecordType.AAAA, v6);
        }

        private void ask(DnsNameResolver resolver, String name, DnsRecordType type, Set<InetAddress> found) {
            Future<List<DnsRecord>> records;
            try {
                records = resolver.resolveAll(new DefaultDnsQuestion(name, type));
            } catch (IllegalArgumentException notAName) { // IDN rules, empty or overlong labels
                onTrouble(String.valueOf(notAName.getMessage()), false);
                onAnswered();
                return;
            }
            records.addListener((Future<List<DnsRecord>> answer) -> {
                if (answer.isSuccess()) {
                    answer.getNow().forEach(record -> collect(record, type, found));
                } else {
                    // The name exists without addresses of this family: an UnknownHostException that has no cause.
                    Throwable cause = answer.cause();
                    boolean known = cause instanceof UnknownHostException && cause.getCause() == null;
                    onTrouble(reason(cause), known);
                }
                onAnswered();
            });
        }

        private void collect(DnsRecord record, DnsRecordType type, Set<InetAddress> found) {
            try {
                if (record.type().equals(type) && record instanceof DnsRawRecord raw) {
                    ByteBuf content = raw.content();
                    byte[] address = new byte[content.readableBytes()];
                    content.getBytes(content.readerIndex(), address);
                    found.add(InetAddress.getByAddress(address));
                    ttlSeconds = Math.min(ttlSeconds, record.timeToLive());
                }
            } catch (UnknownHostException malformed) {
                onTrouble("malformed address record", false);
            } finally {
                ReferenceCountUtil.release(record);
            }
        }

        private void onTrouble(String reason, boolean known) {
            trouble = reason;
            complete &= known;
        }

        private void onAnswered() {
            if (--open > 0) {
                return;
            }
            List<InetAddress> all = new ArrayList<>(v4);
            all.addAll(v6);
            done.accept(
                    all.isEmpty() ? new NotFound(trouble) : new Found(all, Duration.ofSeconds(ttlSeconds), complete));
        }

        private static String reason(Throwable failure) {
            Throwable cause = failure.getCause() == null ? failure : failure.getCause();
            return String.valueOf(cause.getMessage());
        }
    }
}
