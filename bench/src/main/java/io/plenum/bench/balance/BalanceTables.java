package io.plenum.bench.balance;

import io.plenum.routing.balance.BalancePolicy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The tables of docs/balance.md, as Markdown. */
public final class BalanceTables {
    /** Seconds of the experiment in which standbys come and go. */
    static final int JOINS = 10;

    static final int LEAVES = 20;
    static final int END = 30;

    private static final int CLIENTS = 12;

    private BalanceTables() {}

    /** All of them, with their headings. */
    static String all() {
        var out = new StringBuilder();
        perPolicy(out, "Four alike", alike());
        perPolicy(out, "The last one three times slower", slower());
        perPolicy(out, "Weights 1, 1, 1 and 3, and the last one serves three times as many at once", weighted());
        comeAndGo(out);
        zones(out);
        slowStart(out);
        return out.toString();
    }

    private static void comeAndGo(StringBuilder out) {
        out.append("### A slow one joins, and another leaves\n\n");
        out.append("Three alike; after 10 s a fourth joins that is three times slower; after 20 s the first leaves."
                + " Shares in %");
        out.append(" from the third second of each part, `slow_start = 3`; the picture has them second by second.\n\n");
        out.append("![Shares of each standby over time, for each policy](balance.svg)\n\n");
        out.append("| Policy | Three | The slow one too | Without the first |\n| --- | --- | --- | --- |\n");
        for (BalancePolicy policy : BalancePolicy.values()) {
            Model model = comingAndGoing(policy);
            out.append("| `%s` | %s | %s | %s |\n"
                    .formatted(
                            policy.label(),
                            model.run(3, JOINS).percents(),
                            model.run(JOINS + 3, LEAVES).percents(),
                            model.run(LEAVES + 3, END).percents()));
        }
        out.append('\n');
    }

    static Model comingAndGoing(BalancePolicy policy) {
        var comings = new Model.Comings(JOINS, LEAVES);
        return new Model(policy, slower(), CLIENTS, Integer.MAX_VALUE, false, 3, comings, 1);
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
            var model = new Model(
                    BalancePolicy.TWO_CHOICES, standbys, clients, 8 / Model.LOOPS, true, 0, Model.Comings.NONE, 1);
            Outcome outcome = model.run(2, 22);
            out.append(
                    "| %d | %s | %s | %s |\n".formatted(clients, outcome.percents(), outcome.speed(), outcome.times()));
        }
        out.append('\n');
    }

    private static void slowStart(StringBuilder out) {
        var comings = new Model.Comings(10, Double.POSITIVE_INFINITY);
        var model = new Model(BalancePolicy.TWO_CHOICES, alike(), CLIENTS, Integer.MAX_VALUE, false, 10, comings, 1);
        out.append("### The last one joins, `slow_start = 10`, `two_choices`\n\n");
        out.append("| Seconds since it joined | Shares in % |\n| --- | --- |\n");
        for (int second : new int[] {0, 2, 4, 6, 8, 10, 12}) {
            Outcome outcome = model.run(10 + second, 12 + second);
            out.append("| %d to %d | %s |\n".formatted(second, second + 2, outcome.percents()));
        }
        out.append('\n');
    }
}
