package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.plenum.routing.Reason;
import io.plenum.routing.Traits;
import io.plenum.routing.sql.Letters;
import org.jspecify.annotations.Nullable;

/** Where a definition is temporary although it does not say so: search_path leads to pg_temp. */
final class TemporarySchema {
    private static final String NAME = "pg_temp";
    private static final Letters LETTERS = new Letters(NAME);

    private TemporarySchema() {}

    /**
     * Whether a statement, of which this is the first byte, may put something there: CREATE, SELECT INTO, WITH or what has a
     * comment in front. Data go where their tables are.
     */
    static boolean mayTake(LinkedClient client, @Nullable SessionTrace trace, Reason reason, int first) {
        if (reason != Reason.WRITE) {
            return false;
        }
        return switch (first | 0x20) { // in lower case, if it is a letter
            case 'i', 'u', 'd', 'm', 't' -> false; // INSERT, UPDATE, DELETE and DROP, MERGE, TRUNCATE
            default -> client.searchPath().contains(NAME) || (trace != null && trace.isUnsettled("search_path"));
        };
    }

    /** The same for a text that is at hand, which may change search_path itself. */
    static boolean mayTake(
            LinkedClient client,
            @Nullable SessionTrace trace,
            Reason reason,
            int traits,
            ByteBuf text,
            int start,
            int end) {
        if (start >= end) {
            return false;
        }
        boolean changes = (traits & Traits.CHANGES_SESSION) != 0 || reason == Reason.UTILITY; // SET LOCAL
        return (changes && LETTERS.isIn(text, start, end)) || mayTake(client, trace, reason, text.getByte(start));
    }
}
