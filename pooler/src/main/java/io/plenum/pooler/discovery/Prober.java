package io.plenum.pooler.discovery;

import io.plenum.routing.topology.Node;
import java.util.function.Consumer;

/** Asks one node what it is. Confined to the control loop. */
interface Prober extends AutoCloseable {
    /** Makes the prober of a node; {@code onDropped} runs when its connection ends between two probes. */
    interface Factory {
        Prober of(Node node, Runnable onDropped);
    }

    /** Asks once; {@code done} hears the result in bounded time, unless this is closed first. One probe at a time. */
    void probe(Consumer<ProbeResult> done);

    /**
     * Whether a connection stays open between two probes. One to a server that is to end would keep it from doing so, for
     * PostgreSQL's smart shutdown waits for every session.
     */
    void keepConnection(boolean keep);

    /** The next probe logs in anew: a connection that stands does not show that the node takes no more of them. */
    void renewConnection();

    @Override
    void close();
}
