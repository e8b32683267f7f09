package io.plenum.pooler.link;

import io.plenum.routing.Reason;
import io.plenum.routing.Traits;

/**
 * Whether what was sent over a link may have written, so that a later read has to see it. Doubt says yes, which costs that
 * read a question; rolled back or not is not looked at. Confined to the event loop of its link.
 */
final class Writes {
    private boolean noted;
    private boolean unflushed;

    /** The link begins anew. */
    void clear() {
        noted = false;
        unflushed = false;
    }

    /** A statement was sent. */
    void note(Reason reason, int traits) {
        noted |= mayWrite(reason, traits);
        unflushed |= mayChangeFlushing(reason, traits);
    }

    boolean isNoted() {
        return noted;
    }

    /** All that was sent is over: it is noted elsewhere. How commits are flushed may be as it was set, so that stays. */
    void onEnd() {
        noted = false;
    }

    /** Whether a statement may have set synchronous_commit, which nobody tells where it is set for one transaction only. */
    boolean mayBeUnflushed() {
        return unflushed;
    }

    /** Of what a reason hides, the more telling ones of settings and the node's own too, a volatile function may be a part. */
    private static boolean mayWrite(Reason reason, int traits) {
        if ((traits & Traits.ONLY_SETTINGS) != 0) {
            return false;
        }
        return switch (reason) {
            case EMPTY,
                    READ,
                    READ_ONLY_TRANSACTION,
                    HINTED_REPLICA,
                    TRANSACTION_END,
                    TRANSACTION,
                    READ_WRITE_TRANSACTION,
                    SERIALIZABLE,
                    ROUTING_OFF,
                    NOT_DECLARED,
                    NO_REPLICA,
                    NOT_CAUGHT_UP -> false;
            case SYSTEM_CATALOG -> (traits & Traits.RUNS_UNKNOWN_CODE) != 0;
            default -> true;
        };
    }

    private static boolean mayChangeFlushing(Reason reason, int traits) {
        return reason == Reason.UTILITY // SET LOCAL
                || (traits & (Traits.RUNS_UNKNOWN_CODE | Traits.CHANGES_SESSION)) != 0;
    }
}
