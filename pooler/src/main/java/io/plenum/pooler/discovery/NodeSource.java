package io.plenum.pooler.discovery;

import io.plenum.routing.topology.Node;
import java.util.List;
import java.util.Set;

/** Where the addresses of a cluster come from. Confined to the control loop. */
interface NodeSource {
    /** Who hears of what there is, after each good answer. */
    interface Listener {
        /** All nodes that there are; those of {@code leaving} are about to end. */
        void onNodes(List<Node> nodes, Set<Node> leaving);
    }

    /** Makes the source for whoever listens. */
    interface Factory {
        NodeSource of(Listener listener);
    }

    /** Begins to ask. */
    void start();

    /** Something is amiss: asks again soon, if that helps. */
    void lookUpSoon();

    void close();

    /** All that is known now. */
    List<Node> nodes();
}
