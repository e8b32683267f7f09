package io.plenum.pooler.metrics;

import io.plenum.pooler.metrics.Census.NodeFacts;
import io.plenum.pooler.metrics.Census.PoolFacts;
import io.plenum.pooler.metrics.Census.ServerCounts;
import io.plenum.routing.Reason;
import io.plenum.wire.AsciiCase;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * Every metric of ours, declared once: name, labels, meaning and where its numbers come from.
 *
 * <p>Labels are bounded, whoever connects: at most {@value #MOST_POOLS} pairs of database and user, the rest together as
 * {@value #OTHER}; at most {@value #MOST_NODES} nodes.
 */
public final class MetricCatalog {
    /** Database and user of what has no label of its own any more. */
    static final String OTHER = "other";

    static final int MOST_POOLS = 200;
    static final int MOST_NODES = 500;

    private static final double MICROS_PER_SECOND = 1e6;
    private static final double NANOS_PER_SECOND = 1e9;

    /** How a metric behaves. */
    public enum Kind {
        /** Only grows; its name ends with {@code _total}. */
        COUNTER,
        /** Goes up and down. */
        GAUGE
    }

    /** One number with the values of its metric's labels, in their order. */
    record Point(List<String> labels, double value) {
        static Point of(double value, String... labels) {
            return new Point(List.of(labels), value);
        }
    }

    /** All that the metrics are read from. */
    record Reading(String version, boolean ready, Census census, List<NodeShare> shares, Installation installation) {
        Reading {
            census = bounded(census);
        }

        private static Census bounded(Census census) {
            List<PoolFacts> pools = new ArrayList<>();
            for (PoolFacts pool : census.pools()) {
                if (pools.size() < MOST_POOLS) {
                    pools.add(pool);
                } else {
                    pools.add(pools.removeLast().plus(pool, OTHER, OTHER));
                }
            }
            return new Census(
                    census.atNanos(),
                    census.atMillis(),
                    pools,
                    census.nodes().stream().limit(MOST_NODES).toList(),
                    census.clients(),
                    census.servers());
        }
    }

    /** One metric. */
    record Metric(String name, Kind kind, List<String> labels, String help, Function<Reading, Stream<Point>> points) {}

    private static final List<Metric> OWN = List.of(
            gauge(
                    "plenum_info",
                    "Always 1; which Plenum this is.",
                    reading -> Stream.of(Point.of(1, reading.version())),
                    "version"),
            gauge("plenum_ready", "1 if `/readyz` says yes.", reading -> Stream.of(Point.of(reading.ready() ? 1 : 0))),
            ofPools(
                    Kind.GAUGE,
                    "plenum_clients_active",
                    "Clients that have a server connection or ask for none.",
                    PoolFacts::active),
            ofPools(
                    Kind.GAUGE,
                    "plenum_clients_waiting",
                    "Clients that wait for a server connection.",
                    PoolFacts::waiting),
            ofPools(
                    Kind.GAUGE,
                    "plenum_oldest_wait_seconds",
                    "Age of the oldest waiting client.",
                    pool -> pool.oldestWaitNanos() / NANOS_PER_SECOND),
            ofPools(
                    Kind.GAUGE,
                    "plenum_held_requests",
                    "Transactions that are held because there is no primary; see [switchover.md](switchover.md).",
                    pool -> pool.held().requests()),
            ofPools(
                    Kind.GAUGE,
                    "plenum_held_bytes",
                    "What their clients had sent of them.",
                    pool -> pool.held().bytes()),
            ofPools(
                    Kind.GAUGE,
                    "plenum_oldest_held_seconds",
                    "Age of the oldest of them.",
                    pool -> pool.held().oldestNanos() / NANOS_PER_SECOND),
            ofPools(
                    Kind.COUNTER,
                    "plenum_held_refused_total",
                    "Those that were answered with 57P03 instead: a bound of time, number or bytes was reached.",
                    pool -> pool.held().refused()),
            gauge(
                    "plenum_servers",
                    "Server connections by what they do: `active`, `idle`, `login`, `tested`, `being_canceled`.",
                    reading -> reading.census().pools().stream()
                            .flatMap(pool -> servers(pool.servers(), pool.database(), pool.user())),
                    "database",
                    "user",
                    "state"),
            ofPools(Kind.COUNTER, "plenum_transactions_total", "Transactions.", count(Count.TRANSACTIONS)),
            ofPools(
                    Kind.COUNTER,
                    "plenum_queries_total",
                    "Statements, as clients wait for them: each Query or FunctionCall, and each group of messages up"
                            + " to Sync.",
                    count(Count.QUERIES)),
            ofPools(Kind.COUNTER, "plenum_received_bytes_total", "Bytes from clients.", count(Count.RECEIVED)),
            ofPools(Kind.COUNTER, "plenum_sent_bytes_total", "Bytes to clients.", count(Count.SENT)),
            ofPools(
                    Kind.COUNTER,
                    "plenum_transaction_seconds_total",
                    "Time in transactions.",
                    seconds(Count.TRANSACTION_TIME)),
            ofPools(Kind.COUNTER, "plenum_query_seconds_total", "Time in statements.", seconds(Count.QUERY_TIME)),
            ofPools(
                    Kind.COUNTER,
                    "plenum_wait_seconds_total",
                    "Time that clients waited for a server connection.",
                    seconds(Count.WAIT_TIME)),
            ofPools(
                    Kind.COUNTER,
                    "plenum_server_assignments_total",
                    "Times that a client was given a server connection.",
                    count(Count.SERVER_ASSIGNMENTS)),
            ofPools(
                    Kind.COUNTER,
                    "plenum_client_parses_total",
                    "Parse messages of clients.",
                    count(Count.CLIENT_PARSES)),
            ofPools(
                    Kind.COUNTER,
                    "plenum_server_parses_total",
                    "Parse messages to servers.",
                    count(Count.SERVER_PARSES)),
            ofPools(Kind.COUNTER, "plenum_binds_total", "Bind messages.", count(Count.BINDS)),
            ofPools(Kind.COUNTER, "plenum_client_logins_total", "Logins of clients.", count(Count.CLIENT_LOGINS)),
            ofPools(
                    Kind.COUNTER,
                    "plenum_reruns_total",
                    "Reads sent to another node because theirs died or refused before it answered.",
                    PoolFacts::reruns),
            gauge(
                    "plenum_pinned_clients",
                    "Clients that keep their server connection beyond the transaction.",
                    reading -> byReason(reading, PoolFacts::pins, false),
                    "database",
                    "reason"),
            new Metric(
                    "plenum_routes_total",
                    Kind.COUNTER,
                    List.of("database", "reason", "target"),
                    "Batches of statements by why they went where they went.",
                    reading -> byReason(reading, PoolFacts::routes, true)),
            ofNodes(
                    Kind.COUNTER,
                    "plenum_node_transactions_total",
                    "Transactions on the node.",
                    NodeFacts::transactions),
            ofNodes(Kind.COUNTER, "plenum_node_reads_total", "Proven reads sent to the node.", NodeFacts::reads),
            ofNodes(
                    Kind.GAUGE,
                    "plenum_node_in_flight",
                    "Transactions that run or wait on the node.",
                    NodeFacts::inFlight),
            ofNodes(Kind.GAUGE, "plenum_node_up", "1 if the node answers.", node -> node.answers() ? 1 : 0),
            ofNodes(
                    Kind.GAUGE,
                    "plenum_node_primary",
                    "1 if the node takes writes.",
                    node -> node.takesWrites() ? 1 : 0),
            ofNodes(
                    Kind.GAUGE,
                    "plenum_node_replica",
                    "1 if reads are balanced over the node.",
                    node -> node.takesReads() ? 1 : 0),
            gauge(
                    "plenum_node_servers",
                    "Server connections to the node by what they do, as in `plenum_servers`.",
                    reading -> reading.census().nodes().stream()
                            .flatMap(node -> servers(node.servers(), node.database(), node.node())),
                    "database",
                    "node",
                    "state"),
            gauge(
                    "plenum_node_lag_bytes",
                    "What a standby has still to replay; missing while unknown.",
                    reading -> reading.census().nodes().stream()
                            .filter(node -> node.lagBytes() >= 0)
                            .map(node -> Point.of((double) node.lagBytes(), node.database(), node.node())),
                    "database",
                    "node"),
            ofShares(
                    "plenum_node_share",
                    "Part of the database's transactions lately, 0 to 1; see SHOW BALANCE.",
                    NodeShare::share),
            ofShares("plenum_node_fair_share", "What that part would be if spread by weight.", NodeShare::fairShare),
            gauge(
                    "plenum_balance_variation",
                    "Coefficient of variation of the standbys' transactions lately.",
                    MetricCatalog::variations,
                    "database"));

    private static final List<Metric> ALL =
            Stream.concat(OWN.stream(), ExporterCatalog.all().stream()).toList();

    private MetricCatalog() {}

    static List<Metric> all() {
        return ALL;
    }

    /** The manual page {@code docs/metrics.md}. */
    public static String manual() {
        StringBuilder page = new StringBuilder("""
            # Metrics

            <!-- Made from the catalogue in pooler; the test that checks this page says how to rewrite it. -->

            `GET /metrics` on `http_listen_port` (9127) answers in Prometheus' text format. Labels are bounded: at most \
            %d pairs of database and user, the rest together as `%s`; at most %d nodes. Beside these stand the usual \
            metrics of the Java process (`jvm_*`, `process_*`, `system_*`).

            """.formatted(MOST_POOLS, OTHER, MOST_NODES));
        append(page, OWN);
        page.append("""

            ## Those of pgbouncer_exporter

            For dashboards and alerts that exist, the same numbers stand under the names of prometheus-community's \
            pgbouncer_exporter too, as it would make them of the console; the console's own pool and database are not \
            among them. `pgbouncer_stats_` is what that program said before `pgbouncer_stats_totals_`.

            """);
        append(page, ExporterCatalog.all());
        return page.toString();
    }

    private static void append(StringBuilder page, List<Metric> metrics) {
        page.append("| Metric | Kind | Labels | Meaning |\n| --- | --- | --- | --- |\n");
        for (Metric metric : metrics) {
            page.append("| `%s` | %s | %s | %s |\n"
                    .formatted(
                            metric.name(),
                            AsciiCase.lower(metric.kind().name()),
                            String.join(", ", metric.labels()),
                            metric.help()));
        }
    }

    private static Metric gauge(String name, String help, Function<Reading, Stream<Point>> points, String... labels) {
        return new Metric(name, Kind.GAUGE, List.of(labels), help, points);
    }

    private static Metric ofPools(Kind kind, String name, String help, ToDoubleFunction<PoolFacts> value) {
        return new Metric(
                name,
                kind,
                List.of("database", "user"),
                help,
                reading -> reading.census().pools().stream()
                        .map(pool -> Point.of(value.applyAsDouble(pool), pool.database(), pool.user())));
    }

    private static Metric ofNodes(Kind kind, String name, String help, ToDoubleFunction<NodeFacts> value) {
        return new Metric(
                name,
                kind,
                List.of("database", "node"),
                help,
                reading -> reading.census().nodes().stream()
                        .map(node -> Point.of(value.applyAsDouble(node), node.database(), node.node())));
    }

    private static Metric ofShares(String name, String help, ToDoubleFunction<NodeShare> value) {
        return gauge(
                name,
                help,
                reading -> reading.shares().stream()
                        .limit(MOST_NODES)
                        .map(share -> Point.of(value.applyAsDouble(share), share.database(), share.node())),
                "database",
                "node");
    }

    private static ToDoubleFunction<PoolFacts> count(Count count) {
        return pool -> (double) pool.totals().get(count);
    }

    private static ToDoubleFunction<PoolFacts> seconds(Count count) {
        return pool -> pool.totals().get(count) / MICROS_PER_SECOND;
    }

    private static Stream<Point> servers(ServerCounts counts, String database, String second) {
        return Stream.of(
                Point.of(counts.active(), database, second, "active"),
                Point.of(counts.idle(), database, second, "idle"),
                Point.of(counts.login(), database, second, "login"),
                Point.of(counts.tested(), database, second, "tested"),
                Point.of(counts.beingCanceled(), database, second, "being_canceled"));
    }

    private static Stream<Point> byReason(
            Reading reading, Function<PoolFacts, Map<Reason, Long>> of, boolean withTarget) {
        record Key(String database, Reason reason) {}
        Map<Key, Long> sums = new LinkedHashMap<>();
        for (PoolFacts pool : reading.census().pools()) {
            of.apply(pool).forEach((reason, count) -> sums.merge(new Key(pool.database(), reason), count, Long::sum));
        }
        return sums.entrySet().stream().map(entry -> {
            Key key = entry.getKey();
            String reason = key.reason().label();
            return withTarget
                    ? Point.of(entry.getValue(), key.database(), reason, word(key.reason()))
                    : Point.of(entry.getValue(), key.database(), reason);
        });
    }

    private static String word(Reason reason) {
        return AsciiCase.lower(reason.target().name());
    }

    private static Stream<Point> variations(Reading reading) {
        Map<String, Double> byDatabase = new LinkedHashMap<>();
        reading.shares().stream()
                .limit(MOST_NODES)
                .forEach(share -> byDatabase.put(share.database(), share.variation()));
        return byDatabase.entrySet().stream().map(entry -> Point.of(entry.getValue(), entry.getKey()));
    }
}
