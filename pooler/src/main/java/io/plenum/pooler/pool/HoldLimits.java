package io.plenum.pooler.pool;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How much of what clients sent is held back for want of a primary, over all loops and databases of the process, and how
 * much may be. Any thread.
 */
public final class HoldLimits {
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();

    /** What the settings allow; {@code windowNanos} of 0 holds without a bound of time. */
    public record Bounds(long windowNanos, int maxRequests, long maxBytes) {}

    /** Takes the place of one request; false when there is none left. */
    boolean tryEnter(int size, Bounds bounds) {
        if (requests.incrementAndGet() > bounds.maxRequests()) {
            requests.decrementAndGet();
            return false;
        }
        if (bytes.addAndGet(size) > bounds.maxBytes()) {
            leave(size);
            return false;
        }
        return true;
    }

    void leave(int size) {
        requests.decrementAndGet();
        bytes.addAndGet(-size);
    }

    /** Requests that are held now. */
    public int requests() {
        return requests.get();
    }

    /** What they had sent when their wait began. */
    public long bytes() {
        return bytes.get();
    }
}
