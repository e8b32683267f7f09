package io.plenum.pooler.client;

import io.plenum.pooler.causal.NodePosition;
import io.plenum.pooler.causal.Positions;
import io.plenum.pooler.causal.ReadFloor;
import io.plenum.pooler.config.ReadConsistency;
import io.plenum.pooler.pool.FreshReads;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.pool.PoolGroup;
import io.plenum.pooler.pool.WaitQueue;
import io.plenum.pooler.server.SessionSettings;
import org.jspecify.annotations.Nullable;

/** Which replica may answer the reads of one client: what they must have seen. Confined to its event loop. */
final class ClientReads {
    private final PoolGroup group;
    private final ReadFloor floor;
    private boolean commitsUnflushed;

    ClientReads(PoolGroup group, ReadConsistency promise) {
        this.group = group;
        this.floor = new ReadFloor(promise);
    }

    void onSettings(SessionSettings settings) {
        floor.setNamed(settings.get("plenum.min_lsn"));
        commitsUnflushed = !flushes(settings.get("synchronous_commit"));
    }

    /** Whether commits wait for a flush with this synchronous_commit; without one of its own the server's default counts. */
    private static boolean flushes(@Nullable String synchronousCommit) {
        return switch (synchronousCommit) {
            case null -> true;
            case "on", "local", "remote_write", "remote_apply" -> true;
            default -> false;
        };
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

    /** A batch that a replica may answer begins. */
    void onBatch() {
        Positions positions = positions();
        if (positions != null) {
            floor.beginRead(positions);
        }
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
