package io.plenum.pooler.pool;

import io.plenum.pooler.causal.Positions;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.routing.topology.Node;
import io.plenum.routing.topology.Topology;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Where a database's nodes are known from. Any thread. */
public interface TopologySource {
    /** What is known now. */
    Topology topology();

    /**
     * Has every later version told to {@code listener}, by the thread that learns of it, and the present one at once. What
     * probes observed without a change of members, roles or health is not told: {@link #topology} has it.
     *
     * @return false, and nothing is told, when this is over, for the last of its listeners has gone: there is another then
     */
    boolean subscribe(Consumer<Topology> listener);

    /** Tells this listener nothing more. */
    default void unsubscribe(Consumer<Topology> listener) {}

    /** The source of a database, with one more listener. */
    static TopologySource subscribed(
            Function<DatabaseConfig, TopologySource> sources, DatabaseConfig database, Consumer<Topology> listener) {
        while (true) {
            TopologySource source = sources.apply(database);
            if (source.subscribe(listener)) {
                return source;
            }
        }
    }

    /** Where the nodes stand in their WAL; null where nobody can ask them. After a change of hosts another. */
    default @Nullable Positions positions() {
        return null;
    }

    /** A connection to the node failed or was not what the topology says: look again soon. */
    void suspect(Node node);

    /** The node has refused a login because it starts or is being stopped, which connections that stand do not show. */
    default void refused(Node node) {
        suspect(node);
    }

    /** A client has proved to be this user of the database: probes may log in as it where the settings name nobody. */
    default void onClientUser(String user) {}
}
