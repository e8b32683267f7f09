package io.plenum.pooler.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.config.HostPort;
import io.plenum.pooler.net.EventLoops;
import io.plenum.pooler.net.Transport;
import io.plenum.testbed.TestDns;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DnsNamesTest {
    private final EventLoops loops = EventLoops.start(Transport.NIO, 1);
    private TestDns dns;
    private DnsNames names;

    @BeforeEach
    void start() throws IOException {
        dns = TestDns.start();
        names = new DnsNames(loops.control(), List.of(new HostPort("127.0.0.1", dns.port())));
    }

    @AfterEach
    void stop() throws IOException {
        loops.control().executor().submit(names::close).awaitUninterruptibly();
        loops.close();
        dns.close();
    }

    @Test
    void allAddressesOfBothFamiliesAndTheirTtlAreFound() throws Exception {
        dns.addresses("pg.test", "10.0.0.1", "10.0.0.2", "fd00::1");
        dns.ttl(Duration.ofSeconds(7));

        var found = (Names.Found) lookUp("pg.test.");

        assertThat(found.addresses())
                .extracting(InetAddress::getHostAddress)
                .containsExactly("10.0.0.1", "10.0.0.2", "fd00:0:0:0:0:0:0:1");
        assertThat(found.ttl()).isEqualTo(Duration.ofSeconds(7));
        assertThat(found.complete()).isTrue();
    }

    @Test
    void changedAnswerIsSeenAtOnceForNothingIsCachedHere() throws Exception {
        dns.addresses("pg.test", "10.0.0.1");
        dns.ttl(Duration.ofHours(1));
        lookUp("pg.test.");
        dns.addresses("pg.test", "10.0.0.2");

        assertThat(((Names.Found) lookUp("pg.test.")).addresses())
                .extracting(InetAddress::getHostAddress)
                .containsExactly("10.0.0.2");
    }

    @Test
    void manyAddressesComeByTcp() throws Exception {
        dns.addresses(
                "pg.test",
                IntStream.range(0, 600)
                        .mapToObj(i -> "10.0.%d.%d".formatted(i / 200, i % 200))
                        .toArray(String[]::new));

        assertThat(((Names.Found) lookUp("pg.test.")).addresses()).hasSize(600);
        assertThat(dns.tcpQueries()).isPositive();
    }

    @Test
    void truncatedAnswerIsNotTakenForTheWhole() throws Exception {
        dns.addresses("pg.test", "10.0.0.1", "10.0.0.2");
        dns.behave(TestDns.Behaviour.TRUNCATED);

        assertThat(((Names.Found) lookUp("pg.test.")).addresses()).hasSize(2);
    }

    @ParameterizedTest
    @EnumSource(
            value = TestDns.Behaviour.class,
            names = {"NXDOMAIN", "SERVFAIL", "REFUSED", "NODATA", "SILENT", "MALFORMED"})
    void troubleIsNoAnswer(TestDns.Behaviour trouble) throws Exception {
        dns.addresses("pg.test", "10.0.0.1");
        dns.behave(trouble);

        assertThat(lookUp("pg.test.")).isInstanceOf(Names.NotFound.class);
    }

    @Test
    void nameThatIsNoneIsNotFound() throws Exception {
        assertThat(lookUp("a..b")).isInstanceOf(Names.NotFound.class);
        assertThat(lookUp("x".repeat(300))).isInstanceOf(Names.NotFound.class);
    }

    @Test
    void serviceRecordsAreFoundWithPortsAndWeights() throws Exception {
        dns.services(
                "_postgres._tcp.pg.test",
                new TestDns.Srv(0, 50, 5432, "pg-0.pg.test"),
                new TestDns.Srv(10, 0, 5433, "pg-1.pg.test"));
        dns.ttl(Duration.ofSeconds(9));

        assertThat(lookUpTargets("_postgres._tcp.pg.test."))
                .contains(new Names.Targets(
                        List.of(new Names.Target("pg-0.pg.test", 5432, 50), new Names.Target("pg-1.pg.test", 5433, 1)),
                        Duration.ofSeconds(9)));
        dns.behave(TestDns.Behaviour.SERVFAIL);
        assertThat(lookUpTargets("_postgres._tcp.pg.test.")).isEmpty();
    }

    private Optional<Names.Targets> lookUpTargets(String name) throws Exception {
        var answer = new CompletableFuture<Optional<Names.Targets>>();
        loops.control()
                .execute(() -> names.lookUpTargets(name, targets -> answer.complete(Optional.ofNullable(targets))));
        return answer.get(20, TimeUnit.SECONDS);
    }

    private Names.Answer lookUp(String name) throws Exception {
        var answer = new CompletableFuture<Names.Answer>();
        loops.control().execute(() -> names.lookUp(name, answer::complete));
        return answer.get(20, TimeUnit.SECONDS);
    }
}
