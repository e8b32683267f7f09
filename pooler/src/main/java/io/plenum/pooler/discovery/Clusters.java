package io.plenum.pooler.discovery;

import io.plenum.pooler.auth.Credentials;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.HostPort;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.pool.TopologySource;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.ServerTarget;
import io.plenum.routing.topology.Node;
import io.plenum.routing.topology.NodeHealth;
import io.plenum.routing.topology.NodeRole;
import io.plenum.routing.topology.NodeStatus;
import io.plenum.routing.topology.Topology;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The clusters behind the database entries. Any thread. */
public final class Clusters implements AutoCloseable {
    /** Opens a connection that belongs to no pool. */
    public interface Probing {
        ServerConnection connect(Loop loop, ServerTarget target, ServerConnection.Owner owner);
    }

    private final Map<List<HostPort>, TopologySource> clusters = new ConcurrentHashMap<>();

    public Clusters(Loop control, Supplier<PoolerConfig> config, Credentials credentials, Probing probing) {}

    /** Where the entry's nodes are known from. */
    public TopologySource of(DatabaseConfig database) {
        return clusters.computeIfAbsent(database.nodes(), SingleNode::new);
    }

    /** Looks again at what the settings say. */
    public void configure() {}

    @Override
    public void close() {}

    /** One address: whatever it is, it takes everything. */
    private static final class SingleNode implements TopologySource {
        private final Topology topology;

        SingleNode(List<HostPort> hosts) {
            HostPort host = hosts.getFirst();
            Node node = Node.at(new InetSocketAddress(host.host(), host.port()));
            topology = new Topology(
                    1,
                    List.of(new NodeStatus(node, NodeRole.PRIMARY, NodeHealth.UP, false, null, 0)),
                    node,
                    List.of(),
                    false);
        }

        @Override
        public Topology topology() {
            return topology;
        }

        @Override
        public void subscribe(Consumer<Topology> listener) {}

        @Override
        public void suspect(Node node) {}
    }
}
