package io.plenum.pooler.pool;

import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.topology.Observation;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is done about a node that has stopped to answer although its connections stand, as {@link SilenceWatch} finds out: what
 * hangs on them is moved to another node, or told of it. Confined to the event loop of its pool; called several times a second.
 */
final class SilentNode {
    private static final Logger LOG = LoggerFactory.getLogger(SilentNode.class);

    /** A read that nothing was heard of for so long goes elsewhere when its node is silent. */
    private static final long MOVE_READS_AFTER_NANOS = 800_000_000L;

    /** What a node still owes after so long, and cannot be reached, it will never answer. */
    private static final long GIVE_UP_AFTER_NANOS = 5_000_000_000L;

    private final Pool pool;
    private final TopologySource nodes;
    private final SilenceWatch silence = new SilenceWatch();

    SilentNode(Pool pool, TopologySource nodes) {
        this.pool = pool;
        this.nodes = nodes;
    }

    /**
     * Looks whether the standby still answers; {@code lastSeen} is its last answer to a probe. Reads that hang on one that
     * does not are moved to another: their servers are closed.
     */
    void watch(@Nullable Observation lastSeen, long now) {
        SilenceWatch.Finding found = silence.look(pool.servers(), lastSeen, now);
        if (found == SilenceWatch.Finding.ODD) {
            nodes.suspect(pool.key().node());
        }
        boolean silent = found == SilenceWatch.Finding.SILENT;
        boolean wasSilent = pool.standing().isSilent(); // and is no candidate any more
        if (silent != wasSilent) {
            LOG.warn(
                    "event=node_silent node={} silent={} in_flight={}",
                    pool.key().node(),
                    silent,
                    pool.inFlight());
            pool.standing().setSilent(silent, now);
        }
        if (silent && wasSilent && silence.silentNanos(now) >= MOVE_READS_AFTER_NANOS) {
            close(true);
            pool.waiters().trouble(null);
        }
    }

    /** The node cannot be reached: what hangs on its connections is told so, once nothing came from it for long enough. */
    void giveUp(@Nullable Observation lastSeen, long now) {
        silence.look(pool.servers(), lastSeen, now);
        if (silence.silentNanos(now) >= GIVE_UP_AFTER_NANOS) {
            close(false);
        }
    }

    private void close(boolean readsOnly) {
        for (ServerConnection server : List.copyOf(pool.servers())) {
            if (SilenceWatch.owes(server) && (!readsOnly || server.mayMove())) {
                server.close();
            }
        }
    }
}
