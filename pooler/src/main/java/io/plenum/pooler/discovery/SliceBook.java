package io.plenum.pooler.discovery;

import io.netty.util.NetUtil;
import io.plenum.pooler.discovery.Slices.Endpoint;
import io.plenum.pooler.net.Loop;
import io.plenum.routing.topology.Node;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The nodes behind a Service, as its EndpointSlices have them, told within moments of a change. Confined to the control
 * loop.
 *
 * <ul>
 *   <li>An address that stands in several slices is one node. When a Service is made anew, the new slice comes before the
 *       old one goes.
 *   <li>A Pod that terminates is leaving: it is drained before it dies, and stays the primary as long as it is that.
 *   <li>So is one that is not ready, unless none is: then readiness says nothing.
 *   <li>Hints of Kubernetes come before the zone: what it means for our zone counts as standing in it.
 * </ul>
 */
final class SliceBook implements NodeSource {
    private static final Logger LOG = LoggerFactory.getLogger(SliceBook.class);
    private static final int POSTGRES = 5432;

    private final String host;
    private final ServiceName service;
    private final Loop loop;
    private final Slices slices;
    private final Listener listener;
    private List<Node> nodes = List.of();
    private Slices.@Nullable Watch watch;
    private boolean closed;

    /** {@code host} is what the operator wrote: the name that the nodes' certificates must be for. */
    SliceBook(String host, ServiceName service, Loop loop, Slices slices, Listener listener) {
        this.host = host;
        this.service = service;
        this.loop = loop;
        this.slices = slices;
        this.listener = listener;
    }

    @Override
    public void start() {
        watch = slices.watch(service, endpoints -> loop.execute(() -> onEndpoints(endpoints)));
    }

    /** A watch tells by itself. */
    @Override
    public void lookUpSoon() {}

    @Override
    public void close() {
        closed = true;
        if (watch != null) {
            watch.close();
        }
    }

    @Override
    public List<Node> nodes() {
        return nodes;
    }

    private void onEndpoints(List<Endpoint> endpoints) {
        if (closed) {
            return;
        }
        Map<Node, Endpoint> best = new LinkedHashMap<>();
        for (Endpoint endpoint : endpoints) {
            Node node = node(endpoint);
            if (node != null) {
                best.merge(node, endpoint, SliceBook::better);
            }
        }
        boolean anyReady = best.values().stream().anyMatch(SliceBook::isReady);
        Set<Node> leaving = new HashSet<>();
        best.forEach((node, endpoint) -> {
            if (endpoint.terminating() || (anyReady && !endpoint.ready())) {
                leaving.add(node);
            }
        });
        nodes = List.copyOf(best.keySet());
        if (nodes.isEmpty()) {
            LOG.info("event=service_without_endpoints service={} namespace={}", service.name(), service.namespace());
        }
        listener.onNodes(nodes, leaving);
    }

    private static boolean isReady(Endpoint endpoint) {
        return endpoint.ready() && !endpoint.terminating();
    }

    private static Endpoint better(Endpoint one, Endpoint other) {
        return rank(other) > rank(one) ? other : one;
    }

    private static int rank(Endpoint endpoint) {
        return isReady(endpoint) ? 2 : endpoint.serving() ? 1 : 0;
    }

    private @Nullable Node node(Endpoint endpoint) {
        InetAddress address = NetUtil.createInetAddressFromIpAddressString(endpoint.address());
        if (address == null) {
            return null; // a slice of names
        }
        Node node = Node.at(new InetSocketAddress(named(address), port(endpoint)));
        boolean meantForUs = endpoint.hints().contains(service.zone());
        return new Node(node.address(), node.name(), 1, meantForUs ? service.zone() : endpoint.zone());
    }

    private InetAddress named(InetAddress address) {
        try {
            return InetAddress.getByAddress(host, address.getAddress());
        } catch (UnknownHostException impossible) {
            throw new IllegalStateException("the bytes of an address are an address", impossible);
        }
    }

    /** What the settings say; else the only port, or the one that sounds like PostgreSQL. */
    private int port(Endpoint endpoint) {
        if (service.port() != 0) {
            return service.port();
        }
        List<Slices.Port> ports = endpoint.ports();
        if (ports.size() == 1) {
            return ports.getFirst().number();
        }
        for (Slices.Port port : ports) {
            if (port.name().contains("postgres") || port.number() == POSTGRES) {
                return port.number();
            }
        }
        return POSTGRES;
    }
}
