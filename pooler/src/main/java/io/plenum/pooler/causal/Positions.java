package io.plenum.pooler.causal;

import io.plenum.routing.causal.Lsn;
import io.plenum.routing.topology.Node;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Where the nodes of one cluster stand in its WAL. Any thread; what the nodes said is written by one.
 *
 * <p>The primary is asked only while somebody needs to know, and one answer serves all: questions are numbered, and what
 * was committed before a question was sent stands before the position in its answer. So a commit keeps the number of the
 * next question, its <em>ticket</em>, and nothing more; a read that comes later looks for an answer with that number or a
 * higher one.
 *
 * <p>Positions of two primaries are not compared. With each change begins an <em>epoch</em>, and all that was to be seen
 * before it becomes the first answer of the new primary: what it does not have is lost.
 */
public final class Positions {
    /** What is answered while a position is not known. */
    public static final long UNKNOWN = -1;

    /** Answers of the primary that are kept, a power of two; an older ticket is given the oldest of them. */
    private static final int KEPT = 1024;

    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Between two notes that somebody reads by position. */
    private static final long USE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /**
     * One primary's time.
     *
     * @param first the number of its first answer, 0 while there is none
     * @param begin the position in that answer
     */
    private record Epoch(int number, long first, long begin) {}

    private final AtomicLongArray flushed = new AtomicLongArray(KEPT);
    private final AtomicLongArray inserted = new AtomicLongArray(KEPT);
    private final Map<Node, NodePosition> nodes = new ConcurrentHashMap<>();
    private final Queue<Runnable> listeners = new ConcurrentLinkedQueue<>();
    private final AtomicLong wanted = new AtomicLong();
    private final AtomicLong everybodys = new AtomicLong();
    private final AtomicLong everybodysUnflushed = new AtomicLong();
    private volatile Runnable onDemand = () -> {};
    private volatile long asked;
    private volatile long answered;
    private volatile long newestInserted;
    private volatile Epoch epoch = new Epoch(1, 0, 0);
    private volatile boolean unflushedByDefault = true;
    private volatile boolean shared;
    private volatile int pageBytes = 8192;
    private volatile long segmentBytes = 16L * 1024 * 1024;
    private volatile long usedNanos = System.nanoTime() - TimeUnit.DAYS.toNanos(1);
    /** Since when a question waits for its answer; 0 when none does. */
    private volatile long unansweredNanos;

    // --- whoever asks the nodes ------------------------------------------------------------------------------------

    /** What is run whenever somebody needs to know more. */
    public void setOnDemand(Runnable onDemand) {
        this.onDemand = onDemand;
    }

    /** The primary is about to be asked. */
    public void onAsked() {
        long next = asked + 1; // by one thread alone
        asked = next;
    }

    /** How WAL is laid out, and whether sessions that say nothing of synchronous_commit may commit without a flush. */
    public void onLayout(int pageBytes, long segmentBytes, boolean unflushedByDefault) {
        this.pageBytes = pageBytes;
        this.segmentBytes = segmentBytes;
        this.unflushedByDefault = unflushedByDefault;
    }

    /** The primary's answer to the last question. */
    public void onAnswer(long flush, long insert) {
        long reachable = reachable(insert);
        if (reachable < newestInserted && epoch.first != 0) {
            onNewEpoch(); // it crashed, and what was not on its disk is gone
        }
        newestInserted = reachable;
        long number = asked;
        for (long n = Math.max(answered + 1, number - KEPT + 1); n <= number; n++) { // those without an answer too
            flushed.set(slot(n), reachable(flush));
            inserted.set(slot(n), reachable);
        }
        answered = number;
        unansweredNanos = 0;
        Epoch now = epoch;
        if (now.first == 0) {
            epoch = new Epoch(now.number, number, reachable);
        }
    }

    /** Another primary, or the same one on another timeline. */
    public void onNewEpoch() {
        epoch = new Epoch(epoch.number + 1, 0, 0);
        newestInserted = 0;
    }

    /** Whether somebody holds a ticket that no answer has served. */
    public boolean isPrimaryWanted() {
        return wanted.get() > answered || (isAwaited() && epoch.first == 0);
    }

    /** Whether somebody waits for news of any kind. */
    public boolean isAwaited() {
        return !listeners.isEmpty();
    }

    /** Whether somebody reads by position lately. */
    public boolean isUsed(long nowNanos, long withinNanos) {
        return isAwaited() || nowNanos - usedNanos < withinNanos;
    }

    /** A node answered: who waits looks again. */
    public void tell() {
        int left = listeners.size(); // of those that are there now: who looks in vain comes back at once
        for (Runnable listener = listeners.poll(); listener != null; listener = listeners.poll()) {
            listener.run();
            left--;
            if (left <= 0) {
                return;
            }
        }
    }

    public void forget(Node node) {
        NodePosition gone = nodes.remove(node);
        if (gone != null) {
            gone.onLost();
        }
    }

    // --- whoever commits -------------------------------------------------------------------------------------------

    /** The number of the next question to the primary: its answer has all that was committed until now. */
    long ticket() {
        return asked + 1;
    }

    /** Whether commits are noted for everybody, and not only for the client that made them. */
    boolean isShared() {
        return shared;
    }

    /** From now on commits are noted for everybody; those until now count as one. */
    void setShared() {
        shared = true;
        noteForEverybody(ticket(), true);
    }

    void noteForEverybody(long ticket, boolean unflushed) {
        raise(everybodys, ticket);
        if (unflushed) {
            raise(everybodysUnflushed, ticket);
        }
    }

    private static void raise(AtomicLong highest, long to) {
        if (highest.get() < to) { // mostly not: tickets grow with the questions
            highest.accumulateAndGet(to, Math::max);
        }
    }

    // --- whoever reads ---------------------------------------------------------------------------------------------

    /** The ticket of the last commit of anybody; 0 for none. */
    long everybodysTicket() {
        return everybodys.get();
    }

    /** The same of commits that may not have been flushed. */
    long everybodysUnflushedTicket() {
        return everybodysUnflushed.get();
    }

    int epoch() {
        return epoch.number;
    }

    /** The first position of the present epoch, or {@link #UNKNOWN}. */
    long beginOfEpoch() {
        Epoch now = epoch;
        return now.first == 0 ? UNKNOWN : now.begin;
    }

    /**
     * Where the WAL ends of all that was committed when the ticket was taken, in the present epoch; or {@link #UNKNOWN}.
     *
     * @param unflushed whether a commit among them may have been told before it was flushed: then the position behind all
     *     that is written counts, which a standby reaches later
     */
    long endOf(long ticket, boolean unflushed) {
        Epoch now = epoch;
        long last = answered;
        long number = Math.max(Math.max(ticket, now.first), last - KEPT + 1);
        if (now.first == 0 || number > last) {
            return UNKNOWN;
        }
        // Where the answer was overwritten meanwhile, by a later one: that is right too.
        return (unflushed || unflushedByDefault ? inserted : flushed).get(slot(number));
    }

    private static int slot(long number) {
        return (int) number & (KEPT - 1);
    }

    /** The position that a standby reaches when it has replayed all before this one. */
    long reachable(long lsn) {
        return Lsn.reachable(lsn, pageBytes, segmentBytes);
    }

    public NodePosition of(Node node) {
        return nodes.computeIfAbsent(node, NodePosition::new);
    }

    /** Notes that somebody reads by position: then the standbys are asked now and then without being waited for. */
    public void use(long nowNanos) {
        if (nowNanos - usedNanos > USE_NANOS) {
            boolean rested = !isUsed(nowNanos, TimeUnit.SECONDS.toNanos(1));
            usedNanos = nowNanos;
            if (rested) {
                onDemand.run();
            }
        }
    }

    /** Has the nodes asked until an answer serves the ticket, 0 for none. */
    public void want(long ticket, long nowNanos) {
        raise(wanted, ticket);
        if (isPrimaryWanted() && unansweredNanos == 0) {
            unansweredNanos = nowNanos;
        }
        use(nowNanos);
    }

    /** Has {@code listener} run once, by the thread that asks the nodes, at the next answer of any. */
    public void await(Runnable listener) {
        listeners.add(listener);
        onDemand.run();
    }

    /** Whether the primary has owed an answer for so long that it is not worth while to wait for it. */
    public boolean isStuck(long nowNanos) {
        long since = unansweredNanos;
        return since != 0 && nowNanos - since > STUCK_NANOS;
    }
}
