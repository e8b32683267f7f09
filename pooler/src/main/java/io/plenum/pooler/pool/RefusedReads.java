package io.plenum.pooler.pool;

import io.netty.util.collection.LongObjectHashMap;
import io.netty.util.collection.LongObjectMap;
import java.util.concurrent.TimeUnit;

/**
 * The reads of one database that a standby has refused, by {@linkplain io.plenum.routing.sql.Fingerprint fingerprint}: they
 * go to the primary at once. Forgotten after an hour, and the oldest when there are too many. Confined to its event loop.
 */
public final class RefusedReads {
    private static final int MOST = 20_000;
    private static final long KEPT_NANOS = TimeUnit.HOURS.toNanos(1);

    /** When each was refused last. */
    private final LongObjectMap<Long> since = new LongObjectHashMap<>();

    /** Whether nothing was refused lately: then no text needs to be looked at. */
    public boolean isEmpty() {
        return since.isEmpty();
    }

    public void add(long fingerprint, long nowNanos) {
        since.put(fingerprint, (Long) nowNanos);
        long oldest = fingerprint;
        long longest = 0;
        var entries = since.entries().iterator();
        while (entries.hasNext()) {
            var entry = entries.next();
            long age = nowNanos - entry.value();
            if (age > KEPT_NANOS) {
                entries.remove();
            } else if (age > longest) {
                longest = age;
                oldest = entry.key();
            }
        }
        if (since.size() > MOST) {
            since.remove(oldest);
        }
    }

    /** Asked for each read while there are any: allocates nothing. */
    public boolean contains(long fingerprint, long nowNanos) {
        Long refused = since.get(fingerprint);
        if (refused != null && nowNanos - refused > KEPT_NANOS) {
            since.remove(fingerprint);
            return false;
        }
        return refused != null;
    }
}
