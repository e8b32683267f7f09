package io.plenum.pooler.causal;

import io.plenum.pooler.config.ReadConsistency;
import io.plenum.routing.causal.Lsn;
import org.jspecify.annotations.Nullable;

/**
 * What the reads of one client must have seen. Confined to the client's event loop.
 *
 * <p>A commit stores a {@linkplain Positions#ticket ticket}, a number. Only a read that a standby might answer asks what
 * position that is, and then keeps the position as the <em>floor</em>, which only rises while the primary is the same.
 */
public final class ReadFloor {
    private final ReadConsistency promise;

    /** Whose tickets and positions these are; null before the first. */
    private @Nullable Positions positions;

    private long ticket;
    private boolean unflushed;
    private long floor;
    private int epoch;
    private long everybodys;
    private long everybodysUnflushed;

    /** The position that the client itself named; 0 for none. */
    private long named;

    // Where the client read last, while it is not known how far that node was: the next read there is not behind it.
    private @Nullable NodePosition readLast;
    private long readTicket;
    private int readLife;
    private int readEpoch;

    public ReadFloor(ReadConsistency promise) {
        this.promise = promise;
    }

    // --- what the client has seen ----------------------------------------------------------------------------------

    /** The client has heard of a commit that may have written; {@code unflushed} says that it may not have been flushed. */
    public void onCommit(Positions at, boolean unflushed) {
        long next = at.ticket();
        if (at.isShared()) {
            at.noteForEverybody(next, unflushed);
        }
        if (promise != ReadConsistency.EVENTUAL) {
            become(at);
            ticket = next;
            this.unflushed |= unflushed;
        }
    }

    /** Whether {@link #onRead} and {@link #onReadFromPrimary} need to be told. */
    public boolean isMonotonic() {
        return promise == ReadConsistency.MONOTONIC;
    }

    /** The client has read on a standby. */
    public void onRead(Positions at, NodePosition node) {
        become(at);
        int life = node.life();
        if (life == NodePosition.UNWATCHED) {
            onReadFromPrimary(at); // nobody can say how far it was, but the primary was no less far
            return;
        }
        readLast = node;
        readTicket = node.ticket();
        readLife = life;
        readEpoch = at.epoch();
    }

    /** The client has read on the primary, where it saw all that was committed, flushed or not. */
    public void onReadFromPrimary(Positions at) {
        become(at);
        ticket = at.ticket();
        unflushed = true;
        readLast = null;
    }

    /** The client names a position that it knows from elsewhere; null for none. What is no position is beyond all. */
    public void setNamed(@Nullable String lsn) {
        long parsed = lsn == null || lsn.isEmpty() ? 0 : Lsn.parse(lsn);
        named = parsed == Lsn.MALFORMED ? Long.MAX_VALUE : parsed;
    }

    /** Tickets and positions of another cluster mean nothing here: the client is to see all that is there now. */
    private void become(Positions at) {
        if (positions != at) {
            boolean another = positions != null;
            positions = at;
            floor = 0;
            everybodys = 0;
            everybodysUnflushed = 0;
            readLast = null;
            if (another) {
                ticket = at.ticket();
                unflushed = true;
            }
        }
    }

    // --- a read ----------------------------------------------------------------------------------------------------

    /** A read begins: takes in what others have committed, where the client is to see that. */
    public void beginRead(Positions at) {
        switch (promise) {
            case CLUSTER -> onReadFromPrimary(at);
            case POD -> takeEverybodys(at);
            case EVENTUAL, SESSION, MONOTONIC -> {
                if (positions != null && positions != at) {
                    become(at);
                }
            }
        }
        if (named != 0) {
            become(at);
        }
    }

    private void takeEverybodys(Positions at) {
        become(at);
        if (!at.isShared()) {
            at.setShared();
        }
        long last = at.everybodysTicket();
        long lastUnflushed = at.everybodysUnflushedTicket();
        if (last != everybodys) {
            everybodys = last;
            ticket = Math.max(ticket, last);
        }
        if (lastUnflushed != everybodysUnflushed) {
            everybodysUnflushed = lastUnflushed;
            unflushed = true;
        }
    }

    /** Whether not every standby will do. */
    public boolean isRaised() {
        return ticket != 0 || floor != 0 || named != 0 || readLast != null;
    }

    /** The ticket for which the primary has to be asked; 0 when it need not be. */
    public long ticket() {
        return ticket;
    }

    /** How far a standby must have replayed; {@link Positions#UNKNOWN} while the primary has not said. */
    public long required() {
        Positions at = positions;
        if (at == null) {
            return named;
        }
        int now = at.epoch();
        if (!moveTo(at, now)) {
            return Positions.UNKNOWN;
        }
        settleLastRead(at);
        if (ticket != 0) {
            long end = at.endOf(ticket, unflushed);
            if (end == Positions.UNKNOWN || at.epoch() != now) {
                return Positions.UNKNOWN;
            }
            ticket = 0;
            unflushed = false;
            floor = Math.max(floor, end);
        }
        return Math.max(floor, at.reachable(named));
    }

    /** The floor of an earlier epoch becomes the begin of this one; false while that is not known. */
    private boolean moveTo(Positions at, int now) {
        if (epoch == now) {
            return true;
        }
        if (floor != 0) {
            long begin = at.beginOfEpoch();
            if (begin == Positions.UNKNOWN || at.epoch() != now) {
                return false;
            }
            floor = begin;
        }
        epoch = now;
        return true;
    }

    private void settleLastRead(Positions at) {
        NodePosition node = readLast;
        if (node == null) {
            return;
        }
        if (node.life() != readLife || readEpoch != epoch) {
            onReadFromPrimary(at); // how far it was cannot be told any more, but the primary was no less far
            return;
        }
        long replayed = node.replayedSince(readTicket);
        if (replayed != Positions.UNKNOWN) {
            readLast = null;
            floor = Math.max(floor, replayed);
        }
    }

    /** Whether a read on this node would not be behind the one before it, as far as {@link #required} does not say it. */
    public boolean allows(NodePosition node) {
        return readLast == null || readLast == node;
    }
}
