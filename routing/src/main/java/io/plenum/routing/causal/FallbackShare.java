package io.plenum.routing.causal;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/**
 * Which part of the reads that had to wait for something went to the primary because no standby had it, over the last
 * {@value #SECONDS} s. Confined to one thread; times are nanoseconds of one monotonic clock.
 */
public final class FallbackShare {
    static final int SECONDS = 5;

    /** So few reads say nothing, whatever became of them. */
    private static final long FEWEST_READS = 100;

    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final long[] reads = new long[SECONDS];
    private final long[] fallbacks = new long[SECONDS];
    private long secondBegan;
    private int second;

    public FallbackShare(long nowNanos) {
        secondBegan = nowNanos;
    }

    public void count(boolean fellBack, long nowNanos) {
        moveTo(nowNanos);
        reads[second]++;
        if (fellBack) {
            fallbacks[second]++;
        }
    }

    /** Whether more than this part of the reads fell back. */
    public boolean isOver(int percent, long nowNanos) {
        moveTo(nowNanos);
        long all = Arrays.stream(reads).sum();
        return all >= FEWEST_READS && Arrays.stream(fallbacks).sum() * 100 > all * percent;
    }

    private void moveTo(long nowNanos) {
        while (nowNanos - secondBegan >= SECOND) {
            if (nowNanos - secondBegan >= 2 * SECONDS * SECOND) {
                Arrays.fill(reads, 0);
                Arrays.fill(fallbacks, 0);
                secondBegan = nowNanos;
                return;
            }
            secondBegan += SECOND;
            second = (second + 1) % SECONDS;
            reads[second] = 0;
            fallbacks[second] = 0;
        }
    }
}
