package io.plenum.bench.balance;

import io.plenum.routing.balance.BalancePolicy;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code plenum bench balance}. */
@CommandLine.Command(
        name = "balance",
        description = {
            "What shares each balance policy gives, by a model of clients, loops and standbys: the tables of"
                    + " docs/balance.md. `plenum demo --balance` is the experiment with real servers."
        },
        mixinStandardHelpOptions = true)
public final class BalanceCommand implements Callable<Integer> {
    @Option(names = "--write", description = "Write the tables and the picture into docs of the checkout.")
    private boolean write;

    @Override
    public Integer call() throws IOException {
        if (write) {
            BalancePage.find().write();
        }
        System.out.print(BalanceTables.all());
        System.out.println("balance: policies=%d".formatted(BalancePolicy.values().length));
        return 0;
    }
}
