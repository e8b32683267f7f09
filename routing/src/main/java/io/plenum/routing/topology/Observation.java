package io.plenum.routing.topology;

import org.jspecify.annotations.Nullable;

/**
 * What one probe saw of a node.
 *
 * @param inRecovery {@code pg_is_in_recovery()}: a standby
 * @param systemIdentifier of {@code pg_control_system()}: the cluster it belongs to; 0 if the probe could not learn it
 * @param timeline on a primary the first 8 hex digits of its WAL file name, on a standby the received timeline; 0 if
 *     the probe could not learn it
 * @param replayLsn on a standby how far it replayed, on a primary how far it wrote; 0 if unknown
 * @param atNanos when the answer came, on the clock that {@link Roster} is given
 * @param fed whether a standby has a WAL receiver; true where that was not to be learnt
 */
public record Observation(
        boolean inRecovery, long systemIdentifier, int timeline, long replayLsn, long atNanos, boolean fed) {
    /** Of a node that is fed, or no standby. */
    public Observation(boolean inRecovery, long systemIdentifier, int timeline, long replayLsn, long atNanos) {
        this(inRecovery, systemIdentifier, timeline, replayLsn, atNanos, true);
    }

    /** The same with what it could not learn taken from an earlier one. */
    Observation completedBy(@Nullable Observation earlier) {
        if (earlier == null || (systemIdentifier != 0 && timeline != 0)) {
            return this;
        }
        return new Observation(
                inRecovery,
                systemIdentifier != 0 ? systemIdentifier : earlier.systemIdentifier,
                timeline != 0 ? timeline : earlier.timeline,
                replayLsn,
                atNanos,
                fed);
    }
}
