package io.plenum.bench.faults;

import java.util.List;

/**
 * Something that a client does from idle to idle.
 *
 * @param kind for the counts
 * @param steps each sent when the one before has been answered; what they change for good, the last one that changes anything commits
 * @param mayTimeOut whether it may end with query_canceled by itself
 * @param endsWhenFailed whether the session is to be ended when a fault comes between, for it may hold what would be in the way of the next
 * @param whenAnswered is run by the client's thread when all steps were answered as they must be
 */
record Exchange(String kind, List<Step> steps, boolean mayTimeOut, boolean endsWhenFailed, Runnable whenAnswered) {
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
        return of(kind, List.of(steps));
    }

    static Exchange of(String kind, List<Step> steps) {
        return new Exchange(kind, steps, false, false, Exchange::changeNothing);
    }

    static Exchange tooLong(Step... steps) {
        return new Exchange("timeout", List.of(steps), true, false, Exchange::changeNothing);
    }

    Exchange endingWhenFailed() {
        return new Exchange(kind, steps, mayTimeOut, true, whenAnswered);
    }

    Exchange then(Runnable effect) {
        return new Exchange(kind, steps, mayTimeOut, endsWhenFailed, effect);
    }

    private static void changeNothing() {}
}
