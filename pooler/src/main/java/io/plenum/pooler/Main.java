package io.plenum.pooler;

import io.plenum.pooler.admin.Console;
import io.plenum.pooler.config.ConfigLoader;
import io.plenum.pooler.config.Fault;
import io.plenum.pooler.config.LoadResult;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.net.RootCause;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * The command line: {@code run FILE.ini}, {@code check FILE.ini}, and PgBouncer's own way {@code [OPTION]... FILE.ini}.
 *
 * <p>Exit codes: 0 when all went well, 1 when the configuration is wrong or the pooler cannot start, 2 when the command
 * line itself is wrong.
 */
@Command(
        name = "plenum",
        description = "Connection pooler and read/write router for PostgreSQL.",
        versionProvider = Main.Versions.class,
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class Main implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(Main.class);

    /** Set by the launcher in the place of -d: it waits for {@link #READY}, or for our end, and returns then. */
    private static final String DAEMON = "plenum.daemon";

    /** What the launcher waits for on our standard output. */
    private static final String READY = "plenum: ready";

    private static final int FAILED = CommandLine.ExitCode.SOFTWARE;
    private static final int MISUSED = CommandLine.ExitCode.USAGE;

    private final Starter starter;
    private final Map<String, String> environment;

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private final RunOptions options = new RunOptions();

    @Parameters(paramLabel = "FILE.ini", arity = "0..1", description = "The configuration; as `run FILE.ini`.")
    private @Nullable Path file;

    /** Makes a configuration into a running pooler. */
    @FunctionalInterface
    interface Starter {
        /** Returns when clients can connect, or throws an exception whose message tells the operator why they cannot. */
        PoolerControl start(PoolerConfig config) throws IOException;
    }

    /** What {@code plenum FILE.ini} and {@code plenum run FILE.ini} understand; PgBouncer's options. */
    static final class RunOptions {
        @Option(
                names = {"-v", "--verbose"},
                description = "More log; twice or three times for still more.")
        private boolean[] verbose = {};

        @Option(
                names = {"-q", "--quiet"},
                description = "No log on the standard error; see the setting logfile.")
        private boolean quiet;

        @Option(
                names = {"-u", "--user"},
                paramLabel = "USERNAME",
                description = "Run as that user. The launcher changes to it when root starts it; a Java process cannot,"
                        + " and refuses to run as another one.")
        private @Nullable String user;

        @Option(
                names = {"-R", "--reboot"},
                description = "Take over from the process that runs with the same file: it lets in nobody any more and"
                        + " ends when its clients have left. Needs unix_socket_dir.")
        private boolean reboot;

        @Option(
                names = {"-d", "--daemon"},
                description = "Run in the background; returns when clients can connect. Needs a pidfile.")
        private boolean daemon;
    }

    /** What {@code --version} says: the same as SHOW VERSION, then what we run on, as PgBouncer does. */
    static final class Versions implements IVersionProvider {
        @Override
        public String[] getVersion() {
            io.netty.util.Version netty = io.netty.util.Version.identify().get("netty-transport");
            return new String[] {
                Console.title(Version.text()),
                "java: " + System.getProperty("java.vm.name") + " " + Runtime.version(),
                "netty: " + (netty == null ? "unknown" : netty.artifactVersion()),
                "systemd: " + (Libc.isLinux() ? "yes" : "no")
            };
        }
    }

    private Main(Starter starter, Map<String, String> environment) {
        this.starter = starter;
        this.environment = environment;
    }

    public static void main(String[] arguments) {
        System.exit(commandLine(Pooler::start, System.getenv()).execute(arguments));
    }

    static CommandLine commandLine(Starter starter, Map<String, String> environment) {
        return new CommandLine(new Main(starter, environment)).setUsageHelpAutoWidth(true);
    }

    /** {@code plenum [OPTION]... FILE.ini}. */
    @Override
    public Integer call() {
        if (file == null) {
            err().println("plenum: no configuration file");
            spec().commandLine().usage(err());
            return MISUSED;
        }
        return run(file, options);
    }

    @Command(name = "run", description = "Runs the pooler until a signal or SHUTDOWN ends it.", sortOptions = false)
    int run(@Mixin RunOptions own, @Parameters(paramLabel = "FILE.ini", description = "The configuration.") Path file) {
        return run(file, own);
    }

    @Command(
            name = "check",
            description = "Shows all that is wrong or doubtful with a configuration; 1 if any is wrong.")
    int check(@Parameters(paramLabel = "FILE.ini", description = "The configuration.") Path file) {
        PrintWriter out = spec().commandLine().getOut();
        boolean good = switch (ConfigLoader.load(file, environment)) {
            case LoadResult.Refused refused -> {
                refused.faults().forEach(fault -> out.println("error: " + fault));
                out.println(file + ": " + count(refused.faults().size(), "error"));
                yield false;
            }
            case LoadResult.Loaded(PoolerConfig config) -> {
                config.warnings().forEach(warning -> out.println("warning: " + warning));
                int databases = config.databases().size() + (config.fallbackDatabase() == null ? 0 : 1);
                out.println(file + ": good, " + count(databases, "database") + ", "
                        + count(config.userList().size(), "user") + " in auth_file, "
                        + count(config.warnings().size(), "warning"));
                yield true;
            }
        };
        out.flush();
        return good ? CommandLine.ExitCode.OK : FAILED;
    }

    private static String count(int number, String noun) {
        return number + " " + noun + (number == 1 ? "" : "s");
    }

    private int run(Path file, RunOptions own) {
        if (own.daemon || options.daemon) {
            err().println("plenum: -d is not possible here: a Java process cannot go to the background by itself."
                    + " The launcher `plenum` does it, if -d stands before the file; so does systemd.");
            return MISUSED;
        }
        int verbosity = options == own ? own.verbose.length : own.verbose.length + options.verbose.length;
        boolean quiet = own.quiet || options.quiet || Boolean.getBoolean(DAEMON);
        ProcessLog.options(verbosity, quiet);
        return switch (ConfigLoader.load(file, environment)) {
            case LoadResult.Refused refused -> {
                refused.faults().forEach(fault -> err().println("plenum: " + fault));
                yield FAILED;
            }
            case LoadResult.Loaded(PoolerConfig config) -> {
                String user = own.user == null ? options.user : own.user;
                yield serve(config, user, quiet, own.reboot || options.reboot);
            }
        };
    }

    private int serve(PoolerConfig config, @Nullable String userOption, boolean quiet, boolean takesOver) {
        String wanted = userOption == null ? config.get(Settings.USER) : userOption;
        String actual = System.getProperty("user.name");
        if (!wanted.isEmpty() && !wanted.equals(actual)) {
            err().println("plenum: runs as " + actual + " but is to run as " + wanted
                    + ". A Java process cannot change its user: start it as " + wanted + ".");
            return FAILED;
        }
        if (Boolean.getBoolean(DAEMON) && config.get(Settings.PIDFILE).isEmpty()) {
            err().println("plenum: daemon needs pidfile configured");
            return FAILED;
        }
        ProcessLog.apply(config);
        logWarnings(config);
        try (PidFile _ = pidFile(config, takesOver && Takeover.from(config))) {
            ServiceManager manager = ServiceManager.of(environment);
            // In place before any client can connect, for then a signal may come; who comes too early waits for the
            // pooler.
            CompletableFuture<PoolerControl> started = new CompletableFuture<>();
            onSignals(started, manager);
            PoolerControl pooler = start(config, started);
            LOG.info("process up: {}, {}", Console.title(Version.text()), Runtime.version());
            manager.ready();
            if (Boolean.getBoolean(DAEMON)) {
                spec().commandLine().getOut().println(READY);
                spec().commandLine().getOut().flush();
            }
            pooler.awaitTermination();
            return CommandLine.ExitCode.OK;
        } catch (IOException | UncheckedIOException e) {
            String reason = reason(e);
            LOG.error("cannot start: {}", reason);
            if (quiet) {
                err().println("plenum: " + reason);
            }
            return FAILED;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return FAILED;
        } catch (RuntimeException | Error e) { // our own bug: without an exit the threads that were begun would live on
            LOG.error("cannot start", e);
            err().println("plenum: " + e);
            return FAILED;
        }
    }

    /** However it ends: a signal does not wait for a pooler that will never be. */
    private PoolerControl start(PoolerConfig config, CompletableFuture<PoolerControl> started) throws IOException {
        try {
            started.complete(starter.start(config));
            return started.join();
        } catch (IOException | RuntimeException | Error failure) {
            started.completeExceptionally(failure);
            throw failure;
        }
    }

    /** What happened and, at the bottom of it, why: an operator needs no stack for a port that is in use. */
    private static String reason(Exception e) {
        return e.getCause() == null ? String.valueOf(e.getMessage()) : e.getMessage() + ": " + RootCause.message(e);
    }

    private static @Nullable PidFile pidFile(PoolerConfig config, boolean takesOver) throws IOException {
        String name = config.get(Settings.PIDFILE);
        return name.isEmpty() ? null : PidFile.create(Path.of(name), takesOver);
    }

    /** PgBouncer's meanings, and its words in the log. */
    private void onSignals(CompletableFuture<PoolerControl> started, ServiceManager manager) {
        Signals.on("HUP", () -> {
            LOG.info("got SIGHUP, re-reading config");
            PoolerControl pooler = started.join();
            manager.reloading();
            reload(pooler);
            manager.ready();
        });
        Signals.on("TERM", () -> {
            PoolerControl pooler = started.join();
            if (pooler.isStopping()) {
                LOG.info("got SIGTERM while shutting down, fast exit");
                pooler.stopNow();
            } else {
                LOG.info("got SIGTERM, shutting down, waiting for all clients disconnect");
                manager.stopping();
                pooler.stopWhenClientsAreGone();
            }
        });
        Signals.on("INT", () -> {
            PoolerControl pooler = started.join();
            if (pooler.isStopping()) {
                LOG.info("got SIGINT while shutting down, fast exit");
                pooler.stopNow();
            } else {
                LOG.info("got SIGINT, shutting down, waiting for all servers connections to be released");
                manager.stopping();
                pooler.stopWhenServersAreFree();
            }
        });
        Signals.on("USR1", () -> {
            PoolerControl pooler = started.join();
            if (pooler.isPaused()) {
                LOG.info("got SIGUSR1, but already paused/suspended");
            } else {
                LOG.info("got SIGUSR1, pausing all activity");
                pooler.pause();
            }
        });
        Signals.on("USR2", () -> {
            PoolerControl pooler = started.join();
            if (pooler.isStopping()) {
                LOG.info("got SIGUSR2 while shutting down, ignoring");
            } else if (pooler.isPaused()) {
                LOG.info("got SIGUSR2, continuing from PAUSE");
                pooler.resume();
            } else {
                LOG.info("got SIGUSR2, but not paused/suspended");
            }
        });
        Signals.onQuit(() -> {
            LOG.info("got SIGQUIT, fast exit");
            manager.stopping();
            started.join().stopNow();
        });
    }

    /** Takes over the new configuration wholly, or, if anything in it is wrong, says so and goes on as before. */
    private void reload(PoolerControl pooler) {
        try {
            pooler.change(running -> reread(running, environment)).join();
        } catch (CompletionException failure) {
            LOG.error("event=reload_failed", failure);
        }
    }

    /** Reads the files of {@code running} again, and tells the log what is wrong with them. */
    static LoadResult reread(PoolerConfig running, Map<String, String> environment) {
        LoadResult read = ConfigLoader.reload(running, environment);
        switch (read) {
            case LoadResult.Loaded(PoolerConfig fresh) -> {
                logWarnings(fresh);
                ProcessLog.apply(fresh);
            }
            case LoadResult.Refused refused -> logRefusal(refused);
        }
        return read;
    }

    /** Why a new configuration was not taken over; the old one stays. */
    private static void logRefusal(LoadResult.Refused refused) {
        refused.faults().forEach(fault -> LOG.error("{}", fault));
        LOG.warn("config file loading failed; the configuration stays as it was");
    }

    static void logWarnings(PoolerConfig config) {
        List<Fault> warnings = config.warnings();
        warnings.forEach(warning -> LOG.warn("{}", warning));
    }

    private CommandSpec spec() {
        return Objects.requireNonNull(spec, "picocli sets it");
    }

    private PrintWriter err() {
        return spec().commandLine().getErr();
    }
}
