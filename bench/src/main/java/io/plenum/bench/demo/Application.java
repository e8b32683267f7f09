package io.plenum.bench.demo;

import io.plenum.bench.process.BenchException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A program that opened JDBC connections once and keeps them: each runs one short read-only transaction after the other while the application
 * is running, and asks PostgreSQL itself which Pod it was.
 */
final class Application implements AutoCloseable {
    private static final String SQL =
            "SELECT host(inet_server_addr()), count(*) FROM generate_series(1, 20) AS g WHERE g > ?";

    private final Map<String, LongAdder> transactions = new ConcurrentHashMap<>();
    private volatile boolean running;
    private volatile boolean closed;
    private volatile @Nullable SQLException failure;

    /** Opens one connection for each URL. */
    Application(String... urls) {
        for (var url : urls) {
            Thread.ofVirtual().name("application " + url).start(() -> work(url));
        }
    }

    /** Works from now on, or pauses with the connections open. */
    void run(boolean run) {
        running = run;
        var broken = failure;
        if (broken != null) {
            throw new BenchException("the application was disturbed: " + broken.getMessage(), broken);
        }
    }

    /** What it counted so far. */
    Shares counted() {
        return new Shares(transactions.entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, pod -> pod.getValue().sum())));
    }

    private void work(String url) {
        var properties = new Properties();
        properties.setProperty("user", DemoCluster.USER);
        properties.setProperty("password", DemoCluster.PASSWORD);
        try (Connection connection = DriverManager.getConnection(url, properties)) {
            connection.setReadOnly(true);
            connection.setAutoCommit(false); // pgjdbc begins each transaction with BEGIN READ ONLY
            try (PreparedStatement statement = connection.prepareStatement(SQL)) {
                while (!closed) {
                    if (running) {
                        transact(connection, statement);
                    } else {
                        Thread.sleep(5);
                    }
                }
            }
        } catch (SQLException e) {
            if (!closed) {
                failure = e;
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void transact(Connection connection, PreparedStatement statement) throws SQLException {
        statement.setInt(1, 10);
        try (var rows = statement.executeQuery()) {
            rows.next();
            transactions
                    .computeIfAbsent(rows.getString(1), _ -> new LongAdder())
                    .increment();
        }
        connection.commit();
    }

    @Override
    public void close() {
        closed = true;
    }
}
