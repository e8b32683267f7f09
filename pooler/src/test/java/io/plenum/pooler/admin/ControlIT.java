package io.plenum.pooler.admin;

import static io.plenum.pooler.admin.AdministeredPooler.ADMIN;
import static io.plenum.pooler.admin.AdministeredPooler.NOBODY;
import static io.plenum.pooler.admin.AdministeredPooler.await;
import static io.plenum.pooler.admin.AdministeredPooler.cell;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ControlIT {
    private AdministeredPooler pooler;

    @BeforeEach
    void start(@TempDir Path directory) throws IOException {
        pooler = AdministeredPooler.start(directory, "default_pool_size = 4");
    }

    @AfterEach
    void stop() {
        pooler.close();
    }

    @Test
    void pauseAndResumeUnderLoadLoseNothing() throws Exception {
        var over = new AtomicBoolean();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor();
                WireClient console = pooler.console(ADMIN)) {
            List<Future<Integer>> clients = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                String token = "client " + i;
                clients.add(threads.submit(() -> askUntil(over, token)));
            }
            for (int round = 0; round < 5; round++) {
                Thread.sleep(100);
                assertThat(console.query("PAUSE app").getFirst().commandTag()).isEqualTo("PAUSE");
                assertThat(cell(console, "DATABASES", "app", "current_connections"))
                        .isEqualTo("0");
                assertThat(cell(console, "DATABASES", "app", "paused")).isEqualTo("1");
                assertThat(console.query("RESUME app").getFirst().commandTag()).isEqualTo("RESUME");
            }
            over.set(true);

            for (Future<Integer> client : clients) {
                assertThat(client.get()).isPositive();
            }
        }
    }

    @Test
    void whatTwoSetAtOnceIsBothInForce() throws Exception {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int round = 1; round <= 100; round++) {
                String value = Integer.toString(round);
                var one = threads.submit(() -> pooler.set("query_timeout", value));
                pooler.set("client_idle_timeout", value);
                one.get();
                PoolerConfig now = pooler.pooler().config();
                assertThat(now.get(Settings.QUERY_TIMEOUT)).isEqualTo(Duration.ofSeconds(round));
                assertThat(now.get(Settings.CLIENT_IDLE_TIMEOUT)).isEqualTo(Duration.ofSeconds(round));
            }
        }
    }

    @Test
    void whatIsSetWhileFilesAreReadAgainIsInForceAfterwards(@TempDir Path directory) throws Exception {
        Path pipe = directory.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        pooler.write("%include " + pipe); // whoever reads it waits until somebody writes
        var reload = pooler.pooler().reload().toCompletableFuture();
        var set = pooler.pooler().set("query_timeout", "7").toCompletableFuture();
        Files.writeString(pipe, "query_timeout = 5\n");
        reload.get(20, TimeUnit.SECONDS);
        set.get(20, TimeUnit.SECONDS);

        assertThat(pooler.pooler().config().get(Settings.QUERY_TIMEOUT)).isEqualTo(Duration.ofSeconds(7));
    }

    private int askUntil(AtomicBoolean over, String token) throws Exception {
        int answered = 0;
        try (Connection connection = pooler.jdbc("app", NOBODY, "");
                var statement = connection.prepareStatement("SELECT ?")) {
            while (!over.get()) {
                statement.setString(1, token);
                try (var row = statement.executeQuery()) {
                    assertThat(row.next()).isTrue();
                    assertThat(row.getString(1)).isEqualTo(token);
                    answered++;
                }
            }
        }
        return answered;
    }

    @Test
    void pauseAnswersWhenTheLastTransactionHasEnded() throws Exception {
        try (WireClient console = pooler.console(ADMIN);
                WireClient user = pooler.wire("app")) {
            user.query("BEGIN; SELECT 1");
            console.send(Frames.query("PAUSE"));
            assertThat(console.isClosedWithin(Duration.ofMillis(200))).isFalse();
            try (WireClient second = pooler.console(ADMIN)) {
                assertThat(second.rows("SHOW STATE")).contains(List.of("paused", "yes"));
                assertThat(error(second.query("PAUSE")).field('M')).isEqualTo("already paused");
            }

            assertThat(user.value("SELECT 1")).isEqualTo("1");
            user.query("COMMIT");

            assertThat(console.readUntilReady().getFirst().commandTag()).isEqualTo("PAUSE");
            user.send(Frames.query("SELECT 2"));
            await("the client waits", () -> waiting(console) == 1);
            console.query("RESUME");
            assertThat(user.readUntilReady()).hasSize(4);
        }
    }

    private static int waiting(WireClient console) {
        try {
            return Integer.parseInt(String.valueOf(cell(console, "POOLS", "app", "cl_waiting")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void cancelEndsAPauseThatWaits() throws Exception {
        try (WireClient console = pooler.console(ADMIN);
                WireClient user = pooler.wire("app");
                WireClient other = pooler.wire("app")) {
            user.query("BEGIN; SELECT 1");
            console.send(Frames.query("PAUSE app"));
            try (WireClient second = pooler.console(ADMIN)) {
                await("the pause begins", () -> isPaused(second));
            }

            console.cancel();

            assertThat(error(console.readUntilReady()).field('C')).isEqualTo("57014");
            assertThat(other.value("SELECT 1")).isEqualTo("1");
        }
    }

    private static boolean isPaused(WireClient console) {
        try {
            return "1".equals(cell(console, "DATABASES", "app", "paused"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void pauseOfAllAndOfOneAreKeptApart() throws Exception {
        try (WireClient console = pooler.console(ADMIN);
                WireClient app = pooler.wire("app");
                WireClient other = pooler.wire("other")) {
            console.query("PAUSE app");
            console.query("PAUSE");
            console.query("RESUME");

            assertThat(other.value("SELECT 1")).isEqualTo("1");
            app.send(Frames.query("SELECT 1"));
            await("the client of app waits", () -> waiting(console) == 1);
            assertThat(error(console.query("RESUME")).field('M')).isEqualTo("pooler is not paused");
            console.query("RESUME app");
            assertThat(app.readUntilReady()).hasSize(4);
        }
    }

    @Test
    void killedClientIsToldAndItsServerIsClosed() throws Exception {
        try (WireClient console = pooler.console(ADMIN);
                WireClient user = pooler.wire("other")) {
            user.query("BEGIN; SELECT 1");
            List<String> names = console.query("SHOW CLIENTS").getFirst().columnNames();
            String id = console.rows("SHOW CLIENTS").stream()
                    .filter(row -> "other".equals(row.get(names.indexOf("database"))))
                    .map(row -> String.valueOf(row.get(names.indexOf("id"))))
                    .findFirst()
                    .orElseThrow();

            assertThat(console.query("KILL_CLIENT " + id).getFirst().commandTag())
                    .isEqualTo("KILL_CLIENT");

            Message last = user.read();
            assertThat(last.field('C')).isEqualTo("57P01");
            assertThat(user.isClosedWithin(Duration.ofSeconds(5))).isTrue();
            assertThat(error(console.query("KILL_CLIENT " + id)).field('M')).isEqualTo("client not found");
        }
    }

    @Test
    void killClosesAllOfADatabaseAndHoldsThoseWhoComeBack() throws Exception {
        try (WireClient console = pooler.console(ADMIN);
                WireClient user = pooler.wire("app");
                WireClient other = pooler.wire("other")) {
            user.query("BEGIN; SELECT 1");
            other.query("BEGIN; SELECT 1");

            assertThat(console.query("KILL app").getFirst().commandTag()).isEqualTo("KILL");

            assertThat(user.read().field('C')).isEqualTo("57P01");
            assertThat(other.value("SELECT 1")).isEqualTo("1");
            assertThat(cell(console, "DATABASES", "app", "current_connections")).isEqualTo("0");
            try (WireClient back = pooler.wire("app")) {
                back.send(Frames.query("SELECT 1"));
                await("the client waits", () -> waiting(console) == 1);
                console.query("RESUME app");
                assertThat(back.readUntilReady()).hasSize(4);
            }
        }
    }

    @Test
    void killOfAllHoldsThoseWhoComeBackUntilTheirDatabaseOrAllIsResumed() throws Exception {
        try (WireClient console = pooler.console(ADMIN);
                WireClient user = pooler.wire("app");
                WireClient other = pooler.wire("other")) {
            user.query("BEGIN; SELECT 1");
            other.query("BEGIN; SELECT 1");

            console.query("KILL");

            assertThat(user.read().field('C')).isEqualTo("57P01");
            assertThat(other.read().field('C')).isEqualTo("57P01");
            assertThat(cell(console, "DATABASES", "app", "paused")).isEqualTo("1");
            assertThat(cell(console, "DATABASES", "other", "paused")).isEqualTo("1");
            console.query("RESUME app");
            assertThat(cell(console, "DATABASES", "app", "paused")).isEqualTo("0");
            assertThat(console.query("RESUME").getFirst().commandTag()).isEqualTo("RESUME");
            assertThat(cell(console, "DATABASES", "other", "paused")).isEqualTo("0");
            assertThat(error(console.query("RESUME")).field('M')).isEqualTo("pooler is not paused");
        }
    }

    @Test
    void suspendedClientsAreHeardAfterResume() throws Exception {
        try (WireClient console = pooler.console(ADMIN);
                WireClient user = pooler.wire("app");
                WireClient busy = pooler.wire("app")) {
            busy.query("BEGIN; SELECT 1");

            assertThat(console.query("SUSPEND").getFirst().commandTag()).isEqualTo("SUSPEND");

            assertThat(console.rows("SHOW STATE"))
                    .containsExactly(List.of("active", "no"), List.of("paused", "no"), List.of("suspended", "yes"));
            for (String text : List.of("SUSPEND", "PAUSE", "KILL")) {
                assertThat(error(console.query(text)).field('M')).as(text).isEqualTo("already suspended");
            }
            user.send(Frames.query("SELECT 1"));
            busy.send(Frames.query("COMMIT"));
            Thread.sleep(200);
            assertThat(user.isClosedWithin(Duration.ofMillis(100))).isFalse();
            assertThat(cell(console, "POOLS", "app", "sv_active")).isEqualTo("1");
            try (WireClient late = pooler.wire("app")) {
                late.send(Frames.query("SELECT 2"));
                assertThat(console.query("RESUME").getFirst().commandTag()).isEqualTo("RESUME");
                assertThat(late.readUntilReady()).hasSize(4);
            }
            assertThat(user.readUntilReady()).hasSize(4);
            assertThat(busy.readUntilReady().getFirst().commandTag()).isEqualTo("COMMIT");
        }
    }

    @Test
    void suspendEndsWithTheSessionThatSaidIt() throws Exception {
        try (WireClient user = pooler.wire("app")) {
            try (WireClient console = pooler.console(ADMIN)) {
                console.query("SUSPEND");
                user.send(Frames.query("SELECT 1"));
            }

            assertThat(user.readUntilReady()).hasSize(4);
        }
    }

    /** SIGUSR2 looks first whether there is anything to end. */
    @Test
    void signalEndsASuspensionToo() {
        pooler.pooler().suspend();

        assertThat(pooler.pooler().isPaused()).isTrue();
        pooler.pooler().resume();
        assertThat(pooler.pooler().isPaused()).isFalse();
        assertThat(pooler.pooler().isSuspended()).isFalse();
    }

    @Test
    void nothingIsSuspendedWhileADatabaseIsPaused() throws Exception {
        try (WireClient console = pooler.console(ADMIN)) {
            console.query("PAUSE app");

            assertThat(error(console.query("SUSPEND")).field('M')).isEqualTo("cannot suspend with paused databases");
        }
    }

    @Test
    void reconnectGivesANewBackendAndWaitCloseWaitsForTheOld() throws Exception {
        try (WireClient console = pooler.console(ADMIN);
                WireClient user = pooler.wire("other")) {
            String idle = user.value("SELECT pg_backend_pid()");
            console.query("RECONNECT other");
            assertThat(user.value("SELECT pg_backend_pid()")).isNotEqualTo(idle);

            user.query("BEGIN; SELECT 1");
            String busy = user.value("SELECT pg_backend_pid()");
            console.query("RECONNECT");
            console.send(Frames.query("WAIT_CLOSE other"));
            assertThat(user.value("SELECT pg_backend_pid()")).isEqualTo(busy);
            user.query("COMMIT");
            assertThat(console.readUntilReady().getFirst().commandTag()).isEqualTo("WAIT_CLOSE");
            assertThat(user.value("SELECT pg_backend_pid()")).isNotEqualTo(busy);
        }
    }

    @Test
    void reloadOfAWrongFileKeepsTheOldAndSaysWhy() throws Exception {
        try (WireClient console = pooler.console(ADMIN)) {
            pooler.write("query_timeout = soon", "max_client_conn = 77");

            Message refused = error(console.query("RELOAD"));

            assertThat(refused.field('C')).isEqualTo("F0000");
            assertThat(refused.field('D')).contains("query_timeout", "soon");
            assertThat(cell(console, "CONFIG", "max_client_conn", "value")).isEqualTo("100");

            pooler.write("max_client_conn = 77");
            assertThat(console.query("RELOAD").getFirst().commandTag()).isEqualTo("RELOAD");
            assertThat(cell(console, "CONFIG", "max_client_conn", "value")).isEqualTo("77");
        }
    }

    @Test
    void settingIsChangedUntilTheNextReload() throws Exception {
        try (WireClient console = pooler.console(ADMIN)) {
            assertThat(console.query("SET query_timeout = '2.5'").getFirst().commandTag())
                    .isEqualTo("SET query_timeout=2.5");
            assertThat(pooler.pooler().config().get(Settings.QUERY_TIMEOUT).toMillis())
                    .isEqualTo(2500);
            assertThat(error(console.query("SET query_timeout = soon")).field('M'))
                    .isEqualTo("SET failed");
            assertThat(error(console.query("SET query_timout = 1")).field('D')).contains("query_timeout");

            console.query("RELOAD");

            assertThat(pooler.pooler().config().get(Settings.QUERY_TIMEOUT)).isZero();
        }
    }

    /** As PgBouncer says it. */
    @Test
    void settingThatLeavesTlsAsItWasSaysSo() throws Exception {
        try (WireClient console = pooler.console(ADMIN)) {
            List<Message> answer = console.query("SET server_tls_ciphers = 'garbage'");

            assertThat(answer.getFirst().type()).isEqualTo('N');
            assertThat(answer.getFirst().field('M'))
                    .isEqualTo("TLS settings could not be applied, still using old configuration");
            assertThat(answer.getFirst().field('D')).contains("server_tls_ciphers");
            assertThat(answer.get(1).commandTag()).isEqualTo("SET server_tls_ciphers=garbage");
            assertThat(console.query("SET server_tls_ciphers = 'HIGH'")
                            .getFirst()
                            .type())
                    .isEqualTo('C');
        }
    }

    @Test
    void databaseThatIsNoneIsRefusedByEveryVerb() throws Exception {
        try (WireClient console = pooler.console(ADMIN)) {
            for (Verb verb : Verb.values()) {
                if (verb.form() == Verb.Form.DATABASE || verb.form() == Verb.Form.OPTIONAL_DATABASE) {
                    assertThat(error(console.query(verb + " nonsense")).field('M'))
                            .as(verb.name())
                            .isEqualTo("no such database: nonsense");
                    assertThat(error(console.query(verb + " plenum")).field('M'))
                            .as(verb.name())
                            .endsWith(" admin db: plenum");
                }
            }
        }
    }

    // --- the end ---------------------------------------------------------------------------------------------------

    @Test
    void drainSendsIdleClientsAwayAndLetsATransactionEnd() throws Exception {
        try (WireClient idle = pooler.wire("app");
                WireClient busy = pooler.wire("app");
                WireClient console = pooler.console(ADMIN)) {
            idle.query("SELECT 1");
            busy.query("BEGIN; SELECT 1");

            pooler.pooler().stopWhenClientsAreGone();

            assertThat(idle.read().field('C')).isEqualTo("57P01");
            assertThat(idle.isClosedWithin(Duration.ofSeconds(5))).isTrue();
            assertThat(busy.value("SELECT 42")).isEqualTo("42");
            List<Message> commit = busy.query("COMMIT");
            assertThat(commit.getFirst().commandTag()).isEqualTo("COMMIT");
            assertThat(busy.read().field('C')).isEqualTo("57P01");
            assertThat(console.read().field('C')).isEqualTo("57P01"); // the last: it may watch to the end
        }
        pooler.pooler().awaitTermination();
    }

    @Test
    void drainAcceptsClientsForAWhile() throws Exception {
        pooler.set("drain_delay", "1");
        int port = pooler.port();

        pooler.pooler().stopWhenClientsAreGone();

        try (WireClient late = pooler.wire("app")) {
            assertThat(late.value("SELECT 1")).isEqualTo("1");
            assertThat(late.read().field('C')).isEqualTo("57P01");
        }
        pooler.pooler().awaitTermination();
        assertThat(catchThrowableOfType(IOException.class, () -> WireClient.open("127.0.0.1", port)))
                .isNotNull();
    }

    /** Whoever else listens on the port takes them; here nobody does. */
    @Test
    void processThatSharesItsPortAcceptsNobodyFromTheDrainOn(@TempDir Path directory) throws Exception {
        try (var sharing = AdministeredPooler.start(directory, "so_reuseport = 1");
                WireClient busy = sharing.wire("app")) {
            sharing.set("drain_delay", "60");
            int port = sharing.port();

            sharing.pooler().stopWhenClientsAreGone();

            await("nobody listens", () -> !isListening(port));
            assertThat(busy.value("SELECT 1")).isEqualTo("1");
            sharing.pooler().stopNow();
            sharing.pooler().awaitTermination();
        }
    }

    @Test
    void secondRequestToStopEndsADrainAtOnce() throws Exception {
        try (WireClient busy = pooler.wire("app")) {
            busy.query("BEGIN; SELECT 1");
            pooler.pooler().stopWhenClientsAreGone();
            assertThat(busy.value("SELECT 1")).isEqualTo("1");

            pooler.pooler().stopNow();

            assertThat(busy.read().field('C')).isEqualTo("57P01");
            pooler.pooler().awaitTermination();
        }
    }

    @Test
    void shutdownThatWaitsForClientsSendsNobodyAway() throws Exception {
        try (WireClient user = pooler.wire("app")) {
            try (WireClient console = pooler.console(ADMIN)) {
                assertThat(console.query("SHUTDOWN WAIT_FOR_CLIENTS").getFirst().commandTag())
                        .isEqualTo("SHUTDOWN");
                int port = pooler.port();
                await("nobody new is accepted", () -> isClosed(port));
            }
            Thread.sleep(300);
            assertThat(user.value("SELECT 1")).isEqualTo("1");
        }
        pooler.pooler().awaitTermination();
    }

    private static boolean isListening(int port) {
        try (WireClient _ = WireClient.open("127.0.0.1", port)) {
            return true;
        } catch (IOException refused) {
            return false;
        }
    }

    private static boolean isClosed(int port) {
        try (WireClient client = WireClient.connect("127.0.0.1", port, "app", NOBODY, null)) {
            return false;
        } catch (IOException refused) {
            return true;
        }
    }

    @Test
    void shutdownThatWaitsForServersEndsWithTheLastTransaction() throws Exception {
        try (WireClient busy = pooler.wire("app");
                WireClient idle = pooler.wire("app")) {
            busy.query("BEGIN; SELECT 1");
            try (WireClient console = pooler.console(ADMIN)) {
                console.query("SHUTDOWN WAIT_FOR_SERVERS");
                assertThat(idle.read().field('C')).isEqualTo("57P01");
                assertThat(busy.value("SELECT 1")).isEqualTo("1");
                busy.query("COMMIT");
                pooler.pooler().awaitTermination();
            }
        }
    }

    @Test
    void sessionKeepsItsServerWhileTheEndWaitsForServers() throws Exception {
        pooler.write("pool_mode = session");
        try (WireClient console = pooler.console(ADMIN)) {
            console.query("RELOAD");
            try (WireClient session = pooler.wire("app")) {
                session.value("SELECT 1");
                console.query("SHUTDOWN WAIT_FOR_SERVERS");
                Thread.sleep(500);
                assertThat(session.value("SELECT 'still here'")).isEqualTo("still here");
            }
            pooler.pooler().awaitTermination();
        }
    }

    @Test
    void shutdownEndsAtOnce() throws Exception {
        try (WireClient busy = pooler.wire("app");
                WireClient console = pooler.console(ADMIN)) {
            busy.query("BEGIN; SELECT 1");
            console.send(Frames.query("SHUTDOWN"));

            pooler.pooler().awaitTermination();

            assertThat(busy.read().field('C')).isEqualTo("57P01");
        }
    }

    private static Message error(List<Message> messages) {
        return messages.stream()
                .filter(message -> message.type() == 'E')
                .findFirst()
                .orElseThrow();
    }
}
