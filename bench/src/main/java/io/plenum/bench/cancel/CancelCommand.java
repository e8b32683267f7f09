package io.plenum.bench.cancel;

import io.plenum.bench.rig.RigOptions;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code plenum bench cancel}. */
@CommandLine.Command(
        name = "cancel",
        description = {
            "Races cancel requests of one client against queries of another over a pool of one server connection.",
            "Ends with 1 when a cancel hit the wrong client."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class CancelCommand implements Callable<Integer> {
    @Option(names = "--races", defaultValue = "20000", description = "How many (default: ${DEFAULT-VALUE}).")
    private int races = 20_000;

    @Option(names = "--seed", defaultValue = "1", description = "Of the random instants (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Mixin
    private RigOptions rig = new RigOptions();

    @Override
    public Integer call() {
        var report = rig.with(1, List.of(), target -> CancelRaces.run(target, races, seed, System.out::println));
        report.findings().forEach(System.out::println);
        System.out.println(report.machineLine());
        return report.wrong() == 0 ? 0 : 1;
    }
}
