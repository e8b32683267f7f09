package io.plenum.pooler.pool;

import java.util.Iterator;
import java.util.List;

/**
 * A pool that may open no connection because of a limit that it shares asks those it shares it with, one after the other and
 * each on its own loop, to close one that idles. Begun on the event loop of its pool.
 */
final class Eviction {
    private final Pool pool;
    private boolean underWay;

    Eviction(Pool pool) {
        this.pool = pool;
    }

    /** Asks these, unless some are being asked; the pool seeks again once one has made room. */
    void among(List<Pool> sharers, String limit) {
        if (!underWay) {
            underWay = true;
            ask(sharers.iterator(), limit);
        }
    }

    /** Asks the next; on whatever loop the one before said no. */
    private void ask(Iterator<Pool> others, String limit) {
        while (others.hasNext()) {
            Pool other = others.next();
            if (other != pool) {
                other.loop().executor().execute(() -> {
                    if (!other.evictIdle(limit, () -> pool.loop().executor().execute(this::onEvicted))) {
                        ask(others, limit);
                    }
                });
                return;
            }
        }
        pool.loop().executor().execute(() -> underWay = false);
    }

    private void onEvicted() {
        underWay = false;
        pool.seekServers();
    }
}
