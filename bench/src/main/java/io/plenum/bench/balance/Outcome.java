package io.plenum.bench.balance;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What one run gave.
 *
 * @param shares of the reads, by standby
 * @param readsPerSecond of all
 */
record Outcome(double[] shares, double readsPerSecond, double p50Millis, double p99Millis) {
    /** The shares in percent. */
    String percents() {
        return Arrays.stream(shares)
                .mapToObj(share -> String.format(Locale.ROOT, "%.1f", 100 * share))
                .collect(Collectors.joining(" / "));
    }

    String speed() {
        return String.format(Locale.ROOT, "%.0f", readsPerSecond);
    }

    String times() {
        return String.format(Locale.ROOT, "%.1f / %.1f ms", p50Millis, p99Millis);
    }
}
