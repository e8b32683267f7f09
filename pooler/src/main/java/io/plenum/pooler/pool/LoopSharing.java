package io.plenum.pooler.pool;

import io.netty.channel.Channel;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.server.ServerConnection;

/**
 * How the parts of one pool on the several loops share its connections. A part that has a waiter, no server and no permit
 * starves; a server that is free on another loop goes to the part that starves longest. Where the transport can, the connection
 * moves there, else it is closed and another opened there. Confined to the event loop of its pool.
 */
final class LoopSharing {
    /** A waiter elsewhere goes before ours only when it waited so much longer. */
    private static final long MOVE_AFTER_NANOS = 1_000_000L;

    /** The same where a server cannot move but is closed here and opened there, which costs a login. */
    private static final long REPLACE_AFTER_NANOS = 20_000_000L;

    private final Pool pool;
    private final Loop loop;
    private final PoolLimits limits;
    private final LaterOnce seekAgain;

    LoopSharing(Pool pool, PoolLimits limits) {
        this.pool = pool;
        this.loop = pool.loop();
        this.limits = limits;
        this.seekAgain = new LaterOnce(loop, pool::seekServers);
    }

    /** Our oldest waiter waits in vain, since then. */
    void starve(long sinceNanos) {
        limits.setStarving(loop.index(), sinceNanos);
        Pool other = limits.withIdle(loop.index());
        if (other != null) {
            other.loop().executor().execute(other::feedStarving);
        }
        if (!loop.transport().movesConnections()) {
            seekAgain.in(REPLACE_AFTER_NANOS);
        }
    }

    /** Gives a server that is free to the part that starves longest, if that is long enough; our pool has it no longer then. */
    boolean feed(ServerConnection server, long now) {
        boolean moves = loop.transport().movesConnections();
        long patience = !moves ? REPLACE_AFTER_NANOS : pool.isWaitedFor() ? MOVE_AFTER_NANOS : 0;
        Pool other = limits.starvingLongest(loop.index(), pool.waitedSince(now) - patience);
        if (other == null) {
            return false;
        }
        limits.setFed(other.loop().index());
        if (moves) {
            pool.servers().remove(server);
            Channel channel = server.channel();
            channel.deregister().addListener(left -> other.loop().executor().execute(() -> other.adopt(server)));
        } else {
            pool.forget(server.blame("another event loop needs its place"));
            server.terminate();
            other.loop().executor().execute(other::openInstead);
        }
        return true;
    }
}
