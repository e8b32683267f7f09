package io.plenum.bench.causal;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code plenum bench causal}. */
@CommandLine.Command(
        name = "causal",
        description = {
            "Clients write and read back what they wrote, through Plenum, over a primary and two standbys whose replay",
            "is delayed, stopped and promoted meanwhile; then, on a cluster left alone, what the promise costs.",
            "Ends with 1 when a read was stale, when one went back although --consistency is monotonic, or, without",
            "--times-only-told, when more than 5 %% of clean reads went to the primary or writes lost more than 3 %% of"
                    + " their",
            "speed. With eventual, stale reads are what is to be seen."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class CausalCommand implements Callable<Integer> {
    @Option(
            names = "--consistency",
            split = ",",
            defaultValue = "session,monotonic",
            description = "read_consistency, one after the other (default: ${DEFAULT-VALUE}).")
    private List<String> consistencies = List.of("session", "monotonic");

    @Option(names = "--pairs", defaultValue = "1000000", description = "How many in all (default: ${DEFAULT-VALUE}).")
    private long pairs = 1_000_000;

    @Option(names = "--clients", defaultValue = "64", description = "At once (default: ${DEFAULT-VALUE}).")
    private int clients = 64;

    @Option(names = "--causal-wait-ms", defaultValue = "20", description = "causal_wait (default: ${DEFAULT-VALUE}).")
    private int causalWaitMillis = 20;

    @Option(
            names = "--longest-delay-ms",
            defaultValue = "5000",
            description = "Of replay on a standby; 0 leaves the standbys alone (default: ${DEFAULT-VALUE}).")
    private int longestDelayMillis = 5_000;

    @Option(
            names = "--disturb-every-ms",
            defaultValue = "2000",
            description = "From one change of a standby to the next (default: ${DEFAULT-VALUE}).")
    private int disturbEveryMillis = 2_000;

    @Option(
            names = "--switchovers",
            defaultValue = "5",
            description = "Planned ones, for each of --consistency (default: ${DEFAULT-VALUE}).")
    private int switchovers = 5;

    @Option(names = "--seed", defaultValue = "1", description = "Of all that is random (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Option(
            names = "--cost-rounds",
            defaultValue = "20",
            description = "Of writes without and with the promise, in turn; 0 leaves the costs out (default:"
                    + " ${DEFAULT-VALUE}).")
    private int costRounds = 20;

    @Option(
            names = "--cost-round-ms",
            defaultValue = "3000",
            description = "How long one takes (default: ${DEFAULT-VALUE}).")
    private int costRoundMillis = 3_000;

    @Option(names = "--times-only-told", description = "The machine is busy: judge what was seen, not what it cost.")
    private boolean timesOnlyTold;

    @Override
    public Integer call() {
        List<CausalReport> reports = new ArrayList<>();
        for (String consistency : consistencies) {
            if (pairs > 0) {
                var report = CausalRun.run(options(consistency), System.out::println);
                report.findings().forEach(System.out::println);
                System.out.println(consistency + ": " + report.counts());
                reports.add(report);
            }
        }
        CausalReport all = CausalReport.sum(reports);
        CausalCost.Report cost =
                CausalCost.measure(costRounds, Duration.ofMillis(costRoundMillis), clients, System.out::println);
        System.out.println("causal: %s %s".formatted(all.counts(), cost.counts()));
        return all.isClean() && (timesOnlyTold || cost.isLow()) ? 0 : 1;
    }

    private CausalOptions options(String consistency) {
        return new CausalOptions(
                consistency,
                pairs / consistencies.size(),
                clients,
                Duration.ofMillis(causalWaitMillis),
                Duration.ofMillis(longestDelayMillis),
                Duration.ofMillis(disturbEveryMillis),
                switchovers,
                seed);
    }
}
