package io.plenum.pooler.pool;

import io.plenum.pooler.error.PoolerErrors;
import io.plenum.wire.error.ErrorResponse;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Transactions that need a primary while there is none, oldest first: bounded in number, bytes and time. Nothing of them
 * was sent anywhere, so they can all be answered with an error, or begin on whatever node is the primary next.
 *
 * <p>One enters when its client asks for a server and no node is the primary. It leaves when there is one, when its client
 * goes, or when a bound is reached: then the oldest are refused. Confined to its event loop.
 */
public final class HoldQueue extends WaitQueue {
    private final String database;
    private final HoldLimits limits;
    private final Supplier<HoldLimits.Bounds> bounds;
    private final HoldCredit credit;
    private long bytes;
    private long refused;

    HoldQueue(String database, HoldLimits limits, Supplier<HoldLimits.Bounds> bounds, long nowNanos) {
        this.database = database;
        this.limits = limits;
        this.bounds = bounds;
        this.credit = new HoldCredit(nowNanos);
    }

    /**
     * Enters with {@code size} bytes of requests; null when that is done, else what the client is to be told instead.
     *
     * @param sinceNanos when its wait began, in whatever queue
     */
    @Nullable
    ErrorResponse hold(Place place, long sinceNanos, int size, long nowNanos) {
        HoldLimits.Bounds now = bounds.get();
        ErrorResponse end = end(now, sinceNanos, nowNanos);
        if (end != null) {
            refused++;
            return end;
        }
        while (!limits.tryEnter(size, now)) {
            Place oldest = poll();
            ErrorResponse full = PoolerErrors.holdIsFull(database, now.maxRequests(), now.maxBytes());
            refused++;
            if (oldest == null) {
                return full; // the others are held on other loops
            }
            oldest.waiter().onRefused(full);
        }
        place.setHeldBytes(size);
        bytes += size;
        enter(place, sinceNanos);
        return null;
    }

    /** What the waiter is to be told whose time is over; null while it may wait, or waits for something else. */
    @Nullable
    ErrorResponse brokenBy(Place place, long nowNanos) {
        if (!place.isIn(this)) {
            return null;
        }
        ErrorResponse end = end(bounds.get(), place.sinceNanos(), nowNanos);
        if (end != null) {
            refused++;
        }
        return end;
    }

    private @Nullable ErrorResponse end(HoldLimits.Bounds now, long sinceNanos, long nowNanos) {
        long window = now.windowNanos();
        long waited = nowNanos - sinceNanos;
        return window > 0 && (waited >= window || credit.isSpent(window, nowNanos))
                ? PoolerErrors.holdIsOver(database, Duration.ofNanos(Math.max(0, waited)))
                : null;
    }

    void onPrimary(boolean there, long nowNanos) {
        credit.onPrimary(there, nowNanos);
    }

    @Override
    void onLeft(Place place) {
        limits.leave(place.heldBytes());
        bytes -= place.heldBytes();
    }

    /** What those who are held had sent when their wait began. */
    public long bytes() {
        return bytes;
    }

    /** Those who were held, or were to be, and were answered with an error instead, since the start. */
    public long refused() {
        return refused;
    }
}
