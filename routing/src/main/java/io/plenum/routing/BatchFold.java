package io.plenum.routing;

/**
 * Confined to its event loop: makes one reason of several that follow each other, in a text or in a batch.
 *
 * <p>All reads: READ. A BEGIN first and nothing but reads, modes and ends of transactions after it: the reason of the BEGIN,
 * or that of a BEGIN READ ONLY where SET TRANSACTION says so.
 * Anything else: the most telling reason of all.
 */
final class BatchFold {
    private Reason reason = Reason.EMPTY;

    void clear() {
        reason = Reason.EMPTY;
    }

    /** What comes next stands behind a BEGIN, alone or with its modes, that has this reason. */
    void begun(Reason begin) {
        reason = begin;
    }

    void add(Reason next) {
        boolean begun = reason == Reason.READ_ONLY_TRANSACTION || reason == Reason.TRANSACTION;
        if (begun && next == Reason.READ_ONLY_MODE) {
            reason = Reason.READ_ONLY_TRANSACTION;
            return;
        }
        if (begun
                && (next == Reason.READ
                        || next == Reason.EMPTY
                        || next == Reason.TRANSACTION_END
                        || next == Reason.TRANSACTION_MODES)) {
            return;
        }
        if (next == Reason.READ_ONLY_TRANSACTION && reason != Reason.EMPTY) {
            // Not at the front: what came before ran outside of it, or inside of a transaction that is not read-only.
            reason = reason.or(Reason.TRANSACTION);
            return;
        }
        reason = reason.or(next);
    }

    Reason reason() {
        return reason;
    }
}
