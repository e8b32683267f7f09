package io.plenum.pooler.discovery;

import io.netty.util.NetUtil;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.DiscoveryMode;
import io.plenum.pooler.config.HostPort;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the nodes of a cluster are looked for. Database entries with equal seeds share one cluster.
 *
 * @param hosts as the operator wrote them; never empty
 * @param everyAddress each address behind a name is a node; else each host is one node, whatever else its name means
 * @param weights of the hosts: one for all of them, or one for each
 * @param service whose EndpointSlices name the nodes, in the place of {@code hosts}; null without
 */
record Seeds(
        List<HostPort> hosts,
        boolean everyAddress,
        List<Integer> weights,
        @Nullable ServiceName service) {
    private static final List<Integer> EQUAL = List.of(1);

    Seeds(List<HostPort> hosts, boolean everyAddress) {
        this(hosts, everyAddress, EQUAL, null);
    }

    static Seeds of(PoolerConfig config, DatabaseConfig database) {
        List<HostPort> hosts = database.nodes();
        DiscoveryMode mode = config.discovery(database);
        boolean wanted = switch (mode) {
            case AUTO -> hosts.size() == 1;
            case DNS -> true;
            case STATIC, KUBERNETES -> false;
        };
        boolean named = hosts.stream().anyMatch(host -> !host.isUnix() && literal(host) == null);
        return new Seeds(
                hosts,
                wanted && named,
                database.weights(),
                mode == DiscoveryMode.KUBERNETES ? service(config, database) : null);
    }

    /** The Service is told by its setting, or is the first label of the host: that is its name for everybody else too. */
    private static ServiceName service(PoolerConfig config, DatabaseConfig database) {
        String[] labels = database.nodes().getFirst().host().split("\\.", -1);
        String name = config.get(Settings.SERVICE, database);
        String namespace = config.get(Settings.NAMESPACE, database);
        boolean fromHost = name.isEmpty();
        return new ServiceName(
                fromHost && namespace.isEmpty() && labels.length > 1 ? labels[1] : namespace,
                fromHost ? labels[0] : name,
                database.overrides().get(Settings.DATABASE_PORT) == null ? 0 : database.port(),
                config.get(Settings.ZONE));
    }

    /** Whether there can be only one node. Then nothing is probed: whatever it is, it takes everything, as in PgBouncer. */
    boolean isSolo() {
        return service == null && hosts.size() == 1 && !everyAddress && !isServiceRecord(hosts.getFirst());
    }

    /** The weight of the host at this place of the list. */
    int weight(int index) {
        return weights.get(weights.size() == 1 ? 0 : index);
    }

    /** Whether DNS has hosts and ports for it: such a name begins with an underscore, {@code _postgres._tcp.name}. */
    static boolean isServiceRecord(HostPort host) {
        return host.host().startsWith("_");
    }

    /** The address that a host is by itself, {@code localhost} among them; null when it is a name or a directory. */
    static @Nullable InetAddress literal(HostPort host) {
        return host.host().equals("localhost")
                ? NetUtil.LOCALHOST4
                : NetUtil.createInetAddressFromIpAddressString(host.host());
    }
}
