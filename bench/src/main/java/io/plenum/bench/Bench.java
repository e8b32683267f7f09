package io.plenum.bench;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.plenum.bench.balance.BalanceCommand;
import io.plenum.bench.cancel.CancelCommand;
import io.plenum.bench.causal.CausalCommand;
import io.plenum.bench.compare.CompareCommand;
import io.plenum.bench.demo.DemoCommand;
import io.plenum.bench.faults.FaultsCommand;
import io.plenum.bench.logins.LoginsCommand;
import io.plenum.bench.process.BenchException;
import io.plenum.bench.replicas.ReplicasCommand;
import io.plenum.bench.switchover.SwitchoverCommand;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line of {@code plenum demo} and {@code plenum bench …}. */
@Command(
        name = "plenum",
        description = "Programs that drive a whole pooler.",
        subcommands = {DemoCommand.class, Bench.Programs.class},
        mixinStandardHelpOptions = true)
public final class Bench {
    private Bench() {}

    /** Ends with 0 when what ran was in order, 1 when it found something wrong, 2 when the command line is wrong. */
    public static void main(String[] arguments) {
        // What a program finds it says itself; of the pooler in its JVM only what is not in order belongs between the
        // lines.
        if (LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME) instanceof Logger root) {
            root.setLevel(Level.WARN);
        }
        System.exit(new CommandLine(new Bench())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler(Bench::explain)
                .execute(arguments));
    }

    /** What a person can mend is one line; anything else is a defect and shows its trace. */
    private static int explain(Exception failure, CommandLine command, CommandLine.ParseResult parsed) {
        if (failure instanceof BenchException) {
            System.err.println("plenum: " + failure.getMessage());
        } else {
            failure.printStackTrace();
        }
        return 1;
    }

    /** The programs that measure and judge; the last line of each is for machines. */
    @Command(
            name = "bench",
            description = "Measures and judges a pooler.",
            synopsisSubcommandLabel = "PROGRAM",
            subcommands = {
                CompareCommand.class,
                CancelCommand.class,
                CausalCommand.class,
                FaultsCommand.class,
                LoginsCommand.class,
                ReplicasCommand.class,
                BalanceCommand.class,
                SwitchoverCommand.class
            },
            mixinStandardHelpOptions = true)
    static final class Programs {}
}
