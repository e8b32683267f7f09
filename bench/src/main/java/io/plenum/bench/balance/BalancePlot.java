package io.plenum.bench.balance;

import io.plenum.routing.balance.BalancePolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The picture of docs/balance.md: the share of each standby, second by second, for each policy. */
public final class BalancePlot {
    private static final List<String> COLOURS = List.of("#4c78a8", "#54a24b", "#a3cf9b", "#f58518");
    private static final List<String> NAMES = List.of(
            "the first, until %d s".formatted(BalanceTables.LEAVES),
            "the second",
            "the third",
            "the slow one, from %d s".formatted(BalanceTables.JOINS));

    /** What the slow one serves of all there is, beside three others and beside two. */
    private static final double[] SERVES = {1 / 10.0, 1 / 7.0};

    private static final String SERVES_NAME = "what the slow one can serve of all";
    private static final int COLUMNS = 4;
    private static final int WIDTH = 220;
    private static final int HEIGHT = 120;
    private static final int GAP_X = 46;
    private static final int GAP_Y = 46;
    private static final int MARGIN = 40;

    private BalancePlot() {}

    /** The whole file. */
    static String svg() {
        BalancePolicy[] policies = BalancePolicy.values();
        int rows = (policies.length + 1 + COLUMNS - 1) / COLUMNS; // one place is the legend's
        int width = 2 * MARGIN + COLUMNS * WIDTH + (COLUMNS - 1) * GAP_X;
        int height = MARGIN + rows * (HEIGHT + GAP_Y) - GAP_Y + 26;
        var out = new StringBuilder();
        line(
                out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\""
                        + " font-size=\"11\">",
                width,
                height);
        line(out, "<title>Share of each standby over time, for each policy</title>");
        line(out, "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>", width, height);
        for (int i = 0; i < policies.length; i++) {
            int x = MARGIN + i % COLUMNS * (WIDTH + GAP_X);
            int y = MARGIN + i / COLUMNS * (HEIGHT + GAP_Y);
            panel(out, policies[i], x, y);
        }
        // In the place of the panel that would come next, and in the order in which they lie one upon the other.
        int left = MARGIN + policies.length % COLUMNS * (WIDTH + GAP_X);
        int top = MARGIN + policies.length / COLUMNS * (HEIGHT + GAP_Y);
        for (int i = 0; i < NAMES.size(); i++) {
            int y = top + 8 + (NAMES.size() - 1 - i) * 22;
            line(out, "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" fill=\"%s\"/>", left, y, COLOURS.get(i));
            line(out, "<text x=\"%d\" y=\"%d\">%s</text>", left + 20, y + 10, NAMES.get(i));
        }
        int y = top + 8 + NAMES.size() * 22;
        across(out, left - 1, left + 13, y + 6);
        line(out, "<text x=\"%d\" y=\"%d\">%s</text>", left + 20, y + 10, SERVES_NAME);
        return out.append("</svg>\n").toString();
    }

    private static void across(StringBuilder out, double from, double to, double y) {
        line(
                out,
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#000000\" stroke-width=\"1.5\"/>",
                from,
                y,
                to,
                y);
    }

    private static void panel(StringBuilder out, BalancePolicy policy, int left, int top) {
        List<double[]> shares = new ArrayList<>();
        Model model = BalanceTables.comingAndGoing(policy);
        for (int second = 0; second < BalanceTables.END; second++) {
            shares.add(model.run(second, second + 1).shares());
        }
        line(out, "<text x=\"%d\" y=\"%d\" font-size=\"13\">%s</text>", left, top - 8, policy.label());
        double[] below = new double[shares.size()];
        for (int standby = 0; standby < COLOURS.size(); standby++) {
            var upper = new StringBuilder();
            var lower = new StringBuilder();
            for (int second = 0; second < shares.size(); second++) {
                double base = below[second];
                below[second] += shares.get(second)[standby];
                // A step for each second: what is between two of them nobody has counted.
                upper.append(point(left, top, second, below[second]))
                        .append(point(left, top, second + 1, below[second]));
                lower.insert(0, point(left, top, second + 1, base) + point(left, top, second, base));
            }
            line(
                    out,
                    "<polygon fill=\"%s\" stroke=\"#ffffff\" stroke-width=\"0.6\" points=\"%s\"/>",
                    COLOURS.get(standby),
                    (upper.toString() + lower).strip());
        }
        line(
                out,
                "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#555555\"/>",
                left,
                top,
                WIDTH,
                HEIGHT);
        for (int second : new int[] {BalanceTables.JOINS, BalanceTables.LEAVES}) {
            int x = left + second * WIDTH / BalanceTables.END;
            line(
                    out,
                    "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#222222\" stroke-dasharray=\"3 3\"/>",
                    x,
                    top,
                    x,
                    top + HEIGHT);
        }
        for (int second : new int[] {0, BalanceTables.JOINS, BalanceTables.LEAVES, BalanceTables.END}) {
            int x = left + second * WIDTH / BalanceTables.END;
            line(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%d s</text>", x, top + HEIGHT + 14, second);
        }
        double joins = left + (double) BalanceTables.JOINS * WIDTH / BalanceTables.END;
        double leaves = left + (double) BalanceTables.LEAVES * WIDTH / BalanceTables.END;
        across(out, joins, leaves, top + HEIGHT * SERVES[0]);
        across(out, leaves, left + WIDTH, top + HEIGHT * SERVES[1]);
        for (int percent : new int[] {0, 50, 100}) {
            int y = top + HEIGHT - percent * HEIGHT / 100;
            line(
                    out,
                    "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" font-size=\"9\">%d %%</text>",
                    left - 3,
                    y + 3,
                    percent);
        }
    }

    private static String point(int left, int top, int second, double share) {
        double x = left + (double) second * WIDTH / BalanceTables.END;
        double y = top + HEIGHT * (1 - Math.min(1, share));
        return String.format(Locale.ROOT, "%.1f,%.1f ", x, y);
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation would be a library more
    private static void line(StringBuilder out, String format, Object... arguments) {
        out.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }
}
