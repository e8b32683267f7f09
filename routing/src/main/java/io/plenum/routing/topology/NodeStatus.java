package io.plenum.routing.topology;

import org.jspecify.annotations.Nullable;

/**
 * A node and what is known of it. Immutable.
 *
 * @param foreign it belongs to another cluster (its system identifier differs), so nothing is sent to it
 * @param lastSeen the last answer of a probe, or null if there was none; its age says how old the LSN is
 * @param sinceNanos when role or health last changed
 */
public record NodeStatus(
        Node node,
        NodeRole role,
        NodeHealth health,
        boolean foreign,
        @Nullable Observation lastSeen,
        long sinceNanos) {

    /** Whether probes reach it and it is one of ours. */
    public boolean answers() {
        return !foreign && (health == NodeHealth.UP || health == NodeHealth.DRAINING);
    }

    /** Whether nothing but the observation differs. */
    boolean decidesAs(NodeStatus other) {
        return node.equals(other.node)
                && node.weight() == other.node.weight()
                && node.zone().equals(other.node.zone())
                && role == other.role
                && health == other.health
                && foreign == other.foreign;
    }
}
