package io.plenum.pooler.admin;

import static io.plenum.pooler.admin.ColumnType.BYTEA;
import static io.plenum.pooler.admin.ColumnType.FLOAT8;
import static io.plenum.pooler.admin.ColumnType.INT4;
import static io.plenum.pooler.admin.ColumnType.INT8;
import static io.plenum.pooler.admin.ColumnType.NUMERIC;
import static io.plenum.pooler.admin.ColumnType.TEXT;
import static io.plenum.pooler.metrics.Census.Depth.CONNECTIONS;
import static io.plenum.pooler.metrics.Census.Depth.COUNTS;
import static io.plenum.pooler.metrics.Census.Depth.SUMS;

import io.plenum.pooler.admin.ShowTable.Column;
import io.plenum.pooler.admin.ShowTable.Row;
import io.plenum.pooler.admin.ShowTable.Standing;
import io.plenum.pooler.admin.ShowTable.View;
import io.plenum.pooler.admin.Verb.Right;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolMode;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.config.UserConfig;
import io.plenum.pooler.metrics.Census.ClientFacts;
import io.plenum.pooler.metrics.Census.Depth;
import io.plenum.pooler.metrics.Census.NodeFacts;
import io.plenum.pooler.metrics.Census.Peer;
import io.plenum.pooler.metrics.Census.PinFacts;
import io.plenum.pooler.metrics.Census.PoolFacts;
import io.plenum.pooler.metrics.Census.ServerCounts;
import io.plenum.pooler.metrics.Census.ServerFacts;
import io.plenum.pooler.metrics.Count;
import io.plenum.pooler.metrics.Inventory;
import io.plenum.pooler.metrics.NodeShare;
import io.plenum.pooler.metrics.Totals;
import io.plenum.routing.sql.Outline;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.net.InetAddress;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The tables of SHOW. Names, order and types of the columns of those that are not our own are those of PgBouncer
 * {@value #PGBOUNCER_VERSION}, read from the program itself.
 */
final class ShowTables {
    /** Whose console this is; tools read it to know which columns there are. */
    static final String PGBOUNCER_VERSION = "1.26.1";

    /** The console's database as PgBouncer calls it; also the user of its pool. */
    static final String CONSOLE = "pgbouncer";

    /** Ours is the second. */
    static final Set<String> CONSOLE_NAMES = Set.of(CONSOLE, "plenum");

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss z", Locale.ROOT);
    private static final Set<String> ROW_STATEMENTS =
            Set.of("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TABLE");
    private static final int LONGEST_STATEMENT = 200;
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    private static final long CLIENT_POINTERS = 0x1000_0000_0000L;
    private static final long SERVER_POINTERS = 0x2000_0000_0000L;

    private static final List<ShowTable> ALL = List.of(
            clients(),
            config(),
            databases(),
            dnsHosts(),
            dnsZones(),
            lists(),
            mem(),
            peers(),
            peerPools(),
            pools(),
            servers(),
            sockets(
                    "SOCKETS",
                    "Every client and server connection; no buffer is kept for any, so their positions are 0.",
                    false),
            sockets("ACTIVE_SOCKETS", "As SOCKETS, of those alone that are in use.", true),
            state(),
            stats(),
            statsAverages(),
            statsTotals(),
            totals(),
            users(),
            version(),
            balance(),
            fds(),
            nodes(),
            pins(),
            preparedStatements(),
            routes(),
            plain("client_encoding", "UTF-8"),
            plain("datestyle", "ISO"),
            plain("default_transaction_isolation", "read committed"),
            plain("server_version", serverVersion()),
            plain("standard_conforming_strings", "on"),
            plain("timezone", "GMT"));

    private ShowTables() {}

    /** All tables: PgBouncer's, then ours, then the parameters that drivers ask for. */
    static List<ShowTable> all() {
        return ALL;
    }

    /** The table of that word, however it is written; or null. */
    static @Nullable ShowTable find(String word) {
        for (ShowTable table : ALL) {
            if (table.word().equalsIgnoreCase(word)) {
                return table;
            }
        }
        return null;
    }

    /** What the console calls its server's version, at login too. */
    static String serverVersion() {
        return PGBOUNCER_VERSION + "/bouncer";
    }

    // --- PgBouncer's -----------------------------------------------------------------------------------------------

    private static ShowTable version() {
        return table("VERSION", "Whose console this is, and which Plenum.", SUMS)
                .column("version", TEXT)
                .rows(view -> Stream.of(Row.of(Console.title(view.standing().version()))));
    }

    private static ShowTable state() {
        return table("STATE", "Whether all is paused; with a third row while it is suspended.", SUMS)
                .column("key", TEXT)
                .column("value", TEXT)
                .rows(view -> {
                    Standing standing = view.standing();
                    Stream<Row> rows = Stream.of(
                            Row.of("active", yes(!standing.allPaused() && !standing.suspended())),
                            Row.of("paused", yes(standing.allPaused())));
                    return standing.suspended() ? Stream.concat(rows, Stream.of(Row.of("suspended", "yes"))) : rows;
                });
    }

    private static String yes(boolean holds) {
        return holds ? "yes" : "no";
    }

    private static ShowTable config() {
        return table("CONFIG", "The settings in force. A secret is shown as stars.", SUMS)
                .column("key", TEXT)
                .column("value", TEXT)
                .column("default", TEXT)
                .column("changeable", TEXT, "`no` if a change takes effect at a restart")
                .rows(view -> view.config().show().stream()
                        .map(line -> Row.of(
                                line.key(), line.value(), line.defaultValue(), line.changeable() ? "yes" : "no")));
    }

    private static ShowTable pools() {
        return table("POOLS", "One row for each database and user, over all nodes and event loops.", COUNTS)
                .column("database", TEXT)
                .column("user", TEXT)
                .column("cl_active", INT4, "clients that have a server connection or ask for none")
                .column("cl_waiting", INT4, "clients that wait for a server connection")
                .column("cl_active_cancel_req", INT4, "cancel requests that are on their way to a server")
                .column("cl_waiting_cancel_req", INT4, "cancel requests that wait for others to be over")
                .column("sv_active", INT4, "server connections that work for a client")
                .column("sv_active_cancel", INT4, "those for which a cancel request is on its way")
                .column("sv_being_canceled", INT4, "those held back until such requests are seen through")
                .column("sv_idle", INT4, "those that can be used at once")
                .column("sv_used", INT4, "always 0: an idle server connection is checked when it is taken")
                .column("sv_tested", INT4, "those that run a check or a reset")
                .column("sv_login", INT4, "those being opened")
                .column("maxwait", INT4, "age of the oldest waiting client, in seconds")
                .column("maxwait_us", INT4, "the rest of it, in microseconds")
                .column("pool_mode", TEXT)
                .column("load_balance_hosts", TEXT)
                .rows(view -> Stream.concat(
                        view.census().pools().stream().map(pool -> pool(view.config(), pool)),
                        Stream.of(consolePool(view))));
    }

    private static Row pool(PoolerConfig config, PoolFacts pool) {
        DatabaseConfig database = config.database(pool.database());
        ServerCounts servers = pool.servers();
        return Row.of(
                pool.database(),
                pool.user(),
                pool.active(),
                pool.waiting(),
                servers.canceling(),
                servers.cancelsWaiting(),
                servers.active(),
                servers.canceling(),
                servers.beingCanceled(),
                servers.idle(),
                0,
                servers.tested(),
                servers.login(),
                pool.oldestWaitNanos() / NANOS_PER_SECOND,
                pool.oldestWaitNanos() % NANOS_PER_SECOND / 1000,
                database == null
                        ? null
                        : config.poolMode(database, config.user(pool.user())).word(),
                loadBalanceHosts(database));
    }

    private static Row consolePool(View view) {
        return Row.of(
                CONSOLE,
                CONSOLE,
                view.standing().consoles(),
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                PoolMode.STATEMENT.word(),
                null);
    }

    private static @Nullable String loadBalanceHosts(@Nullable DatabaseConfig database) {
        return database == null || database.hosts().size() < 2
                ? null
                : database.loadBalanceHosts().word();
    }

    private static Builder connections(String word, String about) {
        return table(word, about, CONNECTIONS)
                .column("type", TEXT, "C for a client, S for a server connection")
                .column("user", TEXT)
                .column("database", TEXT)
                .column("replication", TEXT, "`none`, `logical` or `physical`")
                .column("state", TEXT)
                .column("addr", TEXT)
                .column("port", INT4)
                .column("local_addr", TEXT)
                .column("local_port", INT4)
                .column("connect_time", TEXT)
                .column("request_time", TEXT, "when the last request began")
                .column("wait", INT4, "time that it waits for a server connection, in seconds")
                .column("wait_us", INT4, "the rest of it, in microseconds")
                .column("close_needed", INT4, "1 if it is closed as soon as it is free")
                .column("ptr", TEXT)
                .column("link", TEXT, "the `ptr` of the other side")
                .column("remote_pid", INT4, "process of the backend, for a server connection")
                .column("tls", TEXT)
                .column("application_name", TEXT)
                .column("prepared_statements", INT4)
                .column("id", INT4, "what KILL_CLIENT takes");
    }

    private static ShowTable clients() {
        return connections("CLIENTS", "Every client that is logged in.")
                .rows(view -> loggedIn(view).map(client -> client(client, client.state())));
    }

    private static ShowTable servers() {
        return connections("SERVERS", "Every server connection.")
                .rows(view -> view.census().servers().stream().map(server -> server(server, server.state())));
    }

    private static ShowTable sockets(String word, String about, boolean activeOnly) {
        return connections(word, about)
                .column("recv_pos", INT4)
                .column("pkt_pos", INT4)
                .column("pkt_remain", INT4)
                .column("send_pos", INT4)
                .column("send_remain", INT4)
                .column("pkt_avail", INT4)
                .column("send_avail", INT4)
                .rows(view -> Stream.concat(
                                loggedIn(view)
                                        .filter(client ->
                                                !activeOnly || !client.state().equals("idle"))
                                        .map(client -> client(client, "cl_" + client.state())),
                                view.census().servers().stream()
                                        .filter(server ->
                                                !activeOnly || !server.state().equals("idle"))
                                        .map(server -> server(server, "sv_" + server.state())))
                        .map(ShowTables::withoutBuffers));
    }

    private static Row withoutBuffers(Row row) {
        List<@Nullable Object> values = new ArrayList<>(row.values());
        values.addAll(Collections.nCopies(7, 0));
        return new Row(values);
    }

    private static Stream<ClientFacts> loggedIn(View view) {
        return view.census().clients().stream()
                .filter(client ->
                        !client.state().equals("login") && !client.state().equals("leaving"));
    }

    private static Row client(ClientFacts client, String state) {
        Peer peer = client.peer();
        return Row.of(
                "C",
                client.user(),
                client.database(),
                client.replication(),
                state,
                peer.address(),
                peer.port(),
                peer.localAddress(),
                peer.localPort(),
                time(client.connectedAtMillis()),
                time(client.requestAtMillis()),
                client.waitNanos() / NANOS_PER_SECOND,
                client.waitNanos() % NANOS_PER_SECOND / 1000,
                client.closeNeeded() ? 1 : 0,
                pointer(CLIENT_POINTERS, client.id()),
                client.serverId() == 0 ? "" : pointer(SERVER_POINTERS, client.serverId()),
                0,
                client.tls(),
                client.applicationName(),
                client.preparedStatements(),
                client.id());
    }

    private static Row server(ServerFacts server, String state) {
        Peer peer = server.peer();
        return Row.of(
                "S",
                server.user(),
                server.database(),
                server.replication(),
                state,
                peer.address(),
                peer.port(),
                peer.localAddress(),
                peer.localPort(),
                time(server.connectedAtMillis()),
                time(server.requestAtMillis()),
                0,
                0,
                server.closeNeeded() ? 1 : 0,
                pointer(SERVER_POINTERS, server.id()),
                server.clientId() == 0 ? "" : pointer(CLIENT_POINTERS, server.clientId()),
                server.processId(),
                server.tls(),
                server.applicationName(),
                server.preparedStatements(),
                server.id());
    }

    private static String pointer(long space, long id) {
        return "0x%012x".formatted(space | id);
    }

    private static String time(long millis) {
        return TIME.format(Instant.ofEpochMilli(millis).atZone(ZoneId.systemDefault()));
    }

    private static ShowTable databases() {
        return table("DATABASES", "The entries of `[databases]`, and those made from `*` that are in use.", CONNECTIONS)
                .column("name", TEXT)
                .column("host", TEXT)
                .column("port", INT4)
                .column("database", TEXT)
                .column("force_user", TEXT)
                .column("pool_size", INT4)
                .column("min_pool_size", INT4)
                .column("reserve_pool_size", INT4)
                .column("server_lifetime", INT4, "in seconds")
                .column("pool_mode", TEXT, "empty if inherited")
                .column("load_balance_hosts", TEXT)
                .column("max_connections", INT4, "most server connections; 0 is no limit")
                .column("current_connections", INT4, "server connections")
                .column("max_client_connections", INT4, "most clients; 0 is no limit")
                .column("current_client_connections", INT4)
                .column("paused", INT4, "1 after PAUSE or KILL of this database")
                .column("disabled", INT4, "1 after DISABLE")
                .rows(view -> Stream.concat(
                        databasesInUse(view).stream().map(database -> database(view, database)),
                        Stream.of(consoleDatabase(view))));
    }

    private static List<DatabaseConfig> databasesInUse(View view) {
        return Inventory.databases(view.config(), view.census());
    }

    private static Row database(View view, DatabaseConfig database) {
        PoolerConfig config = view.config();
        String name = database.name();
        PoolMode mode = database.poolMode();
        return Row.of(
                name,
                database.hosts().isEmpty() ? "localhost" : String.join(",", database.hosts()),
                database.port(),
                database.dbname(),
                database.user(),
                config.get(Settings.DEFAULT_POOL_SIZE, database),
                config.minPoolSize(database),
                config.get(Settings.RESERVE_POOL_SIZE, database),
                config.serverLifetime(database).toSeconds(),
                mode == null ? null : mode.word(),
                loadBalanceHosts(database),
                config.maxDbConnections(database),
                servers(view, pool -> pool.database().equals(name)),
                config.get(Settings.MAX_DB_CLIENT_CONNECTIONS, database),
                view.census().clients().stream()
                        .filter(client -> client.database().equals(name))
                        .count(),
                view.standing().paused().test(name) ? 1 : 0,
                view.standing().disabled().test(name) ? 1 : 0);
    }

    private static Row consoleDatabase(View view) {
        PoolerConfig config = view.config();
        return Row.of(
                CONSOLE,
                null,
                config.get(Settings.LISTEN_PORT),
                CONSOLE,
                CONSOLE,
                2,
                0,
                0,
                config.get(Settings.SERVER_LIFETIME).toSeconds(),
                PoolMode.STATEMENT.word(),
                null,
                0,
                0,
                0,
                view.standing().consoles(),
                0,
                0);
    }

    private static long servers(View view, Predicate<PoolFacts> which) {
        return view.census().pools().stream()
                .filter(which)
                .mapToInt(pool -> pool.servers().total())
                .sum();
    }

    private static ShowTable users() {
        return table("USERS", "The users of `auth_file` and `[users]`, and those who have a pool.", CONNECTIONS)
                .column("name", TEXT)
                .column("pool_size", TEXT, "empty if inherited, as the next two")
                .column("reserve_pool_size", TEXT)
                .column("pool_mode", TEXT)
                .column("max_user_connections", INT4, "most server connections; 0 is no limit")
                .column("current_connections", INT4, "server connections")
                .column("max_user_client_connections", INT4, "most clients; 0 is no limit")
                .column("current_client_connections", INT4)
                .rows(view -> usersInUse(view).stream().map(name -> user(view, name)));
    }

    private static Set<String> usersInUse(View view) {
        Set<String> names = Inventory.users(view.config(), view.census());
        names.add(CONSOLE);
        return names;
    }

    private static Row user(View view, String name) {
        UserConfig user = view.config().user(name);
        PoolMode mode = user.poolMode();
        return Row.of(
                name,
                aligned(user.poolSize()),
                aligned(user.reservePoolSize()),
                mode == null ? null : mode.word(),
                view.config().maxUserConnections(user),
                servers(view, pool -> pool.user().equals(name)),
                view.config().get(Settings.MAX_USER_CLIENT_CONNECTIONS, user),
                view.census().clients().stream()
                        .filter(client -> client.user().equals(name))
                        .count());
    }

    private static String aligned(@Nullable Integer number) {
        return number == null ? "" : "%9d".formatted(number);
    }

    private static ShowTable lists() {
        return table("LISTS", "How many there are of each kind.", CONNECTIONS)
                .column("list", TEXT)
                .column("items", INT4)
                .rows(view -> Stream.of(
                        Row.of("databases", databasesInUse(view).size() + 1),
                        Row.of("users", usersInUse(view).size()),
                        Row.of("peers", view.config().peers().size()),
                        Row.of("pools", view.census().pools().size() + 1),
                        Row.of("peer_pools", 0),
                        Row.of("free_clients", 0),
                        Row.of("used_clients", view.census().clients().size()),
                        Row.of(
                                "login_clients",
                                view.census().clients().stream()
                                        .filter(client -> client.state().equals("login"))
                                        .count()),
                        Row.of("free_servers", 0),
                        Row.of("used_servers", view.census().servers().size()),
                        Row.of("dns_names", view.standing().lookUps().names().size()),
                        Row.of("dns_zones", view.standing().lookUps().zones().size()),
                        Row.of("dns_queries", view.standing().lookUps().open()),
                        Row.of("dns_pending", 0)));
    }

    private static ShowTable dnsZones() {
        return table("DNS_ZONES", "The zones of those names: what is behind the first dot.", SUMS)
                .column("zonename", TEXT)
                .column("serial", INT8, "always 0: names are looked up again when their TTL ends, and no zone is asked")
                .column("count", INT4, "names in it")
                .rows(view -> view.standing().lookUps().zones().entrySet().stream()
                        .map(zone -> Row.of(zone.getKey(), 0L, zone.getValue())));
    }

    private static ShowTable dnsHosts() {
        return table("DNS_HOSTS", "The names of hosts that DNS was asked for.", SUMS)
                .column("hostname", TEXT)
                .column("ttl", INT8, "seconds until it is asked again")
                .column("addrs", TEXT, "the addresses, with commas between; SHOW NODES has what is at them")
                .rows(view -> view.standing().lookUps().names().stream()
                        .map(name -> Row.of(
                                name.name(),
                                name.seconds(),
                                name.addresses().stream()
                                        .map(InetAddress::getHostAddress)
                                        .collect(Collectors.joining(",")))));
    }

    private static ShowTable mem() {
        return table("MEM", "The memory of the Java process: the heap, and what is outside of it.", SUMS)
                .column("name", TEXT)
                .column("size", INT4, "unit of the next two, in bytes")
                .column("used", INT4)
                .column("free", INT4, "taken from the system and not in use")
                .column("memtotal", INT4, "in bytes, at most 2147483647")
                .rows(view -> Stream.of(
                        memory("heap", ManagementFactory.getMemoryMXBean().getHeapMemoryUsage()),
                        memory("non_heap", ManagementFactory.getMemoryMXBean().getNonHeapMemoryUsage())));
    }

    private static Row memory(String name, MemoryUsage usage) {
        int unit = 1024;
        return Row.of(
                name,
                unit,
                usage.getUsed() / unit,
                (usage.getCommitted() - usage.getUsed()) / unit,
                usage.getCommitted());
    }

    private static ShowTable peers() {
        return table("PEERS", "The entries of `[peers]`, then those found by `peer_service`.", SUMS)
                .column("peer_id", INT4)
                .column("host", TEXT)
                .column("port", INT4)
                .column("pool_size", INT4)
                .rows(view -> view.standing().peers().stream()
                        .map(peer -> Row.of(peer.id(), peer.host(), peer.port(), peer.poolSize())));
    }

    private static ShowTable peerPools() {
        return table("PEER_POOLS", "The peers that cancel requests were passed on to.", SUMS)
                .column("peer_id", INT4)
                .column("cl_active_cancel_req", INT4, "requests that the peer has")
                .column("cl_waiting_cancel_req", INT4, "requests that have no connection to it yet")
                .column("sv_active_cancel", INT4, "connections that carry a request")
                .column("sv_login", INT4, "connections that are being opened")
                .rows(view -> view.standing().peerPools().stream()
                        .map(pool ->
                                Row.of(pool.id(), pool.active(), pool.waiting(), pool.active(), pool.connecting())));
    }

    private static ShowTable fds() {
        return restricted(
                        "FDS",
                        "The sockets of clients and servers, for `admin_users` alone, in the columns of PgBouncer"
                                + " before 1.26. Keys and passwords are never shown, and no socket is handed over.",
                        true,
                        CONNECTIONS)
                .column("fd", INT4, "-1 where the transport does not tell")
                .column("task", TEXT, "`client` or `server`")
                .column("user", TEXT)
                .column("database", TEXT)
                .column("addr", TEXT)
                .column("port", INT4)
                .column("cancel", INT8, "always 0")
                .column("link", INT4, "the `fd` of the other side, or 0")
                .column("client_encoding", TEXT, "always empty, as all that follow")
                .column("std_strings", TEXT)
                .column("datestyle", TEXT)
                .column("timezone", TEXT)
                .column("password", TEXT)
                .column("scram_client_key", BYTEA)
                .column("scram_server_key", BYTEA)
                .rows(view -> {
                    Map<Long, Integer> fds = new HashMap<>();
                    view.census().clients().forEach(client -> fds.put(client.id(), client.fd()));
                    view.census().servers().forEach(server -> fds.put(server.id(), server.fd()));
                    return Stream.concat(
                            loggedIn(view)
                                    .filter(client -> !CONSOLE_NAMES.contains(client.database()))
                                    .map(client -> fd(
                                            client.fd(),
                                            "client",
                                            client.user(),
                                            client.database(),
                                            client.peer(),
                                            fds.getOrDefault(client.serverId(), 0))),
                            view.census().servers().stream()
                                    .map(server -> fd(
                                            server.fd(),
                                            "server",
                                            server.user(),
                                            server.database(),
                                            server.peer(),
                                            fds.getOrDefault(server.clientId(), 0))));
                });
    }

    private static Row fd(int fd, String task, String user, String database, Peer peer, int link) {
        return Row.of(
                fd,
                task,
                user,
                database,
                peer.address(),
                peer.port(),
                0,
                link,
                null,
                null,
                null,
                null,
                null,
                null,
                null);
    }

    private static ShowTable stats() {
        Builder table = table(
                        "STATS",
                        "Sums since the start, and averages over the last `stats_period`; see TOTALS for units.",
                        SUMS)
                .column("database", TEXT);
        for (Count count : Count.values()) {
            table.column(count.totalColumn(), NUMERIC);
        }
        for (Count count : Count.values()) {
            table.column(count.averageColumn(), NUMERIC);
        }
        return table.rows(view -> totalsByDatabase(view).entrySet().stream().map(entry -> {
            List<@Nullable Object> values = new ArrayList<>();
            values.add(entry.getKey());
            add(values, entry.getValue());
            add(values, view.history().averages(entry.getKey()));
            return new Row(values);
        }));
    }

    private static ShowTable statsTotals() {
        Builder table = table("STATS_TOTALS", "The sums of STATS.", SUMS).column("database", TEXT);
        for (Count count : Count.values()) {
            table.column(count.plainColumn(), NUMERIC);
        }
        return table.rows(view -> totalsByDatabase(view).entrySet().stream().map(entry -> {
            List<@Nullable Object> values = new ArrayList<>();
            values.add(entry.getKey());
            add(values, entry.getValue());
            return new Row(values);
        }));
    }

    private static ShowTable statsAverages() {
        Builder table = table("STATS_AVERAGES", "The averages of STATS.", SUMS).column("database", TEXT);
        for (Count count : Count.values()) {
            table.column(count.plainAverageColumn(), NUMERIC);
        }
        return table.rows(view -> totalsByDatabase(view).keySet().stream().map(database -> {
            List<@Nullable Object> values = new ArrayList<>();
            values.add(database);
            add(values, view.history().averages(database));
            return new Row(values);
        }));
    }

    private static ShowTable totals() {
        return table(
                        "TOTALS",
                        "Sums since the start and averages over the last `stats_period`, of all databases. Times are"
                                + " microseconds; averages are per second, but times per transaction, query or wait.",
                        SUMS)
                .column("name", TEXT)
                .column("value", NUMERIC)
                .rows(view -> {
                    Totals sum = totalsByDatabase(view).values().stream().reduce(Totals.ZERO, Totals::plus);
                    Totals averages = view.history().averages();
                    return Stream.concat(
                            Stream.of(Count.values()).map(count -> Row.of("total_" + count.sumName(), sum.get(count))),
                            Stream.of(Count.values())
                                    .map(count -> Row.of("avg_" + count.sumName(), averages.get(count))));
                });
    }

    private static Map<String, Totals> totalsByDatabase(View view) {
        Map<String, Totals> totals = new LinkedHashMap<>(view.census().totalsByDatabase());
        long commands = view.standing().commands();
        totals.put(
                CONSOLE,
                Totals.of(
                        0,
                        commands,
                        commands,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        view.standing().consoleLogins()));
        return totals;
    }

    private static void add(List<@Nullable Object> values, Totals totals) {
        for (Count count : Count.values()) {
            values.add(totals.get(count));
        }
    }

    // --- ours ------------------------------------------------------------------------------------------------------

    private static ShowTable nodes() {
        return own("NODES", "The nodes of each database, what each of them is, and what it does for us.", SUMS)
                .column("database", TEXT)
                .column("node", TEXT)
                .column("addr", TEXT)
                .column("role", TEXT, "`primary`, `replica` or `unknown`, as PostgreSQL says")
                .column(
                        "state",
                        TEXT,
                        "`up`, `down`, `refusing` (starts, or is in a smart shutdown),"
                                + " `draining` (no longer named by discovery, but alive), `unknown` (not asked yet),"
                                + " `foreign` (of another cluster), `gone`")
                .column("zone", TEXT)
                .column("weight", INT4)
                .column("sv_active", INT4, "server connections that work for a client")
                .column("sv_idle", INT4)
                .column("in_flight", INT4, "transactions that run or wait there: what balancing compares")
                .column("xacts", NUMERIC, "transactions since the start")
                .column("reads", NUMERIC, "those of them that were proven reads sent to a standby")
                .column("replay_lsn", TEXT, "how far a standby has replayed, a primary written; empty if unknown")
                .column("lag_bytes", INT8, "what a standby has still to replay; empty if unknown")
                .column("lag_ms", INT8, "0 if nothing is missing; empty if unknown")
                .column("since", TEXT, "when role or state last changed")
                .rows(view -> view.census().nodes().stream().map(node -> node(view, node)));
    }

    private static Row node(View view, NodeFacts node) {
        long lsn = node.replayLsn();
        return Row.of(
                node.database(),
                node.node(),
                node.host() + ":" + node.port(),
                node.role(),
                node.state(),
                node.zone(),
                node.weight(),
                node.servers().active(),
                node.servers().idle(),
                node.inFlight(),
                node.transactions(),
                node.reads(),
                lsn == 0 ? null : "%X/%X".formatted(lsn >>> 32, lsn & 0xffff_ffffL),
                node.lagBytes() < 0 ? null : node.lagBytes(),
                node.lagBytes() == 0 ? 0 : null,
                node.sinceNanos() == 0
                        ? null
                        : time(view.census().atMillis() - (view.census().atNanos() - node.sinceNanos()) / 1_000_000));
    }

    private static ShowTable balance() {
        return own(
                        "BALANCE",
                        "How evenly the transactions of a database are spread over its nodes, over the last"
                                + " `stats_period` or since the set of standbys last changed, whichever is shorter.",
                        SUMS)
                .column("database", TEXT)
                .column("node", TEXT)
                .column("share", FLOAT8, "part of the transactions of the database, 0 to 1")
                .column(
                        "fair_share",
                        FLOAT8,
                        "what the standbys' part would be for each if spread by weight; the primary's is its share")
                .column("xacts_per_s", FLOAT8)
                .column("cv", FLOAT8, "coefficient of variation over the standbys: standard deviation over mean")
                .column(
                        "verdict",
                        TEXT,
                        "`balanced`: cv is no more than 0.1 and what chance explains; `skewed`; `idle`: fewer than 20"
                                + " transactions")
                .rows(view ->
                        NodeShare.of(
                                        view.census(),
                                        view.history(),
                                        view.config().get(Settings.STATS_PERIOD).toNanos())
                                .stream()
                                .map(share -> Row.of(
                                        share.database(),
                                        share.node(),
                                        rounded(share.share(), 4),
                                        rounded(share.fairShare(), 4),
                                        rounded(share.transactionsPerSecond(), 1),
                                        rounded(share.variation(), 4),
                                        share.verdict().word())));
    }

    private static double rounded(double value, int digits) {
        double scale = Math.pow(10, digits);
        return Math.round(value * scale) / scale;
    }

    private static ShowTable pins() {
        return own(
                        "PINS",
                        "Clients that keep their server connection beyond the transaction, because a statement left"
                                + " state in it.",
                        CONNECTIONS)
                .column("client", INT8, "its `id` in SHOW CLIENTS")
                .column("server", INT8, "its `id` in SHOW SERVERS")
                .column("reason", TEXT)
                .column("age_ms", INT8)
                .column("statement", TEXT, "its first 200 characters, with `?` for each literal")
                .rows(view -> view.census().clients().stream().flatMap(client -> {
                    PinFacts pin = client.pin();
                    return pin == null
                            ? Stream.empty()
                            : Stream.of(Row.of(
                                    client.id(),
                                    client.serverId(),
                                    pin.reason().label(),
                                    pin.ageNanos() / 1_000_000,
                                    pin.statement()));
                }));
    }

    private static ShowTable preparedStatements() {
        return restricted(
                        "PREPARED_STATEMENTS",
                        "The statements that clients have prepared by name, each once for all clients and servers, for"
                                + " `admin_users` alone; the one that was prepared last stands last.",
                        true,
                        SUMS)
                .column("name", TEXT, "its name on servers")
                .column("target", TEXT, "`primary` or `replica`")
                .column("reason", TEXT, "why it goes there")
                .column(
                        "statement",
                        TEXT,
                        "its first 200 characters, with `?` for each literal; of a command that reads and writes no"
                                + " rows the first word")
                .rows(view -> view.standing().statements().get().stream()
                        .map(statement -> Row.of(
                                statement.toString(),
                                statement.reason().target().name().toLowerCase(Locale.ROOT),
                                statement.reason().label(),
                                shown(statement.text()))));
    }

    /** What reads and writes rows, without its literals; of other commands (ALTER ROLE) the first word. */
    private static String shown(String text) {
        String whole = text.strip();
        String word = whole.split("\\W", 2)[0];
        boolean ofRows = ROW_STATEMENTS.contains(word.toUpperCase(Locale.ROOT));
        return ofRows ? Outline.of(whole, LONGEST_STATEMENT) : word;
    }

    private static ShowTable routes() {
        return own("ROUTES", "Why batches of statements went where they went.", SUMS)
                .column("database", TEXT)
                .column("reason", TEXT)
                .column("target", TEXT, "`primary` or `replica`")
                .column("count", NUMERIC)
                .rows(view -> view.census().routesByDatabase().entrySet().stream()
                        .flatMap(entry -> entry.getValue().entrySet().stream()
                                .map(route -> Row.of(
                                        entry.getKey(),
                                        route.getKey().label(),
                                        route.getKey().target().name().toLowerCase(Locale.ROOT),
                                        route.getValue()))));
    }

    private static ShowTable plain(String name, String value) {
        return table(name, "What a driver asks every server.", SUMS)
                .column(name, TEXT)
                .rows(view -> Stream.of(Row.of(value)));
    }

    // --- declaring -------------------------------------------------------------------------------------------------

    private static Builder table(String word, String about, Depth depth) {
        return new Builder(word, about, false, Right.READ, depth);
    }

    private static Builder restricted(String word, String about, boolean own, Depth depth) {
        return new Builder(word, about, own, Right.ADMIN, depth);
    }

    private static Builder own(String word, String about, Depth depth) {
        return new Builder(word, about, true, Right.READ, depth);
    }

    private static final class Builder {
        private final String word;
        private final String about;
        private final boolean own;
        private final Right right;
        private final Depth depth;
        private final List<Column> columns = new ArrayList<>();

        Builder(String word, String about, boolean own, Right right, Depth depth) {
            this.word = word;
            this.about = about;
            this.own = own;
            this.right = right;
            this.depth = depth;
        }

        Builder column(String name, ColumnType type) {
            return column(name, type, "");
        }

        Builder column(String name, ColumnType type, String about) {
            columns.add(new Column(name, type, about));
            return this;
        }

        ShowTable rows(Function<View, Stream<Row>> rows) {
            return new ShowTable(word, about, own, right, depth, List.copyOf(columns), rows);
        }
    }
}
