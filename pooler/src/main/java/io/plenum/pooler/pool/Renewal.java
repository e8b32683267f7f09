package io.plenum.pooler.pool;

/**
 * From when on connections are kept, and when those that idle are closed because they are older. Confined to the event loop of
 * its pool; times are nanoseconds of {@link System#nanoTime}.
 */
final class Renewal {
    /** A node that one answer of DNS left out may stand in the next. */
    private static final long DRAIN_AFTER_NANOS = 5_000_000_000L;

    /** Settings are often changed one after the other: the connections are replaced once for all of them. */
    private static final long CLOSE_AFTER_NANOS = 250_000_000L;

    private boolean begun;
    private long begunNanos;
    private boolean draining;
    private long drainAtNanos;
    private boolean closing;
    private long closeAtNanos;

    /** What was opened before now is not to be kept. */
    void begin() {
        begun = true;
        begunNanos = System.nanoTime();
    }

    /** Whether a connection that was begun then is not to be kept. */
    boolean concerns(long bornNanos) {
        return begun && bornNanos - begunNanos < 0;
    }

    /** All is to be replaced in a while, unless that is {@linkplain #stopDraining taken back}. */
    void drain() {
        if (!draining) {
            draining = true;
            drainAtNanos = System.nanoTime() + DRAIN_AFTER_NANOS;
        }
    }

    void stopDraining() {
        draining = false;
    }

    /** Whether that while is over; true once. */
    boolean isDrained(long now) {
        boolean due = draining && now - drainAtNanos >= 0;
        draining &= !due;
        return due;
    }

    /** Those that idle are to be closed in a moment. */
    void closeSoon() {
        if (!closing) {
            closing = true;
            closeAtNanos = System.nanoTime() + CLOSE_AFTER_NANOS;
        }
    }

    /** Whether that moment has come; true once. */
    boolean isToClose(long now) {
        boolean due = closing && now - closeAtNanos >= 0;
        closing &= !due;
        return due;
    }
}
