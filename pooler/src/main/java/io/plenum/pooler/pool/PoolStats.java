package io.plenum.pooler.pool;

import io.plenum.routing.Reason;

/**
 * What one loop has counted for one database and user; times in nanoseconds, sizes in bytes. Plain fields, written on the
 * loop alone; the console reads them there.
 */
public final class PoolStats {
    public long assignments;
    public long transactions;
    /** Each is told by one ReadyForQuery. */
    public long queries;

    public long receivedBytes;
    public long sentBytes;
    public long transactionNanos;
    public long queryNanos;
    public long waitNanos;
    public long clientParses;
    public long serverParses;
    public long binds;
    public long clientLogins;

    /** Reads that were sent to another server because theirs died before its first byte. */
    public long reruns;

    private final long[] routes = new long[Reason.values().length];

    /** A batch went its way for this reason. */
    @SuppressWarnings("EnumOrdinal") // an addition to an array, for each batch
    public void countRoute(Reason reason) {
        routes[reason.ordinal()]++;
    }

    /** How often this reason sent a batch its way. */
    @SuppressWarnings("EnumOrdinal")
    public long routes(Reason reason) {
        return routes[reason.ordinal()];
    }
}
