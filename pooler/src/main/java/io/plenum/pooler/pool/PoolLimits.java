package io.plenum.pooler.pool;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * What the parts of one pool on the several loops share: how many connections there may be, who has some idle and who
 * waits for one, and whether logins are refused. Any thread.
 */
final class PoolLimits {
    private static final long NOBODY = Long.MAX_VALUE;

    private final Permits pool;
    private final Permits database;
    private final Permits user;
    private final AtomicIntegerArray idle;
    private final AtomicLongArray oldestWait;
    private final @Nullable Pool[] parts;
    private final AtomicInteger pinned = new AtomicInteger();
    private volatile boolean refused;
    private volatile long refusedNanos;

    PoolLimits(Permits pool, Permits database, Permits user, int loops) {
        this.pool = pool;
        this.database = database;
        this.user = user;
        this.idle = new AtomicIntegerArray(loops);
        this.oldestWait = new AtomicLongArray(loops);
        this.parts = new Pool[loops];
        for (int i = 0; i < loops; i++) {
            oldestWait.set(i, NOBODY);
        }
    }

    /** A login was refused for a reason that waiting does not cure, or, if not {@code refused}, one succeeded. */
    void noteLogin(boolean refused) {
        refusedNanos = System.nanoTime();
        this.refused = refused;
    }

    /** Whether a login was refused so in the last {@code nanos}, and none has succeeded since. */
    boolean isRefusedSince(long nanos) {
        return refused && System.nanoTime() - refusedNanos < nanos;
    }

    boolean tryPin(int most) {
        if (pinned.incrementAndGet() <= most) {
            return true;
        }
        pinned.decrementAndGet();
        return false;
    }

    void unpin() {
        pinned.decrementAndGet();
    }

    synchronized void join(Pool part) {
        parts[part.loop().index()] = part;
        database.join(part);
        user.join(part);
    }

    /** The part is over; says whether it was the last. */
    synchronized boolean leave(Pool part) {
        parts[part.loop().index()] = null;
        database.leave(part);
        user.leave(part);
        return Arrays.stream(parts).allMatch(Objects::isNull);
    }

    /**
     * Takes the right to open one connection; {@code reserve} more than the pool's size are allowed. Where other pools hold
     * what is lacking, {@code asking} hears of them, if it is not null.
     */
    boolean tryOpen(int reserve, @Nullable Pool asking) {
        if (!pool.tryTake(reserve)) {
            return false;
        }
        Permits lacking = database.tryTake(0) ? null : database;
        if (lacking == null && !user.tryTake(0)) {
            database.giveBack();
            lacking = user;
        }
        if (lacking == null) {
            return true;
        }
        pool.giveBack();
        if (asking != null) {
            lacking.setWanted();
            asking.evictAmong(lacking.sharers(), lacking == database ? "max_db_connections" : "max_user_connections");
        }
        return false;
    }

    void onClosed() {
        pool.giveBack();
        database.giveBack();
        user.giveBack();
    }

    /** Connections of the whole pool, those that are being opened among them. */
    int open() {
        return pool.taken();
    }

    Permits pool() {
        return pool;
    }

    boolean isShared() {
        return parts.length > 1;
    }

    void setIdle(int loop, int count) {
        idle.lazySet(loop, count);
    }

    /** Says since when a loop's oldest waiter waits in vain; it had nothing idle and no permit. */
    void setStarving(int loop, long sinceNanos) {
        oldestWait.set(loop, sinceNanos);
    }

    void setFed(int loop) {
        if (oldestWait.get(loop) != NOBODY) {
            oldestWait.set(loop, NOBODY);
        }
    }

    /** The part that starves longest and longer than since {@code beforeNanos}, other than the asking one; or null. */
    @Nullable
    Pool starvingLongest(int asking, long beforeNanos) {
        int longest = -1;
        long since = beforeNanos;
        for (int i = 0; i < parts.length; i++) {
            long candidate = oldestWait.get(i);
            if (i != asking && candidate != NOBODY && candidate - since < 0) {
                longest = i;
                since = candidate;
            }
        }
        return longest < 0 ? null : part(longest);
    }

    /** A part, other than the asking one, that has an idle server; or null. */
    @Nullable
    Pool withIdle(int asking) {
        for (int i = 0; i < parts.length; i++) {
            if (i != asking && idle.get(i) > 0) {
                return part(i);
            }
        }
        return null;
    }

    /** The parts of this pool. */
    synchronized List<Pool> parts() {
        return Arrays.stream(parts).filter(Objects::nonNull).toList();
    }

    private synchronized @Nullable Pool part(int index) {
        return parts[index];
    }
}
