package io.plenum.pooler.admin;

import static io.plenum.pooler.admin.ColumnType.INT4;
import static io.plenum.pooler.admin.ColumnType.TEXT;
import static io.plenum.pooler.metrics.Census.Depth.CONNECTIONS;
import static io.plenum.pooler.metrics.Census.Depth.COUNTS;
import static io.plenum.pooler.metrics.Census.Depth.SUMS;

import io.plenum.pooler.admin.ShowTable.Row;
import io.plenum.pooler.admin.ShowTable.View;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolMode;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.config.UserConfig;
import io.plenum.pooler.metrics.Census.PoolFacts;
import io.plenum.pooler.metrics.Census.ServerCounts;
import io.plenum.pooler.metrics.Inventory;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The tables of SHOW about what is configured and how much of it is in use: databases, users, pools, peers. */
final class PoolTables {
    private PoolTables() {}

    static ShowTable pools() {
        return TableBuilder.table(
                        "POOLS", "One row for each database and user, over all nodes and event loops.", COUNTS)
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
                pool.oldestWaitNanos() / ShowTables.NANOS_PER_SECOND,
                pool.oldestWaitNanos() % ShowTables.NANOS_PER_SECOND / 1000,
                database == null
                        ? null
                        : config.poolMode(database, config.user(pool.user())).word(),
                loadBalanceHosts(database));
    }

    private static Row consolePool(View view) {
        return Row.of(
                ShowTables.CONSOLE,
                ShowTables.CONSOLE,
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

    static ShowTable databases() {
        return TableBuilder.table(
                        "DATABASES",
                        "The entries of `[databases]`, and those made from `*` that are in use.",
                        CONNECTIONS)
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
                serverCount(view, pool -> pool.database().equals(name)),
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
                ShowTables.CONSOLE,
                null,
                config.get(Settings.LISTEN_PORT),
                ShowTables.CONSOLE,
                ShowTables.CONSOLE,
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

    private static long serverCount(View view, Predicate<PoolFacts> which) {
        return view.census().pools().stream()
                .filter(which)
                .mapToInt(pool -> pool.servers().total())
                .sum();
    }

    static ShowTable users() {
        return TableBuilder.table(
                        "USERS", "The users of `auth_file` and `[users]`, and those who have a pool.", CONNECTIONS)
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
        names.add(ShowTables.CONSOLE);
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
                serverCount(view, pool -> pool.user().equals(name)),
                view.config().get(Settings.MAX_USER_CLIENT_CONNECTIONS, user),
                view.census().clients().stream()
                        .filter(client -> client.user().equals(name))
                        .count());
    }

    private static String aligned(@Nullable Integer number) {
        return number == null ? "" : "%9d".formatted(number);
    }

    static ShowTable lists() {
        return TableBuilder.table("LISTS", "How many there are of each kind.", CONNECTIONS)
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

    static ShowTable peers() {
        return TableBuilder.table("PEERS", "The entries of `[peers]`, then those found by `peer_service`.", SUMS)
                .column("peer_id", INT4)
                .column("host", TEXT)
                .column("port", INT4)
                .column("pool_size", INT4)
                .rows(view -> view.standing().peers().stream()
                        .map(peer -> Row.of(peer.id(), peer.host(), peer.port(), peer.poolSize())));
    }

    static ShowTable peerPools() {
        return TableBuilder.table("PEER_POOLS", "The peers that cancel requests were passed on to.", SUMS)
                .column("peer_id", INT4)
                .column("cl_active_cancel_req", INT4, "requests that the peer has")
                .column("cl_waiting_cancel_req", INT4, "requests that have no connection to it yet")
                .column("sv_active_cancel", INT4, "connections that carry a request")
                .column("sv_login", INT4, "connections that are being opened")
                .rows(view -> view.standing().peerPools().stream()
                        .map(pool ->
                                Row.of(pool.id(), pool.active(), pool.waiting(), pool.active(), pool.connecting())));
    }
}
