package io.plenum.pooler.discovery;

import io.plenum.pooler.Pooler;
import io.plenum.pooler.config.PoolerConfig;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Properties;

/** A pooler in this JVM whose database {@code app} is what the test says, and connections to it by pgjdbc. */
final class RunningPooler implements AutoCloseable {
    private final Pooler pooler;
    private final List<Connection> connections = Collections.synchronizedList(new ArrayList<>());

    private RunningPooler(Pooler pooler) {
        this.pooler = pooler;
    }

    /** {@code entry} is what stands behind {@code app =}; {@code settings} are lines of their section. */
    static RunningPooler start(String entry, String... settings) {
        String ini = """
            [databases]
            app = %s
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = 0
            auth_type = trust
            event_loops = 2
            default_pool_size = 8
            %s
            """.formatted(entry, String.join("\n", settings));
        return new RunningPooler(Pooler.start(PoolerConfig.parse(ini, Path.of(""))));
    }

    Pooler pooler() {
        return pooler;
    }

    /** An autocommit connection as a user whom PostgreSQL lets in without a password. */
    Connection connect() throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", "postgres");
        properties.setProperty("password", "");
        properties.setProperty("connectTimeout", "20");
        properties.setProperty("socketTimeout", "60");
        var connection = DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:%d/app"
                        .formatted(pooler.addresses().getFirst().getPort()),
                properties);
        connections.add(connection);
        return connection;
    }

    @Override
    public void close() throws SQLException {
        for (Connection connection : List.copyOf(connections)) {
            connection.close();
        }
        pooler.close();
    }
}
