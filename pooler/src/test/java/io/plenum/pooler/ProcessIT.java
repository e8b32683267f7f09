package io.plenum.pooler;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.admin.AdministeredPooler;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The pooler as a process of its own, started as the launcher does. */
@EnabledOnOs(OS.LINUX)
class ProcessIT {
    @TempDir
    Path folder = Path.of("");

    @Test
    void sigquitEndsTheProcessAtOnceAndLeavesNoPidFile() throws Exception {
        Process process = start(Map.of());
        try {
            awaitLine("process up: PgBouncer ");
            assertThat(folder.resolve("pid")).hasContent(Long.toString(process.pid()));

            signal(process, "QUIT");

            assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
            assertThat(folder.resolve("pid")).doesNotExist();
            assertThat(log()).contains("got SIGQUIT, fast exit");
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void systemdHearsOfStartReloadAndEnd() throws Exception {
        try (var systemd = UnixDatagrams.at(folder.resolve("notify"))) {
            Process process =
                    start(Map.of("NOTIFY_SOCKET", folder.resolve("notify").toString()));
            try {
                assertThat(systemd.next()).startsWith("READY=1\n");
                signal(process, "HUP");
                assertThat(systemd.next()).startsWith("RELOADING=1\nMONOTONIC_USEC=");
                assertThat(systemd.next()).startsWith("READY=1\n");
                signal(process, "TERM");
                assertThat(systemd.next()).startsWith("STOPPING=1\n");
                assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
                assertThat(process.exitValue()).isZero();
            } finally {
                process.destroyForcibly();
            }
        }
    }

    @Test
    void newProcessListensInThePlaceOfTheOldWhichEndsWhenItsClientsHaveLeft() throws Exception {
        int port = AdministeredPooler.freePort();
        Process old = start(Map.of(), port);
        Process next = null;
        try {
            awaitLine("process up: PgBouncer ");
            try (WireClient client = login(port)) {
                next = start(Map.of(), port, "-R");
                awaitLine("old process listens no more");
                awaitLine("[" + next.pid() + "] LOG process up: PgBouncer ");

                assertThat(client.value("SELECT 1")).isEqualTo("1");
                try (WireClient other = login(port)) {
                    assertThat(other.value("SELECT 2")).isEqualTo("2");
                }
                assertThat(old.isAlive()).isTrue();
            }
            assertThat(old.waitFor(10, TimeUnit.SECONDS)).isTrue();
            assertThat(old.exitValue()).isZero();
            assertThat(folder.resolve("pid")).hasContent(Long.toString(next.pid()));
        } finally {
            old.destroyForcibly();
            if (next != null) {
                next.destroyForcibly();
            }
        }
    }

    private static WireClient login(int port) throws IOException {
        return WireClient.connect("127.0.0.1", port, "postgres", "postgres", null);
    }

    private Process start(Map<String, String> environment) throws IOException {
        return start(environment, 0);
    }

    private Process start(Map<String, String> environment, int port, String... options) throws IOException {
        PostgresServer server = RunningPooler.sharedServer();
        Path file = Files.writeString(
                folder.resolve("plenum.ini"), """
                    [databases]
                    postgres = host=%3$s port=%4$d
                    [pgbouncer]
                    listen_addr = 127.0.0.1
                    listen_port = %2$d
                    unix_socket_dir = %1$s
                    auth_type = trust
                    http_listen_port = 0
                    drain_delay = 0
                    logfile = %1$s/log
                    pidfile = %1$s/pid
                    """.formatted(folder, port, server.host(), server.port()));
        List<String> command = new ArrayList<>(List.of("sh", "-c", "exec \"$@\" 3</dev/null", "sh"));
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:TieredStopAtLevel=1",
                "-Dplenum.quit.descriptor=3",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "-q"));
        command.addAll(List.of(options));
        command.add(file.toString());
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        builder.environment().putAll(environment);
        return builder.start();
    }

    private static void signal(Process process, String name) throws Exception {
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                .start()
                .waitFor();
    }

    private void awaitLine(String text) throws Exception {
        long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!log().contains(text) && System.nanoTime() < end) {
            Thread.sleep(20);
        }
        assertThat(log()).contains(text);
    }

    private String log() throws IOException {
        Path log = folder.resolve("log");
        return Files.exists(log) ? Files.readString(log) : "";
    }
}
