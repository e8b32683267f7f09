package io.plenum.pooler.admin;

import static io.plenum.pooler.admin.AdministeredPooler.ADMIN;
import static io.plenum.pooler.admin.AdministeredPooler.NOBODY;
import static io.plenum.pooler.admin.AdministeredPooler.STATS;
import static io.plenum.pooler.admin.AdministeredPooler.cell;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.ServerErrorException;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConsoleIT {
    private static AdministeredPooler pooler;

    @BeforeAll
    static void start(@TempDir Path directory) throws IOException {
        pooler = AdministeredPooler.start(directory, "max_prepared_statements = 50");
    }

    @AfterAll
    static void stop() {
        pooler.close();
    }

    /** pgjdbc as it comes, in simple mode, and asking for binary results from the first execution on. */
    @ParameterizedTest
    @ValueSource(strings = {"", "preferQueryMode=simple", "prepareThreshold=-1", "preferQueryMode=extendedForPrepared"})
    void driverReadsEveryTableWithItsColumnsAndTypes(String parameters) throws Exception {
        try (Connection user = pooler.jdbc("app", NOBODY, "");
                Connection console = pooler.jdbc("pgbouncer", ADMIN, parameters)) {
            user.createStatement().execute("SELECT 1");
            for (ShowTable table : ShowTables.all()) {
                try (var statement = console.prepareStatement("SHOW " + table.word())) {
                    for (int round = 0; round < 2; round++) { // the second may be binary
                        ResultSet rows = statement.executeQuery();
                        assertThat(columns(rows.getMetaData())).as(table.word()).isEqualTo(declared(table));
                        readAll(rows, table);
                    }
                }
            }
        }
    }

    private static String columns(ResultSetMetaData columns) throws SQLException {
        var text = new StringBuilder();
        for (int i = 1; i <= columns.getColumnCount(); i++) {
            text.append(columns.getColumnName(i))
                    .append(' ')
                    .append(columns.getColumnTypeName(i))
                    .append('\n');
        }
        return text.toString();
    }

    private static String declared(ShowTable table) {
        return table.columns().stream()
                .map(column -> column.name() + " " + column.type().sqlName() + "\n")
                .collect(Collectors.joining());
    }

    private static void readAll(ResultSet rows, ShowTable table) throws SQLException {
        while (rows.next()) {
            for (int i = 1; i <= table.columns().size(); i++) {
                switch (table.columns().get(i - 1).type()) {
                    case TEXT -> rows.getString(i);
                    case INT4 -> rows.getInt(i);
                    case INT8 -> rows.getLong(i);
                    case NUMERIC -> rows.getBigDecimal(i);
                    case FLOAT8 -> rows.getDouble(i);
                    case BYTEA -> rows.getBytes(i);
                }
            }
        }
    }

    @Test
    void numbersAreTheSameInTextAndBinary() throws Exception {
        try (Connection user = pooler.jdbc("app", NOBODY, "");
                Connection console = pooler.jdbc("pgbouncer", STATS, "prepareThreshold=-1")) {
            for (int i = 0; i < 12345; i++) {
                user.createStatement().execute("");
            }
            try (var statement = console.prepareStatement("SHOW STATS_TOTALS");
                    var plain = pooler.console(STATS)) {
                long binary = queries(statement.executeQuery());
                String text = cell(plain, "STATS_TOTALS", "app", "query_count");

                assertThat(binary).isGreaterThanOrEqualTo(12345);
                assertThat(text).isEqualTo(Long.toString(binary));
            }
        }
    }

    @Test
    void queryIsWhatAClientWaitsFor() throws Exception {
        try (var console = pooler.console(STATS);
                var user = pooler.wire("other")) {
            user.query("BEGIN");
            long before = queries(console);
            user.query("SELECT 1; SELECT 2");
            user.send(Frames.parse("s", "SELECT 3"), Frames.sync()); // as drivers prepare
            user.readUntilReady();
            user.send(Frames.bind("", "s"), Frames.execute(), Frames.bind("", "s"), Frames.execute(), Frames.sync());
            user.readUntilReady();
            user.query("fail");

            assertThat(queries(console) - before).isEqualTo(4);
        }
    }

    private static long queries(WireClient console) throws IOException {
        return Long.parseLong(String.valueOf(cell(console, "STATS_TOTALS", "other", "query_count")));
    }

    private static long queries(ResultSet rows) throws SQLException {
        while (rows.next()) {
            if (rows.getString("database").equals("app")) {
                return rows.getBigDecimal("query_count").longValueExact();
            }
        }
        throw new AssertionError("no row for app");
    }

    /** As psycopg logs in, which names its encoding. */
    @Test
    void databaseMayLeadToAConsole() throws Exception {
        try (var before = RunningPooler.ofDatabases(
                        "* = host=127.0.0.1 port=%d dbname=pgbouncer user=stats".formatted(pooler.port()));
                var client = before.wire(Map.of("client_encoding", "UTF8", "application_name", "watch"))) {
            for (int i = 0; i < 2; i++) {
                assertThat(client.value("SHOW VERSION")).startsWith("PgBouncer 1.26.1");
            }
        }
    }

    @Test
    void driverFetchesATableInPieces() throws Exception {
        try (var console = pooler.console(STATS)) {
            console.send(
                    Frames.parse("s", "SHOW CONFIG"),
                    Frames.bind("p", "s"),
                    Frames.execute("p", 3),
                    Frames.execute("p", 2),
                    Frames.execute("p", 0),
                    Frames.execute("p", 0),
                    Frames.sync());

            List<Message> answer = console.readUntilReady();

            int all = io.plenum.pooler.config.Settings.global().size();
            assertThat(types(answer)).isEqualTo("12" + "DDDs" + "DDs" + "D".repeat(all - 5) + "C" + "C" + "Z");
        }
    }

    @Test
    void errorSkipsToSyncAndPortalsEndThere() throws Exception {
        try (var console = pooler.console(ADMIN)) {
            console.send(
                    Frames.parse("", "nonsense"),
                    Frames.bind("", ""),
                    Frames.execute(),
                    Frames.sync(),
                    Frames.parse("a", "SHOW VERSION"),
                    Frames.describeStatement("a"),
                    Frames.bind("p", "a"),
                    Frames.describePortal("p"),
                    Frames.flush(),
                    Frames.sync(),
                    Frames.execute("p", 0),
                    Frames.sync(),
                    Frames.bind("", "a"),
                    Frames.execute(),
                    Frames.closeStatement("a"),
                    Frames.closeStatement("never was"),
                    Frames.sync(),
                    Frames.bind("", "a"),
                    Frames.sync());

            var answer = new StringBuilder();
            for (int i = 0; i < 5; i++) {
                answer.append(types(console.readUntilReady()));
            }

            assertThat(answer.toString()).isEqualTo("EZ" + "1tT2TZ" + "EZ" + "2DC33Z" + "EZ");
        }
    }

    @Test
    void parametersAreRefused() throws Exception {
        try (var console = pooler.console(ADMIN)) {
            console.send(Frames.parse("", "KILL_CLIENT $1"), Frames.bind("", "", "1"), Frames.execute(), Frames.sync());
            assertThat(error(console.readUntilReady()).field('C')).isEqualTo("0A000");

            console.send(Frames.parse("", "SHOW VERSION"), Frames.bind("", "", "1"), Frames.execute(), Frames.sync());
            assertThat(error(console.readUntilReady()).field('M'))
                    .isEqualTo("bind message supplies 1 parameters, but prepared statement \"\" requires 0");
        }
    }

    @Test
    void verbRunsOnceInTheExtendedProtocol() throws Exception {
        try (var console = pooler.console(ADMIN)) {
            console.send(
                    Frames.parse("", "DISABLE other"),
                    Frames.describeStatement(""),
                    Frames.bind("", ""),
                    Frames.describePortal(""),
                    Frames.execute(),
                    Frames.sync());
            assertThat(types(console.readUntilReady())).isEqualTo("1tn2nCZ");
            var refused = catchThrowableOfType(ServerErrorException.class, () -> pooler.wire("other"));
            assertThat(refused.getMessage()).contains("disabled");

            assertThat(console.query("ENABLE other").getFirst().commandTag()).isEqualTo("ENABLE");
            pooler.wire("other").close();
        }
    }

    @Test
    void whatDriversSayAtLoginIsAccepted() throws Exception {
        try (var console = pooler.console(STATS)) {
            for (String text : List.of(
                    "SET extra_float_digits = 3", "SET application_name = 'x'", "SET client_encoding TO 'UTF8'")) {
                assertThat(types(console.query(text))).as(text).isEqualTo("NCZ");
            }
            assertThat(types(console.query(""))).isEqualTo("IZ");
            assertThat(types(console.query(" ; "))).isEqualTo("IZ");
            assertThat(console.value("SHOW standard_conforming_strings")).isEqualTo("on");
            assertThat(console.value("SHOW VERSION")).startsWith("PgBouncer 1.26.1 (Plenum ");
            assertThat(console.parameterStatus())
                    .containsEntry("server_version", "1.26.1/bouncer")
                    .containsEntry("pgbouncer.version", "1.26.1")
                    .containsEntry("pgbouncer.max_prepared_statements", "0")
                    .containsEntry("pgbouncer.pool_mode", "statement");
        }
        try (Connection console = pooler.jdbc("plenum", STATS, "")) {
            assertThat(console.isValid(5)).isTrue();
        }
    }

    @Test
    void whatToolsAskEveryServerIsAnswered() throws Exception {
        try (var console = pooler.console(STATS)) {
            List<Message> one = console.query("SELECT 1");
            assertThat(types(one)).isEqualTo("TDCZ");
            assertThat(one.get(2).commandTag()).isEqualTo("SELECT 1");
            assertThat(console.value("SELECT version()")).startsWith("PgBouncer 1.26.1 (Plenum ");
            assertThat(console.value("select CURRENT_DATABASE();")).isEqualTo("pgbouncer");
            assertThat(console.query("SELECT state").getLast().type()).isEqualTo('Z');
            assertThat(console.query("SELECT state").get(3).commandTag()).isEqualTo("SHOW");
        }
    }

    @Test
    void driverThatBeginsTransactionsIsServed() throws Exception {
        try (Connection console = pooler.jdbc("pgbouncer", STATS, "")) {
            console.setAutoCommit(false);
            try (ResultSet rows = console.createStatement().executeQuery("SHOW STATE")) {
                assertThat(rows.next()).isTrue();
            }
            console.commit();
            console.createStatement().execute("SHOW VERSION");
            console.rollback();
            console.setAutoCommit(true);
            console.createStatement().execute("DISCARD ALL");
        }
    }

    @Test
    void preparedStatementsAreShownToAdministratorsWithoutTheTextThatMayHoldSecrets() throws Exception {
        try (var console = pooler.console(ADMIN);
                var user = pooler.wire("app")) {
            user.send(
                    Frames.parse("one", "SELECT 'hidden' WHERE $1::int = 1"),
                    Frames.parse("two", "ALTER ROLE nobody PASSWORD 'hidden'"),
                    Frames.sync());
            user.readUntilReady();

            List<List<String>> rows = nonNull(console.rows("SHOW PREPARED_STATEMENTS"));

            assertThat(rows)
                    .anySatisfy(row -> assertThat(row.subList(1, 4))
                            .containsExactly("replica", "read", "SELECT ? WHERE $1::int = ?"));
            assertThat(rows).anySatisfy(row -> assertThat(row.getLast()).isEqualTo("ALTER"));
            assertThat(rows.toString()).doesNotContain("hidden");
        }
    }

    @Test
    void socketsAreShownWithoutKeys() throws Exception {
        try (var console = pooler.console(ADMIN);
                var user = pooler.wire("app")) {
            user.query("BEGIN; SELECT 1");

            List<? extends List<String>> rows = console.rows("SHOW FDS");

            assertThat(rows).extracting(row -> row.get(1)).contains("client", "server");
            assertThat(rows).allSatisfy(row -> {
                assertThat(row.get(6)).isEqualTo("0");
                assertThat(row.subList(8, 15)).containsOnlyNulls();
            });
        }
    }

    @Test
    void helpIsANotice() throws Exception {
        try (var console = pooler.console(STATS)) {
            List<Message> answer = console.query("SHOW HELP");

            assertThat(types(answer)).isEqualTo("NCZ");
            assertThat(answer.getFirst().field('D')).contains("SHOW CLIENTS|", "PAUSE [<db>]", "NODES");
        }
    }

    @Test
    void bytesOfTheAnswerDoNotDependOnHowTheRequestArrives() throws Exception {
        byte[] request = Frames.join(
                Frames.query("SHOW VERSION"),
                Frames.parse("", "SHOW STATE"),
                Frames.bind("", ""),
                Frames.execute(),
                Frames.sync());
        try (var console = pooler.console(STATS)) {
            for (int cut = 0; cut < request.length; cut += 7) {
                console.sendPart(request, 0, cut);
                console.sendPart(request, cut, request.length);
                assertThat(types(console.readUntilReady()) + types(console.readUntilReady()))
                        .as("cut at " + cut)
                        .isEqualTo("TDCZ" + "12DDCZ");
            }
        }
    }

    @Test
    void onlyThoseWhoMayGetIn() {
        var refused = catchThrowableOfType(ServerErrorException.class, () -> pooler.console(NOBODY));

        assertThat(refused.getMessage()).contains("28P01");
    }

    @Test
    void clientsServersAndPoolsTellOfEachOther() throws Exception {
        try (var console = pooler.console(STATS);
                var user = pooler.wire("other")) {
            user.query("BEGIN; SELECT 1");
            List<String> names = console.query("SHOW CLIENTS").getFirst().columnNames();
            var client = console.rows("SHOW CLIENTS").stream()
                    .filter(row -> "other".equals(row.get(names.indexOf("database"))))
                    .findFirst()
                    .orElseThrow();
            var server = console.rows("SHOW SERVERS").stream()
                    .filter(row -> "other".equals(row.get(names.indexOf("database"))))
                    .findFirst()
                    .orElseThrow();

            assertThat(client.get(names.indexOf("state"))).isEqualTo("active");
            assertThat(client.get(names.indexOf("link"))).isEqualTo(server.get(names.indexOf("ptr")));
            assertThat(server.get(names.indexOf("link"))).isEqualTo(client.get(names.indexOf("ptr")));
            assertThat(server.get(names.indexOf("remote_pid"))).isEqualTo(user.value("SELECT pg_backend_pid()"));
            assertThat(cell(console, "POOLS", "other", "cl_active")).isEqualTo("1");
            assertThat(cell(console, "POOLS", "other", "sv_active")).isEqualTo("1");
            assertThat(cell(console, "DATABASES", "other", "current_connections"))
                    .isEqualTo("1");
            assertThat(cell(console, "DATABASES", "other", "pool_size")).isEqualTo("3");
            assertThat(Long.parseLong(String.valueOf(cell(console, "STATS_TOTALS", "other", "bytes_sent"))))
                    .isPositive();
        }
    }

    @Test
    void pinIsShownWithItsReasonAndStatement() throws Exception {
        try (var console = pooler.console(STATS);
                var user = pooler.wire("app")) {
            user.query("PREPARE pinned AS SELECT 1");

            List<List<String>> pins = nonNull(console.rows("SHOW PINS"));

            assertThat(pins).hasSize(1);
            assertThat(pins.getFirst().get(2)).isEqualTo("sql_prepare");
            assertThat(pins.getFirst().get(4)).isEqualTo("PREPARE pinned AS SELECT ?");
            assertThat(nonNull(console.rows("SHOW ROUTES")))
                    .anySatisfy(row -> assertThat(row.subList(0, 3)).containsExactly("app", "sql_prepare", "primary"));
        }
    }

    private static List<List<String>> nonNull(List<? extends List<String>> rows) {
        return List.copyOf(rows);
    }

    @Test
    void nodesTellWhatTheyDo() throws Exception {
        try (var console = pooler.console(STATS);
                var user = pooler.wire("app")) {
            user.query("SELECT 1");

            assertThat(cell(console, "NODES", "app", "role")).isEqualTo("primary");
            assertThat(cell(console, "NODES", "app", "state")).isEqualTo("up");
            assertThat(Long.parseLong(String.valueOf(cell(console, "NODES", "app", "xacts"))))
                    .isPositive();
            var since = LocalDateTime.parse(
                    String.valueOf(cell(console, "NODES", "app", "since")),
                    DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'"));
            assertThat(since).isAfter(LocalDateTime.now(ZoneOffset.UTC).minusMinutes(10));
            assertThat(cell(console, "BALANCE", "app", "verdict")).isIn("balanced", "idle");
        }
    }

    private static String types(List<Message> messages) {
        return messages.stream().map(message -> String.valueOf(message.type())).collect(Collectors.joining());
    }

    private static Message error(List<Message> messages) {
        return messages.stream()
                .filter(message -> message.type() == 'E')
                .findFirst()
                .orElseThrow();
    }
}
