package io.plenum.pooler.drivers;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What every application does with pgjdbc, in each way in which the driver can speak the protocol. */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class JdbcModesIT {
    private static final int OFTEN = 7; // past the fifth use, from which on the driver names a statement

    private TwoWays ways;

    @BeforeAll
    void start() throws Exception {
        ways = TwoWays.start("jdbc_modes");
    }

    @AfterAll
    void stop() throws Exception {
        ways.close();
    }

    static List<String> modes() {
        return List.of(
                "prepareThreshold=1",
                "prepareThreshold=5",
                "prepareThreshold=-1", // binary results from the first use, of statements without a name
                "preferQueryMode=simple",
                "preferQueryMode=extended",
                "preferQueryMode=extendedForPrepared",
                "preferQueryMode=extendedCacheEverything&prepareThreshold=2",
                "prepareThreshold=1&preparedStatementCacheQueries=2",
                "prepareThreshold=1&binaryTransfer=false",
                "autosave=always&prepareThreshold=1",
                "autosave=conservative");
    }

    /** Else the other tests would prove nothing. */
    @ParameterizedTest
    @MethodSource("modes")
    void aConnectionIsServedBySeveralServers(String mode) throws Exception {
        Set<Integer> servers = new HashSet<>();
        try (var connection = ways.pooled().jdbc(mode);
                var select = connection.prepareStatement("SELECT pg_backend_pid()")) {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20); // the neighbour must get its turns
            while (servers.size() < 2 && System.nanoTime() < end) {
                try (var rows = select.executeQuery()) {
                    rows.next();
                    servers.add(rows.getInt(1));
                }
            }
        }
        assertThat(servers).hasSizeGreaterThan(1);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void valuesStatementsAndErrorsAreThoseOfPostgres(String mode) throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc(mode)) {
                values(connection, notes);
                failures(connection, notes);
                alteredTable(connection, notes);
            }
        });
    }

    /** Without the threshold of -1, with which the driver itself fails here. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "prepareThreshold=1",
                "preferQueryMode=simple",
                "preferQueryMode=extendedForPrepared",
                "preferQueryMode=extendedCacheEverything&prepareThreshold=2",
                "autosave=always",
            })
    void severalStatementsInOneTextGiveSeveralResults(String mode) throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc(mode);
                    var statement = connection.createStatement()) {
                recreate(statement, "several", "id int PRIMARY KEY, s int");
                statement.execute("INSERT INTO several SELECT n, n FROM generate_series(0, 6) n");
                for (int use = 0; use < OFTEN; use++) {
                    severalStatements(connection, notes);
                }
            }
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "prepareThreshold=1",
                "prepareThreshold=-1",
                "preferQueryMode=simple",
                "preferQueryMode=extendedCacheEverything",
                "defaultRowFetchSize=3&adaptiveFetch=true&maxResultBuffer=1M"
            })
    void cursorsStayOpenBetweenOtherStatements(String mode) throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc(mode)) {
                twoCursorsByTurns(connection, notes);
                scrollAndUpdate(connection, notes);
                holdableCursor(connection, notes);
                functionWithCursor(connection, notes);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "prepareThreshold=1",
                "prepareThreshold=1&reWriteBatchedInserts=true",
                "reWriteBatchedInserts=true",
                "prepareThreshold=-1&reWriteBatchedInserts=true",
                "preferQueryMode=simple&reWriteBatchedInserts=true",
                "preferQueryMode=extendedForPrepared",
                "autosave=always&reWriteBatchedInserts=true",
            })
    void batchesInsertAndReportAsPostgresDoes(String mode) throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc(mode);
                    var statement = connection.createStatement()) {
                recreate(
                        statement, "batch", "id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int UNIQUE, name text");
                insertBatch(connection, notes, 0, 777, false);
                insertBatch(connection, notes, 1_000, 300, true);
                connection.setAutoCommit(false);
                insertBatch(connection, notes, 2_000, 129, true);
                connection.commit();
                insertBatch(connection, notes, 3_000, 10, false);
                connection.rollback();
                connection.setAutoCommit(true);
                batchWithDuplicate(connection, notes);
                statement.addBatch("INSERT INTO batch (n) VALUES (90001)");
                statement.addBatch("UPDATE batch SET name = 'changed' WHERE n < 5");
                statement.addBatch("DELETE FROM batch WHERE n = 6");
                notes.add(statement.executeBatch());
                notes.query(statement, "SELECT count(*), sum(n), max(id) - min(id) FROM batch");
            }
        });
    }

    private static void values(Connection connection, Notes notes) throws SQLException {
        try (var statement = connection.createStatement()) {
            recreate(statement, "kinds", """
                id int PRIMARY KEY, s smallint, l bigint, n numeric(20,5), r real, d double precision, b boolean,
                t text, v varchar(40), c char(5), raw bytea, day date, clock time, zoned timetz, moment timestamp,
                instant timestamptz, gap interval, u uuid, j json, jb jsonb, numbers int[], words text[],
                matrix int[][], range int4range, multi int8multirange, address inet, place point, money money,
                bits varbit, x xml, search tsvector\
                """);
            insertKinds(connection);
            for (int use = 0; use < OFTEN; use++) {
                try (var select = connection.prepareStatement("SELECT * FROM kinds WHERE id >= ? ORDER BY id")) {
                    select.setInt(1, use % 2);
                    notes.rows(select.executeQuery());
                }
            }
        }
    }

    private static void insertKinds(Connection connection) throws SQLException {
        try (var insert = connection.prepareStatement("INSERT INTO kinds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                + " ?, ?, ?, ?::interval, ?, ?::json, ?::jsonb, ?, ?, ?, ?::int4range, ?::int8multirange, ?::inet,"
                + " ?::point, ?::money, ?::varbit, ?::xml, ?::tsvector)")) {
            for (int id = 0; id < OFTEN; id++) {
                insert.setInt(1, id);
                insert.setShort(2, (short) -id);
                insert.setLong(3, Long.MIN_VALUE + id);
                insert.setBigDecimal(4, new BigDecimal("123456789012345.54321"));
                insert.setFloat(5, 1.5f * id);
                insert.setDouble(6, id == 0 ? Double.NaN : 1.0 / id);
                insert.setBoolean(7, id % 2 == 0);
                insert.setString(
                        8, "quote ' double \" back \\ tab \t gr\u00fc\u00df \ud83d\udc18 " + "long ".repeat(id * 99));
                insert.setString(9, id == 3 ? null : "");
                insert.setString(10, "ab");
                insert.setBytes(11, new byte[] {0, 1, (byte) id, (byte) 0xff, '\\', '\''});
                insert.setObject(12, LocalDate.of(1900 + id, 2, 28));
                insert.setObject(13, LocalTime.of(23, 59, id));
                insert.setObject(
                        14,
                        OffsetDateTime.of(2000, 1, 1, 12, 0, id, 0, ZoneOffset.ofHours(2))
                                .toOffsetTime());
                insert.setObject(15, LocalDateTime.of(2024, 2, 29, 1, 2, 3, 4_000));
                insert.setObject(16, OffsetDateTime.of(2024, 2, 29, 1, 2, 3, 4_000, ZoneOffset.ofHours(-7)));
                insert.setString(17, id + " days 3 hours");
                insert.setObject(18, new UUID(id, 7));
                insert.setString(19, "{\"a\": [1, null, \"\\u00e9\"]}");
                insert.setString(20, "{\"b\": {\"c\": " + id + "}}");
                insert.setArray(21, connection.createArrayOf("int4", new Object[] {1, null, id}));
                insert.setArray(22, connection.createArrayOf("text", new Object[] {"a,b", null, "\"{}\"", "NULL", ""}));
                insert.setObject(23, new int[][] {{1, 2}, {3, id}});
                insert.setString(24, "[1," + (id + 2) + ")");
                insert.setString(25, "{[1,3),[5,9)}");
                insert.setString(26, "10.0.0." + id + "/24");
                insert.setString(27, "(1.5,-2)");
                insert.setString(28, "12.34");
                insert.setString(29, "101");
                insert.setString(30, "<a>" + id + "</a>");
                insert.setString(31, "a fat cat");
                assertThat(insert.executeUpdate()).isEqualTo(1);
            }
        }
    }

    private static void severalStatements(Connection connection, Notes notes) throws SQLException {
        try (var statement = connection.createStatement()) {
            boolean rows =
                    statement.execute("SELECT 1 AS one; UPDATE several SET s = 9 WHERE id < 3; SELECT 'two' AS two,"
                            + " 2; DELETE FROM several WHERE id = -1; SELECT 3 WHERE false");
            while (rows || statement.getUpdateCount() >= 0) {
                if (rows) {
                    notes.rows(statement.getResultSet());
                } else {
                    notes.add("updated", statement.getUpdateCount());
                }
                rows = statement.getMoreResults(Statement.CLOSE_CURRENT_RESULT);
            }
            notes.failure(() -> statement.execute("INSERT INTO several (id) VALUES (70); SELECT 1/0; SELECT 1"));
            notes.failure(() -> statement.execute("BEGIN; INSERT INTO several (id) VALUES (71); COMMIT; SELECT 1/0"));
            notes.query(statement, "SELECT id FROM several WHERE id >= 70 ORDER BY id");
            statement.execute("DELETE FROM several WHERE id >= 70");
            statement.execute("DO $$ BEGIN RAISE NOTICE 'told %', 1; RAISE WARNING 'warned'; END $$");
            for (var warning = statement.getWarnings(); warning != null; warning = warning.getNextWarning()) {
                notes.add(warning.getSQLState() + " " + warning.getMessage());
            }
            notes.add("empty", statement.execute(""));
            notes.add("comment", statement.execute("-- nothing"));
        }
    }

    private static void failures(Connection connection, Notes notes) throws SQLException {
        try (var divide = connection.prepareStatement("SELECT 100 / ?::int AS quotient")) {
            for (int use = 0; use < 2 * OFTEN; use++) {
                divide.setInt(1, use % 3);
                notes.failure(() -> notes.rows(divide.executeQuery()));
            }
        }
        try (var statement = connection.createStatement()) {
            notes.failure(() -> statement.execute("SELEC 1"));
            notes.failure(() -> statement.execute("SELECT * FROM not_there"));
            notes.failure(() -> statement.execute("INSERT INTO kinds (id) VALUES (1)"));
            connection.setAutoCommit(false);
            statement.execute("INSERT INTO kinds (id) VALUES (80)");
            notes.failure(() -> statement.execute("SELECT 1/0"));
            notes.failure(() -> statement.execute("SELECT 'in a failed transaction'"));
            notes.failure(connection::commit);
            connection.rollback();
            connection.setAutoCommit(true);
            notes.query(statement, "SELECT count(*) FROM kinds WHERE id = 80");
        }
        notes.failure(() -> {
            try (var wrong = connection.prepareStatement("SELECT ?::int")) {
                wrong.setObject(1, "x", Types.OTHER);
                wrong.executeQuery();
            }
        });
    }

    /** The driver itself prepares anew what PostgreSQL refuses because the table has changed. */
    private static void alteredTable(Connection connection, Notes notes) throws SQLException {
        try (var statement = connection.createStatement()) {
            recreate(statement, "changing", "a int");
            statement.execute("INSERT INTO changing VALUES (1)");
            try (var select = connection.prepareStatement("SELECT * FROM changing WHERE a = ?")) {
                select.setInt(1, 1);
                for (int use = 0; use < OFTEN; use++) {
                    notes.rows(select.executeQuery());
                }
                statement.execute("ALTER TABLE changing ADD COLUMN b text");
                for (int use = 0; use < OFTEN; use++) {
                    notes.failure(() -> notes.rows(select.executeQuery()));
                }
                statement.execute("ALTER TABLE changing ALTER COLUMN b TYPE int USING 5");
                for (int use = 0; use < OFTEN; use++) {
                    notes.failure(() -> notes.rows(select.executeQuery()));
                }
            }
        }
    }

    private static void twoCursorsByTurns(Connection connection, Notes notes) throws SQLException {
        connection.setAutoCommit(false);
        try (var first = connection.prepareStatement("SELECT n, repeat('x', n) FROM generate_series(?::int, 40) n");
                var second = connection.prepareStatement("SELECT -n AS m FROM generate_series(1, ?::int) n");
                var other = connection.createStatement()) {
            for (int use = 0; use < OFTEN; use++) {
                first.setInt(1, use);
                second.setInt(1, 30);
                first.setFetchSize(5);
                second.setFetchSize(1 + use);
                long sum = 0;
                try (var left = first.executeQuery();
                        var right = second.executeQuery()) {
                    while (left.next()) {
                        sum += left.getInt(1) * 1_000L + left.getString(2).length();
                        if (right.next()) {
                            sum += right.getInt(1);
                        }
                        if (left.getInt(1) % 10 == 0) {
                            notes.query(other, "SELECT 'between' AS between");
                        }
                    }
                }
                notes.add("sum", sum);
                if (use % 2 == 0) {
                    connection.commit();
                }
            }
            first.setMaxRows(12);
            notes.rows(first.executeQuery());
            connection.rollback();
        }
        connection.setAutoCommit(true);
    }

    private static void scrollAndUpdate(Connection connection, Notes notes) throws SQLException {
        try (var statement =
                connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE)) {
            recreate(statement, "editable", "id int PRIMARY KEY, name text");
            statement.execute("INSERT INTO editable SELECT n, 'row ' || n FROM generate_series(1, 9) n");
            try (var rows = statement.executeQuery("SELECT id, name FROM editable ORDER BY id")) {
                rows.absolute(4);
                notes.add(rows.getString("name"));
                rows.updateString("name", "edited");
                rows.updateRow();
                rows.previous();
                rows.deleteRow();
                rows.moveToInsertRow();
                rows.updateInt("id", 100);
                rows.updateString("name", "inserted");
                rows.insertRow();
                rows.last();
                notes.add(rows.getInt("id"));
            }
            notes.query(statement, "SELECT * FROM editable ORDER BY id");
        }
    }

    private static void holdableCursor(Connection connection, Notes notes) throws SQLException {
        connection.setAutoCommit(false);
        try (var statement = connection.createStatement(
                ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY, ResultSet.HOLD_CURSORS_OVER_COMMIT)) {
            statement.setFetchSize(2);
            try (var rows = statement.executeQuery("SELECT n FROM generate_series(1, 7) n")) {
                rows.next();
                connection.commit();
                int sum = 0;
                while (rows.next()) {
                    sum += rows.getInt(1);
                }
                notes.add("held", sum);
            }
            statement.execute("DECLARE kept CURSOR WITH HOLD FOR SELECT n FROM generate_series(1, 5) n");
            connection.commit();
            notes.query(statement, "FETCH 2 FROM kept");
            connection.commit();
            notes.query(statement, "FETCH ALL FROM kept");
            statement.execute("CLOSE kept");
            connection.commit();
        }
        connection.setAutoCommit(true);
    }

    private static void functionWithCursor(Connection connection, Notes notes) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute("CREATE OR REPLACE FUNCTION opened() RETURNS refcursor LANGUAGE plpgsql AS"
                    + " $$ DECLARE c refcursor := 'named_by_function'; BEGIN OPEN c FOR SELECT n, n * n AS square"
                    + " FROM generate_series(1, 11) n; RETURN c; END $$");
        }
        connection.setAutoCommit(false);
        try (var call = connection.prepareCall("{? = call opened()}")) {
            call.registerOutParameter(1, Types.REF_CURSOR);
            call.setFetchSize(4);
            for (int use = 0; use < OFTEN; use++) {
                notes.failure(() -> {
                    call.execute();
                    notes.rows((ResultSet) call.getObject(1));
                });
                connection.commit();
            }
        }
        connection.setAutoCommit(true);
    }

    private static void insertBatch(Connection connection, Notes notes, int from, int count, boolean wantKeys)
            throws SQLException {
        try (var insert = connection.prepareStatement(
                "INSERT INTO batch (n, name) VALUES (?, ?)",
                wantKeys ? Statement.RETURN_GENERATED_KEYS : Statement.NO_GENERATED_KEYS)) {
            for (int n = from; n < from + count; n++) {
                insert.setInt(1, n);
                insert.setString(2, n % 3 == 0 ? null : "name " + n);
                insert.addBatch();
            }
            notes.add("counts", insert.executeBatch());
            if (wantKeys) {
                try (var keys = insert.getGeneratedKeys()) {
                    int offset = 0;
                    while (keys.next()) {
                        assertThat(keys.getInt("n")).isEqualTo(from + offset++);
                    }
                    notes.add("keys", offset);
                }
            }
        }
        if (wantKeys) {
            try (var insert =
                    connection.prepareStatement("INSERT INTO batch (n) VALUES (?), (?)", new String[] {"id", "name"})) {
                insert.setInt(1, -from - 1);
                insert.setInt(2, -from - 2);
                notes.add("rows", insert.executeUpdate());
                notes.rows(insert.getGeneratedKeys());
            }
        }
    }

    private static void batchWithDuplicate(Connection connection, Notes notes) throws SQLException {
        try (var insert = connection.prepareStatement("INSERT INTO batch (n) VALUES (?)")) {
            for (boolean commits : new boolean[] {true, false}) {
                connection.setAutoCommit(commits);
                for (int n : new int[] {50_001, 50_002, 50_003, 1, 50_004}) {
                    insert.setInt(1, n);
                    insert.addBatch();
                }
                notes.failure(insert::executeBatch);
                if (!commits) {
                    connection.rollback();
                    connection.setAutoCommit(true);
                }
                insert.setInt(1, 60_000 + (commits ? 1 : 0));
                notes.add("afterwards", insert.executeUpdate());
            }
        }
        try (var statement = connection.createStatement()) {
            notes.query(statement, "SELECT n FROM batch WHERE n >= 50000 ORDER BY n");
        }
    }

    static void recreate(Statement statement, String table, String columns) throws SQLException {
        statement.execute("DROP TABLE IF EXISTS " + table);
        statement.execute("CREATE TABLE " + table + " (" + columns + ")");
    }
}
