package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.functionCall;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What FunctionCall leaves in a session is the client's own, and no one else's. */
@ExtendWith(LeakWatch.class)
class CalledFunctionIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    @Test
    void numbersAreThoseOfTheServer() throws Exception {
        try (var direct = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
            for (var function :
                    direct.rows("SELECT oid, proname FROM pg_proc WHERE pronamespace = 11 AND oid < 16384")) {
                int number = Integer.parseInt(String.valueOf(function.getFirst()));
                String name = String.valueOf(function.getLast());
                String reason = CalledFunction.reason(number).label();
                String wanted = switch (name) {
                    case "nextval", "currval", "setval", "lastval" -> "sequence";
                    case "setseed" -> "session_state";
                    case "set_config" -> "session_doubt";
                    default ->
                        name.matches("pg_(try_)?advisory_(un)?lock(_shared|_all)?") ? "session_lock" : "function_call";
                };
                assertThat(reason).as(name).isEqualTo(wanted);
            }
        }
    }

    @Test
    void lockKeepsItsServerUntilItIsGivenBack() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2", "admin_users = postgres");
                var client = pooler.wire();
                var stranger = pooler.wire()) {
            call(client, 2880, "90210"); // pg_advisory_lock

            assertThat(pins(pooler)).containsExactly("session_lock");
            assertThat(stranger.value("SELECT pg_try_advisory_lock(90210)")).isEqualTo("f");

            call(client, 2884, "90210"); // pg_advisory_unlock

            assertThat(client.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))
                    .isEqualTo("0");
            long deadline = System.nanoTime() + Duration.ofSeconds(5).toNanos();
            while (!pins(pooler).isEmpty()) {
                assertThat(System.nanoTime()).as("the pin ends in time").isLessThan(deadline);
                Thread.sleep(20);
            }
        }
    }

    @Test
    void settingStaysWithWhoSetIt() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2", "admin_users = postgres");
                var client = pooler.wire();
                var stranger = pooler.wire()) {
            call(client, 2078, "work_mem", "7MB", "f"); // set_config

            stranger.rows("BEGIN; SELECT 1"); // would take the server that was used last
            assertThat(stranger.value("SHOW work_mem")).isEqualTo("4MB");
            assertThat(client.value("SHOW work_mem")).isEqualTo("7MB");
        }
    }

    @Test
    void whatWasDrawnIsKeptWhereTheSettingSaysSo() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2", "sequence_memory = session");
                var client = pooler.wire();
                var stranger = pooler.wire()) {
            client.rows("CREATE SEQUENCE IF NOT EXISTS called_sequence");
            stranger.rows("BEGIN; SELECT 1");
            call(client, 1574, "called_sequence"); // nextval
            stranger.rows("COMMIT; BEGIN; SELECT 1"); // would take the server that was used last

            assertThat(client.value("SELECT currval('called_sequence') > 0")).isEqualTo("t");
        }
    }

    @Test
    void whatAClientNotifiesItselfItHearsBeforeItsAnswerEnds() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2");
                var client = pooler.wire()) {
            client.rows("LISTEN called");
            for (int i = 0; i < 20; i++) {
                client.send(functionCall(3036, "called", "x")); // pg_notify
                assertThat(client.readUntilReady().stream().map(Message::type)).containsExactly('V', 'A', 'Z');
            }
        }
    }

    private static void call(WireClient client, int function, String... arguments) throws IOException {
        client.send(functionCall(function, arguments));
        assertThat(client.readUntilReady()).noneMatch(message -> message.type() == 'E');
    }

    private static List<String> pins(RunningPooler pooler) throws IOException {
        try (var console = pooler.wire(Map.of("database", "pgbouncer"))) {
            return console.rows("SHOW PINS").stream()
                    .map(row -> String.valueOf(row.get(2)))
                    .toList();
        }
    }
}
