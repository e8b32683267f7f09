package io.plenum.routing.balance;

/**
 * How long answers take, as a mean that forgets: a slower answer counts at once and in full, faster ones win over with time,
 * and what is not asked any more is forgotten, so that it is tried again. Confined to its event loop.
 */
public final class PeakEwma {
    /** After so long a third of a value is left. */
    private static final double DECAY_NANOS = 10e9;

    private double mean;
    private long atNanos;

    /** One answer took so long. */
    void observe(long tookNanos, long nowNanos) {
        double left = Math.exp(-Math.max(0, nowNanos - atNanos) / DECAY_NANOS);
        mean = mean == 0 || tookNanos > mean ? tookNanos : mean * left + tookNanos * (1 - left);
        atNanos = nowNanos;
    }

    /** What may be expected now; 0 while nobody knows. */
    public double valueAt(long nowNanos) {
        return mean == 0 ? 0 : mean * Math.exp(-Math.max(0, nowNanos - atNanos) / DECAY_NANOS);
    }
}
