package io.plenum.pooler.client;

import static io.plenum.testbed.Frames.query;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Every limit of time ends the client with the SQLSTATE of its cause and a text that begins with the setting's name. */
@ExtendWith(LeakWatch.class)
class TimeLimitsIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    @Test
    void queryWaitTimeout() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "query_wait_timeout = 1");
                var holder = pooler.wire();
                var waiter = pooler.wire()) {
            holder.rows("BEGIN; SELECT 1");
            waiter.send(query("SELECT 1"), query("SELECT 2"));

            assertFatal(waiter, "53300", "query_wait_timeout");
            assertThat(holder.value("SELECT 'unharmed'")).isEqualTo("unharmed");
        }
    }

    @Test
    void queryTimeoutEndsTheStatementOnTheServerToo() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "query_timeout = 1");
                var client = pooler.wire();
                var control = direct()) {
            client.send(query("SELECT pg_sleep(33)"));

            assertFatal(client, "57014", "query_timeout");
            awaitNone(
                    control,
                    "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(33)'"
                            + " AND state = 'active'");
        }
    }

    @Test
    void queryTimeoutDoesNotCountAnIdleTransaction() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "query_timeout = 1");
                var client = pooler.wire()) {
            client.rows("BEGIN");
            Thread.sleep(1_500);
            assertThat(client.value("SELECT 'still here'")).isEqualTo("still here");
        }
    }

    @Test
    void idleTransactionTimeoutFreesTheServer() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "idle_transaction_timeout = 1");
                var sleeper = pooler.wire();
                var next = pooler.wire()) {
            sleeper.rows("BEGIN; SELECT 1");
            next.send(query("SELECT 'served'"));

            assertFatal(sleeper, "25P03", "idle_transaction_timeout");
            assertThat(next.readUntilReady())
                    .anySatisfy(m -> assertThat(m.text()).contains("served"));
        }
    }

    @Test
    void transactionTimeoutEndsWhatRuns() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "transaction_timeout = 1");
                var client = pooler.wire();
                var control = direct()) {
            client.rows("BEGIN");
            client.send(query("SELECT pg_sleep(34)"));

            assertFatal(client, "25P04", "transaction_timeout");
            awaitNone(
                    control,
                    "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(34)'"
                            + " AND state = 'active'");
        }
    }

    @Test
    void clientIdleTimeout() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "client_idle_timeout = 1");
                var client = pooler.wire()) {
            client.rows("SELECT 1");

            assertFatal(client, "57P05", "client_idle_timeout");
        }
    }

    @Test
    void clientLoginTimeout() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "client_login_timeout = 1");
                var client = pooler.open()) {
            assertFatal(client, "08P01", "client_login_timeout");
        }
    }

    @Test
    void maxClientConn() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "max_client_conn = 1");
                var first = pooler.wire();
                var second = pooler.open()) {
            second.send(io.plenum.testbed.Frames.startup(
                    io.plenum.testbed.Frames.PROTOCOL_3_0, Map.of("user", "postgres", "database", "app")));

            assertFatal(second, "53300", "max_client_conn");
            assertThat(first.value("SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void placeOfAClientThatLeftIsFreeAgain() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "max_client_conn = 1")) {
            for (int i = 0; i < 20; i++) {
                try (var client = connectWithin(pooler, Duration.ofSeconds(2))) {
                    assertThat(client.value("SELECT " + i)).isEqualTo(Integer.toString(i));
                }
            }
        }
    }

    private static WireClient connectWithin(RunningPooler pooler, Duration time) throws Exception {
        long end = System.nanoTime() + time.toNanos();
        while (true) {
            try {
                return pooler.wire();
            } catch (IOException refused) {
                if (System.nanoTime() > end) {
                    throw refused;
                }
                Thread.sleep(10);
            }
        }
    }

    private static void assertFatal(WireClient client, String code, String setting) throws IOException {
        client.timeout(Duration.ofSeconds(5));
        var errors = new ArrayList<Message>();
        try {
            while (true) {
                var message = client.read();
                if (message.type() == 'E') {
                    errors.add(message);
                }
            }
        } catch (EOFException | SocketException closed) {
            // as it should
        }
        assertThat(errors).hasSize(1);
        var error = errors.getFirst();
        assertThat(error.field('S')).isEqualTo("FATAL");
        assertThat(error.field('C')).isEqualTo(code);
        assertThat(error.field('M')).startsWith(setting);
    }

    private static void awaitNone(WireClient control, String count) throws Exception {
        for (int i = 0; i < 200; i++) {
            if (control.value(count).equals("0")) {
                return;
            }
            Thread.sleep(10);
        }
        assertThat(control.value(count)).isEqualTo("0");
    }

    private static WireClient direct() throws IOException {
        return RunningPooler.wire(SERVER.port(), Map.of(), null);
    }
}
