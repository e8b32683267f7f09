package io.plenum.pooler.discovery;

import io.plenum.routing.topology.Observation;

/** How one probe of a node ended. */
sealed interface ProbeResult {
    /**
     * The node answered.
     *
     * @param startedMicros when its server was started, which no two servers share to the microsecond; 0 if not learnt
     */
    record Answered(Observation seen, long startedMicros) implements ProbeResult {}

    /** Nobody is there. */
    record Gone(String reason) implements ProbeResult {}

    /** A server that takes no sessions yet, or any more: it starts, or a smart shutdown waits for those that it has. */
    record Refusing(String reason) implements ProbeResult {}

    /** No answer within the deadline. */
    record Silent() implements ProbeResult {}

    /** A server lives there and does not let the probe in: nothing is learnt of it. */
    record Barred(String reason) implements ProbeResult {}

    /** Nobody is known as whom to ask: the settings name no user, and no client has logged in yet. */
    record Unasked() implements ProbeResult {}
}
