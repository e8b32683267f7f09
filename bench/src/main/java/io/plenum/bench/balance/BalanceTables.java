package io.plenum.bench.balance;

import io.plenum.routing.balance.BalancePolicy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The tables of docs/balance.md, as Markdown. */
public final class BalanceTables {
    private static final int CLIENTS = 12;

    private BalanceTables() {}

    /** All of them, with their headings. */
    public static String all() {
        var out = new StringBuilder();
        perPolicy(out, "Four alike", alike());
        perPolicy(out, "The last one three times slower", slower());
        perPolicy(out, "Weights 1, 1, 1 and 3, and the last one serves three times as many at once", weighted());
        zones(out);
        slowStart(out);
        return out.toString();
    }

    private static List<Standby> alike() {
        return Collections.nCopies(4, Standby.usual());
    }

    private static List<Standby> slower() {
        List<Standby> standbys = new ArrayList<>(Collections.nCopies(3, Standby.usual()));
        standbys.add(new Standby(6, 4, 1, true));
        return standbys;
    }

    private static List<Standby> weighted() {
        List<Standby> standbys = new ArrayList<>(Collections.nCopies(3, Standby.usual()));
        standbys.add(new Standby(2, 12, 3, true));
        return standbys;
    }

    private static void perPolicy(StringBuilder out, String title, List<Standby> standbys) {
        out.append("### ").append(title).append("\n\n| Policy | Shares in % | Reads a second | p50 / p99 |\n");
        out.append("| --- | --- | --- | --- |\n");
        for (BalancePolicy policy : BalancePolicy.values()) {
            Outcome outcome = Model.run(policy, standbys, CLIENTS);
            out.append("| `%s` | %s | %s | %s |\n"
                    .formatted(policy.label(), outcome.percents(), outcome.speed(), outcome.times()));
        }
        out.append('\n');
    }

    private static void zones(StringBuilder out) {
        List<Standby> standbys =
                List.of(Standby.usual(), Standby.usual(), new Standby(2, 4, 1, false), new Standby(2, 4, 1, false));
        out.append("### The first two in our zone, `default_pool_size = 8`, `two_choices`\n\n");
        out.append("| Clients | Shares in % | Reads a second | p50 / p99 |\n| --- | --- | --- | --- |\n");
        for (int clients : new int[] {4, 16, 24, 48, 96}) {
            var model = new Model(BalancePolicy.TWO_CHOICES, standbys, clients, 8 / Model.LOOPS, true, 0, 0, 1);
            Outcome outcome = model.run(2, 22);
            out.append(
                    "| %d | %s | %s | %s |\n".formatted(clients, outcome.percents(), outcome.speed(), outcome.times()));
        }
        out.append('\n');
    }

    private static void slowStart(StringBuilder out) {
        var model = new Model(BalancePolicy.TWO_CHOICES, alike(), CLIENTS, Integer.MAX_VALUE, false, 10, 10, 1);
        out.append("### The last one joins, `slow_start = 10`, `two_choices`\n\n");
        out.append("| Seconds since it joined | Shares in % |\n| --- | --- |\n");
        for (int second : new int[] {0, 2, 4, 6, 8, 10, 12}) {
            Outcome outcome = model.run(10 + second, 12 + second);
            out.append("| %d to %d | %s |\n".formatted(second, second + 2, outcome.percents()));
        }
        out.append('\n');
    }
}
