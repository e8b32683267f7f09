package io.plenum.bench.switchover;

import java.util.List;
import java.util.Locale;

/**
 * What became of the writes.
 *
 * @param acknowledged writes that the client was told are done
 * @param refused writes that failed with an error that says nothing was done
 * @param unknown writes whose error leaves open whether they were done
 * @param lost acknowledged writes that are not in the table
 * @param doubled writes that are in the table more than once
 * @param dishonest refused writes that are in the table
 * @param hung writes without any answer within half a minute
 * @param readErrors reads that failed; of a primary that is killed those that ran there, as the routing had it
 * @param stallMillis 99 of 100 writes that met a change waited no longer than that beyond the time for which the database
 *     itself had no primary
 * @param firstMillis longest from a promotion to the first write that succeeded
 * @param findings the first things that were wrong, in words
 */
public record SwitchoverReport(
        Mode mode,
        int rounds,
        int acknowledged,
        int refused,
        int unknown,
        int lost,
        int doubled,
        int dishonest,
        int hung,
        int readErrors,
        double stallMillis,
        double firstMillis,
        List<String> findings) {
    private static final double MOST_STALL_MILLIS = 300;
    private static final double MOST_FIRST_MILLIS = 2_000;

    /** Whether everything is as it was promised. */
    public boolean isInOrder() {
        boolean none = lost == 0 && doubled == 0 && dishonest == 0 && hung == 0;
        return none && (mode == Mode.KILLED || refused + unknown + readErrors == 0);
    }

    /** Whether it went as fast as it was promised. */
    public boolean isInTime() {
        return firstMillis <= MOST_FIRST_MILLIS && (mode == Mode.KILLED || stallMillis <= MOST_STALL_MILLIS);
    }

    /** The line for machines. */
    public String machineLine() {
        return String.format(
                Locale.ROOT,
                "switchover: mode=%s rounds=%d acknowledged=%d refused=%d unknown=%d lost=%d doubled=%d dishonest=%d"
                        + " hung=%d read_errors=%d stall_p99_ms=%.0f first_success_ms=%.0f",
                mode.name().toLowerCase(Locale.ROOT),
                rounds,
                acknowledged,
                refused,
                unknown,
                lost,
                doubled,
                dishonest,
                hung,
                readErrors,
                stallMillis,
                firstMillis);
    }
}
