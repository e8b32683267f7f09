package io.plenum.pooler.metrics;

import io.plenum.pooler.config.Settings;
import io.plenum.pooler.metrics.Census.Depth;
import io.plenum.pooler.metrics.Census.NodeFacts;
import io.plenum.pooler.metrics.Census.PoolFacts;
import io.plenum.pooler.metrics.HttpServer.Page;
import io.plenum.pooler.metrics.MetricCatalog.Reading;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What the HTTP page answers: {@code /livez}, {@code /readyz}, {@code /metrics}, {@code /balance.json}, and {@code /}, which
 * shows the last of them once a second.
 *
 * <p>Called on the control loop.
 */
public final class Endpoints {
    private static final String TEXT = "text/plain; charset=utf-8";

    /** A loop that is silent for so long is stuck, and with it the process. */
    private static final long STUCK_AFTER_MILLIS = 3_000;

    /** The page shows the last seconds, so that a node that joins is seen to take its share. */
    private static final long LIVE_WINDOW_NANOS = 3_000_000_000L;

    private final String version;
    private final Census.Taker census;
    private final History history;
    private final Supplier<Installation> installation;
    private final BooleanSupplier open;
    private final PrometheusText metrics = new PrometheusText();
    private final String html = resource("page.html");

    /** {@code open} says whether new clients are welcome. */
    public Endpoints(
            String version,
            Census.Taker census,
            History history,
            Supplier<Installation> installation,
            BooleanSupplier open) {
        this.version = version;
        this.census = census;
        this.history = history;
        this.installation = installation;
        this.open = open;
    }

    /** The page of that path; null when there is none. */
    @Nullable
    CompletionStage<Page> page(String path) {
        return switch (path) {
            case "/" -> CompletableFuture.completedStage(Page.of("text/html; charset=utf-8", html));
            case "/livez" -> take(Depth.SUMS).thenApply(taken -> Page.of(TEXT, "alive\n"));
            case "/readyz" -> take(Depth.SUMS).thenApply(this::readiness);
            case "/metrics" ->
                take(Depth.COUNTS).thenApply(taken -> Page.of(PrometheusText.CONTENT_TYPE, metrics(taken)));
            case "/balance.json" ->
                take(Depth.COUNTS).thenApply(taken -> Page.of("application/json; charset=utf-8", json(taken)));
            default -> null;
        };
    }

    private CompletionStage<Census> take(Depth depth) {
        return census.take(depth).toCompletableFuture().orTimeout(STUCK_AFTER_MILLIS, TimeUnit.MILLISECONDS);
    }

    private boolean isReady(Census taken) {
        return open.getAsBoolean() && taken.anyNodeAnswers();
    }

    private Page readiness(Census taken) {
        if (!open.getAsBoolean()) {
            return Page.unavailable("draining\n");
        }
        return taken.anyNodeAnswers() ? Page.of(TEXT, "ready\n") : Page.unavailable("no node answers\n");
    }

    private synchronized String metrics(Census taken) {
        Installation now = installation.get();
        Duration period = now.config().get(Settings.STATS_PERIOD);
        List<NodeShare> shares = NodeShare.of(taken, history, period.toNanos());
        return metrics.write(new Reading(version, isReady(taken), taken, shares, now));
    }

    // --- the page's data -------------------------------------------------------------------------------------------

    private String json(Census taken) {
        List<NodeShare> shares = NodeShare.of(taken, history, LIVE_WINDOW_NANOS);
        String nodes = shares.stream().map(share -> node(taken, share)).collect(Collectors.joining(","));
        return "{\"version\":%s,\"ready\":%b,\"clients_active\":%d,\"clients_waiting\":%d,\"nodes\":[%s]}"
                .formatted(
                        quote(version),
                        isReady(taken),
                        taken.pools().stream().mapToInt(PoolFacts::active).sum(),
                        taken.pools().stream().mapToInt(PoolFacts::waiting).sum(),
                        nodes);
    }

    private static String node(Census taken, NodeShare share) {
        NodeFacts node = taken.nodesOf(share.database()).stream()
                .filter(candidate -> candidate.node().equals(share.node()))
                .findFirst()
                .orElseThrow();
        return String.format(
                Locale.ROOT,
                "{\"database\":%s,\"node\":%s,\"role\":%s,\"state\":%s,\"share\":%.4f,\"fair_share\":%.4f,"
                    + "\"xacts_per_s\":%.1f,\"in_flight\":%d,\"servers\":%d,\"lag_bytes\":%s,\"cv\":%.4f,\"verdict\":%s}",
                quote(node.database()),
                quote(node.node()),
                quote(node.role()),
                quote(node.state()),
                share.share(),
                share.fairShare(),
                share.transactionsPerSecond(),
                node.inFlight(),
                node.servers().total(),
                node.lagBytes() < 0 ? "null" : Long.toString(node.lagBytes()),
                share.variation(),
                quote(share.verdict().word()));
    }

    /** A JSON string; the names in it are the operator's, or a stranger's where {@code *} takes any database. */
    static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        text.chars().forEach(c -> {
            if (c == '"' || c == '\\') {
                quoted.append('\\').append((char) c);
            } else if (c < ' ' || c == '<') {
                quoted.append("\\u%04x".formatted(c));
            } else {
                quoted.append((char) c);
            }
        });
        return quoted.append('"').toString();
    }

    private static String resource(String name) {
        try (InputStream in = Endpoints.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the jar lacks " + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
