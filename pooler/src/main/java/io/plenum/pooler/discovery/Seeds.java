package io.plenum.pooler.discovery;

import io.netty.util.NetUtil;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.DiscoveryMode;
import io.plenum.pooler.config.HostPort;
import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the nodes of a cluster are looked for. Database entries with equal seeds share one cluster.
 *
 * @param hosts as the operator wrote them; never empty
 * @param everyAddress each address behind a name is a node; else each host is one node, whatever else its name means
 */
record Seeds(List<HostPort> hosts, boolean everyAddress) {
    static Seeds of(DatabaseConfig database, DiscoveryMode mode) {
        List<HostPort> hosts = database.nodes();
        boolean wanted = switch (mode) {
            case AUTO -> hosts.size() == 1;
            case DNS -> true;
            case STATIC, KUBERNETES -> false;
        };
        boolean named = hosts.stream().anyMatch(host -> literal(host) == null);
        return new Seeds(hosts, wanted && named);
    }

    /** Whether there can be only one node. Then nothing is probed: whatever it is, it takes everything, as in PgBouncer. */
    boolean isSolo() {
        return hosts.size() == 1 && !everyAddress;
    }

    /** The address that a host is by itself, {@code localhost} among them; null when the host is a name. */
    static @Nullable InetAddress literal(HostPort host) {
        return host.host().equals("localhost")
                ? NetUtil.LOCALHOST4
                : NetUtil.createInetAddressFromIpAddressString(host.host());
    }
}
