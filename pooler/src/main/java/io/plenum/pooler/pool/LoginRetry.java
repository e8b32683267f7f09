package io.plenum.pooler.pool;

import io.plenum.wire.error.ErrorResponse;
import java.util.concurrent.ThreadLocalRandom;

/**
 * When one may try to log in again after a login that failed: later each time, but a server that is back shall be found
 * within about a second. Confined to its event loop; times are nanoseconds of {@link System#nanoTime}.
 */
public final class LoginRetry {
    private static final long FIRST_NANOS = 50_000_000L;

    /** However long server_login_retry allows us to wait. */
    private static final long LONGEST_NANOS = 1_000_000_000L;

    private long pauseNanos;
    private long failedNanos = System.nanoTime();
    private long atNanos = failedNanos;

    /** Whether waiting does not help: not so where the server is starting, stopping or full. */
    public static boolean isLasting(ErrorResponse refusal) {
        return !refusal.code().startsWith("57P") && !refusal.code().startsWith("53");
    }

    /** A login failed: the next is not tried for a while, no longer than {@code allowedNanos} and some jitter. */
    public void onFailed(long allowedNanos) {
        pause(Math.max(FIRST_NANOS, pauseNanos * 2), allowedNanos);
    }

    /** The same behind a refusal that {@linkplain #isLasting lasts}: the longest pause at once, for nobody waits for the next. */
    public void onRefused(long allowedNanos) {
        pause(LONGEST_NANOS, allowedNanos);
    }

    /** The same of one of several that are under way at once: those that began before another failed say nothing new. */
    public void onFailed(long begunNanos, long allowedNanos) {
        if (pauseNanos == 0 || begunNanos - failedNanos > 0) {
            onFailed(allowedNanos);
        }
    }

    private void pause(long wantedNanos, long allowedNanos) {
        pauseNanos = Math.min(Math.min(wantedNanos, LONGEST_NANOS), allowedNanos);
        long jitter = ThreadLocalRandom.current().nextLong(pauseNanos / 4 + 1);
        failedNanos = System.nanoTime();
        atNanos = failedNanos + pauseNanos + jitter;
    }

    /** One succeeded, or there is reason to believe that it would. */
    public void onGood() {
        pauseNanos = 0;
        atNanos = System.nanoTime();
    }

    /** For how long nothing is to be tried; not positive when it may. */
    public long left(long nowNanos) {
        return atNanos - nowNanos;
    }

    public boolean isDue(long nowNanos) {
        return left(nowNanos) <= 0;
    }

    /** Whether the last login failed and the next try is still to come. */
    boolean isAhead() {
        return pauseNanos > 0 && !isDue(System.nanoTime());
    }

    /** The pause after the last failure; 0 when there was none. */
    public long pauseMillis() {
        return pauseNanos / 1_000_000;
    }
}
