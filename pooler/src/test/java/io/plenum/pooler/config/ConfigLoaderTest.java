package io.plenum.pooler.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigLoaderTest {
    private static final Path FILE = Path.of("plenum.ini");

    @TempDir
    Path folder = Path.of("");

    @Test
    void emptyFileGivesEveryDefault() {
        PoolerConfig config = PoolerConfig.defaults();

        for (Setting<?> setting : Settings.global()) {
            assertThat((Object) config.get(setting)).as(setting.name()).isEqualTo(setting.defaultValue());
        }
        assertThat(config.databases()).isEmpty();
        assertThat(config.database("app")).isNull();
    }

    static Stream<Arguments> goodValues() {
        return Stream.of(
                good("listen_port = 6543", Settings.LISTEN_PORT, 6543),
                good("listen_port=6543", Settings.LISTEN_PORT, 6543),
                good("   listen_port   =   6543   ", Settings.LISTEN_PORT, 6543),
                good("listen_port = 6543\r", Settings.LISTEN_PORT, 6543),
                good("max_client_conn = 0x10", Settings.MAX_CLIENT_CONN, 16),
                good("max_client_conn = 0", Settings.MAX_CLIENT_CONN, 0),
                good("max_client_conn = 2147483647", Settings.MAX_CLIENT_CONN, 10_000_000),
                good("max_db_connections = -1", Settings.MAX_DB_CONNECTIONS, 0),
                good("default_pool_size = 2147483647", Settings.DEFAULT_POOL_SIZE, 100_000),
                good("tcp_user_timeout = -1", Settings.TCP_USER_TIMEOUT, Duration.ZERO),
                good("log_connections = 2", Settings.LOG_CONNECTIONS, true),
                good("log_connections = -1", Settings.LOG_CONNECTIONS, true),
                good("log_connections = 0x0", Settings.LOG_CONNECTIONS, false),
                good("query_timeout = 0x10", Settings.QUERY_TIMEOUT, Duration.ofSeconds(16)),
                good("query_timeout = 4294967296", Settings.QUERY_TIMEOUT, Duration.ofSeconds(1_000_000_000)),
                good("unix_socket_mode = 0770", Settings.UNIX_SOCKET_MODE, 0770),
                good("pool_mode = session", Settings.POOL_MODE, PoolMode.SESSION),
                good("pool_mode = SESSION", Settings.POOL_MODE, PoolMode.SESSION),
                good("auth_type = scram-sha-256", Settings.AUTH_TYPE, AuthType.SCRAM_SHA_256),
                good("query_timeout = 1.5", Settings.QUERY_TIMEOUT, Duration.ofMillis(1500)),
                good("query_timeout = 1e-3", Settings.QUERY_TIMEOUT, Duration.ofMillis(1)),
                good("query_timeout = .25", Settings.QUERY_TIMEOUT, Duration.ofMillis(250)),
                good("tcp_user_timeout = 30000", Settings.TCP_USER_TIMEOUT, Duration.ofSeconds(30)),
                good("server_reset_query =", Settings.SERVER_RESET_QUERY, ""),
                good("server_reset_query = RESET ALL; -- # all", Settings.SERVER_RESET_QUERY, "RESET ALL; -- # all"),
                good("admin_users = ada, grace ,edsger", Settings.ADMIN_USERS, List.of("ada", "grace", "edsger")),
                good("admin_users =", Settings.ADMIN_USERS, List.of()),
                good("log_connections = 0", Settings.LOG_CONNECTIONS, false),
                good("balance = round_robin", Settings.BALANCE, Balance.ROUND_ROBIN),
                good("balance = maglev", Settings.BALANCE, Balance.MAGLEV),
                good("transport = io_uring", Settings.TRANSPORT, Transport.IO_URING),
                good(
                        "dns_servers = 127.0.0.1:5353, ::1, [::1]:54",
                        Settings.DNS_SERVERS,
                        List.of(new HostPort("127.0.0.1", 5353), new HostPort("::1", 53), new HostPort("::1", 54))),
                good("listen_port = 1\nlisten_port = 2", Settings.LISTEN_PORT, 2),
                good("; listen_port = 1\n# listen_port = 2\n\t;x", Settings.LISTEN_PORT, 6432),
                good("[plenum]\nlisten_port = 3", Settings.LISTEN_PORT, 3),
                good("max_client_conn = 7\n[databases]\n[pgbouncer]\n", Settings.MAX_CLIENT_CONN, 7));
    }

    private static <T> Arguments good(String lines, Setting<T> setting, T value) {
        return Arguments.of(lines, setting, value);
    }

    @ParameterizedTest
    @MethodSource("goodValues")
    void goodValueIsRead(String lines, Setting<?> setting, Object value) {
        PoolerConfig config = PoolerConfig.parse("[pgbouncer]\n" + lines + "\n", Path.of(""));

        assertThat((Object) config.get(setting)).isEqualTo(value);
    }

    static Stream<Arguments> badLines() {
        return Stream.of(
                bad("pool_moed = session", "unknown setting \"pool_moed\"", "pool_mode"),
                bad("listen-port = 1", "unknown setting \"listen-port\"", "listen_port"),
                bad("Listen_Port = 1", "unknown setting \"Listen_Port\"", "listen_port"),
                bad("wibble = 1", "unknown setting \"wibble\"", null),
                bad(
                        "pool_mode = sesion",
                        "pool_mode = \"sesion\" is not one of its words; allowed: session,"
                                + " transaction, statement; did you mean session?",
                        null),
                bad("pool_mode =", "pool_mode = \"\" is not one of its words", null),
                bad("auth_type = hba\nauth_hba_file = nowhere", "auth_hba_file = \"nowhere\" does not exist", null),
                bad("auth_type = ldap", "auth_type = ldap needs auth_ldap_options", null),
                bad("auth_ldap_options = ldapserver=x", "LDAP needs ldapbasedn, ldapprefix or ldapsuffix", null),
                bad(
                        "auth_dbname = pgbouncer",
                        "cannot use the reserved \"pgbouncer\" database as an auth_dbname",
                        null),
                bad(
                        "client_tls_sslmode = require",
                        "client_tls_sslmode = require needs client_tls_key_file and client_tls_cert_file",
                        null),
                bad("server_tls_ca_file = missing.crt", "server_tls_ca_file = \"missing.crt\" does not exist", null),
                bad("server_tls_protocols = ssl3", "server_tls_protocols = \"ssl3\" allowed: secure, all", null),
                bad(
                        "server_tls_sslnegotiation = direct",
                        "server_tls_sslnegotiation = direct needs a server_tls_sslmode of require",
                        null),
                bad("proxy_protocol_networks = 10.0.0.0/33", "is out of range", null),
                bad("proxy_protocol_networks = balancer", "has no address in \"balancer\"", null),
                bad("balance = fastest", "allowed: two_choices, round_robin", null),
                bad("discovery = consul", "allowed: auto, static, dns, kubernetes", null),
                bad(
                        "listen_port = 65536",
                        "listen_port = \"65536\" is out of range; allowed: a whole number from 0 to" + " 65535",
                        null),
                bad("listen_port = 99999999999999999999", "is not a whole number", null),
                bad("listen_port = 12a", "is not a whole number", null),
                bad("listen_port = #12", "is not a whole number", null),
                bad("default_pool_size = 0", "out of range; allowed: a whole number from 1 to 100000", null),
                bad("default_pool_size = -1", "out of range", null),
                bad("max_db_connections = 2147483648", "out of range", null),
                bad("max_prepared_statements = -1", "out of range", null),
                bad("log_connections = 4294967296", "out of range", null),
                bad("query_timeout = inf", "is not a time", null),
                bad("log_connections = yes", "log_connections = \"yes\" is not a whole number", null),
                bad("query_timeout = -1", "query_timeout = \"-1\" is out of range; allowed: seconds from 0", null),
                bad("query_timeout = 5s", "query_timeout = \"5s\" is not a time", null),
                bad("query_timeout = nan", "is not a time", null),
                bad("query_timeout = inf", "is not a time", null),
                bad("query_timeout = 1e99", "is out of range", null),
                bad("query_timeout = 1e999999999", "is not a time", null),
                bad("query_timeout = 1.2.3", "is not a time", null),
                bad("stats_period = 0", "is out of range", null),
                bad("admin_users = ada,,grace", "has an empty name beside a comma", null),
                bad("dns_servers = 127.0.0.1:", "has a colon without a port", null),
                bad("dns_servers = [::1", "has a [ without its ]", null),
                bad("dns_servers = a:99999", "is out of range", null),
                bad("listen_port", "expected NAME = VALUE", null),
                bad("listen port = 1", "expected NAME = VALUE", null),
                bad("= 1", "expected NAME = VALUE", null),
                bad("'unended = 1", "the quoted name does not end", null),
                bad("%includes x", "unknown directive", null),
                bad("%include", "unknown directive", null),
                bad("%include nowhere.ini", "%include \"nowhere.ini\" does not exist", null),
                bad("[pgbouncer", "a section's name ends with ]", null),
                bad("[database]", "unknown section \"database\"", "databases"),
                bad("[pool]", "unknown section \"pool\"; allowed: pgbouncer, plenum, databases, users, peers", null),
                bad("auth_file = /", "auth_file = \"/\" cannot be read: it is a directory", null),
                bad("[databases] pgbouncer = host=a", "\"pgbouncer\" is the console's database", null),
                bad("[databases] plenum = host=a", "\"plenum\" is the console's database", null),
                bad("[databases] a = host", "database \"a\": expected KEY=VALUE at column 1", null),
                bad("[databases] a = host=", "no value for \"host\" at column 6", null),
                bad("[databases] a = password=''", "no value for \"password\" at column 10", null),
                bad("[databases] a = hots=b", "unknown key of database \"a\" \"hots\"", "host"),
                bad("[databases] a = port=0", "database \"a\": port = \"0\" is out of range", null),
                bad(
                        "[databases] a = host=b,c port=1,2,3",
                        "database \"a\" has an invalid number of ports, 3 for 2 hosts",
                        null),
                bad("[databases] a = pool_size=many", "pool_size = \"many\" is not a whole number", null),
                bad("[databases] a = pool_mode=both", "pool_mode = \"both\" is not one of its words", null),
                bad("[databases] a = connect_query='SELECT 1", "of \"connect_query\" at column 15 does not end", null),
                bad("[databases] a = user='b'c", "text right behind the quote", null),
                bad("[databases] a = max_user_connections=3", "unknown key of database \"a\"", "max_db_connections"),
                bad("[databases] " + "d".repeat(64) + " = host=a", "at most 63 bytes", null),
                bad("[users] u = pool_mod=session", "unknown key of user \"u\" \"pool_mod\"", "pool_mode"),
                bad("[users] u = host=a", "unknown key of user \"u\" \"host\"", null),
                bad("[users] " + "u".repeat(128) + " = pool_size=1", "at most 127 characters", null),
                bad("[peers] x = host=a", "peer \"x\" is not a whole number", null),
                bad("[peers] 1 = port=6432", "peer 1 has no host", null),
                bad("auth_type = any\n[databases] a = host=b", "auth_type = any needs a user in each database", null));
    }

    private static Arguments bad(String lines, String message, @Nullable String nearest) {
        return Arguments.of(lines, message, nearest);
    }

    @ParameterizedTest
    @MethodSource("badLines")
    void badLineIsRefusedWithItsPlaceAndWhatIsAllowed(String lines, String message, @Nullable String nearest) {
        List<Fault> faults = faultsOf("[pgbouncer]\n" + lines + "\n");

        assertThat(faults).hasSize(1);
        assertThat(faults.getFirst().message()).contains(message);
        assertThat(faults.getFirst().file()).isEqualTo(FILE);
        assertThat(faults.getFirst().line()).isEqualTo(1 + (int) lines.lines().count());
        assertThat(faults.getFirst().nearestName()).isEqualTo(nearest);
    }

    @Test
    void allFaultsOfAFileAreShownAtOnce() {
        List<Fault> faults = faultsOf("""
            early = 1
            [pgbouncer]
            pool_mode = sometimes
            listen_port = here

            [databases]
            app = host=a port=b pool_size=c
            [nowhere]
            x = 1
            """);

        assertThat(faults).extracting(Fault::line).containsExactly(1, 8, 3, 4, 7, 7);
        assertThat(new LoadResult.Refused(faults).text().lines()).hasSize(6);
    }

    @Test
    void faultsAreBounded() {
        List<Fault> faults = faultsOf("[pgbouncer]\n" + "x = 1\n".repeat(10_000));

        assertThat(faults).hasSize(ConfigLoader.MOST_FAULTS);
        assertThat(faults.getLast().message()).startsWith("more faults");
    }

    @Test
    void noFaultShowsAPassword() {
        String secret = "hunter2";
        List<String> lines = List.of(
                "app = password=hunter2 hots=x",
                "app = password=my hunter2",
                "app = password=my hunter2=x",
                "app = password='hunter2",
                "app = password='a'hunter2",
                "[pgbouncer] monitor_password hunter2",
                "[pgbouncer] monitor_password: hunter2");

        for (String line : lines) {
            List<Fault> faults = faultsOf("[databases]\n" + line + "\n");
            assertThat(new LoadResult.Refused(faults).text())
                    .as(line)
                    .isNotEmpty()
                    .doesNotContain(secret);
        }
    }

    @Test
    void nothingThatIsShownOfAConfigHoldsAPassword() throws IOException {
        Files.writeString(folder.resolve("users.txt"), "\"ada\" \"hunter2\"\n");
        PoolerConfig config = PoolerConfig.parse("""
            [pgbouncer]
            monitor_user = m
            monitor_password = hunter2
            auth_file = users.txt
            [databases]
            app = host=a user=u password=hunter2 monitor_password=hunter2
            """, folder);

        assertThat(config
                        + config.show().toString()
                        + config.databases()
                        + config.userList()
                        + config.warnings()
                        + config.userList().secret("ada")
                        + config.monitorLogin(config.databases().iterator().next()))
                .doesNotContain("hunter2")
                .contains("***");
    }

    @Test
    void databaseEntryHasAllThatItSays() {
        PoolerConfig config = PoolerConfig.parse("""
            [databases]
            forced = host=h1,h2 port=5433,5434 dbname='the ''db''' user=baz password='p w' client_encoding=UTF8 \
            datestyle=ISO timezone='Europe/Oslo' application_name=x connect_query='SELECT 1; SELECT ''a''' \
            pool_size=50 min_pool_size=5 reserve_pool=10 max_db_connections=60 pool_mode=session \
            query_wait_timeout=2.5 server_lifetime=60 auth_user=look load_balance_hosts=disable \
            read_routing=off balance=round_robin discovery=static
            plain =
            'odd name' = dbname=odd
            "say ""hi""\" = dbname=hi
            """, folder);

        DatabaseConfig forced = database(config, "forced");
        assertThat(forced.nodes()).containsExactly(new HostPort("h1", 5433), new HostPort("h2", 5434));
        assertThat(forced.port()).isEqualTo(5433);
        assertThat(forced.dbname()).isEqualTo("the 'db'");
        assertThat(forced.user()).isEqualTo("baz");
        assertThat(forced.password()).isEqualTo(new Secret.Plain("p w"));
        assertThat(forced.clientEncoding()).isEqualTo("UTF8");
        assertThat(forced.datestyle()).isEqualTo("ISO");
        assertThat(forced.timezone()).isEqualTo("Europe/Oslo");
        assertThat(forced.applicationName()).isEqualTo("x");
        assertThat(forced.connectQuery()).isEqualTo("SELECT 1; SELECT 'a'");
        assertThat(forced.poolSize()).isEqualTo(50);
        assertThat(forced.minPoolSize()).isEqualTo(5);
        assertThat(forced.reservePoolSize()).isEqualTo(10);
        assertThat(forced.maxDbConnections()).isEqualTo(60);
        assertThat(forced.poolMode()).isEqualTo(PoolMode.SESSION);
        assertThat(forced.queryWaitTimeout()).isEqualTo(Duration.ofMillis(2500));
        assertThat(forced.serverLifetime()).isEqualTo(Duration.ofSeconds(60));
        assertThat(forced.authUser()).isEqualTo("look");
        assertThat(forced.loadBalanceHosts()).isEqualTo(LoadBalanceHosts.DISABLE);
        assertThat(forced.readRouting()).isEqualTo(ReadRouting.OFF);
        assertThat(forced.balance()).isEqualTo(Balance.ROUND_ROBIN);
        assertThat(forced.discovery()).isEqualTo(DiscoveryMode.STATIC);
        assertThat(forced.autodb()).isFalse();

        DatabaseConfig plain = database(config, "plain");
        assertThat(plain.nodes()).containsExactly(new HostPort("localhost", 5432));
        assertThat(plain.hosts()).isEmpty();
        assertThat(plain.dbname()).isEqualTo("plain");
        assertThat(plain.user()).isNull();
        assertThat(plain.password()).isNull();
        assertThat(plain.poolSize()).isNull();

        assertThat(database(config, "odd name").dbname()).isEqualTo("odd");
        assertThat(database(config, "say \"hi\"").dbname()).isEqualTo("hi");
        assertThat(config.databases()).extracting(DatabaseConfig::name).startsWith("forced", "plain", "odd name");
    }

    @Test
    void starMakesADatabaseOfAnyName() {
        PoolerConfig config = PoolerConfig.parse("[databases]\n* = host=h port=6000\napp = host=a", folder);

        DatabaseConfig made = database(config, "other");
        assertThat(made.name()).isEqualTo("other");
        assertThat(made.dbname()).isEqualTo("other");
        assertThat(made.nodes()).containsExactly(new HostPort("h", 6000));
        assertThat(made.autodb()).isTrue();
        assertThat(database(config, "app").autodb()).isFalse();
        assertThat(config.databases()).hasSize(1);
        assertThat(database(PoolerConfig.parse("[databases]\n* = dbname=one", folder), "x")
                        .dbname())
                .isEqualTo("one");
    }

    @Test
    void narrowestPlaceWins() {
        PoolerConfig config = PoolerConfig.parse("""
            [pgbouncer]
            default_pool_size = 1
            query_timeout = 1
            [databases]
            bare = host=a
            set = host=a pool_size=2 read_routing=explicit
            back = host=a pool_size=-1
            [users]
            u = pool_size=3 query_timeout=2 read_routing=off query_wait_timeout=-1
            """, folder);
        DatabaseConfig bare = database(config, "bare");
        DatabaseConfig set = database(config, "set");
        UserConfig nobody = config.user("nobody");
        UserConfig u = config.user("u");

        assertThat(config.poolSize(bare, nobody)).isEqualTo(1);
        assertThat(config.poolSize(set, nobody)).isEqualTo(2);
        assertThat(config.poolSize(set, u)).isEqualTo(3);
        assertThat(config.poolSize(database(config, "back"), nobody)).isEqualTo(1);
        assertThat(config.queryTimeout(nobody)).isEqualTo(Duration.ofSeconds(1));
        assertThat(config.queryTimeout(u)).isEqualTo(Duration.ofSeconds(2));
        assertThat(config.queryWaitTimeout(bare, u)).isEqualTo(Duration.ofMinutes(2));
        assertThat(config.readRouting(bare, nobody)).isEqualTo(ReadRouting.AUTO);
        assertThat(config.readRouting(set, nobody)).isEqualTo(ReadRouting.EXPLICIT);
        assertThat(config.readRouting(set, u)).isEqualTo(ReadRouting.OFF);
        assertThat(config.poolMode(set, u)).isEqualTo(PoolMode.TRANSACTION);
    }

    @Test
    void keyOfAnEntryIsNotTheGlobalSettingOfTheSameName() {
        PoolerConfig config = PoolerConfig.parse("[pgbouncer]\nuser = unix\n[databases]\na = host=b", folder);

        assertThat(config.get(Settings.USER)).isEqualTo("unix");
        assertThat(config.get(Settings.DATABASE_USER, database(config, "a"))).isEmpty();
        assertThat(database(config, "a").user()).isNull();
    }

    @Test
    void peersAreRead() {
        PoolerConfig config = PoolerConfig.parse("[peers]\n1 = host=p1\n2 = host=p2 port=7 pool_size=3", folder);

        assertThat(config.peers()).containsExactly(new PeerConfig(1, "p1", 6432, null), new PeerConfig(2, "p2", 7, 3));
    }

    @Test
    void monitorLogsInAsToldElseAsTheDatabaseDoes() throws IOException {
        Files.writeString(folder.resolve("users.txt"), "\"mon\" \"listed\"\n\"app\" \"applisted\"\n");
        String lists = "auth_file = users.txt\n";

        assertThat(monitor(lists, "host=a")).isNull();
        assertThat(monitor(lists, "host=a user=app"))
                .isEqualTo(new PoolerConfig.MonitorLogin("app", new Secret.Plain("applisted")));
        assertThat(monitor(lists, "host=a user=app password=own"))
                .isEqualTo(new PoolerConfig.MonitorLogin("app", new Secret.Plain("own")));
        assertThat(monitor(lists + "monitor_user = mon\n", "host=a user=app password=own"))
                .isEqualTo(new PoolerConfig.MonitorLogin("mon", new Secret.Plain("listed")));
        assertThat(monitor(lists + "monitor_user = mon\nmonitor_password = pw\n", "host=a"))
                .isEqualTo(new PoolerConfig.MonitorLogin("mon", new Secret.Plain("pw")));
        assertThat(monitor(lists + "monitor_user = other\n", "host=a"))
                .isEqualTo(new PoolerConfig.MonitorLogin("other", null));
    }

    private PoolerConfig.@Nullable MonitorLogin monitor(String settings, String database) {
        PoolerConfig config = PoolerConfig.parse("[pgbouncer]\n" + settings + "[databases]\nd = " + database, folder);
        return config.monitorLogin(database(config, "d"));
    }

    @Test
    void environmentWinsOverTheFile() {
        PoolerConfig config = loaded(ConfigLoader.parse(
                "[pgbouncer]\nlisten_port = 1\npool_mode = session\n",
                FILE,
                Map.of("PLENUM_LISTEN_PORT", "2", "PLENUM_MONITOR_USER", " m ", "LISTEN_ADDR", "x")));

        assertThat(config.get(Settings.LISTEN_PORT)).isEqualTo(2);
        assertThat(config.get(Settings.POOL_MODE)).isEqualTo(PoolMode.SESSION);
        assertThat(config.get(Settings.MONITOR_USER)).isEqualTo("m");
        assertThat(config.get(Settings.LISTEN_ADDR)).isEmpty();
    }

    @Test
    void wrongValueInTheEnvironmentIsAFault() {
        LoadResult result = ConfigLoader.parse("", FILE, Map.of("PLENUM_LISTEN_PORT", "tcp://10.0.0.1:6432"));

        assertThat(((LoadResult.Refused) result).text())
                .startsWith("environment: listen_port = \"tcp://10.0.0.1:6432\"");
    }

    @Test
    void unknownVariableIsAWarningUnlessKubernetesPutItThere() {
        PoolerConfig config = loaded(ConfigLoader.parse(
                "",
                FILE,
                Map.of(
                        "PLENUM_POOL_MOED", "session",
                        "PLENUM_SERVICE_HOST", "10.0.0.1",
                        "PLENUM_SERVICE_PORT", "6432",
                        "PLENUM_SERVICE_PORT_METRICS", "9127",
                        "PLENUM_PORT", "tcp://10.0.0.1:6432",
                        "PLENUM_PORT_6432_TCP_ADDR", "10.0.0.1",
                        "PLENUM_RO_PORT_6432_TCP", "tcp://10.0.0.1:6432")));

        assertThat(config.warnings())
                .filteredOn(warning -> warning.file().equals(Fault.ENVIRONMENT))
                .singleElement()
                .hasToString("environment: PLENUM_POOL_MOED is not a setting; did you mean PLENUM_POOL_MODE?");
    }

    @Test
    void includedFileIsReadInItsPlace() throws IOException {
        Files.writeString(folder.resolve("more.ini"), "listen_port = 7\n[databases]\n");
        Files.writeString(
                folder.resolve("main.ini"),
                "[pgbouncer]\nlisten_port = 1\n%include more.ini\napp = host=a\n%include "
                        + folder.resolve("empty.ini"));
        Files.writeString(folder.resolve("empty.ini"), "");

        PoolerConfig config = loaded(ConfigLoader.load(folder.resolve("main.ini"), Map.of()));

        assertThat(config.get(Settings.LISTEN_PORT)).isEqualTo(7);
        assertThat(database(config, "app").hosts()).containsExactly("a");
    }

    @Test
    void faultInAnIncludedFileNamesThatFile() throws IOException {
        Files.writeString(folder.resolve("more.ini"), "\n\nlisten_port = no\n");

        List<Fault> faults =
                refused(ConfigLoader.parse("[pgbouncer]\n%include more.ini\n", folder.resolve("main.ini"), Map.of()));

        assertThat(faults).singleElement().satisfies(fault -> {
            assertThat(fault.file()).isEqualTo(folder.resolve("more.ini"));
            assertThat(fault.line()).isEqualTo(3);
        });
    }

    @Test
    void fileThatIncludesItselfIsRefusedAndNotReadForever() throws IOException {
        Files.writeString(folder.resolve("loop.ini"), "%include loop.ini\n%include loop.ini\n");

        LoadResult result = ConfigLoader.load(folder.resolve("loop.ini"), Map.of());

        assertThat(((LoadResult.Refused) result).text()).contains("nested deeper than 10 files");
    }

    @Test
    void fileThatIsMissingOrNoTextIsRefused() throws IOException {
        Files.write(folder.resolve("latin.ini"), "[users]\ncaf\u00e9 = ".getBytes(StandardCharsets.ISO_8859_1));

        assertThat(refused(ConfigLoader.load(folder.resolve("none.ini"), Map.of()))
                        .getFirst()
                        .message())
                .isEqualTo("does not exist");
        assertThat(refused(ConfigLoader.load(folder, Map.of())).getFirst().message())
                .contains("directory");
        assertThat(refused(ConfigLoader.load(folder.resolve("latin.ini"), Map.of()))
                        .getFirst()
                        .message())
                .isEqualTo("is not UTF-8 in line 2");
        assertThat(faultsOf("[pgbouncer]\nlisten_port = 1\0\n").getFirst().message())
                .contains("zero byte");
    }

    @Test
    void fileOfAWindowsEditorIsReadAsAnyOther() throws IOException {
        String users = "; ge\u00e4ndert\r\n\"ada\" \"secret\"\r\n";
        Files.write(folder.resolve("users.txt"), users.getBytes(StandardCharsets.ISO_8859_1));
        String ini = "[pgbouncer]\r\n # Gr\u00f6\u00dfe\r\nlisten_port = 6543\r\nauth_file = users.txt\r\n";
        Files.write(folder.resolve("latin.ini"), ini.getBytes(StandardCharsets.ISO_8859_1));
        Files.writeString(folder.resolve("marked.ini"), "\ufeff" + ini);

        for (String name : List.of("latin.ini", "marked.ini")) {
            PoolerConfig config = loaded(ConfigLoader.load(folder.resolve(name), Map.of()));

            assertThat(config.get(Settings.LISTEN_PORT)).isEqualTo(6543);
            assertThat(config.userList().knows("ada")).isTrue();
        }
    }

    static Stream<Arguments> warnings() {
        return Stream.of(
                Arguments.of("dns_nxdomain_ttl = 3", "a failed look-up is tried again within two seconds"),
                Arguments.of("pkt_buf = 8192", "pkt_buf is accepted but has no meaning here"),
                Arguments.of("listen_port = 1\nlisten_port = 2", "listen_port was set at plenum.ini:2 already"),
                Arguments.of("[databases]\n[pgbouncer]", "section [pgbouncer] again"),
                Arguments.of("[databases]\na = host=b\na = host=c", "database \"a\" was written before"),
                Arguments.of("[databases]\na = host=b host=c", "host is written twice"),
                Arguments.of("[databases]\na = password=x", "has a password but no user"),
                Arguments.of(
                        "[databases]\na = pool_size=2 min_pool_size=3", "min_pool_size 3 is more than its pool_size 2"),
                Arguments.of("unix_socket_dir =", "listen_addr is not set, so no client can connect"),
                Arguments.of("", "listen_addr is not set, so clients can connect by the Unix socket alone"),
                Arguments.of("", "auth_file and auth_user are not set and auth_type = md5, so no user can log in"),
                Arguments.of(
                        "auth_file = /nowhere/userlist.txt",
                        "auth_file = \"/nowhere/userlist.txt\" does not exist; it is read when it can be"),
                Arguments.of("auth_type = hba", "auth_hba_file is not set, so no user can log in"),
                Arguments.of("", "[databases] is empty"));
    }

    @ParameterizedTest
    @MethodSource("warnings")
    void doubtfulThingIsAcceptedWithAWarning(String lines, String message) {
        PoolerConfig config = loaded(ConfigLoader.parse("[pgbouncer]\n" + lines + "\n", FILE, Map.of()));

        assertThat(config.warnings())
                .extracting(Fault::message)
                .anySatisfy(text -> assertThat(text).contains(message));
    }

    @ParameterizedTest
    @ValueSource(strings = {"read_consistency = session", "pkt_buf = 4096", "unix_socket_dir =", "peer_id = 0"})
    void settingThatAsksForNothingNewGivesNoWarning(String line) throws IOException {
        Files.writeString(folder.resolve("u"), "");
        PoolerConfig config = PoolerConfig.parse(
                "[plenum]\nlisten_addr = *\nauth_file = u\n" + line + "\n[databases]\na = host=b\n", folder);

        assertThat(config.warnings()).isEmpty();
    }

    @Test
    void usersStayWhileTheirFileIsMissingOrWrong() throws IOException {
        Path file = folder.resolve("plenum.ini");
        Path users = folder.resolve("users.txt");
        Files.writeString(file, "[pgbouncer]\nauth_file = " + users + "\n");
        Files.writeString(users, "\"ada\" \"a\"\n");
        PoolerConfig running = loaded(ConfigLoader.load(file, Map.of()));
        assertThat(ConfigLoader.changedUsers(running)).isNull();

        Files.delete(users);
        PoolerConfig reloaded = loaded(ConfigLoader.reload(running, Map.of()));
        assertThat(reloaded.userList().names()).containsExactly("ada");
        assertThat(ConfigLoader.changedUsers(reloaded)).isNull();

        Files.writeString(users, "\"ada\n");
        ConfigLoader.Users wrong = changedUsers(reloaded);
        assertThat(wrong.faults())
                .singleElement()
                .satisfies(fault -> assertThat(fault.line()).isOne());
        assertThat(wrong.config().userList().names()).containsExactly("ada");
        assertThat(ConfigLoader.changedUsers(wrong.config())).as("told once").isNull();

        Files.writeString(users, "\"grace\" \"g\"\n");
        ConfigLoader.Users right = changedUsers(wrong.config());
        assertThat(right.faults()).isEmpty();
        assertThat(right.config().userList().names()).containsExactly("grace");
    }

    @Test
    void relativeNameOfUsersIsLookedForAgainWhereTheStartWouldLook() throws IOException {
        Path file = folder.resolve("plenum.ini");
        String name = "users-" + System.nanoTime() + ".txt"; // none of it in the working directory
        Files.writeString(file, "[pgbouncer]\nauth_file = " + name + "\n");
        PoolerConfig running = loaded(ConfigLoader.load(file, Map.of()));
        assertThat(running.userList().size()).isZero();
        assertThat(ConfigLoader.changedUsers(running)).isNull();

        Path beside = Files.writeString(folder.resolve(name), "\"ada\" \"a\"\n");
        PoolerConfig found = changedUsers(running).config();
        assertThat(found.userList().names()).containsExactly("ada");

        Path first = Files.writeString(Path.of(name), "\"grace\" \"g\"\n");
        try {
            assertThat(changedUsers(found).config().userList().names())
                    .isEqualTo(
                            loaded(ConfigLoader.load(file, Map.of())).userList().names())
                    .containsExactly("grace");
        } finally {
            Files.delete(first);
        }
        Files.delete(beside);
    }

    private static ConfigLoader.Users changedUsers(PoolerConfig running) {
        return Objects.requireNonNull(ConfigLoader.changedUsers(running));
    }

    @Test
    void reloadTakesWhatIsLiveAndKeepsWhatNeedsARestart() throws IOException {
        Path file = folder.resolve("plenum.ini");
        Files.writeString(file, "[pgbouncer]\nlisten_port = 1\nmax_client_conn = 1\n");
        PoolerConfig running = loaded(ConfigLoader.load(file, Map.of()));
        Files.writeString(file, "[pgbouncer]\nlisten_port = 2\nmax_client_conn = 2\n");

        PoolerConfig fresh = loaded(ConfigLoader.reload(running, Map.of()));

        assertThat(fresh.get(Settings.LISTEN_PORT)).isEqualTo(1);
        assertThat(fresh.get(Settings.MAX_CLIENT_CONN)).isEqualTo(2);
        assertThat(fresh.warnings())
                .extracting(Fault::message)
                .contains("listen_port has changed; it takes effect at a restart");
    }

    @Test
    void reloadReadsTheFileThatConffileNames() throws IOException {
        Path other = Files.writeString(folder.resolve("other.ini"), "[pgbouncer]\nmax_client_conn = 9\n");
        PoolerConfig running = PoolerConfig.parse("[pgbouncer]\nconffile = " + other, folder);

        PoolerConfig fresh = loaded(ConfigLoader.reload(running, Map.of()));

        assertThat(fresh.get(Settings.MAX_CLIENT_CONN)).isEqualTo(9);
        assertThat(fresh.file()).isEqualTo(other);
    }

    @Test
    void consoleCanSetWhatIsLive() {
        PoolerConfig running = PoolerConfig.defaults();

        assertThat(loaded(ConfigLoader.set(running, "max_client_conn", "5")).get(Settings.MAX_CLIENT_CONN))
                .isEqualTo(5);
        assertThat(running.get(Settings.MAX_CLIENT_CONN)).isEqualTo(100);
        assertThat(refused(ConfigLoader.set(running, "listen_port", "5"))
                        .getFirst()
                        .message())
                .startsWith("listen_port takes effect at a restart");
        assertThat(refused(ConfigLoader.set(running, "max_client_con", "5")))
                .singleElement()
                .hasToString("console: unknown setting \"max_client_con\"; did you mean max_client_conn?");
        assertThat(refused(ConfigLoader.set(running, "max_client_conn", "x")))
                .singleElement()
                .asString()
                .startsWith("console: max_client_conn = \"x\" is not a whole number");
    }

    @Test
    void parseTellsAllFaultsInItsException() {
        assertThatThrownBy(() -> PoolerConfig.parse("[pgbouncer]\na = 1\nb = 2\n", folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("plenum.ini:2: ")
                .hasMessageContaining("plenum.ini:3: ");
    }

    @Test
    void pgbouncersOwnSampleIsReadWithoutAFault() throws IOException {
        Path users = Files.writeString(folder.resolve("userlist.txt"), "\"marko\" \"asdasd\"\n");
        String sample = sample().replace("/etc/pgbouncer/userlist.txt", users.toString());

        PoolerConfig config = PoolerConfig.parse(sample, folder);

        assertThat(config.get(Settings.LISTEN_ADDR)).containsExactly("localhost");
        assertThat(config.get(Settings.LOGFILE)).isEqualTo("/var/log/pgbouncer/pgbouncer.log");
        assertThat(config.get(Settings.AUTH_TYPE)).isEqualTo(AuthType.MD5);
        assertThat(config.userList().knows("marko")).isTrue();
    }

    /** Each line that the sample comments out is a setting that may be written. */
    @Test
    void everyCommentedLineOfPgbouncersSampleIsRead() throws IOException {
        String sample = sample().replace(
                        "/etc/pgbouncer/userlist.txt",
                        Files.writeString(folder.resolve("u"), "").toString())
                .replaceAll("(?m)^; ?([a-z0-9_*]+ = ?.*)$", "$1");

        assertThat(PoolerConfig.parse(sample, folder).databases())
                .extracting(DatabaseConfig::name)
                .contains("foodb", "bardb", "forcedb", "nondefaultdb");
    }

    private static String sample() throws IOException {
        try (var in = ConfigLoaderTest.class.getResourceAsStream("pgbouncer-settings.ini")) {
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void randomTextIsReadOrRefusedButNeverThrows() {
        String[] words = {
            "[", "]", "[pgbouncer]", "[databases]", "[users]", "[peers]", "=", " ", "\n", "'", "\"", ",", "-",
                    "%include ",
            "host", "port", "password", "pool_mode", "listen_port", "auth_file", "x", "1", "1e9", "0", "\0", "\r", "#",
                    ";",
            "*", "/", "é", "\uD83D", "\t", ":", "dns_servers", "connect_query", "admin_users", "session", "0x", "1:2",
                    "[::1]"
        };
        Random random = new Random(7);
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder(random.nextBoolean() ? "[pgbouncer]\n" : "[databases]\n");
            for (int j = random.nextInt(30); j > 0; j--) {
                text.append(words[random.nextInt(words.length)]);
            }
            LoadResult result = ConfigLoader.parse(text.toString(), FILE, Map.of());
            switch (result) {
                case LoadResult.Loaded loaded ->
                    assertThat(loaded.config().show()).isNotEmpty();
                case LoadResult.Refused refused -> assertThat(refused.faults()).isNotEmpty();
            }
        }
    }

    private static List<Fault> faultsOf(String text) {
        return refused(ConfigLoader.parse(text, FILE, Map.of()));
    }

    private static List<Fault> refused(LoadResult result) {
        assertThat(result).isInstanceOf(LoadResult.Refused.class);
        return ((LoadResult.Refused) result).faults();
    }

    private static PoolerConfig loaded(LoadResult result) {
        assertThat(result).isInstanceOf(LoadResult.Loaded.class);
        return ((LoadResult.Loaded) result).config();
    }

    private static DatabaseConfig database(PoolerConfig config, String name) {
        DatabaseConfig database = config.database(name);
        assertThat(database).as(name).isNotNull();
        return Objects.requireNonNull(database);
    }
}
