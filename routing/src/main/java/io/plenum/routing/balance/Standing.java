package io.plenum.routing.balance;

/**
 * What one loop has seen of one candidate: since when it takes part, how fast it answers, how often it failed lately, and
 * whether it is left out because of that. Confined to its event loop; times are nanoseconds of one monotonic clock.
 */
public final class Standing {
    /** Failures one after the other, each within this time of the one before, that put a candidate out. */
    static final int FAILURES = 3;

    private static final long FAILURE_WINDOW_NANOS = 10_000_000_000L;
    static final long FIRST_OUT_NANOS = 1_000_000_000L;
    static final long LONGEST_OUT_NANOS = 30_000_000_000L;

    /** Time without trouble after which old trouble is forgotten. */
    private static final long FORGIVEN_NANOS = 60_000_000_000L;

    /** Fewer answers than these say nothing about how fast it is: the first are those of a cold cache. */
    static final int FEWEST_ANSWERS = 30;

    /** What one answer counts in the mean of the last ones. */
    private static final double ANSWER = 1.0 / 32;

    /** A new candidate begins with this part of its weight. */
    static final double LEAST_START = 0.1;

    private final PeakEwma latency = new PeakEwma();
    private double meanNanos;
    private int answers;
    private long joinedNanos;
    private boolean joined;
    private int failures;
    private long failedNanos;
    private int times;
    private long outUntilNanos;
    private boolean out;
    private boolean silent;

    /** It takes part from now on; nothing when it does already. */
    public void join(long nowNanos) {
        if (!joined) {
            joined = true;
            joinedNanos = nowNanos;
            failures = 0;
            answers = 0;
        }
    }

    /** It takes part no longer; when it comes back it starts slowly again. */
    public void leave() {
        joined = false;
        silent = false;
    }

    /** An answer took so long to begin. */
    public void onAnswer(long tookNanos, long nowNanos) {
        latency.observe(tookNanos, nowNanos);
        meanNanos = answers == 0 ? tookNanos : meanNanos + (tookNanos - meanNanos) * ANSWER;
        answers = Math.min(answers + 1, FEWEST_ANSWERS);
    }

    /** What may be expected of the next answer. */
    public PeakEwma latency() {
        return latency;
    }

    /** What the last answers took, in the mean; 0 while there were too few. */
    double meanNanos() {
        return answers < FEWEST_ANSWERS ? 0 : meanNanos;
    }

    /** Something there went wrong that should not: a connection that was lost or could not be had. */
    public void onFailure(long nowNanos) {
        failures = nowNanos - failedNanos > FAILURE_WINDOW_NANOS ? 1 : failures + 1;
        failedNanos = nowNanos;
        if (failures >= FAILURES) {
            failures = 0;
            putOut(nowNanos);
        }
    }

    /** Leaves it out for a while, each time twice as long. */
    void putOut(long nowNanos) {
        times = nowNanos - outUntilNanos > FORGIVEN_NANOS ? 1 : times + 1;
        answers = 0; // when it is back it is judged by what it does then
        outUntilNanos = nowNanos + Math.min(LONGEST_OUT_NANOS, FIRST_OUT_NANOS << Math.min(times - 1, 10));
        out = true;
    }

    /** Work is with it and nothing comes back, or that has ended. */
    public void setSilent(boolean silent, long nowNanos) {
        if (this.silent && !silent) {
            joinedNanos = nowNanos; // back, and slowly
        }
        this.silent = silent;
    }

    public boolean isSilent() {
        return silent;
    }

    /** Whether it should be left out now, if enough others are there. */
    boolean isOut(long nowNanos) {
        if (out && nowNanos - outUntilNanos >= 0) {
            out = false;
            joinedNanos = nowNanos;
        }
        return out || silent;
    }

    /** What part of its weight it has: it grows from a tenth to all of it. */
    public double grown(long slowStartNanos, long nowNanos) {
        long passed = nowNanos - joinedNanos;
        return slowStartNanos <= 0 || passed >= slowStartNanos
                ? 1
                : Math.max(LEAST_START, (double) passed / slowStartNanos);
    }
}
