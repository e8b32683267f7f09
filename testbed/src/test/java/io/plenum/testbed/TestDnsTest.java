package io.plenum.testbed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBufUtil;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.dns.DefaultDnsQuestion;
import io.netty.handler.codec.dns.DefaultDnsRecordDecoder;
import io.netty.handler.codec.dns.DnsRawRecord;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsResponseCode;
import io.netty.resolver.ResolvedAddressTypes;
import io.netty.resolver.dns.DnsErrorCauseException;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.resolver.dns.DnsNameResolverTimeoutException;
import io.netty.resolver.dns.NoopDnsCache;
import io.netty.resolver.dns.NoopDnsCnameCache;
import io.netty.resolver.dns.SingletonDnsServerAddressStreamProvider;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Netty's resolver, which the pooler uses, asks. */
class TestDnsTest {
    private static final String NAME = "pg-headless.example.test.";

    private TestDns dns;
    private EventLoopGroup loops;
    private DnsNameResolver resolver;

    @BeforeEach
    void start() throws IOException {
        dns = TestDns.start();
        loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        resolver = new DnsNameResolverBuilder(loops.next())
                .datagramChannelType(NioDatagramChannel.class)
                .socketChannelType(NioSocketChannel.class)
                .nameServerProvider(new SingletonDnsServerAddressStreamProvider(dns.address()))
                .resolveCache(NoopDnsCache.INSTANCE)
                .cnameCache(NoopDnsCnameCache.INSTANCE)
                .resolvedAddressTypes(ResolvedAddressTypes.IPV4_PREFERRED)
                .queryTimeoutMillis(400)
                .build();
    }

    @AfterEach
    void stop() throws Exception {
        resolver.close();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
        dns.close();
    }

    @Test
    void headlessNameHasAllItsAddressesInBothFamilies() throws Exception {
        dns.addresses(NAME, "127.0.0.1", "127.0.0.2", "::1");
        dns.ttl(Duration.ofSeconds(7));

        assertThat(addresses(DnsRecordType.A)).containsExactly("127.0.0.1", "127.0.0.2");
        assertThat(addresses(DnsRecordType.AAAA)).containsExactly("0:0:0:0:0:0:0:1");
        assertThat(records(DnsRecordType.A, DnsRecord::timeToLive)).containsOnly(7L);
        assertThat(dns.queries(NAME)).isEqualTo(3);
    }

    @Test
    void changedAddressesAreSeenByTheNextQuery() throws Exception {
        dns.addresses(NAME, "127.0.0.1");
        assertThat(addresses(DnsRecordType.A)).containsExactly("127.0.0.1");

        dns.addresses(NAME, "127.0.0.3", "127.0.0.1");

        assertThat(addresses(DnsRecordType.A)).containsExactly("127.0.0.3", "127.0.0.1");
    }

    @Test
    void servicesHaveTheirFourFields() throws Exception {
        dns.services(NAME, new TestDns.Srv(1, 20, 5433, "pg-0." + NAME), new TestDns.Srv(2, 0, 65535, "pg-1." + NAME));

        var found = records(DnsRecordType.SRV, record -> {
            var content = ((DnsRawRecord) record).content();
            return new TestDns.Srv(
                    content.readUnsignedShort(),
                    content.readUnsignedShort(),
                    content.readUnsignedShort(),
                    DefaultDnsRecordDecoder.decodeName(content));
        });

        assertThat(found)
                .containsExactly(
                        new TestDns.Srv(1, 20, 5433, "pg-0." + NAME), new TestDns.Srv(2, 0, 65535, "pg-1." + NAME));
    }

    @Test
    void unknownNameAndNxdomainAreToldApartFromAnEmptyName() {
        dns.addresses(NAME, "127.0.0.1");
        assertThatThrownBy(() -> addresses(DnsRecordType.AAAA)) // the name is there, the type is not
                .isInstanceOf(UnknownHostException.class)
                .hasNoCause();

        dns.behave(TestDns.Behaviour.NODATA);
        assertThatThrownBy(() -> addresses(DnsRecordType.A))
                .isInstanceOf(UnknownHostException.class)
                .hasNoCause();

        dns.behave(TestDns.Behaviour.NXDOMAIN);
        assertThatThrownBy(() -> addresses(DnsRecordType.A))
                .hasCauseInstanceOf(DnsErrorCauseException.class)
                .hasStackTraceContaining("NXDOMAIN");

        dns.behave(TestDns.Behaviour.NORMAL);
        dns.remove(NAME);
        assertThatThrownBy(() -> addresses(DnsRecordType.A))
                .hasCauseInstanceOf(DnsErrorCauseException.class)
                .hasStackTraceContaining("NXDOMAIN");
    }

    @Test
    void eachBehaviourHasItsResponseCode() throws Exception {
        dns.addresses(NAME, "127.0.0.1");
        assertThat(responseCode()).isEqualTo(DnsResponseCode.NOERROR);
        for (var expected : Map.of(
                        TestDns.Behaviour.NXDOMAIN, DnsResponseCode.NXDOMAIN,
                        TestDns.Behaviour.SERVFAIL, DnsResponseCode.SERVFAIL,
                        TestDns.Behaviour.REFUSED, DnsResponseCode.REFUSED,
                        TestDns.Behaviour.NODATA, DnsResponseCode.NOERROR)
                .entrySet()) {
            dns.behave(expected.getKey());
            assertThat(responseCode()).isEqualTo(expected.getValue());
        }
    }

    @Test
    void silenceIsATimeout() {
        dns.behave(TestDns.Behaviour.SILENT);

        assertThatThrownBy(() -> addresses(DnsRecordType.A)).hasCauseInstanceOf(DnsNameResolverTimeoutException.class);
        assertThat(dns.udpQueries()).isPositive();
    }

    @Test
    void slowAnswerIsATimeoutOnlyWhereItIsTooSlow() throws Exception {
        dns.addresses(NAME, "127.0.0.1");
        dns.delay(Duration.ofMillis(50));
        assertThat(addresses(DnsRecordType.A)).containsExactly("127.0.0.1");

        dns.delay(Duration.ofSeconds(3));
        assertThatThrownBy(() -> addresses(DnsRecordType.A)).hasCauseInstanceOf(DnsNameResolverTimeoutException.class);
    }

    @Test
    void truncatedAnswerIsAskedForAgainOverTcp() throws Exception {
        dns.addresses(NAME, "127.0.0.1", "127.0.0.2");
        dns.behave(TestDns.Behaviour.TRUNCATED);

        assertThat(addresses(DnsRecordType.A)).containsExactly("127.0.0.1", "127.0.0.2");

        assertThat(dns.tcpQueries()).isEqualTo(1);
    }

    @Test
    void answerTooLongForUdpGoesOverTcpByItself() throws Exception {
        var many = IntStream.rangeClosed(1, 500)
                .mapToObj(i -> "127.0." + i / 250 + "." + (i % 250 + 1))
                .toArray(String[]::new);
        dns.addresses(NAME, many);

        assertThat(addresses(DnsRecordType.A)).containsExactly(many);

        assertThat(dns.tcpQueries()).isEqualTo(1);
    }

    @Test
    void partialAnswerLeavesRecordsOut() throws Exception {
        dns.addresses(NAME, "127.0.0.1", "127.0.0.2", "127.0.0.3");
        dns.recordLimit(2);

        assertThat(addresses(DnsRecordType.A)).containsExactly("127.0.0.1", "127.0.0.2");
    }

    @Test
    void malformedAnswerGivesNoAddress() {
        dns.addresses(NAME, "127.0.0.1");
        dns.behave(TestDns.Behaviour.MALFORMED);

        assertThatThrownBy(() -> addresses(DnsRecordType.A)).isInstanceOf(UnknownHostException.class);
    }

    @Test
    void namesAreMatchedWithoutCase() throws Exception {
        dns.addresses("PG-Headless.Example.test", "127.0.0.9");

        assertThat(addresses(DnsRecordType.A)).containsExactly("127.0.0.9");
    }

    private DnsResponseCode responseCode() throws Exception {
        var envelope = resolver.query(new DefaultDnsQuestion(NAME, DnsRecordType.A))
                .sync()
                .getNow();
        try {
            return envelope.content().code();
        } finally {
            envelope.release();
        }
    }

    private List<String> addresses(DnsRecordType type) throws Exception {
        return records(type, record -> {
            try {
                return InetAddress.getByAddress(ByteBufUtil.getBytes(((DnsRawRecord) record).content()))
                        .getHostAddress();
            } catch (UnknownHostException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private <T> List<T> records(DnsRecordType type, Function<DnsRecord, T> reader) throws Exception {
        var future = resolver.resolveAll(new DefaultDnsQuestion(NAME, type)).await();
        if (!future.isSuccess()) {
            throw (Exception) future.cause();
        }
        List<T> read = new ArrayList<>();
        for (var record : future.getNow()) {
            read.add(reader.apply(record));
            ((DnsRawRecord) record).release();
        }
        return read;
    }
}
