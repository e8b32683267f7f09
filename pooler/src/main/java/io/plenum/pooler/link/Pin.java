package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.pool.Pool;
import io.plenum.routing.Reason;
import io.plenum.routing.sql.Outline;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Why a client keeps its server beyond the transaction, if it does: since when, and by which statement.
 *
 * <pre>
 * none -> set, by a statement that leaves state in the backend, or by the answer of a backend that holds some
 * set -> none, by the answer that nothing is left; with the link
 * </pre>
 *
 * <p>Confined to the event loop of its link.
 */
final class Pin {
    /** As many characters of a statement are kept for SHOW PINS. */
    private static final int MOST_SHOWN = 200;

    private final LinkedClient client;
    private @Nullable Reason reason;
    /** It ends with the client, for nothing tells when what it stands for is gone. */
    private boolean lasts;
    /** It has its place in the pool's share. */
    private boolean counts;

    private long sinceNanos;
    private String statement = "";

    /** The first statement that may have left what a reason stands for, where the backend tells whether it did. */
    private Map<Reason, String> causes = Map.of();

    Pin(LinkedClient client) {
        this.client = client;
    }

    /** Null when the client keeps nothing. */
    @Nullable
    Reason reason() {
        return reason;
    }

    boolean isSet() {
        return reason != null;
    }

    /** Whether it ends with the client only. */
    boolean lasts() {
        return lasts;
    }

    /** Whether the backend tells when it ends. */
    boolean mayEnd() {
        return reason != null && !lasts;
    }

    long sinceNanos() {
        return sinceNanos;
    }

    /** The beginning of the statement that caused it. */
    String statement() {
        return statement;
    }

    /** A statement is about to be sent that leaves state in the backend; false when the client was refused. */
    boolean set(Reason why, Pool pool, ByteBuf text, int start, int end) {
        boolean told = SessionTrace.isTold(why);
        if (told) {
            suspect(why, text, start, end);
        }
        lasts |= !told;
        if (reason != null) {
            return true;
        }
        // An attempt to lock may fail, and one that does keeps nothing: it counts when the server says that it holds.
        if (!client.grantPin(why, pool, why != Reason.SESSION_LOCK)) {
            return false;
        }
        counts = why != Reason.SESSION_LOCK;
        become(why, told ? causes.getOrDefault(why, "") : Outline.of(text, start, end, MOST_SHOWN));
        return true;
    }

    /** A statement is about to be sent that may leave this in the backend, which will be asked. */
    void suspect(Reason why, ByteBuf text, int start, int end) {
        if (causes.isEmpty()) {
            causes = new EnumMap<>(Reason.class);
        }
        if (!causes.containsKey(why)) {
            causes.put(why, Outline.of(text, start, end, MOST_SHOWN));
        }
    }

    /** The backend was asked, and this is what it holds; null for nothing. */
    void onTold(@Nullable Reason held, Pool pool) {
        if (lasts) {
            return;
        }
        if (held == null) {
            end(pool);
            return;
        }
        if (reason != held) {
            become(held, causes.getOrDefault(held, ""));
        }
        counts = counts || client.grantPin(held, pool, true);
    }

    /** What the backend holds is not known: nobody else shall have it. */
    void onUnknown() {
        lasts = true;
        if (reason == null) {
            become(Reason.SESSION_DOUBT, "");
        }
    }

    private void become(Reason why, String by) {
        if (reason == null) {
            sinceNanos = System.nanoTime();
        }
        reason = why;
        statement = by;
    }

    /** Nothing is kept any more. */
    void end(Pool pool) {
        reason = null;
        lasts = false;
        causes = Map.of();
        if (counts) {
            counts = false;
            pool.unpin();
        }
    }

    @Override
    public String toString() {
        return reason == null ? "none" : reason.label();
    }
}
