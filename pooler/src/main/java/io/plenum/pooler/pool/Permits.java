package io.plenum.pooler.pool;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** A limit on server connections that loops and pools share. Any thread. */
final class Permits {
    private final AtomicInteger taken = new AtomicInteger();
    private final List<Pool> sharers = new CopyOnWriteArrayList<>();
    private volatile int limit;
    private volatile long wantedNanos = System.nanoTime();

    /** {@code limit} 0 means none. */
    Permits(int limit) {
        this.limit = limit;
    }

    /** Takes one if fewer than the limit and {@code extra} more are taken. */
    boolean tryTake(int extra) {
        int bound = limit == 0 ? Integer.MAX_VALUE : limit + extra;
        int now = taken.get();
        while (now < bound) {
            if (taken.compareAndSet(now, now + 1)) {
                return true;
            }
            now = taken.get();
        }
        return false;
    }

    void join(Pool sharer) {
        sharers.add(sharer);
    }

    void leave(Pool sharer) {
        sharers.remove(sharer);
    }

    /** The parts of pools that take from these. */
    List<Pool> sharers() {
        return sharers;
    }

    void giveBack() {
        taken.decrementAndGet();
    }

    int taken() {
        return taken.get();
    }

    boolean isReached() {
        return limit > 0 && taken.get() >= limit;
    }

    /** A client waits for one in vain. */
    void setWanted() {
        wantedNanos = System.nanoTime();
    }

    boolean isWantedSince(long nanos) {
        return wantedNanos - nanos > 0;
    }

    /** What is taken above a smaller limit stays until it is given back. */
    void setLimit(int limit) {
        this.limit = limit;
    }
}
