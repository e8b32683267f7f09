package io.plenum.bench.demo;

import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The live table: redrawn in place on a terminal, one line at a time elsewhere. Confined to the thread of the experiment. */
final class Board {
    private static final int BAR = 40;

    private final PrintStream out;
    private final boolean terminal;
    private final List<String> pods = new ArrayList<>();
    private int drawn;

    Board(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    /** How often {@link #show} should be called. */
    Duration interval() {
        return Duration.ofMillis(terminal ? 250 : 1_000);
    }

    /** The Pods to show, in order. */
    void pods(List<String> shown) {
        pods.clear();
        pods.addAll(shown);
    }

    /** Leaves what stands there and begins a new part below it. */
    void title(String title) {
        drawn = 0;
        out.println();
        out.println(title);
    }

    /**
     * Shows what each Pod did.
     *
     * @param shares of the last stretch of time
     * @param perSecond transactions per second of all
     */
    void show(Shares shares, double perSecond) {
        if (!terminal) {
            var line = new StringBuilder("  %6.0f per s:".formatted(perSecond));
            pods.forEach(pod -> line.append("  %s %4.1f %%".formatted(pod, 100 * shares.share(pod))));
            out.println(line);
            return;
        }
        if (drawn > 0) {
            out.print("\033[" + drawn + "A"); // so many lines up
        }
        for (var pod : pods) {
            int length = (int) Math.round(BAR * Math.min(1, shares.share(pod) * pods.size() / 2));
            out.print("\033[K  %-12s %8d  %5.1f %%  %s%n"
                    .formatted(pod, shares.of(pod), 100 * shares.share(pod), "█".repeat(length)));
        }
        out.print("\033[K  %.0f transactions per s, coefficient of variation %.3f%n"
                .formatted(perSecond, shares.variation(pods)));
        drawn = pods.size() + 1;
        out.flush();
    }
}
