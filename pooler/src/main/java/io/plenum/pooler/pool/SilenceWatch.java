package io.plenum.pooler.pool;

import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.topology.Observation;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds out that a node has stopped to answer although its connections stand: nothing comes from any of them while answers
 * are owed. That may also be one slow query, so the node is probed, and one that answers the probe is well. Confined to its
 * event loop; looked at several times a second.
 */
final class SilenceWatch {
    private static final long SUSPECTED_AFTER_NANOS = 300_000_000L;
    private static final long LONGEST_PATIENCE_NANOS = 5_000_000_000L;

    /** A probe is answered sooner than that, or not at all. */
    private static final long PROBE_NANOS = 250_000_000L;

    /** By then a node that answers nothing is known to be down: one that is not refuses our probes, and may do for reads. */
    private static final long LONGEST_SILENCE_NANOS = 10_000_000_000L;

    /** Who is late himself cannot tell who else is. */
    private static final long LATE_NANOS = 400_000_000L;

    private long bytes;
    private long sinceNanos;
    private long lookedNanos;
    private long patienceNanos = SUSPECTED_AFTER_NANOS;
    private boolean suspected;
    private boolean silent;
    private @Nullable Observation before;

    /** What is to be done about the node. */
    enum Finding {
        WELL,
        /** It is to be probed. */
        ODD,
        WAITED_FOR,
        SILENT
    }

    /** {@code lastSeen} is the last answer to a probe, null if there was none. */
    Finding look(List<ServerConnection> servers, @Nullable Observation lastSeen, long nowNanos) {
        long sum = 0;
        boolean owed = false;
        for (int i = 0; i < servers.size(); i++) {
            ServerConnection server = servers.get(i);
            sum += server.receivedBytes();
            owed |= owes(server);
        }
        return look(sum, owed, lastSeen, nowNanos);
    }

    /** {@code sum} is what has come from all of its connections, {@code owed} says that more should. */
    Finding look(long sum, boolean owed, @Nullable Observation lastSeen, long nowNanos) {
        boolean late = nowNanos - lookedNanos > LATE_NANOS;
        lookedNanos = nowNanos;
        if (silent && lastSeen == before && silentNanos(nowNanos) < LONGEST_SILENCE_NANOS) {
            // What was moved away from it says nothing about it, nor does a look that comes late: only an answer does.
            // Else each
            // hiccup of ours would give reads to a node that is known not to answer.
            return Finding.SILENT;
        }
        if (silent || !owed || sum != bytes || late) {
            bytes = sum;
            patienceNanos = SUSPECTED_AFTER_NANOS;
            return startAnew(nowNanos);
        }
        if (!suspected) {
            if (silentNanos(nowNanos) < patienceNanos) {
                return Finding.WELL;
            }
            suspected = true;
            before = lastSeen;
            return Finding.ODD;
        }
        if (lastSeen != before) {
            patienceNanos = Math.min(LONGEST_PATIENCE_NANOS, 2 * patienceNanos); // a slow query it is
            return startAnew(nowNanos);
        }
        silent = silentNanos(nowNanos) >= patienceNanos + PROBE_NANOS;
        return silent ? Finding.SILENT : Finding.WAITED_FOR;
    }

    private Finding startAnew(long nowNanos) {
        sinceNanos = nowNanos;
        suspected = false;
        silent = false;
        before = null;
        return Finding.WELL;
    }

    /** For how long nothing came although something should have. */
    long silentNanos(long nowNanos) {
        return nowNanos - sinceNanos;
    }

    static boolean owes(ServerConnection server) {
        return server.isLinked() && !server.replies().isEmpty();
    }
}
