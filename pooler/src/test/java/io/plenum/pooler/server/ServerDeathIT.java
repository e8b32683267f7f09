package io.plenum.pooler.server;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.copyData;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.StopMode;
import io.plenum.testbed.WireClient;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A server that dies is told of once, to the client that it worked for, and to nobody else. */
@ExtendWith(LeakWatch.class)
class ServerDeathIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    @Test
    void deathOfAnIdleServerIsNotNoticed() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2");
                var client = pooler.wire();
                var control = direct()) {
            for (int i = 0; i < 30; i++) {
                var pid = client.value("SELECT pg_backend_pid()");
                control.rows("SELECT pg_terminate_backend(" + pid + ", 1000)");
                assertThat(client.value("SELECT " + i)).isEqualTo(Integer.toString(i));
            }
        }
    }

    @Test
    void deathInATransactionIsToldOnce() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.wire();
                var control = direct()) {
            client.rows("BEGIN");
            kill(control, client);

            assertOneFatal(rest(client), "57P01");
        }
    }

    @Test
    void deathWhileAStatementRunsIsToldOnce() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.wire();
                var control = direct()) {
            var pid = client.value("SELECT pg_backend_pid()");
            client.send(query("SELECT pg_sleep(20)"));
            awaitActive(control, pid);
            control.rows("SELECT pg_terminate_backend(" + pid + ", 1000)");

            assertOneFatal(rest(client), "57P01");
        }
    }

    @Test
    void deathInAPipelineIsToldOnce() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.wire();
                var control = direct()) {
            var pid = client.value("SELECT pg_backend_pid()");
            client.send(parse("", "SELECT 1"), bind("", ""), execute(), sync());
            client.send(parse("", "SELECT pg_sleep(20)"), bind("", ""), execute(), sync());
            client.send(parse("", "SELECT 2"), bind("", ""), execute(), sync());
            client.readUntilReady();
            awaitActive(control, pid);
            control.rows("SELECT pg_terminate_backend(" + pid + ", 1000)");

            assertOneFatal(rest(client), "57P01");
        }
    }

    @Test
    void deathDuringCopyInIsToldOnce() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.wire();
                var control = direct()) {
            control.rows("CREATE TABLE IF NOT EXISTS copied (id int)");
            var pid = client.value("SELECT pg_backend_pid()");
            client.send(query("COPY copied FROM STDIN"));
            client.readUntil('G');
            client.send(copyData("1\n".getBytes(StandardCharsets.UTF_8)));
            control.rows("SELECT pg_terminate_backend(" + pid + ", 1000)");

            assertOneFatal(rest(client), "57P01");
            assertThat(control.value("SELECT count(*) FROM copied")).isEqualTo("0");
        }
    }

    @Test
    void clientThatWaitsGetsAnotherServer() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var holder = pooler.wire();
                var waiter = pooler.wire();
                var control = direct()) {
            holder.rows("BEGIN");
            var pid = holder.value("SELECT pg_backend_pid()");
            waiter.send(query("SELECT 'served'"));
            Thread.sleep(50);
            control.rows("SELECT pg_terminate_backend(" + pid + ", 1000)");

            assertThat(waiter.readUntilReady())
                    .anySatisfy(m -> assertThat(m.text()).contains("served"));
            assertOneFatal(rest(holder), "57P01");
        }
    }

    @Test
    void everyPinnedClientHearsOfIt() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2");
                var pinned = pooler.wire();
                var control = direct()) {
            pinned.rows("CREATE TEMP TABLE mine (id int)");
            kill(control, pinned);

            assertOneFatal(rest(pinned), "57P01");
        }
    }

    @Test
    void restartOfPostgresIsOverSoonAfterItIsBack() throws Exception {
        try (var own = PostgresServer.start();
                var pooler = RunningPooler.start(own, "default_pool_size = 3");
                var client = pooler.wire()) {
            client.rows("SELECT 1");

            own.node().stop(StopMode.FAST);
            client.send(query("SELECT 'after'")); // waits for the server instead of failing
            Thread.sleep(1_500);
            own.node().start();
            long accepts = System.nanoTime();
            var answer = client.readUntilReady();

            assertThat(answer).anySatisfy(m -> assertThat(m.text()).contains("after"));
            assertThat(Duration.ofNanos(System.nanoTime() - accepts)).isLessThan(Duration.ofMillis(2_500));

            own.node().kill9();
            own.node().start();
            assertThat(client.value("SELECT 'again'")).isEqualTo("again");
        }
    }

    private static void kill(WireClient control, WireClient client) throws IOException {
        var pid = client.value("SELECT pg_backend_pid()");
        control.rows("SELECT pg_terminate_backend(" + pid + ", 1000)");
    }

    private static void awaitActive(WireClient control, String pid) throws Exception {
        for (int i = 0; i < 200; i++) {
            if (control.value(
                            "SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid + " AND wait_event = 'PgSleep'")
                    .equals("1")) {
                return;
            }
            Thread.sleep(10);
        }
        throw new AssertionError("the statement does not run");
    }

    private static List<Message> rest(WireClient client) throws IOException {
        client.timeout(Duration.ofSeconds(5));
        List<Message> messages = new ArrayList<>();
        try {
            while (true) {
                messages.add(client.read());
            }
        } catch (EOFException | SocketException closed) {
            return messages;
        }
    }

    private static void assertOneFatal(List<Message> messages, String code) {
        var errors = messages.stream().filter(m -> m.type() == 'E').toList();
        assertThat(errors).as("of %s", messages).singleElement().satisfies(error -> {
            assertThat(error.field('S')).isEqualTo("FATAL");
            assertThat(error.field('C')).isEqualTo(code);
        });
        assertThat(messages).noneMatch(m -> m.type() == 'Z');
    }

    private static WireClient direct() throws IOException {
        return RunningPooler.wire(SERVER.port(), Map.of(), null);
    }
}
