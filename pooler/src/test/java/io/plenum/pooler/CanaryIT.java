package io.plenum.pooler;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.admin.AdministeredPooler;
import io.plenum.pooler.admin.ConsoleFuzz;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.ServerErrorException;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Passwords, secrets, values and literals that stand nowhere else in the world go through a pooler that logs all it can; then all
 * that it lets anybody see is searched for them, and at the end its memory.
 */
@EnabledOnOs(OS.LINUX)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CanaryIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    /** What may be in memory when whoever said it is gone; docs/logins.md says why. */
    private static final List<String> KEPT = List.of("named statement", "startup option");

    private final Map<String, String> canaries = new LinkedHashMap<>();
    private final StringBuilder seen = new StringBuilder();
    private final StringBuilder heardByOthers = new StringBuilder();
    private Path folder = Path.of("");
    private int port;
    private int httpPort;
    private @Nullable Process process;

    /** A text that nothing else holds. */
    private String canary(String name) {
        return canaries.computeIfAbsent(
                name, _ -> "Canary" + UUID.randomUUID().toString().replace("-", ""));
    }

    @BeforeAll
    void talk(@TempDir Path folder) throws Exception {
        this.folder = folder;
        SERVER.node()
                .execute(
                        "DROP ROLE IF EXISTS canary_user",
                        "CREATE ROLE canary_user LOGIN PASSWORD '" + canary("password") + "'");
        String secret = Objects.requireNonNull(
                SERVER.node().query("SELECT rolpassword FROM pg_authid WHERE rolname = 'canary_user'"));
        canaries.put("stored key", secret.substring(secret.lastIndexOf('$') + 1, secret.lastIndexOf(':')));
        canaries.put("server key", secret.substring(secret.lastIndexOf(':') + 1));
        port = AdministeredPooler.freePort();
        httpPort = AdministeredPooler.freePort();
        process = start();
        try (var console = console();
                var bystander = connect("scram_user", "scram_user", Map.of())) {
            wrongLogins();
            try (var client = connect("canary_user", canary("password"), Map.of())) {
                say(client);
                ask(bystander);
                look(console);
            }
            dieInTheMidst();
            ask(bystander);
            look(console);
            page("/metrics");
            page("/");
            console.query("KILL app");
        }
        awaitNobody();
    }

    @AfterAll
    void end() throws Exception {
        Process running = process;
        if (running != null) {
            running.destroyForcibly().waitFor();
        }
    }

    @Test
    void noneIsInTheLog() throws IOException {
        String log = Files.readString(folder.resolve("log")) + Files.readString(folder.resolve("stderr"));

        assertThat(log).contains("canary_user", "pooler error", "closing because"); // it does say what happened
        assertNone("the log", log);
    }

    @Test
    void noneIsOnTheConsoleOrItsPages() {
        assertThat(seen.toString()).contains("canary_user", "sql_prepare", "plenum_");
        assertNone("console and pages", seen.toString());
    }

    @Test
    void noneIsToldToAnybodyElse() {
        assertThat(heardByOthers.toString()).contains("division by zero");
        assertNone("what others heard", heardByOthers.toString());
    }

    @Test
    void noneIsInMemoryWhenClientsAndServersAreGone() throws Exception {
        List<String> found = inMemory(0);
        for (int i = 1; i < 5 && !found.isEmpty(); i++) {
            Thread.sleep(1_000); // what is to be forgotten a second after the end of a connection holds on to it
            found = inMemory(i);
        }
        assertThat(found).isEmpty();
    }

    private List<String> inMemory(int dumps) throws Exception {
        Path dump = folder.resolve("heap" + dumps);
        run(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                Long.toString(Objects.requireNonNull(process).pid()),
                "GC.heap_dump",
                dump.toString());
        byte[] heap = Files.readAllBytes(dump);

        assertThat(holds(heap, "canary_user")).as("the dump can be searched").isTrue();
        List<String> found = new ArrayList<>();
        canaries.forEach((name, text) -> {
            if (!KEPT.contains(name) && holds(heap, text)) {
                found.add(name);
            }
        });
        return found;
    }

    private void assertNone(String where, String text) {
        canaries.forEach((name, canary) -> {
            int at = text.indexOf(canary);
            assertThat(at < 0 ? "" : text.substring(Math.max(0, at - 300), at))
                    .as("%s in %s, behind", name, where)
                    .isEmpty();
        });
    }

    /** As Java keeps text: a byte for each character, or two. */
    private static boolean holds(byte[] heap, String text) {
        for (Charset charset :
                List.of(StandardCharsets.US_ASCII, StandardCharsets.UTF_16LE, StandardCharsets.UTF_16BE)) {
            byte[] wanted = text.getBytes(charset);
            for (int at = 0; at <= heap.length - wanted.length; at++) {
                int same = 0;
                while (same < wanted.length && heap[at + same] == wanted[same]) {
                    same++;
                }
                if (same == wanted.length) {
                    return true;
                }
            }
        }
        return false;
    }

    // --- the conversation ------------------------------------------------------------------------------------------

    private void wrongLogins() throws IOException {
        refused("canary_user", canary("wrong password"), Map.of());
        refused("nobody_at_all", canary("wrong password"), Map.of());
        refused("canary_user", canary("password"), Map.of("options", "-c work_mem=" + canary("refused option")));
        refused("canary_user", canary("password"), Map.of("options", canary("malformed option")));
        refused("canary_user", canary("password"), Map.of("options", "-c TimeZone=" + canary("refused option")));
        connect("canary_user", canary("password"), Map.of("options", "-c app.start=" + canary("startup option")))
                .close();
    }

    private void refused(String user, String password, Map<String, String> more) throws IOException {
        try (var client = connect(user, password, more)) {
            throw new AssertionError("let in as " + client.value("SELECT session_user"));
        } catch (ServerErrorException refused) {
            assertThat(refused.sqlState()).isNotEmpty();
        }
    }

    /** Everything that a client can say, with a canary wherever there is room for one. */
    private void say(WireClient client) throws IOException {
        String literal = canary("literal");
        String bound = canary("bind value");
        client.query("CREATE TEMPORARY TABLE kept AS SELECT '" + literal + "'::text AS v, 7 AS id");
        client.query("PREPARE pinning AS SELECT '" + literal + "' -- " + literal);
        client.query("ALTER TABLE kept ADD UNIQUE (v)");
        client.query("INSERT INTO kept VALUES ('" + literal + "')"); // is there already
        client.query("SELEC '" + literal + "'");
        client.query("SELECT '" + literal + "'::int");
        client.query("SELECT $$" + literal + "$$, E'\\'" + literal + "'");
        client.query("SELECT '" + "x".repeat(100_000) + literal + "'");
        client.query("SET app.token = '" + canary("setting") + "'");
        client.query("SET work_mem = '" + canary("refused setting") + "'");
        client.query("SELECT set_config('app.other', '" + canary("setting") + "', false)");
        client.query("ALTER ROLE canary_user PASSWORD '" + canary("password") + "'");
        client.query("DO $$BEGIN RAISE NOTICE '" + literal + "'; RAISE EXCEPTION '" + literal + "'; END$$");
        client.query("LISTEN birds; NOTIFY birds, '" + canary("payload") + "'");
        client.send(
                Frames.parse("", "INSERT INTO kept VALUES ($1)"),
                Frames.bind("", "", bound),
                Frames.execute("", 0),
                Frames.bind("", "", bound),
                Frames.execute("", 0),
                Frames.sync());
        client.readUntilReady();
        client.send(
                Frames.parse("named", "SELECT '" + canary("named statement") + "', $1::int"),
                Frames.bind("", "named", bound), // is no number
                Frames.execute("", 0),
                Frames.sync());
        client.readUntilReady();
        client.send(Frames.query("COPY kept (v) FROM STDIN"));
        client.readUntil('G');
        client.send(
                Frames.copyData((canary("copied") + "\t" + canary("copied") + "\n").getBytes(StandardCharsets.UTF_8)));
        client.send(Frames.copyFail(canary("copy failure")));
        client.readUntilReady();
        client.send(Frames.functionCall(870, canary("argument")));
        client.readUntilReady();
    }

    /** Clients who end badly, each with a canary in hand. */
    private void dieInTheMidst() throws Exception {
        try (var client = connect("canary_user", canary("password"), Map.of())) {
            byte[] query = Frames.query("SELECT '" + canary("half a message") + "'");
            client.sendPart(query, 0, query.length - 3);
            client.kill();
        }
        try (var client = connect("canary_user", canary("password"), Map.of())) {
            client.send(Frames.frame('y', canary("no message").getBytes(StandardCharsets.UTF_8)));
            client.isClosedWithin(Duration.ofSeconds(5));
        }
        try (var client = connect("canary_user", canary("password"), Map.of())) {
            String pid = client.value("SELECT pg_backend_pid()");
            client.send(Frames.query("BEGIN; SELECT pg_sleep(20), '" + canary("killed statement") + "'"));
            Thread.sleep(100);
            SERVER.node().execute("SELECT pg_terminate_backend(" + pid + ")");
            client.isClosedWithin(Duration.ofSeconds(5));
        }
    }

    /** Another client of the same pools: what it hears is its own. */
    private void ask(WireClient bystander) throws IOException {
        for (String sql :
                List.of("SELECT 1/0", "SELEC", "SHOW app.token", "EXECUTE pinning", "SELECT * FROM kept", "SELECT 1")) {
            for (Message message : bystander.query(sql)) {
                heardByOthers
                        .append(new String(message.body(), StandardCharsets.UTF_8))
                        .append('\n');
            }
        }
    }

    private void look(WireClient console) throws IOException {
        for (String word : ConsoleFuzz.words()) {
            seen.append(word).append('\n');
            for (Message message : console.query("SHOW " + word)) {
                seen.append(new String(message.body(), StandardCharsets.UTF_8)).append('\n');
            }
        }
        // what somebody mistypes is told to nobody but him
        console.query("SHOW " + canary("mistyped command"));
        console.query("SET auth_query = '" + canary("mistyped command") + "' no");
        console.query("EXPLAIN ROUTE FOR app SELECT '" + canary("explained") + "'");
    }

    private void page(String path) throws Exception {
        try (var http = HttpClient.newHttpClient()) {
            var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + path))
                    .build();
            seen.append(http.send(request, HttpResponse.BodyHandlers.ofString()).body());
        }
    }

    // --- the process -----------------------------------------------------------------------------------------------

    private Process start() throws Exception {
        Files.writeString(folder.resolve("userlist.txt"), "\"postgres\" \"\"\n\"warden\" \"warden\"\n");
        Path ini = Files.writeString(
                folder.resolve("plenum.ini"), """
                    [databases]
                    app = host=%1$s port=%2$d
                    control = host=%1$s port=%2$d dbname=postgres
                    [pgbouncer]
                    listen_addr = 127.0.0.1
                    listen_port = %3$d
                    http_listen_addr = 127.0.0.1
                    http_listen_port = %4$d
                    auth_type = scram-sha-256
                    auth_file = %5$s/userlist.txt
                    auth_user = postgres
                    admin_users = warden
                    logfile = %5$s/log
                    verbose = 3
                    log_stats = 1
                    stats_period = 1
                    unix_socket_dir =
                    """.formatted(SERVER.host(), SERVER.port(), port, httpPort, folder));
        Process started = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx128m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "-v",
                        "-v",
                        "-v",
                        ini.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("stderr").toFile())
                .start();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
        while (System.nanoTime() < end) {
            try {
                WireClient.open("127.0.0.1", port).close();
                return started;
            } catch (IOException notYet) {
                Thread.sleep(50);
            }
        }
        throw new AssertionError("it does not start: " + Files.readString(folder.resolve("stderr")));
    }

    private WireClient console() throws IOException {
        return WireClient.connect("127.0.0.1", port, "pgbouncer", "warden", "warden");
    }

    private WireClient connect(String user, String password, Map<String, String> more) throws IOException {
        Map<String, String> startup = new LinkedHashMap<>(Map.of("user", user, "database", "app"));
        startup.putAll(more);
        return WireClient.connect("127.0.0.1", port, startup, password);
    }

    /** Until the console has no client and no server to show. */
    private void awaitNobody() throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        try (var console = console()) {
            while (System.nanoTime() < end) {
                if (console.rows("SHOW SERVERS").isEmpty()
                        && console.rows("SHOW CLIENTS").size() <= 1) {
                    return;
                }
                Thread.sleep(50);
            }
            throw new AssertionError(console.rows("SHOW SERVERS") + "\n" + console.rows("SHOW CLIENTS"));
        }
    }

    private static void run(String... command) throws Exception {
        Process ran = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertThat(ran.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(ran.exitValue()).isZero();
    }
}
