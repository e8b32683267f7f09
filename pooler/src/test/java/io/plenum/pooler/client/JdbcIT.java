package io.plenum.pooler.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.PostgresServer;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;
import org.postgresql.largeobject.LargeObjectManager;

/** pgjdbc as it comes, and HikariCP on top of it, in transaction mode with fewer servers than clients. */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class JdbcIT {
    private final PostgresServer server = RunningPooler.sharedServer();
    private RunningPooler pooler;

    @BeforeAll
    void start() throws Exception {
        pooler = RunningPooler.start(server, "default_pool_size = 2");
        try (var connection = pooler.connect();
                var statement = connection.createStatement()) {
            statement.execute("DROP TABLE IF EXISTS item");
            statement.execute("CREATE TABLE item (id int PRIMARY KEY, name text, made timestamptz DEFAULT now())");
        }
    }

    @AfterAll
    void stop() {
        pooler.close();
    }

    /** The driver names its statements from the fifth use on, and asks for binary results. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "prepareThreshold=1",
                "prepareThreshold=0",
                "preferQueryMode=simple",
                "preferQueryMode=extendedForPrepared"
            })
    void preparedStatementsWorkOnWhateverServer(String parameters) throws Exception {
        List<Connection> connections = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            connections.add(pooler.connect(parameters));
        }
        for (int round = 0; round < 20; round++) {
            for (var connection : connections) {
                try (var statement = connection.prepareStatement("SELECT ?::int + 1, ?")) {
                    statement.setInt(1, round);
                    statement.setString(2, "r" + round);
                    try (var rows = statement.executeQuery()) {
                        assertThat(rows.next()).isTrue();
                        assertThat(rows.getInt(1)).isEqualTo(round + 1);
                        assertThat(rows.getString(2)).isEqualTo("r" + round);
                    }
                }
            }
        }
        for (var connection : connections) {
            connection.close();
        }
    }

    @Test
    void oneStatementIsKeptAcrossServers() throws Exception {
        try (var mine = pooler.connect("prepareThreshold=1");
                var holder = pooler.connect();
                var statement = mine.prepareStatement("SELECT pg_backend_pid(), ?::text")) {
            holder.setAutoCommit(false);
            for (int i = 0; i < 20; i++) {
                statement.setString(1, "t" + i);
                assertThat(statement.getMetaData().getColumnCount()).isEqualTo(2);
                assertThat(statement.getParameterMetaData().getParameterCount()).isEqualTo(1);
                try (var rows = statement.executeQuery()) {
                    rows.next();
                    assertThat(rows.getString(2)).isEqualTo("t" + i);
                }
                holder.createStatement().execute("SELECT 1"); // takes the server that was used last
                if (i % 2 == 1) {
                    holder.rollback();
                }
            }
        }
    }

    @Test
    void batchesAndGeneratedKeys() throws Exception {
        try (var connection = pooler.connect("reWriteBatchedInserts=false");
                var insert = connection.prepareStatement(
                        "INSERT INTO item (id, name) VALUES (?, ?)", new String[] {"id", "made"})) {
            connection.createStatement().execute("TRUNCATE item");
            for (int i = 0; i < 500; i++) {
                insert.setInt(1, i);
                insert.setString(2, "n" + i);
                insert.addBatch();
            }
            assertThat(insert.executeBatch()).hasSize(500).containsOnly(1);
            try (var keys = insert.getGeneratedKeys()) {
                int count = 0;
                while (keys.next()) {
                    count++;
                }
                assertThat(count).isEqualTo(500);
            }
        }
    }

    @Test
    void batchWithAnErrorInTheMiddle() throws Exception {
        try (var connection = pooler.connect();
                var insert = connection.prepareStatement("INSERT INTO item (id) VALUES (?)")) {
            connection.createStatement().execute("TRUNCATE item");
            for (int id : new int[] {1, 2, 1, 3}) {
                insert.setInt(1, id);
                insert.addBatch();
            }
            assertThatThrownBy(insert::executeBatch)
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("item_pkey");
            assertThat(count(connection)).isZero(); // the driver sends one group, so PostgreSQL undoes all of it
        }
    }

    @Test
    void transactionsAndSavepoints() throws Exception {
        try (var connection = pooler.connect("autosave=always");
                var statement = connection.createStatement()) {
            statement.execute("TRUNCATE item");
            connection.setAutoCommit(false);
            statement.execute("INSERT INTO item (id) VALUES (1)");
            var savepoint = connection.setSavepoint();
            statement.execute("INSERT INTO item (id) VALUES (2)");
            connection.rollback(savepoint);
            assertThatThrownBy(() -> statement.execute("SELECT 1/0")).isInstanceOf(SQLException.class);
            statement.execute("INSERT INTO item (id) VALUES (3)");
            connection.commit();
            assertThat(count(connection)).isEqualTo(2);
            connection.rollback();
            connection.setReadOnly(true);
            assertThatThrownBy(() -> statement.execute("INSERT INTO item (id) VALUES (4)"))
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            refused -> assertThat(refused.getSQLState()).isEqualTo("25006"));
            connection.rollback();
            connection.setReadOnly(false);
            connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            statement.execute("INSERT INTO item (id) VALUES (5)");
            connection.commit();
        }
    }

    @Test
    void cursorsReadInPortions() throws Exception {
        try (var connection = pooler.connect();
                var statement = connection.prepareStatement("SELECT generate_series(1, 1000)")) {
            connection.setAutoCommit(false);
            statement.setFetchSize(7);
            try (var rows = statement.executeQuery()) {
                int sum = 0;
                while (rows.next()) {
                    sum += rows.getInt(1);
                }
                assertThat(sum).isEqualTo(500_500);
            }
            connection.commit();
        }
    }

    @Test
    void copyInAndOut() throws Exception {
        try (var connection = pooler.connect()) {
            var copy = connection.unwrap(PGConnection.class).getCopyAPI();
            connection.createStatement().execute("TRUNCATE item");
            var text = new StringBuilder();
            for (int i = 0; i < 5_000; i++) {
                text.append(i).append("\tname ").append(i).append('\n');
            }
            assertThat(copy.copyIn("COPY item (id, name) FROM STDIN", new StringReader(text.toString())))
                    .isEqualTo(5_000);
            var out = new StringWriter();
            copy.copyOut("COPY (SELECT id, name FROM item ORDER BY id) TO STDOUT", out);
            assertThat(out).hasToString(text.toString());
            assertThatThrownBy(() -> copy.copyIn("COPY item (id) FROM STDIN", new StringReader("1\n")))
                    .isInstanceOf(SQLException.class);
            assertThat(count(connection)).isEqualTo(5_000);
        }
    }

    @Test
    void largeObjects() throws Exception {
        try (var connection = pooler.connect()) {
            connection.setAutoCommit(false);
            var objects = connection.unwrap(PGConnection.class).getLargeObjectAPI();
            byte[] content = "large ".repeat(50_000).getBytes(StandardCharsets.UTF_8);
            long id = objects.createLO(LargeObjectManager.READWRITE);
            try (var object = objects.open(id, LargeObjectManager.WRITE)) {
                object.write(content);
            }
            connection.commit();
            try (var object = objects.open(id, LargeObjectManager.READ)) {
                assertThat(object.read(content.length)).isEqualTo(content);
            }
            objects.delete(id);
            connection.commit();
        }
    }

    @Test
    void cancelAndQueryTimeout() throws Exception {
        try (var connection = pooler.connect();
                var statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            assertThatThrownBy(() -> statement.execute("SELECT pg_sleep(20)"))
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            canceled -> assertThat(canceled.getSQLState()).isEqualTo("57014"));
            statement.setQueryTimeout(0);
            assertThat(statement.execute("SELECT 1")).isTrue();
        }
    }

    @Test
    void metadataIsAnswered() throws Exception {
        try (var connection = pooler.connect()) {
            var data = connection.getMetaData();
            assertThat(data.getDatabaseMajorVersion()).isGreaterThanOrEqualTo(15);
            try (var columns = data.getColumns(null, "public", "item", "%")) {
                int count = 0;
                while (columns.next()) {
                    count++;
                }
                assertThat(count).isEqualTo(3);
            }
            assertThat(data.getTables(null, null, "item", null).next()).isTrue();
            assertThat(connection.isValid(2)).isTrue();
            connection.setClientInfo("ApplicationName", "from jdbc");
            assertThat(connection.getClientInfo("ApplicationName")).isEqualTo("from jdbc");
            connection.setSchema("pg_catalog");
            assertThat(connection.getSchema()).isEqualTo("pg_catalog");
        }
    }

    @Test
    void hikariOnTopOfUs() throws Exception {
        var config = new HikariConfig();
        config.setJdbcUrl(pooler.jdbcUrl());
        config.setUsername("postgres");
        config.setMaximumPoolSize(8);
        try (var source = new HikariDataSource(config);
                var threads = Executors.newFixedThreadPool(16)) {
            List<Future<Integer>> work = new ArrayList<>();
            for (int i = 0; i < 400; i++) {
                int token = i;
                work.add(threads.submit(() -> {
                    try (var connection = source.getConnection();
                            var statement = connection.prepareStatement("SELECT ?::int * 2")) {
                        connection.setAutoCommit(token % 3 != 0);
                        statement.setInt(1, token);
                        try (var rows = statement.executeQuery()) {
                            rows.next();
                            int answer = rows.getInt(1);
                            if (!connection.getAutoCommit()) {
                                connection.commit();
                            }
                            return answer;
                        }
                    }
                }));
            }
            for (int i = 0; i < work.size(); i++) {
                assertThat(work.get(i).get()).isEqualTo(2 * i);
            }
        }
    }

    private static int count(Connection connection) throws SQLException {
        try (var rows = connection.createStatement().executeQuery("SELECT count(*) FROM item")) {
            rows.next();
            return rows.getInt(1);
        }
    }
}
