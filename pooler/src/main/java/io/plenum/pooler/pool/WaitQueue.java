package io.plenum.pooler.pool;

import io.plenum.pooler.server.ServerConnection;
import io.plenum.wire.error.ErrorResponse;
import org.jspecify.annotations.Nullable;

/**
 * Those who wait for a server, oldest first; entering and leaving allocate nothing.
 *
 * <p>A waiter enters when a pool has no server for it and leaves when it gets one, gives up, or is sent elsewhere.
 * Confined to its event loop.
 */
public class WaitQueue {
    /** Who waits. */
    public interface Waiter {
        /** A server for the waiter, who has left the queue and owns the server until it releases it. */
        void onServer(ServerConnection server);

        /**
         * The pool has no server to give: the node cannot be reached, or is no longer what was asked for. The waiter still
         * stands in the queue and may leave it.
         *
         * @param refusal what PostgreSQL said when it refused the login, null when nothing was said
         */
        void onTrouble(@Nullable ErrorResponse refusal);

        /** The waiter was taken out of the queue to make room, and is to be told this, as soon as it can be. */
        default void onRefused(ErrorResponse error) {
            onTrouble(error);
        }
    }

    /** One waiter's place, made once for its life. */
    public static final class Place {
        private final Waiter waiter;
        private @Nullable WaitQueue queue;
        private @Nullable Place previous;
        private @Nullable Place next;
        private long sinceNanos;
        private int heldBytes;

        public Place(Waiter waiter) {
            this.waiter = waiter;
        }

        public boolean isWaiting() {
            return queue != null;
        }

        /** When the waiting began; only while waiting. */
        public long sinceNanos() {
            return sinceNanos;
        }

        public Waiter waiter() {
            return waiter;
        }

        boolean isIn(WaitQueue other) {
            return queue == other;
        }

        void setHeldBytes(int heldBytes) {
            this.heldBytes = heldBytes;
        }

        int heldBytes() {
            return heldBytes;
        }

        /** Leaves whatever queue this stands in. */
        public void leave() {
            if (queue != null) {
                queue.remove(this);
            }
        }
    }

    private @Nullable Place first;
    private @Nullable Place last;
    /** Whose turn it is to be told, while all are. */
    private @Nullable Place upcoming;

    private int size;

    /** Enters at the end; {@code sinceNanos} is kept when a waiter only changes queues. */
    void enter(Place place, long sinceNanos) {
        if (place.queue != null) {
            throw new IllegalStateException("already waiting");
        }
        place.queue = this;
        place.sinceNanos = sinceNanos;
        place.previous = last;
        if (last == null) {
            first = place;
        } else {
            last.next = place;
        }
        last = place;
        size++;
    }

    /** Takes out the oldest waiter; null when nobody waits. */
    @Nullable
    Place poll() {
        Place oldest = first;
        if (oldest != null) {
            remove(oldest);
        }
        return oldest;
    }

    public @Nullable Place oldest() {
        return first;
    }

    /** Tells every waiter; whoever is told may leave, and make others leave, and enter again. */
    void trouble(@Nullable ErrorResponse refusal) {
        upcoming = first;
        for (int left = size; upcoming != null && left > 0; left--) {
            Place place = upcoming;
            upcoming = place.next;
            place.waiter.onTrouble(refusal);
        }
        upcoming = null; // of a call around this one too: there is nobody left to be told
    }

    boolean isEmpty() {
        return first == null;
    }

    public int size() {
        return size;
    }

    private void remove(Place place) {
        if (upcoming == place) {
            upcoming = place.next;
        }
        if (place.previous == null) {
            first = place.next;
        } else {
            place.previous.next = place.next;
        }
        if (place.next == null) {
            last = place.previous;
        } else {
            place.next.previous = place.previous;
        }
        place.previous = null;
        place.next = null;
        place.queue = null;
        size--;
        onLeft(place);
    }

    /** A waiter stands in the queue no longer. */
    void onLeft(Place place) {}
}
