package io.plenum.bench.faults;

import java.util.List;

/**
 * Something that a client does from idle to idle.
 *
 * @param kind for the counts
 * @param steps each sent when the one before has been answered
 * @param mayTimeOut whether it may end with query_canceled by itself
 * @param prepares the prepared statement that exists afterwards, or ""
 */
record Exchange(String kind, List<Step> steps, boolean mayTimeOut, String prepares) {
    /**
     * Bytes sent in one write, and the groups that answer them.
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Step(byte[] request, List<Group> groups) {
        static Step of(byte[] request, Group... groups) {
            return new Step(request, List.of(groups));
        }
    }

    static Exchange of(String kind, Step... steps) {
        return new Exchange(kind, List.of(steps), false, "");
    }
}
