package io.plenum.routing.topology;

import java.util.List;

/** Confined to one thread: folds what discovery and the probes say into a {@link Topology}. */
public final class Roster {
    private Topology topology = Topology.EMPTY;

    public Topology topology() {
        return topology;
    }

    /** Discovery answered with these nodes. */
    public Topology discovered(List<Node> answer, long nowNanos) {
        return topology;
    }

    /** A probe of this node was answered. */
    public Topology observed(Node node, Observation seen) {
        return topology;
    }

    /** The prober has given this node up for now. */
    public Topology unreachable(Node node, long nowNanos) {
        return topology;
    }
}
