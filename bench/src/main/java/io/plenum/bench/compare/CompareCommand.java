package io.plenum.bench.compare;

import io.plenum.bench.process.BenchException;
import io.plenum.bench.process.Command;
import io.plenum.bench.process.PoolerProcess;
import io.plenum.testbed.PostgresCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code plenum bench compare}. */
@CommandLine.Command(
        name = "compare",
        description = {
            "Runs pgbench against PgBouncer and Plenum in turns, over a PostgreSQL of its own, and compares inside"
                    + " each round.",
            "Ratios are Plenum's figure divided by PgBouncer's: small is good for CPU and latency, large for TPS."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class CompareCommand implements Callable<Integer> {
    private static final Path POSTGRES_VERSIONS = Path.of("/usr/lib/postgresql");
    private static final String POSTGRES_HOME = "plenum.postgres.home";

    @Option(
            names = "--pgbouncer",
            paramLabel = "PATH",
            defaultValue = "pgbouncer",
            description = "The PgBouncer to compare with (default: the one on the PATH).")
    private String pgbouncer = "pgbouncer";

    @Option(
            names = "--plenum",
            paramLabel = "COMMAND",
            description =
                    "Compare this pooler instead of the Plenum of this build; an ini file is added to the command.")
    private @Nullable String plenum;

    @Option(
            names = "--workloads",
            split = ",",
            paramLabel = "NAME",
            description = "Of ${COMPLETION-CANDIDATES} (default: all).")
    private List<Workload> workloads = List.of(Workload.values());

    @Option(names = "--rounds", defaultValue = "3", description = "Turns of each rival (default: ${DEFAULT-VALUE}).")
    private int rounds = 3;

    @Option(names = "--seconds", defaultValue = "10", description = "Length of a turn (default: ${DEFAULT-VALUE}).")
    private int seconds = 10;

    @Option(
            names = "--warm-up",
            defaultValue = "20",
            description = "Seconds that Plenum runs each workload before the first round (default: ${DEFAULT-VALUE}).")
    private int warmSeconds = 20;

    @Option(names = "--clients", defaultValue = "32", description = "Clients of pgbench (default: ${DEFAULT-VALUE}).")
    private int clients = 32;

    @Option(
            names = "--pool",
            defaultValue = "10",
            description = "Server connections of each pooler (default: ${DEFAULT-VALUE}).")
    private int poolSize = 10;

    @Option(
            names = "--transport",
            split = ",",
            paramLabel = "NAME",
            defaultValue = "auto",
            description =
                    "Of auto, io_uring, epoll, nio; several run as rivals of each other (default: ${DEFAULT-VALUE}).")
    private List<String> transports = List.of("auto");

    @Option(
            names = "--event-loops",
            defaultValue = "1",
            description = "Plenum's event loops; PgBouncer has one thread (default: ${DEFAULT-VALUE}).")
    private int eventLoops = 1;

    @Option(names = "--direct", description = "Add PostgreSQL without a pooler.")
    private boolean direct;

    @Option(
            names = "--syscalls",
            description = "Count system calls per transaction in a short run of its own (needs strace).")
    private boolean countSystemCalls;

    @Option(
            names = "--idle-clients",
            paramLabel = "N",
            defaultValue = "0",
            description = "Also hold so many idle clients and weigh them.")
    private int idleClients;

    @Option(names = "--write", description = "Write docs/performance.md.")
    private boolean write;

    @Spec
    private CommandLine.Model.@Nullable CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        var pgbench = Command.onPath("pgbench")
                .or(() -> installedPostgres()
                        .map(home -> home.resolve("bin/pgbench"))
                        .filter(Files::isExecutable))
                .orElseThrow(() -> usage("pgbench is not on the PATH: install PostgreSQL's client programs"));
        var pgbouncerProgram = findPgbouncer();
        if (countSystemCalls && !SystemCalls.canBeCounted()) {
            throw usage("--syscalls needs strace on the PATH");
        }
        useInstalledPostgres();
        var directory = Files.createTempDirectory(
                "plenum-compare", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        Consumer<String> progress = System.out::println;
        try (var cluster = PostgresCluster.builder()
                        .setting("shared_buffers", "256MB")
                        .setting("wal_level", "replica")
                        .setting("autovacuum", "off") // it would run in one rival's turn
                        .start();
                var comparison = new Comparison(directory, cluster.primary(), pgbench, clients, poolSize, progress)) {
            if (direct) {
                comparison.addDirect();
            }
            comparison.addPgbouncer(PoolerProcess.pgbouncer(pgbouncerProgram));
            addPlenum(comparison);
            Map<String, IdleClients> idle = idleClients > 0 ? comparison.measureIdleClients(idleClients) : Map.of();
            var results = new Results(Comparison.PGBOUNCER);
            comparison.run(workloads, rounds, seconds, warmSeconds, results);
            var report = new Report(
                    results,
                    comparison.rivals().stream().map(Rival::name).toList(),
                    countSystemCalls ? comparison.countSystemCalls(workloads) : Map.of(),
                    idle);
            var version = Command.run(directory, Duration.ofSeconds(10), List.of(pgbouncerProgram, "--version"))
                    .lines()
                    .findFirst()
                    .orElse("PgBouncer");
            publish(report, version, "PostgreSQL " + cluster.primary().query("SHOW server_version"));
        } finally {
            deleteAll(directory);
        }
        return 0;
    }

    private void addPlenum(Comparison comparison) {
        if (plenum != null) {
            comparison.addPlenum("plenum", List.of(plenum.split(" ")), List.of());
            return;
        }
        for (var transport : transports) {
            comparison.addPlenum(
                    transports.size() == 1 ? "plenum" : "plenum-" + transport,
                    PoolerProcess.plenum(),
                    List.of("transport = " + transport, "event_loops = " + eventLoops, "http_listen_port = 0"));
        }
    }

    private void publish(Report report, String pgbouncerVersion, String postgresVersion) throws IOException {
        var page = page(report, pgbouncerVersion, postgresVersion);
        System.out.println();
        page.forEach(System.out::println);
        if (write) {
            // The launcher says where the checkout is; without it, it is where one stands.
            var file = Path.of(System.getProperty("plenum.home", ""), "docs", "performance.md");
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.writeString(file, "# Performance\n\n" + String.join("\n", page) + "\n");
            System.out.println("written: " + file);
        }
        System.out.println();
        System.out.println(report.machineLine());
    }

    private List<String> page(Report report, String pgbouncerVersion, String postgresVersion) {
        List<String> page = new ArrayList<>(List.of(
                "Plenum beside PgBouncer, the same load in turns. × is the ratio to PgBouncer inside one round, median"
                    + " of the rounds (lowest–highest): small is good for CPU and latency, large for TPS. CPU is user"
                    + " and system time of the pooler's process per transaction, RSS its memory at the end of a run.",
                "",
                "%s, %s, JDK %s, %s; %s; %s."
                        .formatted(
                                pgbouncerVersion,
                                postgresVersion,
                                Runtime.version().feature(),
                                plenumDescription(),
                                machine(),
                                LocalDate.now(ZoneOffset.UTC)),
                "Transaction mode, %d server connections, %d clients, %d rounds of %d s, everything on one machine over loopback."
                        .formatted(poolSize, clients, rounds, seconds),
                "",
                "The machine's processors were idle %.0f %% of the time; %.0f %% was stolen by other guests (medians)."
                        .formatted(100 * report.idleShare(), 100 * report.stealShare()),
                "",
                "Again: `./plenum %s`".formatted(String.join(" ", arguments())),
                ""));
        page.addAll(report.medians());
        addSection(page, "System calls per transaction, by name:", report.systemCallNames());
        addSection(page, "Memory:", report.idleClientCosts());
        addSection(
                page,
                "Workloads:",
                workloads.stream()
                        .map(workload -> "- %s: %s".formatted(workload.label(), workload.description()))
                        .toList());
        return page;
    }

    private static void addSection(List<String> page, String title, List<String> lines) {
        if (!lines.isEmpty()) {
            page.addAll(List.of("", title, ""));
            page.addAll(lines);
        }
    }

    private String plenumDescription() {
        return "Plenum with transport %s and %d event loop%s"
                .formatted(String.join(", ", transports), eventLoops, eventLoops == 1 ? "" : "s");
    }

    /** The command line as typed, less paths that mean something only here. */
    private List<String> arguments() {
        if (spec == null) {
            return List.of();
        }
        var typed = spec.commandLine().getParseResult().originalArgs();
        return typed.stream()
                .map(word -> word.contains("/") ? word.replaceFirst("[^= ]*/[^ ]*", "PATH") : word)
                .toList();
    }

    private static String machine() {
        try {
            var model =
                    Pattern.compile("(?m)^model name\\s*: (.*)$").matcher(Files.readString(Path.of("/proc/cpuinfo")));
            return "%d × %s, Linux %s"
                    .formatted(
                            Runtime.getRuntime().availableProcessors(),
                            model.find() ? model.group(1) : System.getProperty("os.arch"),
                            System.getProperty("os.version"));
        } catch (IOException e) {
            throw new BenchException("cannot read /proc/cpuinfo", e);
        }
    }

    private String findPgbouncer() {
        if (Files.isExecutable(Path.of(pgbouncer))) {
            return pgbouncer;
        }
        return Command.onPath(pgbouncer)
                .map(Path::toString)
                .orElseThrow(() -> usage("PgBouncer is not there (" + pgbouncer + "): name it with --pgbouncer PATH"));
    }

    /** The newest server that the system has, as pgbench comes with it; the packed binaries where there is none. */
    private static void useInstalledPostgres() {
        if (System.getProperty(POSTGRES_HOME) == null) {
            installedPostgres().ifPresent(home -> System.setProperty(POSTGRES_HOME, home.toString()));
        }
    }

    private static Optional<Path> installedPostgres() {
        if (!Files.isDirectory(POSTGRES_VERSIONS)) {
            return Optional.empty();
        }
        try (Stream<Path> versions = Files.list(POSTGRES_VERSIONS)) {
            return versions.filter(version -> version.getFileName().toString().matches("\\d+"))
                    .filter(version -> Files.isExecutable(version.resolve("bin/postgres")))
                    .max(Comparator.comparingInt(
                            version -> Integer.parseInt(version.getFileName().toString())));
        } catch (IOException e) {
            throw new BenchException("cannot list " + POSTGRES_VERSIONS, e);
        }
    }

    private ParameterException usage(String message) {
        if (spec == null) {
            throw new BenchException(message);
        }
        return new ParameterException(spec.commandLine(), message);
    }

    private static void deleteAll(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
