package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.causal.NodePosition;
import io.plenum.pooler.causal.Positions;
import io.plenum.pooler.causal.ReadFloor;
import io.plenum.pooler.config.BalanceKey;
import io.plenum.pooler.config.ReadConsistency;
import io.plenum.pooler.pool.FreshReads;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.pool.PoolGroup;
import io.plenum.pooler.pool.RefusedReads;
import io.plenum.pooler.pool.WaitQueue;
import io.plenum.routing.HintPolicy;
import io.plenum.routing.balance.Hashes;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Which replica may answer the reads of one client: what they must have seen. Confined to its event loop. */
final class ClientReads {
    private final PoolGroup group;
    private final ReadFloor floor;
    private boolean commitsUnflushed;

    /** Hashes of the keys that the session and the batch at hand name; 0 for none. */
    private long sessionKey;

    private long batchKey;

    ClientReads(PoolGroup group, ReadConsistency promise) {
        this.group = group;
        this.floor = new ReadFloor(promise);
    }

    void onSettings(SessionTraits session) {
        floor.setNamed(session.minLsn());
        sessionKey = session.key();
        commitsUnflushed = session.commitsUnflushed();
    }

    private @Nullable Positions positions() {
        return group.freshReads().positions();
    }

    /** A transaction that may have written is over. */
    void onCommit(boolean mayBeUnflushed) {
        Positions positions = positions();
        if (positions != null) {
            floor.onCommit(positions, mayBeUnflushed || commitsUnflushed);
        }
    }

    /** A batch that a replica may answer begins there. */
    void onBatch(BatchReader batches, BatchReader.Session session, ByteBuf bytes, int start) {
        boolean maySay = group.balancesByKey() && session.hints() != HintPolicy.OFF;
        batchKey = maySay ? batches.key(session, bytes, start) : 0;
        Positions positions = positions();
        if (positions != null) {
            floor.beginRead(positions);
        }
    }

    /** The batch that was decided last follows where the client has read: whether the replica will do for its reads too. */
    boolean mayGoOn(BatchReader batches, BatchReader.Session session, ByteBuf bytes, @Nullable Pool pool) {
        Positions positions = positions();
        if (positions != null) {
            floor.beginRead(positions);
        }
        return pool != null && !wereRefused(batches, session, bytes, System.nanoTime()) && choose(pool) == pool;
    }

    /** Whether no standby is to be asked for the reads of the batch that was decided last: one has refused the like of them. */
    boolean wereRefused(BatchReader batches, BatchReader.Session session, ByteBuf bytes, long now) {
        RefusedReads refused = group.refusedReads();
        return !refused.isEmpty() && refused.contains(batches.fingerprint(session, bytes), now);
    }

    /** A standby has refused the reads of the batch that the bytes are, and so would any. */
    void onRefused(BatchReader batches, BatchReader.Session session, ByteBuf bytes) {
        batches.forget();
        batches.decide(session, bytes, bytes.readerIndex());
        group.refusedReads().add(batches.fingerprint(session, bytes), System.nanoTime());
    }

    /** The replica that the reads of the batch at hand go to if it does, beside the one that has refused them. */
    @Nullable
    Pool preferred(@Nullable Pool refusedBy, ClientSession session, String user) {
        return refusedBy == null ? group.forRead(key(session, user)) : group.forReadBeside(refusedBy);
    }

    /**
     * What the reads of the batch at hand go by where they go by a key: what the text names, else the session, else the user or
     * its application; 0 where they go by none.
     */
    private long key(ClientSession session, String user) {
        if (!group.balancesByKey()) {
            return 0;
        }
        if (batchKey != 0) {
            return batchKey;
        }
        if (sessionKey != 0 && session.hints() != HintPolicy.OFF) {
            return sessionKey;
        }
        boolean byUser = session.limits().balanceKey() == BalanceKey.USER;
        return Hashes.of(byUser ? user : Objects.requireNonNullElse(session.value("application_name"), ""));
    }

    /** The preferred replica or another that has what the client must see; null when none has. */
    @Nullable
    Pool choose(Pool preferred) {
        return !floor.isRaised() ? preferred : group.freshReads().choose(floor, preferred);
    }

    /** Where no replica would do: waits until one might, or says that it waited long enough. */
    boolean await(WaitQueue.Place place, long sinceNanos, FreshReads.Patience patience) {
        return group.freshReads().await(place, sinceNanos, floor, patience);
    }

    /** What the client asked of a server of this pool is answered: how far it has seen, as far as that matters to it. */
    void onAnswered(@Nullable Pool pool, boolean onReplica) {
        Positions positions = floor.isMonotonic() ? positions() : null;
        if (positions == null || pool == null) {
            return;
        }
        NodePosition node = onReplica ? group.freshReads().of(pool) : null;
        if (node == null) {
            floor.onReadFromPrimary(positions);
        } else {
            floor.onRead(positions, node);
        }
    }
}
