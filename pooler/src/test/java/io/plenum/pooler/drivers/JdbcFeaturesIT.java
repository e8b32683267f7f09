package io.plenum.pooler.drivers;

import static io.plenum.pooler.drivers.JdbcModesIT.recreate;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.sql.Blob;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.sql.Types;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;
import org.postgresql.copy.PGCopyOutputStream;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;

/** The parts of pgjdbc beyond statements: COPY, large objects, metadata, savepoints, cancels, notifications, settings. */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class JdbcFeaturesIT {
    private TwoWays ways;

    @BeforeAll
    void start() throws Exception {
        ways = TwoWays.start("jdbc_features");
    }

    @AfterAll
    void stop() throws Exception {
        ways.close();
    }

    @Test
    void copyMovesRowsInEveryForm() throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc("prepareThreshold=1");
                    var statement = connection.createStatement()) {
                recreate(statement, "copied", "id int PRIMARY KEY, name text");
                var copy = connection.unwrap(PGConnection.class).getCopyAPI();
                notes.add("in", copy.copyIn("COPY copied FROM STDIN", new StringReader(lines(0, 60_000))));
                var text = new StringWriter();
                notes.add("out", copy.copyOut("COPY (SELECT * FROM copied ORDER BY id) TO STDOUT (FORMAT csv)", text));
                notes.add(text.toString().hashCode());
                var binary = new ByteArrayOutputStream();
                notes.add(copy.copyOut(
                        "COPY (SELECT * FROM copied ORDER BY id LIMIT 500) TO STDOUT (FORMAT binary)", binary));
                statement.execute("TRUNCATE copied");
                notes.add(copy.copyIn(
                        "COPY copied FROM STDIN (FORMAT binary)", new ByteArrayInputStream(binary.toByteArray())));
                notes.query(statement, "SELECT count(*), min(id), max(name) FROM copied");
                connection.setAutoCommit(false);
                try (var out = new PGCopyOutputStream(
                        connection.unwrap(PGConnection.class), "COPY copied FROM STDIN (FORMAT csv)")) {
                    out.write("1000,streamed\n".getBytes(StandardCharsets.UTF_8));
                    out.flush();
                    out.write("1001,\"quoted, \"\"twice\"\"\"\n".getBytes(StandardCharsets.UTF_8));
                }
                notes.query(statement, "SELECT * FROM copied WHERE id >= 1000 ORDER BY id");
                connection.rollback();
                notes.query(statement, "SELECT count(*) FROM copied");
                connection.commit();
            }
        });
    }

    @Test
    void copyThatFailsOrIsGivenUpLeavesTheSessionUsable() throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc("prepareThreshold=1");
                    var statement = connection.createStatement()) {
                recreate(statement, "copied", "id int PRIMARY KEY, name text");
                var copy = connection.unwrap(PGConnection.class).getCopyAPI();
                notes.failure(() -> copy.copyIn("COPY copied FROM STDIN", new StringReader("1\tone\nx\ttwo\n")));
                notes.failure(() -> copy.copyIn("COPY copied FROM STDIN", new StringReader("1\tone\n1\ttwo\n")));
                notes.failure(() -> copy.copyIn("COPY not_there FROM STDIN", new StringReader("1\n")));
                notes.failure(() -> copy.copyOut(
                        "COPY (SELECT 1/(n-900) FROM generate_series(1, 1000) n) TO STDOUT", new StringWriter()));
                notes.failure(() -> copy.copyIn("COPY copied FROM STDIN", brokenReader()));
                var given = copy.copyIn("COPY copied FROM STDIN");
                given.writeToCopy("5\tfive\n".getBytes(StandardCharsets.UTF_8), 0, 7);
                given.cancelCopy();
                notes.query(statement, "SELECT count(*) FROM copied");
                try (var prepared = connection.prepareStatement("SELECT ?::int")) {
                    prepared.setInt(1, 3);
                    notes.rows(prepared.executeQuery());
                }
            }
        });
    }

    @Test
    void largeObjectsAreReadWrittenAndCut() throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc()) {
                connection.setAutoCommit(false);
                var objects = connection.unwrap(PGConnection.class).getLargeObjectAPI();
                var content = "0123456789".repeat(40_000).getBytes(StandardCharsets.US_ASCII);
                long id = objects.createLO(LargeObjectManager.READWRITE);
                try (var object = objects.open(id, LargeObjectManager.READWRITE)) {
                    object.write(content);
                    notes.add("size", object.size64());
                    object.seek64(-15, LargeObject.SEEK_END);
                    notes.add("tail", new String(object.read(100), StandardCharsets.US_ASCII));
                    object.truncate64(250_007);
                    object.seek(250_000);
                    notes.add("cut", object.read(100).length + " at " + object.tell64());
                }
                connection.commit();
                try (var object = objects.open(id, LargeObjectManager.READ);
                        InputStream in = object.getInputStream(1_000, 250_007)) {
                    notes.add("streamed", in.readAllBytes().length);
                }
                notes.failure(() -> objects.open(1L, LargeObjectManager.READ).size());
                connection.rollback();
                blobColumn(connection, notes);
                objects.delete(id);
                connection.commit();
                connection.setAutoCommit(true);
                notes.failure(() -> objects.open(id, LargeObjectManager.READ));
            }
        });
    }

    private static void blobColumn(Connection connection, Notes notes) throws SQLException {
        try (var statement = connection.createStatement()) {
            recreate(statement, "with_blob", "id int, content oid");
            try (var insert = connection.prepareStatement("INSERT INTO with_blob VALUES (?, ?)")) {
                insert.setInt(1, 1);
                insert.setBlob(2, new ByteArrayInputStream(new byte[70_000]), 70_000);
                insert.executeUpdate();
            }
            connection.commit();
            try (var rows = statement.executeQuery("SELECT content FROM with_blob")) {
                rows.next();
                Blob blob = rows.getBlob(1);
                notes.add("blob", blob.length());
                notes.add(blob.getBytes(69_999, 10));
                blob.free();
            }
            connection.commit();
            statement.execute("SELECT lo_unlink(content) FROM with_blob");
            connection.commit();
        }
    }

    @Test
    void metadataIsWhatPostgresSays() throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc("prepareThreshold=1");
                    var statement = connection.createStatement()) {
                statement.execute("DROP SCHEMA IF EXISTS described CASCADE");
                statement.execute("CREATE SCHEMA described");
                connection.setSchema("described");
                statement.execute("CREATE TABLE parent (id serial PRIMARY KEY, code varchar(8) UNIQUE NOT NULL)");
                statement.execute("CREATE TABLE child (a int, b int REFERENCES parent ON DELETE CASCADE,"
                        + " c numeric(9,2) DEFAULT 1.5, d int GENERATED ALWAYS AS (a * 2) STORED, PRIMARY KEY (a, b))");
                statement.execute("CREATE INDEX child_c ON child (c DESC)");
                statement.execute("CREATE VIEW seen AS SELECT a, c FROM child");
                statement.execute("COMMENT ON COLUMN child.c IS 'commented'");
                statement.execute("CREATE FUNCTION adds(x int, y int, OUT total int) LANGUAGE sql AS 'SELECT x + y'");
                statement.execute("CREATE TYPE mood AS ENUM ('sad', 'glad')");
                describe(connection.getMetaData(), notes);
                try (var select = connection.prepareStatement("SELECT a AS alias, c, seen.* FROM seen WHERE c > ?")) {
                    var columns = select.getMetaData();
                    for (int i = 1; i <= columns.getColumnCount(); i++) {
                        notes.add(columns.getColumnLabel(i) + " " + columns.getColumnTypeName(i) + " "
                                + columns.getPrecision(i) + " " + columns.isNullable(i) + " "
                                + columns.getTableName(i));
                    }
                    notes.add(select.getParameterMetaData().getParameterTypeName(1));
                }
                notes.add("schema", connection.getSchema());
                notes.add("catalog", connection.getCatalog());
                connection.setSchema("public");
                statement.execute("DROP SCHEMA described CASCADE");
            }
        });
    }

    private static void describe(DatabaseMetaData data, Notes notes) throws SQLException {
        notes.add(data.getDatabaseProductVersion() + " " + data.getUserName() + " " + data.getMaxConnections());
        notes.rows(data.getTables(null, "described", "%", null));
        notes.rows(data.getColumns(null, "described", "%", "%"));
        notes.rows(data.getPrimaryKeys(null, "described", "child"));
        notes.rows(data.getImportedKeys(null, "described", "child"));
        notes.rows(data.getExportedKeys(null, "described", "parent"));
        notes.rows(data.getIndexInfo(null, "described", "child", false, true));
        try (var columns = data.getFunctionColumns(null, "described", "adds", "%")) {
            while (columns.next()) { // without the specific name, which holds an oid
                notes.add(columns.getString("FUNCTION_NAME"), columns.getString("COLUMN_NAME"));
            }
        }
        notes.rows(data.getUDTs(null, "described", "%", null));
        notes.unordered(data.getTypeInfo()); // a query without ORDER BY
        try (var schemas = data.getSchemas()) {
            while (schemas.next()) { // without the temporary one that the server has of another client
                String name = schemas.getString("TABLE_SCHEM");
                if (!name.contains("_temp_")) {
                    notes.add(name, schemas.getString("TABLE_CATALOG"));
                }
            }
        }
        notes.rows(data.getCatalogs());
        notes.rows(data.getTablePrivileges(null, "described", "child"));
        notes.rows(data.getBestRowIdentifier(null, "described", "child", DatabaseMetaData.bestRowSession, false));
        notes.rows(data.getClientInfoProperties());
        notes.add(data.getSQLKeywords());
        notes.add(data.getNumericFunctions());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "autosave=never",
                "autosave=always",
                "autosave=conservative",
                "autosave=always&cleanupSavepoints=true&prepareThreshold=1",
                "autosave=conservative&preferQueryMode=simple"
            })
    void savepointsUndoWhatTheyShould(String mode) throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc(mode);
                    var statement = connection.createStatement()) {
                recreate(statement, "saved", "id int PRIMARY KEY, name text");
                connection.setAutoCommit(false);
                statement.execute("INSERT INTO saved VALUES (1)");
                var named = connection.setSavepoint("a name with \"quotes\"");
                statement.execute("INSERT INTO saved VALUES (2)");
                var inner = connection.setSavepoint();
                notes.failure(() -> statement.execute("INSERT INTO saved VALUES (2)"));
                connection.rollback(inner);
                statement.execute("INSERT INTO saved VALUES (3)");
                connection.releaseSavepoint(inner);
                notes.query(statement, "SELECT id FROM saved ORDER BY id");
                connection.rollback(named);
                notes.failure(() -> connection.rollback(inner));
                notes.failure(() -> notes.query(statement, "SELECT id FROM saved ORDER BY id"));
                notes.failure(connection::commit);
                connection.rollback();
                try (var insert = connection.prepareStatement("INSERT INTO saved VALUES (?)")) {
                    for (int id : new int[] {10, 11, 10, 12}) {
                        insert.setInt(1, id);
                        notes.failure(() -> notes.add(insert.executeUpdate()));
                    }
                }
                notes.failure(connection::commit);
                connection.setAutoCommit(true);
                notes.query(statement, "SELECT id FROM saved ORDER BY id");
            }
        });
    }

    /** Autosave heals what PostgreSQL refuses. */
    @ParameterizedTest
    @ValueSource(strings = {"autosave=always", "autosave=conservative"})
    void aPlanThatDdlMadeUselessIsHealedInsideATransaction(String mode) throws Exception {
        useAfterDdl(mode);
    }

    @Test
    void aStatementPreparedAfterDdlSeesTheNewColumns() throws Exception {
        useAfterDdl("autosave=never"); // the driver saw the DDL, and prepares under a new name
    }

    private void useAfterDdl(String mode) throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc(mode + "&prepareThreshold=1");
                    var statement = connection.createStatement()) {
                recreate(statement, "replanned", "id int");
                statement.execute("INSERT INTO replanned VALUES (1)");
                try (var select = connection.prepareStatement("SELECT * FROM replanned")) {
                    notes.rows(select.executeQuery());
                    notes.rows(select.executeQuery());
                    connection.setAutoCommit(false);
                    statement.execute("ALTER TABLE replanned ADD COLUMN more int DEFAULT 4");
                    notes.failure(() -> notes.rows(select.executeQuery()));
                    notes.failure(connection::commit);
                    connection.rollback();
                    notes.failure(() -> notes.rows(select.executeQuery()));
                    notes.failure(() -> notes.rows(select.executeQuery()));
                    notes.failure(connection::commit);
                }
            }
        });
    }

    @Test
    void aCancelReachesItsOwnStatementOnly() throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc("prepareThreshold=1");
                    var other = way.jdbc();
                    var sleeper = connection.prepareStatement("SELECT pg_sleep(?)");
                    var bystander = other.createStatement();
                    var threads = Executors.newSingleThreadScheduledExecutor()) {
                for (int round = 0; round < 3; round++) {
                    sleeper.setDouble(1, 20);
                    var cancel = threads.schedule(
                            () -> {
                                sleeper.cancel();
                                return true;
                            },
                            150,
                            TimeUnit.MILLISECONDS);
                    notes.failure(sleeper::executeQuery);
                    notes.add(cancel.get());
                    notes.query(bystander, "SELECT 'untouched'");
                    sleeper.setDouble(1, 0);
                    notes.rows(sleeper.executeQuery());
                }
                sleeper.cancel(); // with nothing to cancel
                notes.query(bystander, "SELECT 'still'");
                connection.setAutoCommit(false);
                sleeper.setQueryTimeout(1);
                sleeper.setDouble(1, 20);
                notes.failure(sleeper::executeQuery);
                notes.failure(sleeper::executeQuery);
                connection.rollback();
                sleeper.setDouble(1, 0);
                notes.rows(sleeper.executeQuery());
                connection.commit();
            }
        });
    }

    @Test
    void statementTimeoutAndLockTimeoutOfTheSession() throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc("options=-c%20statement_timeout=300%20-c%20lock_timeout=100");
                    var holder = way.jdbc();
                    var statement = connection.createStatement();
                    var holding = holder.createStatement()) {
                recreate(holding, "locked", "id int");
                holder.setAutoCommit(false);
                holding.execute("LOCK TABLE locked");
                notes.failure(() -> statement.execute("SELECT * FROM locked"));
                holder.commit();
                notes.failure(() -> statement.execute("SELECT pg_sleep(5)"));
                notes.query(holding, "SHOW statement_timeout");
                holder.commit();
                notes.query(statement, "SHOW statement_timeout");
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"readOnlyMode=transaction", "readOnlyMode=always", "readOnlyMode=ignore"})
    void readOnlyAndIsolationAreKept(String mode) throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc(mode);
                    var statement = connection.createStatement()) {
                recreate(statement, "guarded", "id int");
                connection.setReadOnly(true);
                for (boolean commits : new boolean[] {true, false}) {
                    connection.setAutoCommit(commits);
                    for (int i = 0; i < 3; i++) {
                        notes.failure(() -> statement.execute("INSERT INTO guarded VALUES (1)"));
                        if (!commits) {
                            connection.rollback();
                        }
                        notes.query(statement, "SHOW transaction_read_only");
                        if (!commits) {
                            connection.rollback();
                        }
                    }
                }
                connection.setReadOnly(false);
                for (int level : new int[] {
                    Connection.TRANSACTION_SERIALIZABLE,
                    Connection.TRANSACTION_REPEATABLE_READ,
                    Connection.TRANSACTION_READ_COMMITTED
                }) {
                    connection.setTransactionIsolation(level);
                    notes.add(connection.getTransactionIsolation());
                    for (int i = 0; i < 3; i++) {
                        notes.query(statement, "SHOW transaction_isolation");
                        connection.commit();
                    }
                }
                notes.failure(() -> statement.execute("INSERT INTO guarded VALUES (2)"));
                connection.commit();
                notes.query(statement, "SELECT * FROM guarded");
                connection.rollback();
            }
        });
    }

    @Test
    void serializableTransactionsCollideAsTheyShould() throws Exception {
        ways.play((way, notes) -> {
            try (var left = way.jdbc();
                    var right = way.jdbc();
                    var onLeft = left.createStatement();
                    var onRight = right.createStatement()) {
                recreate(onLeft, "skewed", "id int, on_duty boolean");
                onLeft.execute("INSERT INTO skewed VALUES (1, true), (2, true)");
                for (var connection : new Connection[] {left, right}) {
                    connection.setAutoCommit(false);
                    connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
                }
                notes.query(onLeft, "SELECT count(*) FROM skewed WHERE on_duty");
                notes.query(onRight, "SELECT count(*) FROM skewed WHERE on_duty");
                onLeft.execute("UPDATE skewed SET on_duty = false WHERE id = 1");
                onRight.execute("UPDATE skewed SET on_duty = false WHERE id = 2");
                left.commit();
                try {
                    right.commit();
                    notes.add("committed");
                } catch (SQLException collided) {
                    notes.add(collided.getSQLState());
                }
                right.rollback();
                notes.query(onRight, "SELECT count(*) FROM skewed WHERE on_duty");
                right.rollback();
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"select", "callIfNoReturn", "call"})
    void functionsAndProceduresAreCalled(String escape) throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc("prepareThreshold=1&escapeSyntaxCallMode=" + escape);
                    var statement = connection.createStatement()) {
                recreate(statement, "called", "id int");
                statement.execute(
                        "CREATE OR REPLACE FUNCTION doubled(x int) RETURNS int LANGUAGE sql AS 'SELECT x * 2'");
                statement.execute("CREATE OR REPLACE PROCEDURE commits(n int, INOUT done int) LANGUAGE plpgsql AS"
                        + " $$ BEGIN FOR i IN 1..n LOOP INSERT INTO called VALUES (i); COMMIT; END LOOP;"
                        + " done := n; END $$");
                for (int use = 0; use < 4; use++) {
                    int argument = use;
                    notes.failure(() -> {
                        try (var call = connection.prepareCall("{? = call doubled(?)}")) {
                            call.registerOutParameter(1, Types.INTEGER);
                            call.setInt(2, argument);
                            call.execute();
                            notes.add("returned", call.getInt(1));
                        }
                    });
                    notes.failure(() -> {
                        try (var call = connection.prepareCall("{call commits(?, ?)}")) {
                            call.setInt(1, argument);
                            call.setInt(2, 0);
                            call.registerOutParameter(2, Types.INTEGER);
                            call.execute();
                            notes.add("done", call.getInt(2));
                        }
                    });
                }
                notes.query(statement, "SELECT count(*), sum(id) FROM called");
            }
        });
    }

    /** At present a session that listens keeps its server. */
    @Test
    void notificationsArriveWhetherTheSessionWaitsOrNot() throws Exception {
        ways.play((way, notes) -> {
            try (var listener = way.jdbc();
                    var teller = way.jdbc();
                    var listening = listener.createStatement();
                    var telling = teller.createStatement()) {
                listening.execute("LISTEN news");
                listening.execute("LISTEN \"Other News\"");
                telling.execute("NOTIFY news, 'first'");
                notifications(listener, notes, 1);
                listening.execute("SELECT pg_notify('news', 'by itself')");
                notifications(listener, notes, 1);
                teller.setAutoCommit(false);
                telling.execute("NOTIFY \"Other News\", 'undone'");
                teller.rollback();
                telling.execute("NOTIFY \"Other News\", 'one'");
                telling.execute("NOTIFY news, 'two'");
                telling.execute("NOTIFY news, 'two'");
                teller.commit();
                teller.setAutoCommit(true);
                notes.query(listening, "SELECT 'in between'");
                notifications(listener, notes, 2);
                listening.execute("UNLISTEN news");
                telling.execute("NOTIFY news, 'unheard'");
                telling.execute("NOTIFY \"Other News\", 'heard'");
                notifications(listener, notes, 1);
                listening.execute("UNLISTEN *");
                telling.execute("NOTIFY \"Other News\", 'unheard'");
                var late = listener.unwrap(PGConnection.class).getNotifications(100);
                notes.add("late", late == null ? 0 : late.length);
            }
        });
    }

    private static void notifications(Connection connection, Notes notes, int count) throws SQLException {
        int got = 0;
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (got < count && System.nanoTime() < end) {
            var arrived = connection.unwrap(PGConnection.class).getNotifications(200);
            if (arrived != null) {
                for (var notification : arrived) {
                    got++;
                    notes.add(notification.getName() + " " + notification.getParameter());
                }
            }
        }
        assertThat(got).as("notifications").isEqualTo(count);
    }

    @Test
    void networkTimeoutEndsTheConnectionAndNoOther() throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc();
                    var other = way.jdbc();
                    var threads = Executors.newSingleThreadExecutor()) {
                connection.setNetworkTimeout(threads, 300);
                try (var statement = connection.createStatement()) {
                    notes.query(statement, "SELECT 'in time'");
                    try {
                        statement.execute("SELECT pg_sleep(2)");
                        notes.add("no failure");
                    } catch (SQLException failed) {
                        notes.add(failed.getSQLState());
                    }
                }
                notes.add("closed", connection.isClosed());
                try (var statement = other.createStatement();
                        var third = way.jdbc();
                        var onThird = third.createStatement()) {
                    notes.query(statement, "SELECT 'other'");
                    notes.query(onThird, "SELECT 'third'");
                }
            }
        });
    }

    @Test
    void connectionsThatGoInTheMiddleLeaveNothingBehind() throws Exception {
        ways.play((way, notes) -> {
            try (var keeper = way.jdbc("options=-c%20statement_timeout=20s");
                    var statement = keeper.createStatement()) {
                recreate(statement, "left_behind", "id int");
                for (int i = 0; i < 6; i++) {
                    var gone = way.jdbc();
                    gone.setAutoCommit(false);
                    try (var leaving = gone.createStatement()) {
                        leaving.execute("INSERT INTO left_behind VALUES (" + i + ")");
                        leaving.execute("LOCK TABLE left_behind");
                    }
                    if (i % 2 == 0) {
                        gone.abort(Runnable::run);
                    } else {
                        gone.close();
                    }
                    notes.query(statement, "SELECT count(*) FROM left_behind");
                }
            }
        });
    }

    @Test
    void startupParametersAreTheSessionsOwn() throws Exception {
        ways.play((way, notes) -> {
            var parameters = "options=-c%20work_mem=7MB%20-c%20my.own=a\\%20b%20--geqo=off"
                    + "&currentSchema=first,\"Second%20One\",public&ApplicationName=given%20name&stringtype=unspecified"
                    + "&assumeMinServerVersion=14&tcpKeepAlive=true&replication=false";
            try (var connection = way.jdbc(parameters);
                    var statement = connection.createStatement()) {
                statement.execute("DROP SCHEMA IF EXISTS \"first\" CASCADE");
                statement.execute("CREATE SCHEMA \"first\"");
                for (int i = 0; i < 4; i++) {
                    for (var name : new String[] {
                        "work_mem",
                        "my.own",
                        "geqo",
                        "search_path",
                        "application_name",
                        "DateStyle",
                        "client_encoding",
                        "extra_float_digits"
                    }) {
                        notes.query(statement, "SHOW " + name);
                    }
                    statement.execute("CREATE TABLE in_first" + i + " (id int)");
                    notes.query(statement, "SELECT 'in_first" + i + "'::regclass, current_schema()");
                }
                notes.add(reported(connection));
            }
        });
    }

    /** The driver asks for the zone of its JVM, whatever the server's own is. */
    @Test
    void theTimeZoneOfTheDriverIsThatOfTheSession() throws Exception {
        ways.play((way, notes) -> {
            for (int i = 0; i < 4; i++) {
                try (var connection = way.jdbc("ApplicationName=zoned" + i);
                        var statement = connection.createStatement()) {
                    notes.query(statement, "SHOW TimeZone");
                    notes.add(connection.unwrap(PGConnection.class).getParameterStatus("TimeZone"));
                }
            }
        });
    }

    @Test
    void resetGoesBackToWhatTheSessionBeganWith() throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc("options=-c%20work_mem=7MB%20-c%20IntervalStyle=iso_8601");
                    var statement = connection.createStatement()) {
                for (var reset : new String[] {"RESET work_mem", "RESET IntervalStyle", "RESET ALL", "DISCARD ALL"}) {
                    statement.execute("SET work_mem = '8MB'");
                    statement.execute("SET IntervalStyle = 'postgres_verbose'");
                    statement.execute(reset);
                    notes.query(statement, "SELECT current_setting('work_mem'), '3 days'::interval::text");
                    notes.query(statement, "SELECT current_setting('work_mem'), '3 days'::interval::text");
                }
            }
        });
    }

    private static Map<String, String> reported(Connection connection) throws SQLException {
        var parameters = new TreeMap<>(connection.unwrap(PGConnection.class).getParameterStatuses());
        return parameters;
    }

    @Test
    void whatTheDriverSetsLaterStaysSet() throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc();
                    var other = way.jdbc("ApplicationName=other");
                    var statement = connection.createStatement();
                    var onOther = other.createStatement()) {
                connection.setClientInfo("ApplicationName", "set later");
                statement.execute("CREATE SCHEMA IF NOT EXISTS later");
                connection.setSchema("later");
                statement.execute("SET TimeZone = 'Pacific/Apia'");
                statement.execute("SET IntervalStyle = 'iso_8601'");
                for (int i = 0; i < 5; i++) {
                    notes.query(
                            statement,
                            "SELECT current_setting('application_name'), current_setting('TimeZone'),"
                                    + " current_schema(), '3 days'::interval::text");
                    notes.query(
                            onOther,
                            "SELECT current_setting('application_name'), current_schema(),"
                                    + " '3 days'::interval::text");
                }
                notes.add(connection.getClientInfo("ApplicationName"));
                notes.add(reported(connection));
                notes.add(reported(other));
                connection.setAutoCommit(false);
                statement.execute("SET LOCAL TimeZone = 'UTC'");
                statement.execute("SET application_name = 'undone'");
                notes.query(statement, "SHOW TimeZone");
                connection.rollback();
                notes.query(statement, "SHOW TimeZone");
                notes.query(statement, "SHOW application_name");
                connection.commit();
                statement.execute("RESET ALL");
                connection.commit();
                notes.query(
                        statement,
                        "SELECT current_setting('TimeZone') <> 'Pacific/Apia',"
                                + " current_setting('application_name')");
                connection.commit();
            }
        });
    }

    @Test
    void sessionStateIsKeptForItsSession() throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc();
                    var other = way.jdbc();
                    var statement = connection.createStatement();
                    var onOther = other.createStatement()) {
                statement.execute("CREATE TEMPORARY TABLE mine (id int)");
                statement.execute("INSERT INTO mine VALUES (1), (2)");
                statement.execute("SELECT pg_advisory_lock(4711)");
                statement.execute("PREPARE doubles(int) AS SELECT $1 * 2 AS twice");
                statement.execute("SET work_mem = '9MB'");
                for (int i = 0; i < 3; i++) {
                    notes.query(statement, "SELECT count(*) FROM mine");
                    notes.query(statement, "EXECUTE doubles(" + i + ")");
                    notes.query(statement, "SHOW work_mem");
                    notes.query(onOther, "SELECT to_regclass('mine'), pg_try_advisory_lock(4711)");
                    notes.failure(() -> onOther.execute("EXECUTE doubles(1)"));
                }
                statement.execute("SELECT pg_advisory_unlock(4711)");
                notes.query(onOther, "SELECT pg_try_advisory_xact_lock(4711)");
                statement.execute("DISCARD ALL");
                notes.query(statement, "SELECT to_regclass('mine')");
                notes.failure(() -> statement.execute("EXECUTE doubles(1)"));
                statement.execute("SET ROLE pg_monitor");
                for (int i = 0; i < 3; i++) {
                    notes.query(statement, "SELECT current_user");
                    notes.query(onOther, "SELECT current_user");
                }
                statement.execute("RESET ROLE");
                notes.query(statement, "SELECT current_user");
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"any", "primary", "preferSecondary", "preferPrimary"})
    void targetServerTypesFindTheirServer(String type) throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc("targetServerType=" + type + "&loadBalanceHosts=true");
                    var statement = connection.createStatement()) {
                notes.add(connection.isValid(5));
                notes.query(statement, "SELECT pg_is_in_recovery()");
            }
        });
    }

    @Test
    void veryLargeValuesPassBothWays() throws Exception {
        ways.play((way, notes) -> {
            try (var connection = way.jdbc("prepareThreshold=1");
                    var echo = connection.prepareStatement("SELECT ?::bytea, repeat('y', 3000000), md5(?::text)")) {
                var large = new byte[4_000_000];
                for (int i = 0; i < large.length; i++) {
                    large[i] = (byte) (i * 31);
                }
                for (int use = 0; use < 3; use++) {
                    echo.setBytes(1, large);
                    echo.setString(2, "z".repeat(1_000_000 + use));
                    try (var rows = echo.executeQuery()) {
                        rows.next();
                        assertThat(rows.getBytes(1)).isEqualTo(large);
                        notes.add(rows.getString(2).length() + " " + rows.getString(3));
                    }
                }
            }
        });
    }

    private static String lines(int from, int to) {
        var text = new StringBuilder();
        for (int i = from; i < to; i++) {
            text.append(i).append("\tname ").append(i).append('\n');
        }
        return text.toString();
    }

    private static Reader brokenReader() {
        return new Reader() {
            private int reads;

            @Override
            public int read(char[] into, int offset, int length) throws IOException {
                if (reads++ > 3) {
                    throw new IOException("the file is gone");
                }
                var line = (reads + "\tline\n").toCharArray();
                System.arraycopy(line, 0, into, offset, line.length);
                return line.length;
            }

            @Override
            public void close() {}
        };
    }
}
