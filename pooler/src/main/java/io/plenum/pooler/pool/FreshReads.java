package io.plenum.pooler.pool;

import io.plenum.pooler.causal.NodePosition;
import io.plenum.pooler.causal.Positions;
import io.plenum.pooler.causal.ReadFloor;
import io.plenum.pooler.net.Loop;
import io.plenum.routing.causal.FallbackShare;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The choice among the replicas of one group for reads that must have seen something, and those who wait until one has.
 * Confined to its event loop.
 */
public final class FreshReads {
    private static final Logger LOG = LoggerFactory.getLogger(FreshReads.class);
    private static final long NO_ALARM = Long.MAX_VALUE;

    /**
     * How long such a read may wait, and what happens when too many have waited in vain.
     *
     * @param waitNanos {@code causal_wait}
     * @param maxFallbackShare percent of them that may go to the primary without anybody being told
     * @param fallbackWaitNanos how long they wait instead while more do
     */
    public record Patience(long waitNanos, int maxFallbackShare, long fallbackWaitNanos) {}

    private final String database;
    private final Loop loop;
    private final Predicate<Pool> takesPart;
    private final WaitQueue waiting = new WaitQueue();
    private final FallbackShare share = new FallbackShare(System.nanoTime());
    private @Nullable Positions positions;
    private Pool[] replicas = new Pool[0];
    private NodePosition[] at = new NodePosition[0];
    private boolean newsAwaited;
    private boolean tooManyFellBack;
    private long alarmNanos = NO_ALARM;

    /** {@code takesPart} says which of the replicas are given reads at the moment. */
    FreshReads(String database, Loop loop, Predicate<Pool> takesPart) {
        this.database = database;
        this.loop = loop;
        this.takesPart = takesPart;
    }

    /** These are the replicas from now on; without positions, any of them will do. */
    void follow(@Nullable Positions known, List<Pool> fit) {
        positions = known;
        replicas = fit.toArray(Pool[]::new);
        at = new NodePosition[known == null ? 0 : replicas.length];
        for (int i = 0; known != null && i < replicas.length; i++) {
            at[i] = known.of(replicas[i].key().node());
        }
    }

    /** Where the nodes of the database stand; null where nobody asks them. */
    public @Nullable Positions positions() {
        return positions;
    }

    /** Where the node of this pool stands; null if it takes no reads. */
    public @Nullable NodePosition of(Pool pool) {
        for (int i = 0; i < at.length; i++) {
            if (replicas[i] == pool) {
                return at[i];
            }
        }
        return null;
    }

    /** The preferred replica if it has what the read must have seen, else the least loaded that has; null if none has. */
    public @Nullable Pool choose(ReadFloor floor, Pool preferred) {
        Positions known = positions;
        if (known == null) {
            return preferred;
        }
        long now = System.nanoTime();
        known.use(now);
        long required = floor.required();
        if (required == Positions.UNKNOWN) {
            return null;
        }
        Pool chosen = null;
        for (int i = 0; i < at.length; i++) {
            Pool candidate = replicas[i];
            if (floor.allows(at[i])
                    && (required == 0 || at[i].hasReplayed(required, now))
                    && takesPart.test(candidate)
                    && (chosen == null || candidate == preferred || candidate.inFlight() < chosen.inFlight())) {
                chosen = candidate;
                if (candidate == preferred) {
                    break;
                }
            }
        }
        if (chosen != null) {
            share.count(false, now);
        }
        return chosen;
    }

    /**
     * Puts a read for which there was no replica in the queue, to be told of {@link WaitQueue.Waiter#onTrouble trouble} when
     * there may be one or its time is over; false when it has waited long enough.
     */
    public boolean await(WaitQueue.Place place, long sinceNanos, ReadFloor floor, Patience patience) {
        Positions known = positions;
        long now = System.nanoTime();
        if (known == null) {
            return false;
        }
        known.want(floor.ticket(), now);
        long until = sinceNanos + longestWait(patience, now);
        if (now - until >= 0 || known.isStuck(now)) {
            share.count(true, now);
            return false;
        }
        waiting.enter(place, sinceNanos);
        if (!newsAwaited) {
            newsAwaited = true;
            known.await(this::onNews);
        }
        setAlarm(until, now);
        return true;
    }

    private long longestWait(Patience patience, long now) {
        boolean over = share.isOver(patience.maxFallbackShare(), now);
        if (over != tooManyFellBack) {
            tooManyFellBack = over;
            if (over) {
                LOG.warn(
                        "event=reads_fall_back database={} max_fallback_share={} reason=\"no standby has caught up\"",
                        database,
                        patience.maxFallbackShare());
            } else {
                LOG.info("event=reads_caught_up database={}", database);
            }
        }
        return over ? Math.max(patience.waitNanos(), patience.fallbackWaitNanos()) : patience.waitNanos();
    }

    /** Any thread. */
    private void onNews() {
        loop.execute(() -> {
            newsAwaited = false;
            waiting.trouble(null);
        });
    }

    private void setAlarm(long untilNanos, long now) {
        if (alarmNanos == NO_ALARM || untilNanos - alarmNanos < 0) {
            alarmNanos = untilNanos;
            loop.executor().schedule(() -> onAlarm(untilNanos), untilNanos - now, TimeUnit.NANOSECONDS);
        }
    }

    private void onAlarm(long ofNanos) {
        if (alarmNanos == ofNanos) {
            alarmNanos = NO_ALARM;
        }
        waiting.trouble(null);
    }

    int waiting() {
        return waiting.size();
    }
}
