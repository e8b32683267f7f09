package io.plenum.pooler.pool;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The reads of one database that a standby has refused, by {@linkplain io.plenum.routing.sql.Fingerprint fingerprint}: they
 * go to the primary at once. Forgotten after an hour, and the oldest when there are too many. Any thread.
 */
public final class RefusedReads {
    private static final int MOST = 20_000;
    private static final long KEPT_NANOS = TimeUnit.HOURS.toNanos(1);

    private final Map<Long, Long> since = new LinkedHashMap<>(); // guarded by this
    private volatile boolean empty = true;

    /** Whether nothing was refused lately: then no text needs to be looked at. */
    public boolean isEmpty() {
        return empty;
    }

    public synchronized void add(long fingerprint, long nowNanos) {
        since.remove(fingerprint); // it is the youngest now
        since.put(fingerprint, nowNanos);
        var oldest = since.entrySet().iterator();
        while (oldest.hasNext() && (nowNanos - oldest.next().getValue() > KEPT_NANOS || since.size() > MOST)) {
            oldest.remove();
        }
        empty = false;
    }

    public synchronized boolean contains(long fingerprint, long nowNanos) {
        Long refused = since.get(fingerprint);
        if (refused == null || nowNanos - refused <= KEPT_NANOS) {
            return refused != null;
        }
        since.remove(fingerprint);
        empty = since.isEmpty();
        return false;
    }

    /** How many are known. */
    public synchronized int size() {
        return since.size();
    }
}
