package io.plenum.pooler;

import static org.assertj.core.api.Assertions.assertThat;

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

    private Process start(Map<String, String> environment) throws IOException {
        Path file = Files.writeString(folder.resolve("plenum.ini"), """
            [databases]
            app = host=127.0.0.1 port=1
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = 0
            http_listen_port = 0
            drain_delay = 0
            logfile = %1$s/log
            pidfile = %1$s/pid
            """.formatted(folder));
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
                "-q",
                file.toString()));
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
