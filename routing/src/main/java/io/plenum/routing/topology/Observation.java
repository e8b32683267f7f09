package io.plenum.routing.topology;

/**
 * What one probe saw of a node.
 *
 * @param inRecovery {@code pg_is_in_recovery()}: a standby
 * @param systemIdentifier of {@code pg_control_system()}: the cluster it belongs to
 * @param timeline on a primary the first 8 hex digits of its WAL file name, on a standby the received timeline; 0 if
 *     the probe could not learn it
 * @param replayLsn on a standby how far it replayed, on a primary how far it wrote; 0 if unknown
 * @param atNanos when the answer came, on the clock that {@link Roster} is given
 */
public record Observation(boolean inRecovery, long systemIdentifier, int timeline, long replayLsn, long atNanos) {}
