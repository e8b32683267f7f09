package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.client.ClientConnection.State;
import io.plenum.pooler.error.PoolerErrors;
import io.plenum.pooler.pool.LoginRetry;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.pool.PoolGroup;
import io.plenum.pooler.pool.WaitQueue;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.Reason;
import io.plenum.routing.Target;
import io.plenum.wire.error.ErrorResponse;
import org.jspecify.annotations.Nullable;

/**
 * Gets a client a server for the batch that it has at hand: chooses the node that the decision allows, and takes a server of
 * its pool or waits for one.
 *
 * <p>It waits in one queue at a time: that of a pool; that of the replicas, until one has what the client must see; or, while
 * there is no primary, the hold queue. {@link State#WAITING} is the client's state meanwhile, and the batch stands unread at the
 * cutter's position. Whatever goes wrong there sends it back to the choice of the node. What it gets it gives to
 * {@link BatchRelay#onServer}; a batch that gets nothing is {@linkplain BatchRelay#refuse refused}.
 *
 * <p>Made once per client that has logged in. Confined to its event loop.
 */
final class ServerSeeker implements WaitQueue.Waiter {
    private final ClientConnection client;
    private final BatchRelay batches;
    private final PoolGroup group;
    private final ClientReads reads;
    private final WaitQueue.Place place = new WaitQueue.Place(this);

    /** Why the batch goes where it goes. */
    private Reason reason = Reason.EMPTY;

    /** The pool that was asked; null when there is no primary. */
    private @Nullable Pool asked;

    /** A replica is sought. */
    private boolean forRead;

    private long batchSinceNanos;

    /** Since when the wait lasts, or lasted, that the client was last told of. */
    private long notifiedWait;

    ServerSeeker(ClientConnection client, BatchRelay batches, PoolGroup group, ClientReads reads) {
        this.client = client;
        this.batches = batches;
        this.group = group;
        this.reads = reads;
    }

    /** When the last batch began. */
    long batchSinceNanos() {
        return batchSinceNanos;
    }

    /** A batch began that needs no server. */
    void onAnswered(long nowNanos) {
        batchSinceNanos = nowNanos;
    }

    /** Since when the client waits; only in that state. */
    long waitingSinceNanos() {
        return place.sinceNanos();
    }

    // --- the choice ------------------------------------------------------------------------------------------------

    /**
     * Seeks a server for a batch that was decided so.
     *
     * @return whether the client may go on with what it has sent: with the server, or behind the batch, which was refused
     */
    boolean seek(Reason decided, long nowNanos) {
        reason = decided;
        return seek(nowNanos);
    }

    private boolean seek(long nowNanos) {
        batchSinceNanos = nowNanos;
        boolean read = reason.target() == Target.REPLICA;
        Pool pool = read ? reads.preferred(batches.refusedBy(), batches.session(), client.user()) : null;
        if (pool != null && reason != Reason.EMPTY) {
            pool = reads.choose(pool);
            if (pool == null && reads.await(place, nowNanos, batches.limits().patience())) {
                client.become(State.WAITING);
                return false;
            }
            reason = pool == null ? Reason.NOT_CAUGHT_UP : reason;
        }
        forRead = pool != null;
        if (read && pool == null && reason.target() == Target.REPLICA && reason != Reason.EMPTY) {
            reason = Reason.NO_REPLICA;
        }
        if (pool == null) {
            pool = group.forWrite();
        }
        asked = pool;
        if (pool == null) {
            return !hold(nowNanos);
        }
        ServerConnection server = pool.take(nowNanos);
        if (server == null) {
            client.become(State.WAITING);
            pool.await(place, nowNanos);
            return false;
        }
        batches.onServer(pool, server, reason, forRead, nowNanos);
        return true;
    }

    /** Waits until there is a primary; false when the batch may not and was refused. */
    private boolean hold(long sinceNanos) {
        ByteBuf bytes = client.input().shown();
        int size = bytes == null
                ? 0
                : bytes.writerIndex() - client.input().cutter().position();
        ErrorResponse refusal = group.hold(place, sinceNanos, size);
        if (refusal == null) {
            client.become(State.WAITING);
        } else {
            client.become(State.IDLE);
            batches.refuse(refusal);
        }
        return refusal == null;
    }

    // --- the wait --------------------------------------------------------------------------------------------------

    @Override
    public void onServer(ServerConnection server) {
        Pool pool = asked;
        if (pool == null) {
            throw new IllegalStateException("a server from nowhere");
        }
        asked = null;
        long now = System.nanoTime();
        group.stats().waitNanos += now - batchSinceNanos;
        batches.onServer(pool, server, reason, forRead, now);
        client.pump();
    }

    @Override
    public void onTrouble(@Nullable ErrorResponse refusal) {
        long since = place.sinceNanos();
        place.leave();
        asked = null;
        if (refusal != null && refusal.isFatal() && LoginRetry.isLasting(refusal) && !forRead) {
            client.fail(refusal);
            return;
        }
        if (seek(since)) {
            client.pump();
        }
    }

    @Override
    public void onRefused(ErrorResponse error) {
        client.execute(() -> {
            if (client.state() == State.WAITING && !place.isWaiting()) { // else it was cancelled meanwhile, or is gone
                refuse(error);
            }
        });
    }

    /** Ends the wait: the batch is answered as if it had failed on a server, with one error and one ReadyForQuery. */
    void refuse(ErrorResponse error) {
        place.leave();
        asked = null;
        client.become(State.IDLE);
        if (client.input().shown() != null) {
            batches.refuse(error);
            client.pump();
        }
    }

    /** The client is gone or is closed: it waits no more. */
    void giveUp() {
        place.leave();
    }

    /** Ends a wait that takes too long, or the client when the process ends; tells a client that has waited for long. */
    void tick(long now, boolean closing) {
        long waited = now - place.sinceNanos();
        ErrorResponse broken = closing
                ? PoolerErrors.shuttingDown() // nothing of its batch was begun
                : batches.limits().brokenWaiting(client.database(), client.user(), asked == null, waited);
        ErrorResponse refusal = broken == null ? group.brokenHold(place, now) : null;
        if (refusal != null) {
            refuse(refusal);
        } else if (broken != null) {
            client.fail(broken);
        }
        if (client.state() == State.WAITING
                && notifiedWait != place.sinceNanos()
                && batches.limits().isNoticeDue(waited)) {
            notifiedWait = place.sinceNanos();
            PoolerErrors.clientQueued(client.database()).writeTo(client.outbox().writer());
            client.outbox().flush();
        }
    }
}
