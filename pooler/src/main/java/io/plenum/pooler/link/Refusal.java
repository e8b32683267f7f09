package io.plenum.pooler.link;

import io.plenum.wire.error.ErrorResponse;
import org.jspecify.annotations.Nullable;

/**
 * Why a standby does not answer a read that another node might, as its error says. Messages are translated, so it is the
 * SQLSTATE and the routine that tell.
 */
public enum Refusal {
    /** It is a standby, and what was asked needs more: an xid, a sequence, an unlogged table. */
    STANDBY,
    /** The session's transactions are SERIALIZABLE by default, which no standby can do. */
    SERIALIZABLE,
    /** Something is not there, or may not be used; perhaps the standby only has not heard of it yet. */
    PERHAPS_LAG,
    /** Replay could not wait for the read any longer. */
    CONFLICT;

    /** Whether every read of that text is refused, as far as one refusal can tell. */
    public boolean isOfStatement() {
        return this == STANDBY;
    }

    /** Whether the last word of a standby is about itself: it stops or has crashed, or its replay could not wait any longer. */
    static boolean isOfNode(ErrorResponse fatal) {
        return fatal.code().startsWith("57P") || fatal.code().equals("40001");
    }

    /** The refusal in the error of a standby; null when the error would be the same elsewhere. */
    static @Nullable Refusal of(ErrorResponse error) {
        String routine = String.valueOf(error.routine());
        return switch (error.code()) {
            case "25006" ->
                routine.equals("PreventCommandIfReadOnly") || routine.equals("PreventCommandDuringRecovery")
                        ? STANDBY
                        : null;
            case "0A000" ->
                switch (routine) {
                    case "call_bool_check_hook", "call_enum_check_hook", "get_relation_info" -> STANDBY;
                    case "GetSerializableTransactionSnapshot" -> SERIALIZABLE;
                    default -> null;
                };
            case "55000" -> STANDBY; // currval without nextval, recovery is in progress
            case "XX000" ->
                switch (routine) {
                    case "GetNewTransactionId", "GetNewObjectId", "AssignTransactionId" -> STANDBY;
                    default -> null;
                };
            case "40001", "40P01" -> CONFLICT; // no standby is serializable, nor takes row locks
            case "42P01", "42703", "42883", "42704", "3F000", "42501" -> PERHAPS_LAG;
            default -> null;
        };
    }
}
