package io.plenum.bench.switchover;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code plenum bench switchover}. */
@CommandLine.Command(
        name = "switchover",
        description = {
            "Changes the primary of a cluster with synchronous replication again and again under writes, and compares"
                    + " what clients were told with what is in the table.",
            "Ends with 1 when an acknowledged write is lost, one is doubled or hangs, or, when the change is planned,"
                + " any write or read fails; and, without --times-only-told, when the first write comes later than 2 s"
                + " after a promotion, or 99 of 100 wait longer than 300 ms beyond the time without a primary of a"
                + " planned change."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class SwitchoverCommand implements Callable<Integer> {
    @Option(names = "--mode", description = "planned or killed (default: both, one after the other).")
    private Mode[] modes = Mode.values();

    @Option(names = "--rounds", defaultValue = "20", description = "Changes (default: ${DEFAULT-VALUE}).")
    private int rounds = 20;

    @Option(names = "--rate", defaultValue = "500", description = "Writes a second (default: ${DEFAULT-VALUE}).")
    private double rate = 500;

    @Option(names = "--clients", defaultValue = "16", description = "That write (default: ${DEFAULT-VALUE}).")
    private int clients = 16;

    @Option(names = "--standbys", defaultValue = "2", description = "At least 2 (default: ${DEFAULT-VALUE}).")
    private int standbys = 2;

    @Option(names = "--times-only-told", description = "The machine is busy: judge what was seen, not how fast.")
    private boolean timesOnlyTold;

    @Override
    public Integer call() {
        boolean inOrder = true;
        for (Mode mode : modes) {
            var report = Switchovers.run(mode, rounds, standbys, clients, rate, System.out::println);
            if (!report.isInOrder()) {
                report.findings().forEach(System.out::println);
            }
            System.out.println(report.machineLine());
            inOrder &= report.isInOrder() && (timesOnlyTold || report.isInTime());
        }
        return inOrder ? 0 : 1;
    }
}
