package io.plenum.pooler.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.plenum.pooler.discovery.Slices.Endpoint;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Against an imitation of an API server, or against a real one that {@link TestApiServer} was told of. */
class KubernetesSlicesTest {
    private static final ServiceName SERVICE = new ServiceName(TestApiServer.NAMESPACE, "pg", 0, "");

    private TestApiServer server;
    private KubernetesClient cluster;
    private KubernetesSlices slices;
    private final AtomicReference<List<Endpoint>> told = new AtomicReference<>(List.of());

    @BeforeEach
    void start() throws IOException {
        server = TestApiServer.start();
        cluster = server.client();
        slices = new KubernetesSlices(() -> new KubernetesClientBuilder()
                .withConfig(new ConfigBuilder(server.configuration())
                        .withWatchReconnectInterval(100)
                        .build())
                .build());
    }

    @AfterEach
    void stop() {
        slices.close();
        server.close();
    }

    @Test
    void endpointsThatAreThereAndThoseThatComeAndGoAreTold() throws Exception {
        put(slice("pg-a", "pg", "10.0.0.1", true, false));
        slices.watch(SERVICE, told::set);
        awaitAddresses("10.0.0.1");

        put(slice("pg-b", "pg", "10.0.0.2", true, false)); // a Service may have several slices
        put(slice("other", "other", "10.0.0.9", true, false));
        awaitAddresses("10.0.0.1", "10.0.0.2");

        remove("pg-a");
        awaitAddresses("10.0.0.2");
    }

    @Test
    void changesAreSeenWithinASecond() throws Exception {
        slices.watch(SERVICE, told::set);
        put(slice("pg-a", "pg", "10.0.0.1", true, false));
        awaitAddresses("10.0.0.1");
        long changed = System.nanoTime();
        put(slice("pg-b", "pg", "10.0.0.2", true, false));
        awaitAddresses("10.0.0.1", "10.0.0.2");

        assertThat(Duration.ofNanos(System.nanoTime() - changed)).isLessThan(Duration.ofSeconds(1));
    }

    @Test
    void conditionsZoneHintsAndPortsAreTold() throws Exception {
        slices.watch(SERVICE, told::set);
        put(slice("pg-a", "pg", "10.0.0.1", false, true));
        awaitAddresses("10.0.0.1");

        assertThat(told.get())
                .containsExactly(new Endpoint(
                        "10.0.0.1",
                        List.of(new Slices.Port("postgres", 5432)),
                        false,
                        true,
                        true,
                        "west",
                        List.of("east")));
    }

    private void put(EndpointSlice slice) {
        cluster.discovery()
                .v1()
                .endpointSlices()
                .inNamespace(TestApiServer.NAMESPACE)
                .resource(slice)
                .create();
    }

    private void remove(String name) {
        cluster.discovery()
                .v1()
                .endpointSlices()
                .inNamespace(TestApiServer.NAMESPACE)
                .withName(name)
                .delete();
    }

    private static EndpointSlice slice(
            String name, String service, String address, boolean ready, boolean terminating) {
        return new EndpointSliceBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace(TestApiServer.NAMESPACE)
                .addToLabels("kubernetes.io/service-name", service)
                .endMetadata()
                .withAddressType("IPv4")
                .addNewPort()
                .withName("postgres")
                .withPort(5432)
                .endPort()
                .addNewEndpoint()
                .withAddresses(address)
                .withZone("west")
                .withNewConditions()
                .withReady(ready)
                .withServing(true)
                .withTerminating(terminating)
                .endConditions()
                .withNewHints()
                .addNewForZone("east")
                .endHints()
                .endEndpoint()
                .build();
    }

    private void awaitAddresses(String... addresses) throws InterruptedException {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (true) {
            List<String> now =
                    told.get().stream().map(Endpoint::address).sorted().toList();
            if (now.equals(List.of(addresses))) {
                return;
            }
            assertThat(System.nanoTime()).as("20 s, and there are %s", now).isLessThan(deadline);
            Thread.sleep(5);
        }
    }
}
