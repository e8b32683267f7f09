package io.plenum.pooler.discovery;

import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Looks names up. Confined to the control loop, which it never blocks. */
interface Names extends AutoCloseable {
    /** What came of it. */
    sealed interface Answer {}

    /**
     * The name means these addresses.
     *
     * @param addresses all that were found, IPv4 first; never empty
     * @param ttl the shortest of the records
     * @param complete false when the look-up of one of the two families failed: what it would have said is not known
     */
    record Found(List<InetAddress> addresses, Duration ttl, boolean complete) implements Answer {}

    /** No address: there is no such name, or nobody told. */
    record NotFound(String reason) implements Answer {}

    /** {@code done} hears the answer once, on the control loop. */
    void lookUp(String name, Consumer<Answer> done);

    /** What the SRV records of a name say; {@code ttl} is the shortest of them. */
    record Targets(List<Target> targets, Duration ttl) {}

    /** One SRV record; {@code weight} is 1 at least. */
    record Target(String host, int port, int weight) {}

    /** The same for SRV records; null tells that there are none, or that nobody told. */
    void lookUpTargets(String name, Consumer<@Nullable Targets> done);

    @Override
    void close();
}
