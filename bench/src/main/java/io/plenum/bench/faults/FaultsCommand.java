package io.plenum.bench.faults;

import io.plenum.bench.rig.RigOptions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code plenum bench faults}. */
@CommandLine.Command(
        name = "faults",
        description = {
            "Many clients over few server connections, every reply checked, while servers and clients are killed,",
            "queries cancelled and queries run out of time; and every session's state, which must stay its own.",
            "Ends with 1 when anything was not in order."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class FaultsCommand implements Callable<Integer> {
    @Option(names = "--clients", defaultValue = "1000", description = "At once (default: ${DEFAULT-VALUE}).")
    private int clients = 1_000;

    @Option(names = "--pool", defaultValue = "8", description = "Server connections (default: ${DEFAULT-VALUE}).")
    private int poolSize = 8;

    @Option(names = "--seconds", defaultValue = "60", description = "Length (default: ${DEFAULT-VALUE}).")
    private int seconds = 60;

    @Option(
            names = "--replies",
            defaultValue = "0",
            description = "Goes on until so many are judged (default: ${DEFAULT-VALUE}).")
    private long replies;

    @Option(
            names = "--fault-every-ms",
            defaultValue = "200",
            description = "From one fault to the next (default: ${DEFAULT-VALUE}).")
    private int faultEveryMillis = 200;

    @Option(
            names = "--query-timeout",
            paramLabel = "SECONDS",
            defaultValue = "0",
            description = {
                "The pooler's query_timeout, to be exceeded at times (0: the server's statement_timeout ends such"
                        + " queries).",
                "Must be longer than any other query takes on this machine."
            })
    private int queryTimeout;

    @Option(
            names = "--no-session-state",
            description = {
                "Leave out the sessions' own settings, temporary tables, PREPARE, advisory locks, cursors and LISTEN:",
                "for poolers that do not follow them in transaction mode."
            })
    private boolean withoutSessionState;

    @Option(names = "--seed", defaultValue = "1", description = "Of all that is random (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Mixin
    private RigOptions rig = new RigOptions();

    @Override
    public Integer call() {
        var options = new FaultOptions(
                clients,
                poolSize,
                Duration.ofSeconds(seconds),
                replies,
                Duration.ofMillis(faultEveryMillis),
                Duration.ofSeconds(queryTimeout),
                !withoutSessionState,
                seed);
        var settings = queryTimeout == 0 ? List.<String>of() : List.of("query_timeout = " + queryTimeout);
        var report = rig.with(poolSize, settings, target -> FaultRun.run(target, options, System.out::println));
        report.counts().forEach((what, count) -> System.out.println("  %-32s %d".formatted(what, count)));
        report.findings().forEach(System.out::println);
        System.out.println(report.machineLine());
        return report.isClean() ? 0 : 1;
    }
}
