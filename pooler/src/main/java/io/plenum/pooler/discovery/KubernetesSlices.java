package io.plenum.pooler.discovery;

import io.fabric8.kubernetes.api.model.discovery.v1.EndpointConditions;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointHints;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.ForZone;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * EndpointSlices of a Kubernetes API server, by an informer: one list, then a watch that is taken up again after every
 * break, and a new list when the server has forgotten where it was. What is known stays known meanwhile.
 *
 * <p>The client is made at the first watch, beside all loops, for it reads files and loads many classes.
 */
final class KubernetesSlices implements Slices {
    private static final Logger LOG = LoggerFactory.getLogger(KubernetesSlices.class);

    /** Says of a slice whose it is. */
    private static final String SERVICE_LABEL = "kubernetes.io/service-name";

    private final Supplier<KubernetesClient> clients;
    private final ExecutorService thread = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("plenum-kubernetes").factory());
    private @Nullable KubernetesClient client; // of the thread

    /** {@code clients} makes the client when it is needed. */
    KubernetesSlices(Supplier<KubernetesClient> clients) {
        this.clients = clients;
    }

    @Override
    public Watch watch(ServiceName service, Consumer<List<Endpoint>> listener) {
        var watching = new Watching(service, listener);
        thread.execute(watching::start);
        return () -> thread.execute(watching::stop);
    }

    @Override
    public void close() {
        thread.execute(() -> {
            if (client != null) {
                client.close();
                client = null;
            }
        });
        thread.shutdown();
    }

    private KubernetesClient client() {
        KubernetesClient made = client;
        if (made == null) {
            made = clients.get();
            client = made;
        }
        return made;
    }

    /** The slices of one Service. */
    private final class Watching implements ResourceEventHandler<EndpointSlice> {
        private final ServiceName service;
        private final Consumer<List<Endpoint>> listener;
        private volatile @Nullable SharedIndexInformer<EndpointSlice> informer;

        Watching(ServiceName service, Consumer<List<Endpoint>> listener) {
            this.service = service;
            this.listener = listener;
        }

        void start() {
            try {
                KubernetesClient of = client();
                String namespace = service.namespace().isEmpty() ? of.getNamespace() : service.namespace();
                SharedIndexInformer<EndpointSlice> made = of.discovery()
                        .v1()
                        .endpointSlices()
                        .inNamespace(namespace == null ? "default" : namespace)
                        .withLabel(SERVICE_LABEL, service.name())
                        .runnableInformer(0);
                made.exceptionHandler((started, trouble) -> {
                    LOG.warn("event=watch_trouble service={} reason=\"{}\"", service.name(), trouble.getMessage());
                    return true; // goes on trying
                });
                informer = made;
                made.addEventHandler(this);
                var _ = made.start().whenComplete((started, failure) -> {
                    if (failure != null) {
                        LOG.error("event=watch_ended service={}", service.name(), failure);
                    }
                });
            } catch (RuntimeException failure) {
                LOG.error("event=no_kubernetes service={} reason=\"{}\"", service.name(), failure.getMessage());
            }
        }

        void stop() {
            SharedIndexInformer<EndpointSlice> running = informer;
            informer = null;
            if (running != null) {
                running.stop();
            }
        }

        @Override
        public void onAdd(EndpointSlice slice) {
            tell();
        }

        @Override
        public void onUpdate(EndpointSlice before, EndpointSlice now) {
            tell();
        }

        @Override
        public void onDelete(EndpointSlice slice, boolean unknownState) {
            tell();
        }

        /** Always all of them: an address may move from one slice to another. */
        private void tell() {
            SharedIndexInformer<EndpointSlice> running = informer;
            if (running != null) {
                List<Endpoint> all = new ArrayList<>();
                running.getStore().list().forEach(slice -> collect(slice, all));
                listener.accept(all);
            }
        }
    }

    private static void collect(EndpointSlice slice, List<Endpoint> all) {
        List<Port> ports = new ArrayList<>();
        for (EndpointPort port : slice.getPorts()) {
            if (port.getPort() != null) {
                ports.add(new Port(port.getName() == null ? "" : port.getName(), port.getPort()));
            }
        }
        for (var endpoint : slice.getEndpoints()) {
            EndpointConditions conditions = endpoint.getConditions();
            EndpointHints hints = endpoint.getHints();
            // The API's rule: a condition that is not known counts as yes; only terminating as no.
            boolean ready = conditions == null || !Boolean.FALSE.equals(conditions.getReady());
            boolean serving = conditions == null || (conditions.getServing() == null ? ready : conditions.getServing());
            boolean terminating = conditions != null && Boolean.TRUE.equals(conditions.getTerminating());
            List<String> zones = hints == null
                    ? List.of()
                    : hints.getForZones().stream().map(ForZone::getName).toList();
            for (String address : endpoint.getAddresses()) {
                all.add(new Endpoint(
                        address,
                        List.copyOf(ports),
                        ready,
                        serving,
                        terminating,
                        endpoint.getZone() == null ? "" : endpoint.getZone(),
                        zones));
            }
        }
    }
}
