package io.plenum.pooler.discovery;

import java.util.List;
import java.util.function.Consumer;

/** Watches the EndpointSlices of Services. Any thread. */
interface Slices extends AutoCloseable {
    /**
     * One endpoint of one slice.
     *
     * @param address an IP address
     * @param ports of its slice
     * @param hints zones whose traffic is meant for it; empty without
     */
    record Endpoint(
            String address,
            List<Port> ports,
            boolean ready,
            boolean serving,
            boolean terminating,
            String zone,
            List<String> hints) {}

    record Port(String name, int number) {}

    /** One watch. */
    interface Watch {
        void close();
    }

    /**
     * Watches until it is closed, through every trouble of the API server. {@code listener} hears all endpoints of all slices
     * after each change, on the thread that it came from; never because something failed.
     */
    Watch watch(ServiceName service, Consumer<List<Endpoint>> listener);

    @Override
    void close();
}
