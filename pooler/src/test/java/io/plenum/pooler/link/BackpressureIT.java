package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.copyData;
import static io.plenum.testbed.Frames.copyDone;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.terminate;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.PooledByteBufAllocator;
import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.net.Transport;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** No byte count in the pooler grows with what a server returns or a client sends. */
@ExtendWith(LeakWatch.class)
class BackpressureIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();
    private static final long MOST_BYTES = 32 * 1024 * 1024;
    private static final int ROW_BYTES = 10_000;
    private static final int ROWS = 20_000; // 200 MB

    @ParameterizedTest
    @EnumSource(Transport.class)
    void largeResultForASlowReaderStaysOnTheServer(Transport transport) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", RunningPooler.on(transport));
                var slow = slowClient(pooler.port());
                var next = pooler.wire()) {
            long before = directBytes();
            slow.send(query(rows(ROWS)));
            long most = 0;
            for (int i = 0; i < 20; i++) { // it takes a little now and then
                slow.input().skipNBytes(64 * 1024);
                Thread.sleep(10);
                most = Math.max(most, directBytes() - before);
            }
            assertThat(most).isLessThan(MOST_BYTES);

            var stream = slow.input();
            long rest = (long) ROWS * ROW_BYTES - 20 * 64 * 1024;
            stream.skipNBytes(rest);
            most = Math.max(most, directBytes() - before);
            assertThat(most).isLessThan(MOST_BYTES);
            assertThat(next.value("SELECT 'not held up'")).isEqualTo("not held up");
        }
    }

    /** PostgreSQL reads Terminate when all before it is answered, and what is answered is with the kernel. */
    @ParameterizedTest
    @EnumSource(Transport.class)
    void whoSaysTerminateBehindItsQueryHearsTheWholeAnswer(Transport transport) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", RunningPooler.on(transport));
                var slow = slowClient(pooler.port())) {
            slow.send(query(rows(2000)), terminate());

            assertThat(slow.readUntilReady()).hasSize(1 + 2000 + 2);
            assertThat(slow.isClosedWithin(Duration.ofSeconds(5))).isTrue();
        }
    }

    @Test
    void copyIntoAServerThatDoesNotReadStaysWithTheClient() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.wire();
                var control = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
            control.rows("DROP TABLE IF EXISTS slow_copy");
            control.rows("CREATE TABLE slow_copy (v text)");
            // each row waits a little: the server takes far less than the client could send
            control.rows("CREATE OR REPLACE FUNCTION wait_a_little() RETURNS trigger LANGUAGE plpgsql AS"
                    + " $$BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END$$");
            control.rows(
                    "CREATE TRIGGER slow BEFORE INSERT ON slow_copy FOR EACH ROW EXECUTE FUNCTION wait_a_little()");
            long before = directBytes();
            client.send(query("COPY slow_copy FROM STDIN"));
            client.readUntil('G');
            var sent = new AtomicLong();
            var sender = Thread.ofPlatform().start(() -> {
                byte[] row = copyData(("r".repeat(500_000) + "\n").getBytes(StandardCharsets.UTF_8));
                try {
                    for (int i = 0; i < 100; i++) {
                        client.send(row);
                        sent.addAndGet(row.length);
                    }
                    client.send(copyDone());
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            long most = 0;
            while (sender.isAlive()) {
                most = Math.max(most, directBytes() - before);
                Thread.sleep(5);
            }
            client.readUntilReady();

            assertThat(sent.get()).isGreaterThan(50_000_000);
            assertThat(most).isLessThan(MOST_BYTES);
        }
    }

    @Test
    void pipelineWithoutReadingEndsWell() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.wire()) {
            int queries = 3_000;
            long before = directBytes();
            var most = new AtomicLong();
            var sender = Thread.ofPlatform().start(() -> {
                byte[] one = query("SELECT repeat('p', 10000)");
                try {
                    for (int i = 0; i < queries; i++) {
                        client.send(one);
                        most.accumulateAndGet(directBytes() - before, Math::max);
                    }
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            Thread.sleep(500); // replies pile up, and must not do so in the pooler
            for (int i = 0; i < queries; i++) {
                assertThat(client.readUntilReady()).hasSize(4);
            }
            sender.join();
            assertThat(most.get()).isLessThan(MOST_BYTES);
        }
    }

    @Test
    void readerThatStopsHoldsUpNobodyElse() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2");
                var stopped = slowClient(pooler.port());
                var lively = pooler.wire()) {
            stopped.send(query(rows(ROWS)));
            for (int i = 0; i < 100; i++) {
                assertThat(lively.value("SELECT " + i)).isEqualTo(Integer.toString(i));
            }
            stopped.kill();
        }
    }

    private static String rows(int count) {
        return "SELECT repeat('x', %d) FROM generate_series(1, %d)".formatted(ROW_BYTES, count);
    }

    private static WireClient slowClient(int port) throws Exception {
        var client = WireClient.open("127.0.0.1", port, 32 * 1024);
        client.startup(io.plenum.testbed.Frames.PROTOCOL_3_0, Map.of("user", "postgres", "database", "app"), null);
        client.timeout(Duration.ofSeconds(20));
        return client;
    }

    private static long directBytes() {
        return PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
    }
}
