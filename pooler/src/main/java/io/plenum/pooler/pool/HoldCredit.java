package io.plenum.pooler.pool;

/**
 * For how long requests may be held while there is no primary, all in all: {@value #WINDOWS} windows. Time with a primary
 * earns it back, a third of a second for a second, so that a primary that comes and goes is not waited for again and
 * again. Confined to its event loop; times are nanoseconds of {@link System#nanoTime}.
 */
final class HoldCredit {
    static final int WINDOWS = 2;
    private static final int EARNED_IN = 3;

    private long spentNanos;
    private long sinceNanos;
    private boolean missing = true;

    HoldCredit(long nowNanos) {
        sinceNanos = nowNanos;
    }

    /** There is a primary now, or there is none. */
    void onPrimary(boolean there, long nowNanos) {
        if (missing == there) {
            spentNanos = spentAt(nowNanos);
            sinceNanos = nowNanos;
            missing = !there;
        }
    }

    /** Whether nothing may be held any more until there is a primary. */
    boolean isSpent(long windowNanos, long nowNanos) {
        return spentAt(nowNanos) >= WINDOWS * windowNanos;
    }

    private long spentAt(long nowNanos) {
        long passed = nowNanos - sinceNanos;
        return missing ? spentNanos + passed : Math.max(0, spentNanos - passed / EARNED_IN);
    }
}
