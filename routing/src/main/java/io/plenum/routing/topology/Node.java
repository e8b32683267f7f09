package io.plenum.routing.topology;

import java.net.InetSocketAddress;
import java.net.SocketAddress;

/**
 * One address of PostgreSQL that discovery named. Immutable; two are the same node when their addresses are.
 *
 * @param address where it listens: an Internet address, resolved, whose host string is the name that the operator wrote, or
 *     that of a Unix socket
 * @param name {@code host:port} as people and metrics see it, the host in digits
 * @param weight its share of the reads among its peers, at least 1
 * @param zone where it runs, or empty
 */
public record Node(SocketAddress address, String name, int weight, String zone) {
    public Node {
        if (address instanceof InetSocketAddress inet && inet.isUnresolved()) {
            throw new IllegalArgumentException("address is not resolved: " + address);
        }
        if (weight < 1) {
            throw new IllegalArgumentException("weight of " + name + " is less than 1: " + weight);
        }
    }

    /** A node of weight 1 in no zone, named after its address. */
    public static Node at(InetSocketAddress address) {
        if (address.isUnresolved()) {
            throw new IllegalArgumentException("address is not resolved: " + address);
        }
        String host = address.getAddress().getHostAddress();
        String name = (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + address.getPort();
        return new Node(address, name, 1, "");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Node node && address.equals(node.address);
    }

    @Override
    public int hashCode() {
        return address.hashCode();
    }

    @Override
    public String toString() {
        return name;
    }
}
