package io.plenum.pooler.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All that the operator wrote, read and checked: an immutable snapshot. A reload makes another one.
 *
 * <p>Of a setting that may be written in several places the narrowest wins: {@code [users]}, then {@code [databases]},
 * then {@code [pgbouncer]} or {@code [plenum]}, then the default.
 */
public final class PoolerConfig {
    private final Path file;
    private final Map<String, Object> globals;
    /** The same by the place of the setting in the table; null where it is left out, and for settings of entries alone. */
    private final @Nullable Object[] values;

    private final Map<String, DatabaseConfig> databases;
    private final @Nullable DatabaseConfig fallback;
    private final Map<String, UserConfig> users;
    private final List<PeerConfig> peers;
    private final UserList userList;
    private final LoginRules loginRules;
    private final TlsConfig clientTls;
    private final TlsConfig serverTls;
    private final List<Fault> warnings;

    /**
     * @param globals value by name of global setting; defaults where missing
     * @param databases by name, in the order of the file
     * @param fallback the entry {@code *}
     */
    PoolerConfig(
            Path file,
            Map<String, Object> globals,
            Map<String, DatabaseConfig> databases,
            @Nullable DatabaseConfig fallback,
            Map<String, UserConfig> users,
            List<PeerConfig> peers,
            UserList userList,
            LoginRules loginRules,
            TlsConfig clientTls,
            TlsConfig serverTls,
            List<Fault> warnings) {
        this.file = file;
        this.globals = Map.copyOf(globals);
        this.values = new Object[Settings.all().size()];
        for (Setting<?> setting : Settings.global()) { // a key of entries alone may have the name of one, as user does
            values[setting.index()] = globals.get(setting.name());
        }
        this.databases = databases;
        this.fallback = fallback;
        this.users = Map.copyOf(users);
        this.peers = List.copyOf(peers);
        this.userList = userList;
        this.loginRules = loginRules;
        this.clientTls = clientTls;
        this.serverTls = serverTls;
        this.warnings = List.copyOf(warnings);
    }

    /** One line of SHOW CONFIG; null stands for "not set". */
    public record Shown(
            String key, @Nullable String value, @Nullable String defaultValue, boolean changeable) {}

    /** User and secret of the connections that find out what each node is; a null secret means that there is none. */
    public record MonitorLogin(String user, @Nullable Secret secret) {}

    /** All defaults, no database. */
    public static PoolerConfig defaults() {
        return parse("[pgbouncer]\n", Path.of(""));
    }

    /**
     * The text of an ini file, as if it stood in a file in {@code baseDir}; the environment does not count.
     *
     * @throws IllegalArgumentException with one fault a line
     */
    public static PoolerConfig parse(String iniText, Path baseDir) {
        return switch (ConfigLoader.parse(iniText, baseDir.resolve("plenum.ini"), Map.of())) {
            case LoadResult.Loaded loaded -> loaded.config();
            case LoadResult.Refused refused -> throw new IllegalArgumentException(refused.text());
        };
    }

    /** The value for the whole process; the default, if the setting is one of entries alone. */
    @SuppressWarnings("unchecked") // the loader reads each value with the values of its own row
    public <T> T get(Setting<T> setting) {
        Object value = values[setting.index()];
        return value == null ? setting.defaultValue() : (T) value;
    }

    /** The value for a database. */
    public <T> T get(Setting<T> setting, DatabaseConfig database) {
        return database.overrides().or(setting, get(setting));
    }

    /** The value for a user of a database. */
    public <T> T get(Setting<T> setting, DatabaseConfig database, UserConfig user) {
        return user.overrides().or(setting, get(setting, database));
    }

    /** The value for a user, whatever the database. */
    public <T> T get(Setting<T> setting, UserConfig user) {
        return user.overrides().or(setting, get(setting));
    }

    /** The entry of that name, or one made from {@code *}, or null. The console's databases are not among them. */
    public @Nullable DatabaseConfig database(String name) {
        DatabaseConfig exact = databases.get(name);
        if (exact != null || fallback == null) {
            return exact;
        }
        String dbname = fallback.overrides().or(Settings.DATABASE_DBNAME, name);
        return new DatabaseConfig(name, dbname, fallback.overrides(), true);
    }

    /** The entries of the file, in its order, without {@code *}. */
    public Collection<DatabaseConfig> databases() {
        return databases.values();
    }

    /** The entry {@code *}, or null. */
    public @Nullable DatabaseConfig fallbackDatabase() {
        return fallback;
    }

    /** The entry of that name, or one that inherits everything. */
    public UserConfig user(String name) {
        UserConfig user = users.get(name);
        return user == null ? new UserConfig(name, Overrides.NONE) : user;
    }

    /** The entries of the file. */
    public Collection<UserConfig> users() {
        return users.values();
    }

    public List<PeerConfig> peers() {
        return peers;
    }

    /** The users of {@code auth_file}; empty if there is none. */
    public UserList userList() {
        return userList;
    }

    /** The rules of {@code auth_hba_file} and the maps of {@code auth_ident_file}; empty if there are none. */
    public LoginRules loginRules() {
        return loginRules;
    }

    /** What the operator should know: settings without effect, things that look like mistakes. */
    public List<Fault> warnings() {
        return warnings;
    }

    /** The file that was read. */
    Path file() {
        return file;
    }

    /** The file that the next RELOAD reads. */
    Path conffile() {
        String conffile = get(Settings.CONFFILE);
        return conffile.isEmpty() ? file : Path.of(conffile);
    }

    public PoolMode poolMode(DatabaseConfig database, UserConfig user) {
        return get(Settings.POOL_MODE, database, user);
    }

    public int poolSize(DatabaseConfig database, UserConfig user) {
        return get(Settings.DEFAULT_POOL_SIZE, database, user);
    }

    public int minPoolSize(DatabaseConfig database) {
        return get(Settings.MIN_POOL_SIZE, database);
    }

    public int reservePoolSize(DatabaseConfig database, UserConfig user) {
        return get(Settings.RESERVE_POOL_SIZE, database, user);
    }

    /** 0 is no limit. */
    public int maxDbConnections(DatabaseConfig database) {
        return get(Settings.MAX_DB_CONNECTIONS, database);
    }

    /** 0 is no limit. */
    public int maxUserConnections(UserConfig user) {
        return get(Settings.MAX_USER_CONNECTIONS, user);
    }

    /** Zero waits forever. */
    public Duration queryWaitTimeout(DatabaseConfig database, UserConfig user) {
        return get(Settings.QUERY_WAIT_TIMEOUT, database, user);
    }

    /** Zero is no limit. */
    public Duration queryTimeout(UserConfig user) {
        return get(Settings.QUERY_TIMEOUT, user);
    }

    /** Zero is no limit. */
    public Duration idleTransactionTimeout(UserConfig user) {
        return get(Settings.IDLE_TRANSACTION_TIMEOUT, user);
    }

    /** Zero is no limit. */
    public Duration transactionTimeout(UserConfig user) {
        return get(Settings.TRANSACTION_TIMEOUT, user);
    }

    /** Zero is no limit. */
    public Duration clientIdleTimeout(UserConfig user) {
        return get(Settings.CLIENT_IDLE_TIMEOUT, user);
    }

    /** Zero uses each server connection only once. */
    public Duration serverLifetime(DatabaseConfig database) {
        return get(Settings.SERVER_LIFETIME, database);
    }

    public ReadRouting readRouting(DatabaseConfig database, UserConfig user) {
        return get(Settings.READ_ROUTING, database, user);
    }

    public RoutingHints routingHints(DatabaseConfig database, UserConfig user) {
        return get(Settings.ROUTING_HINTS, database, user);
    }

    public DeferredBegin deferredBegin(DatabaseConfig database, UserConfig user) {
        return get(Settings.DEFERRED_BEGIN, database, user);
    }

    public ReadConsistency readConsistency(DatabaseConfig database, UserConfig user) {
        return get(Settings.READ_CONSISTENCY, database, user);
    }

    public Balance balance(DatabaseConfig database) {
        return get(Settings.BALANCE, database);
    }

    public DiscoveryMode discovery(DatabaseConfig database) {
        return get(Settings.DISCOVERY, database);
    }

    /** Threads that move the data: {@code event_loops}, or the processors that the process may use. */
    public int eventLoops() {
        int loops = get(Settings.EVENT_LOOPS);
        return loops > 0 ? loops : Runtime.getRuntime().availableProcessors();
    }

    /** Who probes the nodes of a database: {@code monitor_user}, else the database's own user, else null. */
    public @Nullable MonitorLogin monitorLogin(DatabaseConfig database) {
        String user = get(Settings.MONITOR_USER, database);
        String password = get(Settings.MONITOR_PASSWORD, database);
        if (user.isEmpty()) {
            user = database.user() == null ? "" : database.user();
        }
        if (user.isEmpty()) {
            return null;
        }
        Secret secret;
        if (!password.isEmpty()) {
            secret = new Secret.Plain(password);
        } else if (user.equals(database.user()) && database.password() != null) {
            secret = database.password();
        } else {
            secret = userList.secret(user);
        }
        return new MonitorLogin(user, secret);
    }

    /**
     * This one, but with the values of {@code running} where a change needs a restart, and with its users where
     * {@code auth_file} cannot be read now.
     */
    PoolerConfig keepingWhatNeedsRestart(PoolerConfig running) {
        Map<String, Object> kept = new HashMap<>(globals);
        List<Fault> told = new ArrayList<>(warnings);
        FileStamp seen = userList.stamp();
        UserList known = seen == null || seen.isReadable() ? userList : running.userList.with(seen);
        for (Setting<?> setting : Settings.global()) {
            if (setting.reload() == Setting.Reload.RESTART && !get(setting).equals(running.get(setting))) {
                kept.put(setting.name(), running.get(setting));
                told.add(Fault.at(file, 0, setting.name() + " has changed; it takes effect at a restart"));
            }
        }
        return new PoolerConfig(
                file, kept, databases, fallback, users, peers, known, loginRules, clientTls, serverTls, told);
    }

    /** This one, but for one value, which must have been read with the values of {@code setting}. */
    PoolerConfig with(Setting<?> setting, Object value) {
        Map<String, Object> changed = new HashMap<>(globals);
        changed.put(setting.name(), value);
        return new PoolerConfig(
                file, changed, databases, fallback, users, peers, userList, loginRules, clientTls, serverTls, warnings);
    }

    /** This one, but for the users of {@code auth_file}. */
    PoolerConfig with(UserList users) {
        return new PoolerConfig(
                file,
                globals,
                databases,
                fallback,
                this.users,
                peers,
                users,
                loginRules,
                clientTls,
                serverTls,
                warnings);
    }

    /** This one, but for what it says of TLS. */
    PoolerConfig with(TlsConfig clients, TlsConfig servers, List<Fault> told) {
        return new PoolerConfig(
                file, globals, databases, fallback, users, peers, userList, loginRules, clients, servers, told);
    }

    /** TLS with clients: the settings and the files that they name, as they were when this was read. */
    public TlsConfig clientTls() {
        return clientTls;
    }

    /** TLS with servers. */
    public TlsConfig serverTls() {
        return serverTls;
    }

    /** The lines of SHOW CONFIG, by name. Secrets are stars. */
    public List<Shown> show() {
        List<Shown> lines = new ArrayList<>();
        for (Setting<?> setting : Settings.global()) {
            lines.add(shown(setting));
        }
        return lines;
    }

    private <T> Shown shown(Setting<T> setting) {
        String value = setting.equals(Settings.CONFFILE) ? conffile().toString() : setting.show(get(setting));
        boolean changeable = setting.reload() == Setting.Reload.LIVE;
        return new Shown(setting.name(), value, setting.show(setting.defaultValue()), changeable);
    }

    /** Shows no secret. */
    @Override
    public String toString() {
        return "PoolerConfig[" + file + ", databases=" + databases.keySet() + "]";
    }
}
