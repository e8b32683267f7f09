package io.plenum.bench.balance;

import io.plenum.routing.balance.BalancePolicy;
import java.util.concurrent.Callable;
import picocli.CommandLine;

/** {@code plenum bench balance}. */
@CommandLine.Command(
        name = "balance",
        description = {
            "What shares each balance policy gives, by a model of clients, loops and standbys: the tables of"
                    + " docs/balance.md. `plenum demo --balance` is the experiment with real servers."
        },
        mixinStandardHelpOptions = true)
public final class BalanceCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        System.out.print(BalanceTables.all());
        System.out.println("balance: policies=%d".formatted(BalancePolicy.values().length));
        return 0;
    }
}
