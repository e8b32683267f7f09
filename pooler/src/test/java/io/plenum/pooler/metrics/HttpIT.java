package io.plenum.pooler.metrics;

import static io.plenum.pooler.admin.AdministeredPooler.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.admin.AdministeredPooler;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HttpIT {
    /** A line of Prometheus' text format: a comment, or name, labels and value. */
    private static final Pattern LINE = Pattern.compile("# (HELP|TYPE) [a-z0-9_:]+"
            + " .*|[a-z0-9_:]+(\\{[a-z_]+=\"(?:[^\"\\\\]|\\\\.)*\"(,[a-z_]+=\"(?:[^\"\\\\]|\\\\.)*\")*})?"
            + " [-+0-9.eENnaIif]+");

    private final HttpClient http = HttpClient.newHttpClient();
    private AdministeredPooler pooler;
    private int port;

    @BeforeEach
    void start(@TempDir Path directory) throws IOException {
        port = AdministeredPooler.freePort();
        pooler = AdministeredPooler.start(
                directory, "http_listen_addr = 127.0.0.1", "http_listen_port = " + port, "drain_delay = 2");
    }

    @AfterEach
    void stop() {
        pooler.close();
        http.close();
    }

    @Test
    void everyMetricOfTheCatalogueIsThereAndEveryLineParses() throws Exception {
        try (WireClient user = pooler.wire("app");
                WireClient other = pooler.wire("other")) {
            user.query("PREPARE pins AS SELECT 1");
            other.query("SELECT 1");

            String text = get("/metrics").body();

            assertThat(text.lines()).allSatisfy(line -> assertThat(line).matches(LINE));
            assertThat(MetricCatalog.all())
                    .filteredOn(metric -> !metric.name().equals("plenum_node_lag_bytes")) // nobody probes here
                    .allSatisfy(metric -> assertThat(text).contains("# TYPE " + metric.name() + " "));
            assertThat(text).contains("\nplenum_ready 1.0\n", "\njvm_memory_used_bytes{");
            assertThat(value(text, "plenum_clients_active{database=\"app\",user=\"postgres\"}"))
                    .isEqualTo(1);
            assertThat(value(text, "plenum_pinned_clients{database=\"app\",reason=\"sql_prepare\"}"))
                    .isEqualTo(1);
            assertThat(value(text, "plenum_transactions_total{database=\"other\",user=\"postgres\"}"))
                    .isEqualTo(1);
            assertThat(value(text, "pgbouncer_pools_client_active_connections{database=\"app\",user=\"postgres\"}"))
                    .isEqualTo(1);
            assertThat(value(text, "pgbouncer_stats_totals_sql_transactions_pooled_total{database=\"other\"}"))
                    .isEqualTo(1);
            assertThat(text)
                    .containsPattern("\npgbouncer_databases_pool_size\\{database=\"app\",force_user=\"\","
                            + "host=\"127.0.0.1\",name=\"other\",pool_mode=\"\",port=\"\\d+\"} 3.0\n");
        }
    }

    private static double value(String text, String series) {
        return text.lines()
                .filter(line -> line.startsWith(series + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(series.length() + 1)))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + series + " in\n" + text));
    }

    @Test
    void pageShowsTheShareOfEachNode() throws Exception {
        try (WireClient user = pooler.wire("app")) {
            await("a share is known", () -> {
                try {
                    for (int i = 0; i < 50; i++) {
                        user.query("SELECT 1");
                    }
                    return get("/balance.json").body().contains("\"verdict\":\"balanced\"");
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });

            assertThat(get("/").headers().firstValue("content-type")).hasValue("text/html; charset=utf-8");
            assertThat(get("/").body()).contains("/balance.json").doesNotContain("http://", "https://");
        }
    }

    @Test
    void drainingIsNotReadyButAlive() throws Exception {
        assertThat(get("/livez").statusCode()).isEqualTo(200);
        await("the node is known", () -> {
            try {
                return get("/readyz").statusCode() == 200;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });

        pooler.pooler().stopWhenClientsAreGone();

        assertThat(get("/readyz").statusCode()).isEqualTo(503);
        assertThat(get("/readyz").body()).isEqualTo("draining\n");
        assertThat(get("/livez").statusCode()).isEqualTo(200);
    }

    @Test
    void headHasNoBodyAndOtherMethodsAreRefused() throws Exception {
        HttpResponse<String> head = send(request("/metrics").method("HEAD", HttpRequest.BodyPublishers.noBody()));
        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(head.headers().firstValueAsLong("content-length").orElse(0)).isPositive();
        assertThat(head.body()).isEmpty();
        assertThat(send(request("/metrics").POST(HttpRequest.BodyPublishers.noBody()))
                        .statusCode())
                .isEqualTo(405);
        assertThat(get("/nothing").statusCode()).isEqualTo(404);
        assertThat(get("/../etc/passwd").statusCode()).isEqualTo(404);
    }

    @Test
    void whatIsNoRequestIsRefusedOrCutOff() throws Exception {
        for (String nonsense : List.of(
                "GET /" + "x".repeat(100_000) + " HTTP/1.1\r\n\r\n",
                "GET / HTTP/1.1\r\nA: " + "x".repeat(100_000) + "\r\n\r\n",
                "nonsense\r\n\r\n",
                "GET /livez HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
                "\0\0\0\010\004\322\026\057")) {
            try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setSoTimeout(5000);
                try {
                    socket.getOutputStream().write(nonsense.getBytes(StandardCharsets.ISO_8859_1));
                    socket.shutdownOutput();
                    socket.getInputStream().readAllBytes();
                } catch (SocketException reset) {
                    // cut off before all of it was written
                }
            }
        }
        assertThat(get("/livez").statusCode()).isEqualTo(200);
    }

    @Test
    void connectionsAreBounded() throws Exception {
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < HttpServer.MOST_CONNECTIONS + 10; i++) {
                sockets.add(new Socket(InetAddress.getLoopbackAddress(), port));
            }
            Socket last = sockets.getLast();
            last.setSoTimeout(5000);
            assertThat(last.getInputStream().read()).isEqualTo(-1);
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
        await("a place is free again", () -> {
            try {
                return get("/livez").statusCode() == 200;
            } catch (IOException full) {
                return false;
            }
        });
    }

    private HttpResponse<String> get(String path) throws IOException {
        return send(request(path).GET());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws IOException {
        try {
            return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }
}
