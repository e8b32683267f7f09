package io.plenum.bench.process;

import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A pooler that runs as a process of its own, listens on 127.0.0.1 and is ended with {@link #close}. */
public final class PoolerProcess implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(30);

    /** Options of this JVM that such a process has too; the cache of classes goes with what is said of one that does not fit. */
    private static final List<String> PASSED_ON = List.of("-XX:", "-Xlog:aot", "--", "-Dio.netty.");

    private final Process process;
    private final int port;
    private final Path log;

    private PoolerProcess(Process process, int port, Path log) {
        this.process = process;
        this.port = port;
        this.log = log;
    }

    /** The command that runs this build's Plenum on this JDK, less its ini file: the options of this JVM with a heap of its own. */
    public static List<String> plenum() {
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var options = ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> PASSED_ON.stream().anyMatch(option::startsWith));
        return Stream.of(
                        Stream.of(java),
                        options,
                        Stream.of(
                                "-Xmx512m",
                                "-cp",
                                System.getProperty("java.class.path"),
                                "io.plenum.pooler.Main",
                                "run"))
                .flatMap(part -> part)
                .toList();
    }

    /** The command that runs PgBouncer, less its ini file. It refuses to be root, so root has it become nobody. */
    public static List<String> pgbouncer(String program) {
        return System.getProperty("user.name").equals("root") ? List.of(program, "-u", "nobody") : List.of(program);
    }

    /** Where a process that reads this ini file writes what it has to say. */
    public static Path logOf(Path ini) {
        return ini.resolveSibling(ini.getFileName() + ".log");
    }

    /** A port of 127.0.0.1 on which nothing listens now. */
    public static int freePort() {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new BenchException("no free port", e);
        }
    }

    /**
     * Starts it; returns when this user can log in to this database without a password.
     *
     * @param command words, to which the ini file is added
     * @param port where the ini file says that it listens
     */
    public static PoolerProcess start(List<String> command, Path ini, int port, String database, String user) {
        var words = new ArrayList<>(command);
        words.add(ini.toString());
        var log = logOf(ini);
        try {
            var process = new ProcessBuilder(words)
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            var pooler = new PoolerProcess(process, port, log);
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
            pooler.awaitLogin(database, user);
            return pooler;
        } catch (IOException e) {
            throw new BenchException("cannot start " + String.join(" ", words), e);
        }
    }

    private void awaitLogin(String database, String user) {
        long deadline = System.nanoTime() + START.toNanos();
        while (true) {
            try (var _ = WireClient.connect("127.0.0.1", port, database, user, null)) {
                return;
            } catch (IOException e) {
                if (!process.isAlive() || System.nanoTime() > deadline) {
                    process.destroyForcibly();
                    throw new BenchException("no login as %s to %s on port %d (%s); its log:%n%s"
                            .formatted(user, database, port, e, log()));
                }
                pause(Duration.ofMillis(50));
            }
        }
    }

    public int port() {
        return port;
    }

    public long pid() {
        return process.pid();
    }

    public ProcessUsage usage() {
        return ProcessUsage.of(pid());
    }

    /** What it has written so far. */
    public String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(5, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException _) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private static void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        }
    }
}
