package io.plenum.pooler.client;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresServer;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A cancel request ends the statement of the client whose key it carries, or nothing. */
@ExtendWith(LeakWatch.class)
class CancelIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    @Test
    void runningStatementIsCanceled() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.wire()) {
            client.send(query("SELECT pg_sleep(20)"));
            Thread.sleep(100);

            client.cancel();

            assertThat(code(client.readUntilReady())).isEqualTo("57014");
            assertThat(client.value("SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void waitingClientIsCanceledWithoutAServer() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var holder = pooler.wire();
                var waiter = pooler.wire()) {
            holder.rows("BEGIN; SELECT 1");
            waiter.send(query("SELECT 'never'"), query("SELECT 'second'"));
            Thread.sleep(50);

            waiter.cancel();

            assertThat(code(waiter.readUntilReady())).isEqualTo("57014");
            holder.rows("COMMIT");
            assertThat(waiter.readUntilReady())
                    .anySatisfy(m -> assertThat(m.text()).contains("second"));
        }
    }

    @Test
    void waitingBatchIsCanceledUpToItsSync() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var holder = pooler.wire();
                var waiter = pooler.wire()) {
            holder.rows("BEGIN; SELECT 1");
            waiter.send(parse("", "SELECT 'never'"), bind("", ""), execute(), query("SELECT 'skipped'"), sync());
            Thread.sleep(50);

            waiter.cancel();

            assertThat(waiter.readUntilReady()).extracting(Message::type).containsExactly('E', 'Z');
            holder.rows("COMMIT");
            assertThat(waiter.value("SELECT 'next'")).isEqualTo("next");
        }
    }

    @Test
    void idleClientIsNotCanceled() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.wire()) {
            client.rows("SELECT 1");
            client.cancel();
            assertThat(client.value("SELECT 2")).isEqualTo("2");
            client.rows("BEGIN");
            client.cancel();
            assertThat(client.value("SELECT 3")).isEqualTo("3");
        }
    }

    @Test
    void wrongKeyCancelsNothing() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.wire();
                var stranger = pooler.open()) {
            client.send(query("SELECT pg_sleep(0.5)"));
            byte[] wrong = client.cancelSecret();
            wrong[0] ^= 1;
            stranger.send(Frames.cancelRequest(client.processId(), wrong));

            assertThat(stranger.isClosedWithin(Duration.ofSeconds(5))).isTrue();
            assertThat(code(client.readUntilReady())).isEmpty();
        }
    }

    @Test
    void keysOfOneSessionAreNotThoseOfItsServer() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var first = pooler.wire();
                var second = pooler.wire()) {
            assertThat(first.processId()).isPositive().isNotEqualTo(second.processId());
            assertThat(first.value("SELECT pg_backend_pid()")).isNotEqualTo(Integer.toString(first.processId()));
        }
    }

    @Test
    void lateCancelNeverHitsTheNextClient() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var hasty = pooler.wire();
                var bystander = pooler.wire()) {
            var stop = new AtomicBoolean();
            var other = Thread.ofPlatform().start(() -> {
                while (!stop.get()) {
                    try {
                        hasty.cancel();
                    } catch (IOException closed) {
                        return;
                    }
                }
            });
            int hurt = 0;
            for (int i = 0; i < 400; i++) {
                hasty.send(query("SELECT 1"));
                bystander.send(query("SELECT pg_sleep(0.001), " + i));
                hasty.readUntilReady();
                if (!code(bystander.readUntilReady()).isEmpty()) {
                    hurt++;
                }
            }
            stop.set(true);
            other.join();

            assertThat(hurt).isZero();
        }
    }

    @Test
    void cancelReachesClientsOfOtherLoops() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "event_loops = 2", "default_pool_size = 4");
                var first = pooler.wire();
                var second = pooler.wire();
                var third = pooler.wire()) {
            for (var client : List.of(first, second, third)) {
                client.send(query("SELECT pg_sleep(20)"));
                Thread.sleep(100);
                client.cancel();
                assertThat(code(client.readUntilReady())).isEqualTo("57014");
            }
        }
    }

    @Test
    void cancelOfALongKeyOfProtocol32Works() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.open()) {
            client.startup(Frames.PROTOCOL_3_2, Map.of("user", "postgres", "database", "app"), null);
            assertThat(client.cancelSecret()).hasSize(32);
            client.send(query("SELECT pg_sleep(20)"));
            Thread.sleep(100);

            client.cancel();

            assertThat(code(client.readUntilReady())).isEqualTo("57014");
        }
    }

    private static String code(List<Message> messages) {
        return messages.stream()
                .filter(m -> m.type() == 'E')
                .map(m -> String.valueOf(m.field('C')))
                .findFirst()
                .orElse("");
    }
}
