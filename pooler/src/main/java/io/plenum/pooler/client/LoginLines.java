package io.plenum.pooler.client;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How many logins the log hears of, so that nobody fills a disk by knocking: of those beyond a number in one second it hears
 * only how many there were, unless they get in. Any thread.
 */
final class LoginLines {
    /** More than a login storm of applications that start; a flood is ten times as much. */
    static final int PER_SECOND = 1_000;

    private static final Logger LOG = LoggerFactory.getLogger(LoginLines.class);

    private final AtomicLong second = new AtomicLong();

    /** Logins of that second; at its end a few may be counted to the next or the one before. */
    private final AtomicInteger logins = new AtomicInteger();

    /** Whether the log may hear of one more. */
    boolean mayTell(long nowNanos) {
        long now = TimeUnit.NANOSECONDS.toSeconds(nowNanos);
        long before = second.get();
        if (before != now && second.compareAndSet(before, now)) {
            int leftOut = logins.getAndSet(0) - PER_SECOND;
            if (leftOut > 0) {
                LOG.warn("event=logins_not_logged count={}", leftOut);
            }
        }
        return logins.incrementAndGet() <= PER_SECOND;
    }
}
