package io.plenum.pooler.client;

import java.util.concurrent.TimeUnit;
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

    private long second; // guarded by this, as are the others
    private int told;
    private long leftOut;

    /** Whether the log may hear of one more. */
    boolean mayTell(long nowNanos) {
        long before;
        boolean mayTell;
        synchronized (this) {
            long now = TimeUnit.NANOSECONDS.toSeconds(nowNanos);
            boolean begins = now != second;
            before = begins ? leftOut : 0;
            if (begins) {
                second = now;
                told = 0;
                leftOut = 0;
            }
            mayTell = told < PER_SECOND;
            told += mayTell ? 1 : 0;
            leftOut += mayTell ? 0 : 1;
        }
        if (before > 0) {
            LOG.warn("event=logins_not_logged count={}", before);
        }
        return mayTell;
    }
}
