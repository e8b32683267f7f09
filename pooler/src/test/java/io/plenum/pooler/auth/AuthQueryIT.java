package io.plenum.pooler.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.ServerErrorException;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Users whom only PostgreSQL knows. */
@ExtendWith(LeakWatch.class)
class AuthQueryIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    @TempDir
    private Path directory;

    @BeforeAll
    static void createUsers() {
        SERVER.node()
                .execute(
                        "DROP ROLE IF EXISTS aq_user, aq_expired, aq_infinite, aq_nologin, aq_empty",
                        "CREATE ROLE aq_user LOGIN PASSWORD 'one'",
                        "CREATE ROLE aq_expired LOGIN PASSWORD 'one' VALID UNTIL '1999-01-01'",
                        "CREATE ROLE aq_infinite LOGIN PASSWORD 'one' VALID UNTIL 'infinity'",
                        "CREATE ROLE aq_nologin PASSWORD 'one'",
                        "CREATE ROLE aq_empty LOGIN");
    }

    // --- who gets in -----------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({
        "md5, scram_user",
        "md5, md5_user",
        "scram-sha-256, scram_user",
        "plain, scram_user",
        "plain, md5_user",
        "plain, password_user",
        "md5, aq_user",
        "md5, aq_infinite"
    })
    void whoeverPostgresKnowsGetsInAndThrough(String authType, String user) throws Exception {
        String password = user.startsWith("aq_") ? "one" : user;
        try (var pooler = start("auth_type = " + authType);
                var client = connect(pooler, user, password);
                var again = connect(pooler, user, password)) {
            assertThat(client.value("SELECT session_user")).isEqualTo(user);
            assertThat(again.value("SELECT session_user")).isEqualTo(user);
        }
    }

    @Test
    void driverGetsThroughByTheKeysOfItsOwnLogin() throws Exception {
        try (var pooler = start("auth_type = scram-sha-256", "server_lifetime = 0");
                var connection = DriverManager.getConnection(pooler.jdbcUrl(), "scram_user", "scram_user");
                var statement = connection.createStatement()) {
            for (int i = 0; i < 3; i++) { // each time by another server connection
                try (var rows = statement.executeQuery("SELECT session_user")) {
                    assertThat(rows.next()).isTrue();
                    assertThat(rows.getString(1)).isEqualTo("scram_user");
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"aq_expired", "aq_nologin", "aq_empty", "aq_nobody", "aq_user"})
    void whoMayNotHearsTheSame(String user) throws Exception {
        try (var pooler = start("auth_type = md5")) {
            String password = user.equals("aq_user") ? "wrong" : "one";
            ServerErrorException refused = refused(pooler, Map.of("user", user), password);
            assertThat(refused.sqlState()).isEqualTo("28P01");
            assertThat(refused.response().field('M'))
                    .isEqualTo("password authentication failed for user \"" + user + "\"");
            assertThat(refused.response().field('D'))
                    .isEqualTo("SASL authentication failed: there is no such user, the password is wrong, or it has"
                            + " expired.");
        }
    }

    @Test
    void whoDoesNotExistIsAskedAsOthersAre() throws Exception {
        try (var pooler = start("auth_type = md5");
                var other = start("auth_type = md5")) {
            connect(pooler, "aq_user", "one").close(); // from here on SCRAM is what users have
            var known = firstRequests(pooler, "aq_user");
            var unknown = firstRequests(pooler, "aq_nobody");
            var elsewhere = firstRequests(other, "aq_nobody");

            assertThat(unknown.getFirst()).isEqualTo(known.getFirst());
            assertThat(salt(unknown).length).isEqualTo(salt(known).length);
            assertThat(iterations(unknown)).isEqualTo(iterations(known));
            assertThat(salt(firstRequests(pooler, "aq_nobody"))).isEqualTo(salt(unknown));
            assertThat(elsewhere.getFirst()).startsWith("0000000a");
            assertThat(salt(firstRequests(pooler, "aq_nobody2"))).isNotEqualTo(salt(unknown));
        }
    }

    /** AuthenticationSASL in hexadecimal and the server-first-message. */
    private static List<String> firstRequests(RunningPooler pooler, String user) throws IOException {
        try (var client = pooler.open()) {
            client.send(Frames.startup(Frames.PROTOCOL_3_0, Map.of("user", user, "database", "app")));
            Message request = client.read();
            byte[] first = "n,,n=,r=abcdefghijklmnopqrstuvwx".getBytes(StandardCharsets.US_ASCII);
            byte[] name = "SCRAM-SHA-256\0".getBytes(StandardCharsets.US_ASCII);
            byte[] body = new byte[name.length + 4 + first.length];
            System.arraycopy(name, 0, body, 0, name.length);
            body[name.length + 3] = (byte) first.length;
            System.arraycopy(first, 0, body, name.length + 4, first.length);
            client.send(Frames.password(body));
            Message answer = client.read();
            String text = new String(answer.body(), 4, answer.body().length - 4, StandardCharsets.US_ASCII);
            return List.of(java.util.HexFormat.of().formatHex(request.body()), text);
        }
    }

    private static byte[] salt(List<String> requests) {
        return Base64.getDecoder().decode(requests.get(1).replaceAll(".*,s=([^,]*),i=.*", "$1"));
    }

    private static String iterations(List<String> requests) {
        return requests.get(1).replaceAll(".*,i=", "");
    }

    @Test
    void changedPasswordCountsAtTheNextLogin() throws Exception {
        SERVER.node().execute("DROP ROLE IF EXISTS aq_changing", "CREATE ROLE aq_changing LOGIN PASSWORD 'a'");
        try (var pooler = start("auth_type = scram-sha-256", "default_pool_size = 1")) {
            connect(pooler, "aq_changing", "a").close();
            for (var password : List.of("b", "c", "d")) {
                SERVER.node().execute("ALTER ROLE aq_changing PASSWORD '" + password + "'");
                assertThat(refused(pooler, Map.of("user", "aq_changing"), "a").sqlState())
                        .isEqualTo("28P01");
                connect(pooler, "aq_changing", password).close();
            }
            SERVER.node().execute("ALTER ROLE aq_changing VALID UNTIL '1999-01-01'");
            assertThat(refused(pooler, Map.of("user", "aq_changing"), "d").sqlState())
                    .isEqualTo("28P01");
        }
    }

    // --- the query -------------------------------------------------------------------------------------------------

    @Test
    void loginsThatComeTogetherShareQueries() throws Exception {
        SERVER.node().execute("DROP SEQUENCE IF EXISTS public.aq_calls", "CREATE SEQUENCE public.aq_calls");
        String query = "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = $1 AND nextval('aq_calls') > 0"
                + " AND pg_sleep(0.05) IS NOT NULL";
        try (var pooler = start("auth_type = md5", "auth_dbname = control", "auth_query = " + query);
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Callable<String>> logins = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                logins.add(() -> {
                    try (var client = connect(pooler, "aq_user", "one")) {
                        return client.value("SELECT session_user");
                    }
                });
            }
            for (var login : threads.invokeAll(logins)) {
                assertThat(login.get()).isEqualTo("aq_user");
            }
        }
        assertThat(Integer.parseInt(String.valueOf(SERVER.node().query("SELECT last_value FROM public.aq_calls"))))
                .isBetween(1, 35);
    }

    @Test
    void clientsParametersDoNotReachTheQuery() throws Exception {
        SERVER.node()
                .execute("CREATE OR REPLACE FUNCTION public.aq_look_up(name text) RETURNS TABLE (u name, p text)"
                        + " LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
                        + " IF current_setting('search_path') LIKE '%evil%' OR current_setting('work_mem') = '3MB'"
                        + " THEN RAISE EXCEPTION 'evil'; END IF;"
                        + " RETURN QUERY SELECT rolname, rolpassword FROM pg_catalog.pg_authid WHERE rolname = name;"
                        + " END $$");
        var evil = Map.of("user", "aq_user", "options", "-c search_path=evil,public -c work_mem=3MB");
        try (var pooler =
                        start("auth_type = md5", "auth_dbname = control", "auth_query = SELECT * FROM aq_look_up($1)");
                var client = RunningPooler.wire(pooler.port(), evil, "one")) {
            assertThat(client.value("SHOW search_path")).isEqualTo("evil,public");
        }
    }

    @Test
    void hostileNameIsOnlyAName() throws Exception {
        try (var pooler = start("auth_type = md5")) {
            for (var name : List.of("'; DROP ROLE aq_user; --", "$1", "ü\\\"", "x".repeat(128))) {
                assertThat(refused(pooler, Map.of("user", name), "one").sqlState())
                        .isEqualTo("28P01");
            }
            connect(pooler, "aq_user", "one").close();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT usename, passwd FROM not_there WHERE usename = $1",
                "SELECT 1",
                "SELECT rolname FROM pg_authid WHERE rolname = $1",
                "SELECT $1::text, 'x' FROM generate_series(1, 2)"
            })
    void queryThatIsWrongIsToldToTheLogAlone(String query) throws Exception {
        try (var pooler = start("auth_type = md5", "auth_query = " + query)) {
            ServerErrorException refused = refused(pooler, Map.of("user", "aq_user"), "one");
            assertThat(refused.response().field('M')).isEqualTo("bouncer config error");
            assertThat(refused.getMessage()).doesNotContain("not_there").doesNotContain("expected");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT NULL::text, 'one' WHERE $1::text IS NOT NULL",
                "SELECT 'not ' || $1::text, 'one'",
                "SELECT $1::text, ''",
                "SELECT $1::text, 'SCRAM-SHA-256$damaged'",
                "SELECT $1::text, NULL"
            })
    void queryThatNamesNoSecretLetsNobodyIn(String query) throws Exception {
        try (var pooler = start("auth_type = plain", "auth_query = " + query)) {
            for (var password : List.of("one", "SCRAM-SHA-256$damaged")) {
                assertThat(refused(pooler, Map.of("user", "aq_user"), password).sqlState())
                        .isEqualTo("28P01");
            }
        }
    }

    @Test
    void databaseMayHaveItsOwnQuery() throws Exception {
        String own = "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = $1";
        String ini =
                "[databases]\napp = host=%s port=%d auth_query='%s'\n".formatted(SERVER.host(), SERVER.port(), own);
        try (var pooler = start("auth_type = md5", "auth_query = SELECT 1", ini);
                var client = connect(pooler, "aq_user", "one")) {
            assertThat(client.value("SELECT 1")).isEqualTo("1");
        }
    }

    // --- where it runs ---------------------------------------------------------------------------------------------

    @Test
    void authDatabaseThatIsNotThereIsAFaultOfTheSettings() throws Exception {
        String ini = """
            [databases]
            app = host=%1$s port=%2$d auth_dbname=missing
            own = host=%1$s port=%2$d dbname=app auth_dbname=control
            control = host=%1$s port=%2$d dbname=postgres
            reserved = host=%1$s port=%2$d auth_dbname=pgbouncer
            """.formatted(SERVER.host(), SERVER.port());
        Files.writeString(directory.resolve("userlist.txt"), "\"postgres\" \"\"\n");
        try (var pooler = RunningPooler.ofDatabases(
                ini, "auth_type = md5", "auth_user = postgres", "auth_file = " + directory.resolve("userlist.txt"))) {
            for (var database : List.of("app", "reserved")) {
                assertThat(refused(pooler, Map.of("user", "aq_user", "database", database), "one")
                                .response()
                                .field('M'))
                        .isEqualTo("bouncer config error");
            }
            RunningPooler.wire(pooler.port(), Map.of("user", "aq_user", "database", "own"), "one")
                    .close();
        }
    }

    @Test
    void databaseThatOnlyPostgresCouldKnowIsToldAsPostgresTellsIt() throws Exception {
        try (var pooler = start("auth_type = md5")) {
            assertThat(refused(pooler, Map.of("user", "aq_nobody", "database", "aq_nowhere"), "one")
                            .response()
                            .field('M'))
                    .isEqualTo("database \"aq_nowhere\" does not exist");
        }
    }

    @Test
    void usersOfTheUserListNeedNoAuthDatabase() throws Exception {
        Files.writeString(directory.resolve("userlist.txt"), "\"trust_user\" \"mine\"\n\"postgres\" \"\"\n");
        String away = "[databases]\naway = host=127.0.0.1 port=1\n";
        try (var pooler = RunningPooler.start(
                        SERVER,
                        directory,
                        "auth_type = md5",
                        "auth_file = userlist.txt",
                        "auth_user = postgres",
                        "auth_dbname = away",
                        away);
                var waiting = pooler.open()) {
            waiting.send(Frames.startup(Frames.PROTOCOL_3_0, Map.of("user", "aq_user", "database", "app")));
            connect(pooler, "trust_user", "mine").close();
        }
    }

    @Test
    void queryIsAskedAnewWhenItsConnectionWasLost() throws Exception {
        try (var pooler = start("auth_type = md5", "auth_dbname = control")) {
            connect(pooler, "aq_user", "one").close();
            for (int i = 0; i < 3; i++) {
                assertThat(SERVER.node()
                                .query("SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
                                        + " WHERE application_name = 'plenum auth_query'"))
                        .isNotEqualTo("0");
                connect(pooler, "aq_user", "one").close();
            }
        }
    }

    @Test
    void consoleAsksToo() throws Exception {
        try (var pooler = start("auth_type = md5", "auth_dbname = control", "admin_users = aq_user");
                var console =
                        RunningPooler.wire(pooler.port(), Map.of("user", "aq_user", "database", "pgbouncer"), "one")) {
            assertThat(console.rows("SHOW VERSION")).isNotEmpty();
            assertThatThrownBy(() -> RunningPooler.wire(
                            pooler.port(), Map.of("user", "aq_infinite", "database", "pgbouncer"), "one"))
                    .isInstanceOf(ServerErrorException.class);
        }
    }

    private RunningPooler start(String... settings) throws IOException {
        Files.writeString(directory.resolve("userlist.txt"), "\"postgres\" \"\"\n");
        List<String> lines = new ArrayList<>(List.of("auth_file = userlist.txt", "auth_user = postgres"));
        lines.addAll(List.of(settings));
        lines.add("[databases]\ncontrol = host=%s port=%d dbname=postgres".formatted(SERVER.host(), SERVER.port()));
        return RunningPooler.start(SERVER, directory, lines.toArray(String[]::new));
    }

    private static WireClient connect(RunningPooler pooler, String user, String password) throws IOException {
        return RunningPooler.wire(pooler.port(), Map.of("user", user), password);
    }

    private static ServerErrorException refused(RunningPooler pooler, Map<String, String> who, String password) {
        try (var client = RunningPooler.wire(pooler.port(), new HashMap<>(who), password)) {
            throw new AssertionError("let in: " + client.value("SELECT session_user"));
        } catch (ServerErrorException refused) {
            return refused;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
