package io.plenum.bench.replicas;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code plenum bench replicas}. */
@CommandLine.Command(
        name = "replicas",
        description = {
            "Clients read, and write and read back, while one standby after the other is killed, frozen, cut off,"
                    + " stopped in its replay, or cancels reads.",
            "Ends with 1 when a client sees an error or a wrong or stale answer, or, without --times-only-told, when"
                    + " reads are slow, or any hangs, for longer than 2 s after a standby fell silent."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class ReplicasCommand implements Callable<Integer> {
    @Option(names = "--faults", defaultValue = "200", description = "How many (default: ${DEFAULT-VALUE}).")
    private int faults = 200;

    @Option(names = "--kinds", split = ",", description = "Which (default: all in turn): ${COMPLETION-CANDIDATES}.")
    private ReplicaFault[] kinds = ReplicaFault.values();

    @Option(names = "--standbys", defaultValue = "2", description = "At least 2 (default: ${DEFAULT-VALUE}).")
    private int standbys = 2;

    @Option(names = "--clients", defaultValue = "16", description = "That read (default: ${DEFAULT-VALUE}).")
    private int clients = 16;

    @Option(names = "--seed", defaultValue = "1", description = "Of all that is random (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Option(names = "--times-only-told", description = "The machine is busy: judge what was seen, not how fast.")
    private boolean timesOnlyTold;

    @Override
    public Integer call() {
        var report = ReplicaFaults.run(faults, kinds, standbys, clients, seed, System.out::println);
        System.out.println(report.machineLine());
        return report.isClean() && (timesOnlyTold || report.isInTime()) ? 0 : 1;
    }
}
