package io.plenum.pooler.config;

import io.plenum.pooler.config.Setting.Effect;
import io.plenum.pooler.config.Setting.Group;
import io.plenum.pooler.config.Setting.Reload;
import io.plenum.pooler.config.Setting.Scope;
import io.plenum.pooler.pam.Pam;
import io.plenum.wire.AsciiCase;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link PoolerConfig} of files and environment, or says all that is wrong with them at once.
 *
 * <p>Blocks for files, so never to be called on an event loop. Wrong input is refused, never repaired. No fault and no
 * warning holds a secret or a text that might be part of one.
 */
public final class ConfigLoader {
    /** A wrong file shows so many faults at most. */
    public static final int MOST_FAULTS = 100;

    /** {@code PLENUM_POOL_MODE} stands for {@code pool_mode}. */
    public static final String ENVIRONMENT_PREFIX = "PLENUM_";

    /** PgBouncer's bounds on names, in bytes. */
    private static final int LONGEST_DATABASE = 63;

    private static final Set<String> SECTIONS = Collections.unmodifiableSet(
            new LinkedHashSet<>(List.of("pgbouncer", "plenum", "databases", "users", "peers")));

    private static final Set<String> CONSOLE_DATABASES = Set.of("pgbouncer", "plenum");

    private static final Set<Setting<?>> READ_WITH_THE_FILE =
            Set.of(Settings.AUTH_FILE, Settings.AUTH_HBA_FILE, Settings.AUTH_IDENT_FILE);

    private final Path file;
    private final Findings findings = new Findings();
    private final Map<String, Object> globals = new HashMap<>();
    private final Map<String, Place> places = new HashMap<>();
    private final Map<String, DatabaseConfig> databases = new LinkedHashMap<>();
    private @Nullable DatabaseConfig fallback;
    private final Map<String, UserConfig> users = new LinkedHashMap<>();
    private final Map<Integer, PeerConfig> peers = new LinkedHashMap<>();
    private final Set<Setting<?>> warnedOf = new HashSet<>();
    private UserList userList = UserList.EMPTY;
    private LoginRules loginRules = LoginRules.NONE;
    private TlsConfig clientTls = TlsConfig.OFF;
    private TlsConfig serverTls = TlsConfig.OFF;

    /** Where something was written. */
    private record Place(Path file, int line) {
        @Override
        public String toString() {
            return line > 0 ? file + ":" + line : file.toString();
        }
    }

    private ConfigLoader(Path file) {
        this.file = file;
    }

    /** Reads a file, all it includes, its user list, and the settings in {@code environment}, which win. */
    public static LoadResult load(Path file, Map<String, String> environment) {
        try {
            return parse(TextFile.read(file, IniFile.LARGEST_FILE), file, environment);
        } catch (IOException e) {
            return new LoadResult.Refused(List.of(Fault.at(file, 0, String.valueOf(e.getMessage()))));
        }
    }

    /**
     * Reads {@link PoolerConfig#conffile()} again, for a process that runs with {@code running}. A changed setting that
     * needs a restart keeps its running value, and a warning says so.
     */
    public static LoadResult reload(PoolerConfig running, Map<String, String> environment) {
        return switch (load(running.conffile(), environment)) {
            case LoadResult.Refused refused -> refused;
            case LoadResult.Loaded(PoolerConfig fresh) -> new LoadResult.Loaded(fresh.keepingWhatNeedsRestart(running));
        };
    }

    /** The configuration to go on with; where there are faults, with the users of before. */
    public record Users(PoolerConfig config, List<Fault> faults) {
        public Users {
            faults = List.copyOf(faults);
        }
    }

    /** Looks whether {@code auth_file} is another than {@code running} has it, and reads it then; null if it is the same. */
    public static @Nullable Users changedUsers(PoolerConfig running) {
        FileStamp before = running.userList().stamp();
        FileStamp seen = before == null ? null : before.now();
        if (seen == null || seen.equals(before)) {
            return null;
        }
        Findings findings = new Findings();
        UserList users = running.userList().with(seen);
        try {
            UserList read = UserList.read(seen, findings);
            users = findings.faults().isEmpty() ? read : users;
        } catch (IOException e) {
            findings.fault(seen.file(), 0, String.valueOf(e.getMessage()));
        }
        return new Users(running.with(users), findings.faults());
    }

    /** What SET NAME = TEXT on the console makes of {@code running}; the next reload takes it back. */
    public static LoadResult set(PoolerConfig running, String name, String text) {
        Findings findings = new Findings();
        Setting<?> setting = Settings.find(name);
        if (setting == null) {
            findings.unknown(Fault.CONSOLE, 0, "setting", name, Settings.keys(Scope.GLOBAL));
        } else if (setting.reload() == Reload.RESTART) {
            findings.fault(Fault.CONSOLE, 0, name + " takes effect at a restart; write it into " + running.conffile());
        } else if (READ_WITH_THE_FILE.contains(setting)) {
            findings.fault(Fault.CONSOLE, 0, name + " is read with the file; write it into " + running.conffile());
        } else {
            Object value = readValue(setting, name, text, new Place(Fault.CONSOLE, 0), findings);
            if (value != null) {
                PoolerConfig changed = running.with(setting, value);
                return new LoadResult.Loaded(setting.group() == Group.TLS ? withTls(changed) : changed);
            }
        }
        return new LoadResult.Refused(findings.faults());
    }

    static LoadResult parse(String text, Path file, Map<String, String> environment) {
        ConfigLoader loader = new ConfigLoader(file);
        loader.readSections(IniFile.read(text, file, loader.findings));
        loader.readEnvironment(environment);
        loader.checkTogether();
        loader.readUserList();
        loader.readLoginRules();
        loader.readTls();
        return loader.result();
    }

    private LoadResult result() {
        if (!findings.faults().isEmpty()) {
            return new LoadResult.Refused(findings.faults());
        }
        return new LoadResult.Loaded(new PoolerConfig(
                file,
                globals,
                Collections.unmodifiableMap(databases),
                fallback,
                users,
                new ArrayList<>(peers.values()),
                userList,
                loginRules,
                clientTls,
                serverTls,
                findings.warnings()));
    }

    private void readSections(IniFile ini) {
        Map<String, IniFile.Section> first = new HashMap<>();
        for (IniFile.Section section : ini.sections()) {
            if (!SECTIONS.contains(section.name())) {
                findings.unknown(section.file(), section.line(), "section", section.name(), SECTIONS);
            }
            IniFile.Section earlier = first.putIfAbsent(section.name(), section);
            if (earlier != null && section.name().equals("pgbouncer")) {
                findings.warn(
                        section.file(),
                        section.line(),
                        "section [pgbouncer] again: it goes on where the first ended; PgBouncer would set all to its"
                                + " default here");
            }
        }
        for (IniFile.Entry entry : ini.entries()) {
            switch (entry.section()) {
                case "pgbouncer", "plenum" ->
                    global(entry.name(), entry.value(), new Place(entry.file(), entry.line()));
                case "databases" -> database(entry);
                case "users" -> user(entry);
                case "peers" -> peer(entry);
                default -> {} // the section itself is the fault
            }
        }
    }

    private void global(String name, String text, Place place) {
        Setting<?> setting = Settings.find(name);
        if (setting == null) {
            findings.unknown(place.file(), place.line(), "setting", name, Settings.keys(Scope.GLOBAL));
            return;
        }
        Place earlier = places.put(name, place);
        if (earlier != null && !place.file().equals(Fault.ENVIRONMENT)) {
            findings.warn(place.file(), place.line(), name + " was set at " + earlier + " already; this one counts");
        }
        Object value = readValue(setting, name, text, place, findings);
        if (value != null) {
            globals.put(name, value);
            warnOfNoEffect(setting, value, place);
        }
    }

    private void readEnvironment(Map<String, String> environment) {
        for (Map.Entry<String, String> variable : new TreeMap<>(environment).entrySet()) {
            if (!variable.getKey().startsWith(ENVIRONMENT_PREFIX)) {
                continue;
            }
            String name = variable.getKey().substring(ENVIRONMENT_PREFIX.length());
            String setting = AsciiCase.lower(name);
            if (name.equals(AsciiCase.upper(name)) && Settings.find(setting) != null) {
                global(setting, variable.getValue().strip(), new Place(Fault.ENVIRONMENT, 0));
            } else if (!isKubernetesServiceLink(name)) {
                // Not a fault: others, too, may begin their variables with our name.
                String nearest = NearestName.of(setting, Settings.keys(Scope.GLOBAL));
                findings.warn(
                        Fault.ENVIRONMENT,
                        0,
                        variable.getKey() + " is not a setting",
                        nearest == null ? null : ENVIRONMENT_PREFIX + AsciiCase.upper(nearest));
            }
        }
    }

    /** Kubernetes puts such variables into every Pod beside a Service that is called plenum or plenum-something. */
    private static boolean isKubernetesServiceLink(String name) {
        return name.matches(
                "(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)");
    }

    private void database(IniFile.Entry entry) {
        String name = entry.name();
        if (CONSOLE_DATABASES.contains(name)) {
            findings.fault(
                    entry.file(), entry.line(), "\"" + name + "\" is the console's database; allowed: any other name");
            return;
        }
        if (name.getBytes(StandardCharsets.UTF_8).length > LONGEST_DATABASE) {
            findings.fault(
                    entry.file(), entry.line(), "a database name has at most " + LONGEST_DATABASE + " bytes in UTF-8");
            return;
        }
        Overrides overrides = overrides(entry, Scope.DATABASE, "database " + Findings.quote(name));
        if (overrides == null) {
            return;
        }
        warnOfRepetition(name.equals("*") ? fallback : databases.get(name), entry, "database");
        DatabaseConfig database =
                new DatabaseConfig(name, overrides.or(Settings.DATABASE_DBNAME, name), overrides, false);
        checkCount(
                entry,
                database,
                overrides.or(Settings.DATABASE_PORT, List.of(5432)).size(),
                "port");
        checkCount(entry, database, database.weights().size(), "weight");
        if (database.password() != null && database.user() == null) {
            findings.warn(
                    entry.file(),
                    entry.line(),
                    "database " + Findings.quote(name) + " has a password but no user, so the password is not used");
        }
        if (name.equals("*")) {
            fallback = database;
        } else {
            databases.put(name, database);
        }
        places.put("database " + name, new Place(entry.file(), entry.line()));
    }

    private void checkCount(IniFile.Entry entry, DatabaseConfig database, int count, String what) {
        int hosts = database.hosts().size();
        if (count > 1 && count != hosts) {
            findings.fault(
                    entry.file(),
                    entry.line(),
                    "database %s has an invalid number of %ss, %d for %d hosts; allowed: one %s, or one for each host"
                            .formatted(Findings.quote(database.name()), what, count, hosts, what));
        }
    }

    private void user(IniFile.Entry entry) {
        String name = entry.name();
        if (name.length() > UserList.LONGEST_USER) {
            findings.fault(
                    entry.file(), entry.line(), "a user name has at most " + UserList.LONGEST_USER + " characters");
            return;
        }
        Overrides overrides = overrides(entry, Scope.USER, "user " + Findings.quote(name));
        if (overrides != null) {
            warnOfRepetition(users.put(name, new UserConfig(name, overrides)), entry, "user");
        }
    }

    private void peer(IniFile.Entry entry) {
        int id;
        try {
            id = (int) Values.wholeNumber(entry.name(), 1, 16383);
        } catch (InvalidValueException e) {
            findings.fault(entry.file(), entry.line(), "peer " + Findings.quote(entry.name()) + " " + e.getMessage());
            return;
        }
        Overrides overrides = overrides(entry, Scope.PEER, "peer " + id);
        if (overrides == null) {
            return;
        }
        String host = overrides.get(Settings.PEER_HOST);
        if (host == null) {
            findings.fault(entry.file(), entry.line(), "peer " + id + " has no host");
            return;
        }
        PeerConfig peer = new PeerConfig(
                id,
                host,
                overrides.or(Settings.PEER_PORT, Settings.PEER_PORT.defaultValue()),
                overrides.get(Settings.DEFAULT_POOL_SIZE));
        warnOfRepetition(peers.put(id, peer), entry, "peer");
    }

    private void warnOfRepetition(@Nullable Object earlier, IniFile.Entry entry, String what) {
        if (earlier != null) {
            findings.warn(
                    entry.file(),
                    entry.line(),
                    what + " " + Findings.quote(entry.name()) + " was written before; this line counts");
        }
    }

    /** Null if the line is wrong; the findings then say how. */
    private @Nullable Overrides overrides(IniFile.Entry entry, Scope scope, String owner) {
        List<ConnectionString.Pair> pairs;
        try {
            pairs = ConnectionString.read(entry.value());
        } catch (InvalidValueException e) {
            findings.fault(entry.file(), entry.line(), owner + ": " + e.getMessage());
            return null;
        }
        Place place = new Place(entry.file(), entry.line());
        Map<Setting<?>, Object> values = new LinkedHashMap<>();
        boolean wrong = false;
        boolean afterSecret = false;
        for (ConnectionString.Pair pair : pairs) {
            Setting<?> setting = Settings.find(scope, pair.key());
            if (setting == null) {
                wrong = true;
                if (afterSecret) {
                    // Perhaps a password with a blank that was not quoted: its rest must not be shown.
                    findings.fault(
                            entry.file(),
                            entry.line(),
                            owner + ": unknown key at column " + pair.column()
                                    + "; a password with blanks stands in single quotes");
                } else {
                    findings.unknown(entry.file(), entry.line(), "key of " + owner, pair.key(), Settings.keys(scope));
                }
                continue;
            }
            afterSecret |= setting.secret();
            if (pair.value().matches("-[1-9][0-9]{0,9}") && !setting.secret() && setting.isGlobal()) {
                values.remove(setting); // PgBouncer's way to say "inherit"
                continue;
            }
            Object value = readValue(setting, owner + ": " + pair.key(), pair.value(), place, findings);
            if (value == null) {
                wrong = true;
            } else {
                if (values.put(setting, value) != null) {
                    findings.warn(
                            entry.file(),
                            entry.line(),
                            owner + ": " + pair.key() + " is written twice; the last counts");
                }
                warnOfNoEffect(setting, value, place);
            }
        }
        return wrong ? null : new Overrides(values);
    }

    private static <T> @Nullable T readValue(
            Setting<T> setting, String name, String text, Place place, Findings findings) {
        try {
            return setting.values().reader().read(text);
        } catch (InvalidValueException e) {
            String shown = setting.secret() ? "(secret)" : Findings.quote(text);
            findings.fault(place.file(), place.line(), name + " = " + shown + " " + e.getMessage());
            return null;
        }
    }

    private void warnOfNoEffect(Setting<?> setting, Object value, Place place) {
        String why = switch (setting.effect()) {
            case Effect.InForce<?> _ -> null;
            case Effect.NoMeaning<?>(String reason) ->
                value.equals(setting.defaultValue()) ? null : "has no meaning here: " + reason;
        };
        if (why != null && warnedOf.add(setting)) {
            findings.warn(place.file(), place.line(), setting.name() + " is accepted but " + why);
        }
    }

    private void checkTogether() {
        AuthType authType = value(Settings.AUTH_TYPE);
        List<DatabaseConfig> all = new ArrayList<>(databases.values());
        if (fallback != null) {
            all.add(fallback);
        }
        for (DatabaseConfig database : all) {
            Place place = Objects.requireNonNull(places.get("database " + database.name()));
            if (authType == AuthType.ANY && database.user() == null) {
                findings.fault(
                        place.file(),
                        place.line(),
                        "auth_type = any needs a user in each database, and database " + Findings.quote(database.name())
                                + " has none");
            }
            int size = database.overrides().or(Settings.DEFAULT_POOL_SIZE, value(Settings.DEFAULT_POOL_SIZE));
            int least = database.overrides().or(Settings.MIN_POOL_SIZE, value(Settings.MIN_POOL_SIZE));
            if (least > size) {
                findings.warn(
                        place.file(),
                        place.line(),
                        "database %s: min_pool_size %d is more than its pool_size %d, which counts"
                                .formatted(Findings.quote(database.name()), least, size));
            }
        }
        if (all.isEmpty()) {
            findings.warn(file, 0, "[databases] is empty, so there is only the console");
        }
        if (value(Settings.LISTEN_ADDR).isEmpty()) {
            findings.warn(
                    file,
                    0,
                    value(Settings.UNIX_SOCKET_DIR).isEmpty()
                            ? "listen_addr is not set, so no client can connect"
                            : "listen_addr is not set, so clients can connect by the Unix socket alone");
        }
        checkUsers(authType, all);
    }

    private void checkUsers(AuthType authType, List<DatabaseConfig> all) {
        boolean askedFor =
                !value(Settings.AUTH_USER).isEmpty() || all.stream().anyMatch(database -> database.authUser() != null);
        boolean known = switch (authType) {
            case ANY, LDAP, PAM -> true;
            case TRUST, PLAIN, MD5, SCRAM_SHA_256, CERT, HBA ->
                !value(Settings.AUTH_FILE).isEmpty() || askedFor;
        };
        if (!known) {
            findings.warn(
                    file,
                    0,
                    "auth_file and auth_user are not set and auth_type = " + authType.word()
                            + ", so no user can log in");
        }
        if (authType == AuthType.HBA && value(Settings.AUTH_HBA_FILE).isEmpty()) {
            findings.warn(file, 0, "auth_type = hba and auth_hba_file is not set, so no user can log in");
        }
        Place typePlace = Objects.requireNonNullElse(places.get(Settings.AUTH_TYPE.name()), new Place(file, 0));
        if (authType == AuthType.LDAP && value(Settings.AUTH_LDAP_OPTIONS).isEmpty()) {
            findings.fault(typePlace.file(), typePlace.line(), "auth_type = ldap needs auth_ldap_options");
        }
        if (authType == AuthType.PAM) {
            checkPam(typePlace);
        }
        if (CONSOLE_DATABASES.contains(value(Settings.AUTH_DBNAME))) {
            Place place = Objects.requireNonNullElse(places.get(Settings.AUTH_DBNAME.name()), new Place(file, 0));
            findings.fault(
                    place.file(),
                    place.line(),
                    "cannot use the reserved \"%s\" database as an auth_dbname".formatted(value(Settings.AUTH_DBNAME)));
        }
    }

    private void checkPam(Place place) {
        String fault = Pam.unavailability();
        if (fault != null) {
            findings.fault(place.file(), place.line(), "auth_type = pam cannot be had: " + fault);
        } else if (!value(Settings.AUTH_PAM_CONFDIR).isEmpty() && !Pam.hasConfigurationDirectory()) {
            findings.fault(place.file(), place.line(), "auth_pam_confdir needs Linux-PAM 1.4");
        }
    }

    /**
     * With TLS as the settings have it now. Key and certificate come one by one here, so what does not fit yet is told and
     * leaves the one before in force, as in PgBouncer.
     */
    private static PoolerConfig withTls(PoolerConfig changed) {
        List<Fault> told = new ArrayList<>();
        TlsReader.Faults faults = (setting, message) ->
                told.add(Fault.at(Fault.CONSOLE, 0, message + "; TLS stays as it was until it can be set up"));
        TlsConfig clients = TlsReader.clients(changed.file(), changed::get, faults);
        TlsConfig servers = TlsReader.servers(changed.file(), changed::get, faults);
        return changed.with(
                clients == null ? changed.clientTls() : clients, servers == null ? changed.serverTls() : servers, told);
    }

    private void readTls() {
        TlsReader.Faults faults = (setting, message) -> {
            Place place = places.getOrDefault(setting.name(), new Place(file, 0));
            findings.fault(place.file(), place.line(), message);
        };
        clientTls = Objects.requireNonNullElse(TlsReader.clients(file, this::value, faults), TlsConfig.OFF);
        serverTls = Objects.requireNonNullElse(TlsReader.servers(file, this::value, faults), TlsConfig.OFF);
        if (!serverTls.authorities().isEmpty() && !serverTls.mode().verifies()) {
            findings.warn(
                    file,
                    0,
                    "server_tls_ca_file is set, but with server_tls_sslmode = "
                            + serverTls.mode().word() + " the certificate of a server is not checked");
        }
    }

    private void readUserList() {
        String name = value(Settings.AUTH_FILE);
        Place place = places.get(Settings.AUTH_FILE.name());
        if (name.isEmpty() || place == null) {
            return;
        }
        String written = "auth_file = " + Findings.quote(name) + " ";
        FileStamp seen;
        try {
            seen = FileStamp.of(name, place.file().equals(Fault.ENVIRONMENT) ? file : place.file());
        } catch (InvalidPathException e) {
            findings.fault(place.file(), place.line(), written + e.getMessage());
            return;
        }
        try {
            userList = UserList.read(seen, findings);
        } catch (IOException e) {
            if (seen.isReadable()) {
                findings.fault(place.file(), place.line(), written + e.getMessage());
            } else { // as in PgBouncer: it may come later, and whoever is asked for by auth_query needs none
                findings.warn(place.file(), place.line(), written + e.getMessage() + "; it is read when it can be");
                userList = UserList.EMPTY.with(seen);
            }
        }
    }

    private void readLoginRules() {
        boolean needed = value(Settings.AUTH_TYPE) == AuthType.HBA;
        loginRules =
                LoginRules.read(source(Settings.AUTH_HBA_FILE), source(Settings.AUTH_IDENT_FILE), needed, findings);
    }

    private LoginRules.@Nullable Source source(Setting<String> setting) {
        String name = value(setting);
        Place place = places.get(setting.name());
        if (name.isEmpty() || place == null) {
            return null;
        }
        try {
            Path path = TextFile.locate(name, place.file().equals(Fault.ENVIRONMENT) ? file : place.file());
            return new LoginRules.Source(path, name, place.file(), place.line());
        } catch (InvalidPathException e) {
            findings.fault(place.file(), place.line(), setting.name() + " = " + Findings.quote(name) + " is no path");
            return null;
        }
    }

    @SuppressWarnings("unchecked") // read with the values of the same row
    private <T> T value(Setting<T> setting) {
        Object value = globals.get(setting.name());
        return value == null ? setting.defaultValue() : (T) value;
    }
}
