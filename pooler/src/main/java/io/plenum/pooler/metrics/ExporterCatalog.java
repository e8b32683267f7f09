package io.plenum.pooler.metrics;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolMode;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.metrics.Census.PoolFacts;
import io.plenum.pooler.metrics.MetricCatalog.Kind;
import io.plenum.pooler.metrics.MetricCatalog.Metric;
import io.plenum.pooler.metrics.MetricCatalog.Point;
import io.plenum.pooler.metrics.MetricCatalog.Reading;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.ToDoubleBiFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * The metrics of pgbouncer_exporter, under its names, for the dashboards and alerts that exist: what that program would make
 * of our console, without the rows of the console itself.
 */
final class ExporterCatalog {
    private static final double MICROS = 1e-6;
    private static final double NANOS = 1e-9;

    private static final List<Metric> ALL = make();

    private ExporterCatalog() {}

    static List<Metric> all() {
        return ALL;
    }

    private static List<Metric> make() {
        List<Metric> all = new ArrayList<>();
        all.add(single("up", "1: the console would answer.", reading -> 1));
        all.add(new Metric(
                "pgbouncer_version_info",
                Kind.GAUGE,
                List.of("version"),
                "Always 1; what SHOW VERSION says.",
                reading -> Stream.of(Point.of(1, reading.installation().consoleVersion()))));
        lists(all);
        all.add(single(
                "config_max_client_connections",
                "The setting max_client_conn.",
                reading -> config(reading).get(Settings.MAX_CLIENT_CONN)));
        all.add(single(
                "config_max_user_connections",
                "The setting max_user_connections.",
                reading -> config(reading).get(Settings.MAX_USER_CONNECTIONS)));
        databases(all);
        pools(all);
        stats(all, "stats_totals");
        stats(all, "stats"); // as it was before version 0.8
        return List.copyOf(all);
    }

    private static PoolerConfig config(Reading reading) {
        return reading.installation().config();
    }

    private static Metric single(String name, String help, ToDoubleFunction<Reading> value) {
        return new Metric(
                "pgbouncer_" + name,
                Kind.GAUGE,
                List.of(),
                help,
                reading -> Stream.of(Point.of(value.applyAsDouble(reading))));
    }

    // --- SHOW LISTS ------------------------------------------------------------------------------------------------

    private static void lists(List<Metric> all) {
        all.add(single(
                "databases",
                "Databases, without the console.",
                reading ->
                        Inventory.databases(config(reading), reading.census()).size()));
        all.add(single(
                "users",
                "Users that are written or have a pool.",
                reading -> Inventory.users(config(reading), reading.census()).size()));
        all.add(single("pools", "Pools.", reading -> reading.census().pools().size()));
        all.add(single("free_clients", "Always 0: nothing is kept for clients to come.", reading -> 0));
        all.add(single(
                "used_clients",
                "Sockets of clients.",
                reading -> reading.installation().clients()));
        all.add(single(
                "login_clients",
                "Clients that log in.",
                reading -> Math.max(
                        0,
                        reading.installation().clients()
                                - reading.installation().consoles()
                                - reading.census().pools().stream()
                                        .mapToInt(PoolFacts::clients)
                                        .sum())));
        all.add(single("free_servers", "Always 0: nothing is kept for servers to come.", reading -> 0));
        all.add(single(
                "used_servers",
                "Server connections.",
                reading -> reading.census().pools().stream()
                        .mapToInt(pool -> pool.servers().total())
                        .sum()));
        all.add(single(
                "cached_dns_names",
                "Names of hosts that DNS has answered for.",
                reading -> reading.installation().dnsNames()));
        all.add(single(
                "cached_dns_zones",
                "Zones that those names are in.",
                reading -> reading.installation().dnsZones()));
        all.add(single(
                "in_flight_dns_queries",
                "Names that DNS was asked for and has not answered yet.",
                reading -> reading.installation().dnsQueries()));
    }

    // --- SHOW DATABASES --------------------------------------------------------------------------------------------

    private static void databases(List<Metric> all) {
        all.add(ofDatabases(
                "pool_size",
                "Most server connections of a pool.",
                (reading, database) -> config(reading).get(Settings.DEFAULT_POOL_SIZE, database)));
        all.add(ofDatabases(
                "reserve_pool",
                "Most server connections of a pool's reserve.",
                (reading, database) -> config(reading).get(Settings.RESERVE_POOL_SIZE, database)));
        all.add(ofDatabases(
                "max_connections",
                "Most server connections of the database; 0 is no limit.",
                (reading, database) -> config(reading).maxDbConnections(database)));
        all.add(ofDatabases(
                "current_connections",
                "Server connections of the database.",
                (reading, database) -> Inventory.servers(reading.census(), database.name())));
        all.add(ofDatabases(
                "paused",
                "1 after PAUSE or KILL of the database.",
                (reading, database) -> reading.installation().paused().test(database.name()) ? 1 : 0));
        all.add(ofDatabases(
                "disabled",
                "1 after DISABLE of the database.",
                (reading, database) -> reading.installation().disabled().test(database.name()) ? 1 : 0));
    }

    private static Metric ofDatabases(String name, String help, ToDoubleBiFunction<Reading, DatabaseConfig> value) {
        return new Metric(
                "pgbouncer_databases_" + name,
                Kind.GAUGE,
                List.of("name", "host", "port", "database", "force_user", "pool_mode"),
                help,
                reading -> Inventory.databases(config(reading), reading.census()).stream()
                        .limit(MetricCatalog.MOST_POOLS)
                        .map(database -> Point.of(value.applyAsDouble(reading, database), labels(database))));
    }

    private static String[] labels(DatabaseConfig database) {
        PoolMode mode = database.poolMode();
        return new String[] {
            database.name(),
            String.join(",", database.hosts()),
            Integer.toString(database.port()),
            database.dbname(),
            Objects.requireNonNullElse(database.user(), ""),
            mode == null ? "" : mode.word()
        };
    }

    // --- SHOW POOLS ------------------------------------------------------------------------------------------------

    private static void pools(List<Metric> all) {
        all.add(ofPools(
                "client_active_connections",
                "Clients that have a server connection or ask for none.",
                PoolFacts::active));
        all.add(ofPools(
                "client_waiting_connections", "Clients that wait for a server connection.", PoolFacts::waiting));
        all.add(ofPools(
                "client_active_cancel_connections",
                "Cancel requests that are on their way to a server.",
                pool -> pool.servers().canceling()));
        all.add(ofPools(
                "client_waiting_cancel_connections",
                "Cancel requests that wait for others to be over.",
                pool -> pool.servers().cancelsWaiting()));
        all.add(ofPools(
                "server_active_connections",
                "Server connections that work for a client.",
                pool -> pool.servers().active()));
        all.add(ofPools(
                "server_active_cancel_connections",
                "Those for which a cancel request is on its way.",
                pool -> pool.servers().canceling()));
        all.add(ofPools(
                "server_being_canceled_connections",
                "Those held back until such requests are seen through.",
                pool -> pool.servers().beingCanceled()));
        all.add(ofPools(
                "server_idle_connections",
                "Those that can be used at once.",
                pool -> pool.servers().idle()));
        all.add(ofPools("server_used_connections", "Always 0.", pool -> 0));
        all.add(ofPools(
                "server_testing_connections",
                "Those that run a check or a reset.",
                pool -> pool.servers().tested()));
        all.add(ofPools(
                "server_login_connections",
                "Those being opened.",
                pool -> pool.servers().login()));
        all.add(ofPools(
                "client_maxwait_seconds",
                "Age of the oldest waiting client.",
                pool -> Math.floor(pool.oldestWaitNanos() * NANOS)));
    }

    private static Metric ofPools(String name, String help, ToDoubleFunction<PoolFacts> value) {
        return new Metric(
                "pgbouncer_pools_" + name,
                Kind.GAUGE,
                List.of("database", "user"),
                help,
                reading -> reading.census().pools().stream()
                        .map(pool -> Point.of(value.applyAsDouble(pool), pool.database(), pool.user())));
    }

    // --- SHOW STATS_TOTALS -----------------------------------------------------------------------------------------

    private static void stats(List<Metric> all, String table) {
        all.add(ofStats(table, "queries_pooled_total", "Statements.", Count.QUERIES, 1));
        all.add(ofStats(table, "queries_duration_seconds_total", "Time in statements.", Count.QUERY_TIME, MICROS));
        all.add(ofStats(table, "received_bytes_total", "Bytes from clients.", Count.RECEIVED, 1));
        all.add(ofStats(table, "sent_bytes_total", "Bytes to clients.", Count.SENT, 1));
        all.add(ofStats(
                table,
                "client_wait_seconds_total",
                "Time that clients waited for a server connection.",
                Count.WAIT_TIME,
                MICROS));
        all.add(ofStats(table, "sql_transactions_pooled_total", "Transactions.", Count.TRANSACTIONS, 1));
        all.add(ofStats(
                table, "server_in_transaction_seconds_total", "Time in transactions.", Count.TRANSACTION_TIME, MICROS));
        all.add(ofStats(table, "client_parses_total", "Parse messages of clients.", Count.CLIENT_PARSES, 1));
        all.add(ofStats(table, "server_parses_total", "Parse messages to servers.", Count.SERVER_PARSES, 1));
        all.add(ofStats(table, "binds_total", "Bind messages.", Count.BINDS, 1));
    }

    private static Metric ofStats(String table, String name, String help, Count count, double unit) {
        return new Metric(
                "pgbouncer_" + table + "_" + name,
                Kind.COUNTER,
                List.of("database"),
                help,
                reading -> reading.census().totalsByDatabase().entrySet().stream()
                        .map(entry -> Point.of(entry.getValue().get(count) * unit, entry.getKey())));
    }
}
