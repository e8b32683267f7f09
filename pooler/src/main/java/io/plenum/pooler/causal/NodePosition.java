package io.plenum.pooler.causal;

import io.plenum.routing.topology.Node;
import java.util.concurrent.TimeUnit;

/**
 * How far one standby has replayed. Written by the thread that asks it, read by any.
 *
 * <p>While a server lives it never goes back, so an old answer is a safe one; a server that crashed begins at an earlier
 * point than it had reached. So an answer counts only while the connection that it came over stands, and not for longer
 * than {@value #FRESH_MILLIS} ms, for a machine that vanished closes nothing.
 */
public final class NodePosition {
    static final long FRESH_MILLIS = 1_000;

    /** What {@link #life} says while nobody watches the node. */
    public static final int UNWATCHED = 0;

    private static final Reading NOTHING = new Reading(0, -1, 0);

    /** The answer to the {@code number}-th question. */
    private record Reading(long number, long replayed, long atNanos) {}

    private final Node node;
    private volatile int life = UNWATCHED;
    private volatile long asked;
    private volatile Reading reading = NOTHING;
    private int lives;

    NodePosition(Node node) {
        this.node = node;
    }

    public Node node() {
        return node;
    }

    // --- whoever asks ----------------------------------------------------------------------------------------------

    /** A connection to the node stands: what is answered from now on is of one server's life. */
    public void onWatched() {
        reading = NOTHING;
        lives++;
        life = lives;
    }

    /** The connection is gone: what was answered is worth nothing. */
    public void onLost() {
        life = UNWATCHED;
        reading = NOTHING;
    }

    /** The node is about to be asked. */
    public void onAsked() {
        long next = asked + 1; // by one thread alone
        asked = next;
    }

    public void onAnswer(long replayed, long nowNanos) {
        reading = new Reading(asked, replayed, nowNanos);
    }

    // --- whoever reads there ---------------------------------------------------------------------------------------

    /** Tells one life of the server from another; {@link #UNWATCHED} when nothing is known. */
    int life() {
        return life;
    }

    /** The number of the first question that is still to be asked: its answer has all that was read there until now. */
    long ticket() {
        return asked + 1;
    }

    /** How far it has replayed, by an answer with this number or a later one; {@link Positions#UNKNOWN} if there is none. */
    long replayedSince(long ticket) {
        Reading last = reading;
        return last.number >= ticket ? last.replayed : Positions.UNKNOWN;
    }

    /** Whether it is known to have replayed so far. */
    public boolean hasReplayed(long lsn, long nowNanos) {
        Reading last = reading;
        return last.replayed >= lsn && nowNanos - last.atNanos < TimeUnit.MILLISECONDS.toNanos(FRESH_MILLIS);
    }
}
