package io.plenum.pooler.pool;

import io.plenum.pooler.config.Scrub;

/**
 * What the settings say of one pool; times in nanoseconds, 0 where a setting is off.
 *
 * @param size most server connections of the pool, over all loops
 * @param minSize as many are kept while the pool is in use
 * @param reserve more that are opened once a client waited {@code reserveAfterNanos}
 * @param checkQuery run on a server that was idle for {@code checkDelayNanos}; empty for the empty query
 * @param resetQuery run when a session ends, or after each transaction with {@code resetAlways}; empty for none
 * @param scrub when a server is scrubbed of what its client may have left
 * @param maxPinnedShare percent of {@code size} that clients may keep beyond their transactions; one at least
 * @param checks whether a server is checked at all
 * @param rotate whether the server used longest ago is taken first instead of the one used last
 */
public record PoolSettings(
        int size,
        int minSize,
        int reserve,
        long reserveAfterNanos,
        long lifetimeNanos,
        long idleTimeoutNanos,
        boolean checks,
        String checkQuery,
        long checkDelayNanos,
        String resetQuery,
        boolean resetAlways,
        Scrub scrub,
        int maxPinnedShare,
        long loginRetryNanos,
        long smartShutdownNanos,
        boolean rotate,
        boolean logsConnections,
        boolean logsDisconnections) {}
