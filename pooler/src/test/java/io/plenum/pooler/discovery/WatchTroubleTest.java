package io.plenum.pooler.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.plenum.pooler.discovery.Slices.Endpoint;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What an API server does on its bad days, word for word: it forgets where a watch was, breaks off, fails, is away. */
class WatchTroubleTest {
    private static final ServiceName SERVICE = new ServiceName("db", "pg", 0, "");
    private static final String EXPIRED = """
        {"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410,\
        "message":"too old resource version: 1 (2)"}}
        """;
    private static final String BREAK = "";

    private final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    private final BlockingQueue<List<String>> told = new LinkedBlockingQueue<>();
    private final AtomicInteger lists = new AtomicInteger();
    private volatile String address = "10.0.0.1";
    private volatile boolean failing;
    private HttpServer server;
    private KubernetesSlices slices;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::answer);
        server.start();
        String url = "http://127.0.0.1:" + server.getAddress().getPort();
        slices = new KubernetesSlices(() -> new KubernetesClientBuilder()
                .withConfig(new ConfigBuilder()
                        .withAutoConfigure(false)
                        .withMasterUrl(url)
                        .withWatchReconnectInterval(100)
                        .withRequestRetryBackoffLimit(0)
                        .build())
                .build());
    }

    @AfterEach
    void stop() {
        slices.close();
        server.stop(0);
    }

    @Test
    void watchThatExpiredIsFollowedByANewList() throws Exception {
        watch();
        assertThat(next()).containsExactly("10.0.0.1");

        address = "10.0.0.2"; // changed while the server forgot
        events.add(EXPIRED);

        assertThat(next()).containsExactly("10.0.0.2");
        assertThat(lists.get()).isGreaterThan(1);
    }

    @Test
    void watchThatBreaksOffIsTakenUpAgainAndNothingIsForgottenMeanwhile() throws Exception {
        watch();
        assertThat(next()).containsExactly("10.0.0.1");
        address = "10.0.0.3"; // for one who lists again; who only watches again hears of it there
        events.add(BREAK);
        events.add(modified("10.0.0.3"));

        assertThat(next()).containsExactly("10.0.0.3");
    }

    @Test
    void outageOfTheApiServerTellsNothingAndIsOutlived() throws Exception {
        watch();
        assertThat(next()).containsExactly("10.0.0.1");
        failing = true;
        events.add(BREAK);
        assertThat(told.poll(2, TimeUnit.SECONDS))
                .as("news from a server that is away")
                .isNull();

        address = "10.0.0.4";
        failing = false;
        assertThat(next()).containsExactly("10.0.0.4");
    }

    @Test
    void serverThatIsAwayAtTheBeginningIsAskedUntilItIsThere() throws Exception {
        failing = true;
        watch();
        assertThat(told.poll(1, TimeUnit.SECONDS)).isNull();
        failing = false;

        assertThat(next()).containsExactly("10.0.0.1");
    }

    private void watch() {
        slices.watch(
                SERVICE,
                endpoints -> told.add(endpoints.stream().map(Endpoint::address).toList()));
    }

    private List<String> next() throws InterruptedException {
        List<String> next = told.poll(30, TimeUnit.SECONDS);
        assertThat(next).as("news within 30 s").isNotNull();
        return next == null ? List.of() : next;
    }

    // --- the server ------------------------------------------------------------------------------------------------

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            if (failing) {
                exchange.sendResponseHeaders(500, -1);
            } else if (String.valueOf(exchange.getRequestURI().getQuery()).contains("watch=true")) {
                watch(exchange);
            } else {
                lists.incrementAndGet();
                byte[] body = """
                    {"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1","metadata":{"resourceVersion":"%d"},\
                    "items":[%s]}\
                    """.formatted(lists.get(), slice(address)).getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders().set("Content-Type", "application/json");
                exchange.sendResponseHeaders(200, body.length);
                exchange.getResponseBody().write(body);
            }
        }
    }

    private void watch(HttpExchange exchange) throws IOException {
        if (exchange.getRequestHeaders().containsKey("Upgrade")) {
            exchange.sendResponseHeaders(200, -1); // no web socket here: then it comes again without
            return;
        }
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(200, 0);
        OutputStream out = exchange.getResponseBody();
        out.flush();
        try {
            while (true) {
                String event = events.take();
                if (event.equals(BREAK)) {
                    return;
                }
                out.write(event.getBytes(StandardCharsets.UTF_8));
                out.flush();
                if (event.equals(EXPIRED)) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String modified(String address) {
        return "{\"type\":\"MODIFIED\",\"object\":%s}\n".formatted(slice(address));
    }

    private static String slice(String address) {
        return """
            {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","addressType":"IPv4",\
            "metadata":{"name":"pg-a","namespace":"db","resourceVersion":"%d",\
            "labels":{"kubernetes.io/service-name":"pg"}},\
            "endpoints":[{"addresses":["%s"],"conditions":{"ready":true}}],\
            "ports":[{"name":"postgres","port":5432}]}\
            """.formatted(System.nanoTime(), address);
    }
}
