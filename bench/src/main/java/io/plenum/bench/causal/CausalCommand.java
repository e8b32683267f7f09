package io.plenum.bench.causal;

import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code plenum bench causal}. */
@CommandLine.Command(
        name = "causal",
        description = {
            "Clients write and read back what they wrote, through Plenum, over a primary and two standbys whose replay",
            "is delayed, stopped and promoted meanwhile. Ends with 1 when a read was stale, or went back although",
            "--consistency is monotonic. With eventual, stale reads are what is to be seen."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class CausalCommand implements Callable<Integer> {
    @Option(
            names = "--consistency",
            defaultValue = "session",
            description = "read_consistency (default: ${DEFAULT-VALUE}).")
    private String consistency = "session";

    @Option(names = "--pairs", defaultValue = "1000000", description = "How many (default: ${DEFAULT-VALUE}).")
    private long pairs = 1_000_000;

    @Option(names = "--clients", defaultValue = "16", description = "At once (default: ${DEFAULT-VALUE}).")
    private int clients = 16;

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

    @Option(names = "--switchovers", defaultValue = "5", description = "Planned ones (default: ${DEFAULT-VALUE}).")
    private int switchovers = 5;

    @Option(names = "--seed", defaultValue = "1", description = "Of all that is random (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Override
    public Integer call() {
        var options = new CausalOptions(
                consistency,
                pairs,
                clients,
                Duration.ofMillis(causalWaitMillis),
                Duration.ofMillis(longestDelayMillis),
                Duration.ofMillis(disturbEveryMillis),
                switchovers,
                seed);
        var report = CausalRun.run(options, System.out::println);
        report.findings().forEach(System.out::println);
        System.out.println(report.machineLine());
        boolean wrong = (report.stale() > 0 && !consistency.equals("eventual"))
                || (report.backward() > 0 && consistency.equals("monotonic"));
        return wrong ? 1 : 0;
    }
}
