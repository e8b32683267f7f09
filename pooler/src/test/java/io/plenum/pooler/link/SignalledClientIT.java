package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Fault;
import io.plenum.testbed.FaultProxy;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code pg_terminate_backend} and {@code pg_cancel_backend} of the number by which a client knows itself. */
@ExtendWith(LeakWatch.class)
class SignalledClientIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    @ParameterizedTest
    @CsvSource({
        "SELECT 1, true", "BEGIN, true", "BEGIN; SELECT 1, true", "CREATE TEMPORARY TABLE kept (i int), true",
        "SELECT 1, false", "BEGIN, false", "BEGIN; SELECT 1, false", "CREATE TEMPORARY TABLE kept (i int), false"
    })
    void terminatedClientHearsItAndIsClosed(String before, boolean pooled) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2")) {
            int port = pooled ? pooler.port() : SERVER.port();
            for (boolean bound : new boolean[] {false, true}) {
                try (var victim = RunningPooler.wire(port, Map.of(), null);
                        var other = RunningPooler.wire(port, Map.of(), null)) {
                    victim.timeout(Duration.ofSeconds(5));
                    victim.query(before);

                    assertThat(signal(other, "pg_terminate_backend", victim.processId(), bound))
                            .containsExactly("t");

                    assertThat(victim.read().field('C')).isEqualTo("57P01");
                    assertThat(victim.isClosedWithin(Duration.ofSeconds(5))).isTrue();
                    assertThat(other.value("SELECT false")).isEqualTo("f");
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void cancelledClientLosesItsStatementAlone(boolean pooled) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2")) {
            int port = pooled ? pooler.port() : SERVER.port();
            try (var victim = RunningPooler.wire(port, Map.of(), null);
                    var other = RunningPooler.wire(port, Map.of(), null)) {
                victim.send(query("SELECT pg_sleep(20)"));
                Thread.sleep(200);

                assertThat(signal(other, "pg_cancel_backend", victim.processId(), true))
                        .containsExactly("t");

                assertThat(victim.readUntilReady())
                        .filteredOn(message -> message.type() == 'E')
                        .extracting(message -> message.field('C'))
                        .containsExactly("57014");
                assertThat(victim.value("SELECT 1")).isEqualTo("1");
            }
        }
    }

    /** Of another user only a superuser may do it, and in no other role. */
    @Test
    void whoMayNotIsToldThatThereIsNoSuchProcess() throws Exception {
        SERVER.node().execute("DROP ROLE IF EXISTS signaller");
        SERVER.node().execute("CREATE ROLE signaller LOGIN");
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2");
                var victim = pooler.wire();
                var stranger = pooler.wire(Map.of("user", "signaller"));
                var superuser = pooler.wire()) {
            assertThat(signal(stranger, "pg_terminate_backend", victim.processId(), true))
                    .containsExactly("N", "f");
            assertThat(victim.value("SELECT 1")).isEqualTo("1");

            superuser.rows("SET ROLE signaller");
            assertThat(signal(superuser, "pg_terminate_backend", stranger.processId(), true))
                    .containsExactly("N", "f");
            superuser.rows("RESET ROLE");
            assertThat(signal(superuser, "pg_terminate_backend", stranger.processId(), true))
                    .containsExactly("t");
            assertThat(stranger.read().field('C')).isEqualTo("57P01");
        }
    }

    @Test
    void eachOfSeveralIsTerminated() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2");
                var first = pooler.wire();
                var second = pooler.wire();
                var other = pooler.wire()) {
            other.send(query("SELECT pg_terminate_backend(n) FROM unnest(ARRAY[%d, 2147483647, %d]) n"
                    .formatted(first.processId(), second.processId())));

            assertThat(answers(other)).containsExactly("t", "N", "f", "t");
            assertThat(first.read().field('C')).isEqualTo("57P01");
            assertThat(second.read().field('C')).isEqualTo("57P01");
        }
    }

    @Test
    void whatPostgresSaysMayComeInPieces() throws Exception {
        try (var proxy = FaultProxy.start(SERVER.host(), SERVER.port());
                var pooler = RunningPooler.ofDatabases("app = host=%s port=%d".formatted(proxy.host(), proxy.port()));
                var victim = pooler.wire();
                var other = pooler.wire()) {
            other.value("SELECT 1");
            proxy.set(FaultProxy.Direction.TO_CLIENT, new Fault.Chop(1, Duration.ofNanos(200_000)));

            assertThat(signal(other, "pg_terminate_backend", victim.processId(), true))
                    .containsExactly("t");

            assertThat(victim.read().field('C')).isEqualTo("57P01");
        }
    }

    /** The rows of one column that come back, and an N for each notice. */
    private static List<String> signal(WireClient by, String function, int process, boolean bound) throws IOException {
        if (bound) {
            by.send(parse("", "SELECT " + function + "($1)"), bind("", "", "" + process), execute(), sync());
        } else {
            by.send(query("SELECT " + function + "(" + process + ")"));
        }
        return answers(by);
    }

    private static List<String> answers(WireClient by) throws IOException {
        return by.readUntilReady().stream()
                .filter(message -> message.type() == 'D' || message.type() == 'N')
                .map(message -> message.type() == 'N' ? "N" : message.columns().getFirst())
                .toList();
    }
}
