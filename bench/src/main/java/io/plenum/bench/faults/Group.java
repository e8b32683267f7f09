package io.plenum.bench.faults;

import java.util.List;

/**
 * The replies to messages that succeed or fail together.
 *
 * @param expected in order, without the ReadyForQuery
 * @param error the SQLSTATE that the group itself provokes after those, or "" for none
 * @param end how the group ends
 * @param status that ReadyForQuery must tell, unless a fault came between
 */
record Group(List<Expected> expected, String error, End end, char status) {
    enum End {
        /** With ReadyForQuery. */
        READY,
        /** Nowhere yet: the server waits for data or for Sync. After an error ReadyForQuery comes by itself. */
        WAITS_AND_IS_READY_AFTER_ERROR,
        /** Nowhere yet: after an error ReadyForQuery comes only when Sync is sent. */
        WAITS_FOR_SYNC
    }

    static Group of(Expected... expected) {
        return of(List.of(expected));
    }

    static Group of(List<Expected> expected) {
        return new Group(expected, "", End.READY, 'I');
    }

    static Group failing(String sqlState, Expected... before) {
        return new Group(List.of(before), sqlState, End.READY, 'I');
    }

    /** A group after which the server waits for more: data, or Sync. */
    static Group waiting(End end, Expected... expected) {
        return new Group(List.of(expected), "", end, 'I');
    }

    /** The same group inside a transaction: T, or E where it fails. */
    Group inTransaction() {
        return new Group(expected, error, end, error.isEmpty() ? 'T' : 'E');
    }
}
