package io.plenum.pooler.discovery;

import io.plenum.pooler.config.HostPort;
import io.plenum.pooler.net.Loop;
import io.plenum.routing.topology.Node;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Follows all addresses of one host, which is no node of a database. Confined to the control loop. */
public final class NameWatch implements AutoCloseable {
    private final Names names;
    private final AddressBook book;

    /** Begins at once; {@code listener} hears the addresses after each good answer, of a literal address never. */
    public NameWatch(
            HostPort host,
            Loop control,
            List<HostPort> nameServers,
            Supplier<Duration> maxTtl,
            Consumer<List<InetSocketAddress>> listener) {
        names = new DnsNames(control, nameServers);
        book = new AddressBook(
                new Seeds(List.of(host), true),
                control,
                control.executor().ticker()::nanoTime,
                names,
                maxTtl,
                nodes -> listener.accept(addresses(nodes)));
        book.start();
    }

    /** All that is known now. */
    public List<InetSocketAddress> addresses() {
        return addresses(book.nodes());
    }

    private static List<InetSocketAddress> addresses(List<Node> nodes) {
        return nodes.stream()
                .map(Node::address)
                .filter(InetSocketAddress.class::isInstance)
                .map(InetSocketAddress.class::cast)
                .toList();
    }

    /** Something is amiss: asks again now, but no more than once a second. */
    public void lookUpSoon() {
        book.lookUpSoon();
    }

    @Override
    public void close() {
        book.close();
        names.close();
    }
}
