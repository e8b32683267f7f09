package io.plenum.routing.topology;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The cluster at one moment. Immutable, read by any thread.
 *
 * @param version grows by one with each change of membership, role or health; observations alone do not change it
 * @param nodes all that exist, in the order in which they were first seen
 * @param primary the node that takes writes, or null if there is none or none that can be trusted
 * @param replicas the standbys fit for new reads, in the order of {@code nodes}
 * @param splitBrain two nodes say that they are the primary and neither has the higher timeline
 */
public record Topology(
        long version, List<NodeStatus> nodes, @Nullable Node primary, List<Node> replicas, boolean splitBrain) {

    /** Before anything is known. */
    public static final Topology EMPTY = new Topology(0, List.of(), null, List.of(), false);

    public Topology {
        nodes = List.copyOf(nodes);
        replicas = List.copyOf(replicas);
    }

    Topology withVersion(long version) {
        return new Topology(version, nodes, primary, replicas, splitBrain);
    }

    /** Whether nothing but observations differs. */
    boolean decidesAs(Topology other) {
        if (nodes.size() != other.nodes.size() || splitBrain != other.splitBrain) {
            return false;
        }
        for (int i = 0; i < nodes.size(); i++) {
            if (!nodes.get(i).decidesAs(other.nodes.get(i))) {
                return false;
            }
        }
        return Objects.equals(primary, other.primary) && replicas.equals(other.replicas);
    }

    /** What is known of this node, or null if it is not (or no longer) a member. */
    public @Nullable NodeStatus status(Node node) {
        for (NodeStatus status : nodes) {
            if (status.node().equals(node)) {
                return status;
            }
        }
        return null;
    }
}
