package io.plenum.bench.rig;

import io.plenum.pooler.Pooler;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;

/** Plenum in this JVM before the nodes of a cluster, and how clients of JDBC reach it. */
public final class ClusterPlenum implements AutoCloseable {
    /** The database of the cluster that clients use. */
    public static final String DATABASE = "app";

    private final Pooler pooler;

    private ClusterPlenum(Pooler pooler) {
        this.pooler = pooler;
    }

    /** Starts it before all nodes; {@code settings} are lines of the section [pgbouncer]. */
    public static ClusterPlenum start(PostgresCluster cluster, String... settings) {
        String hosts = cluster.nodes().stream().map(PostgresNode::host).collect(Collectors.joining(","));
        return start(hosts, cluster.primary().port(), settings);
    }

    /** The same where the nodes are reached elsewhere: {@code hosts} has commas between them. */
    public static ClusterPlenum start(String hosts, int port, String... settings) {
        var ini = """
            [databases]
            %s = host=%s port=%d

            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = 0
            auth_type = trust
            log_connections = 0
            log_disconnections = 0
            %s
            """.formatted(DATABASE, hosts, port, String.join("\n", settings));
        return new ClusterPlenum(Pooler.start(PoolerConfig.parse(ini, Path.of(""))));
    }

    /** A session of the superuser with the database. */
    public Connection connect() throws SQLException {
        return connect(DATABASE, Map.of());
    }

    /** The same with another database, the console's for one, and properties of the driver. */
    public Connection connect(String database, Map<String, String> more) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", PostgresCluster.SUPERUSER);
        properties.putAll(more);
        int port = pooler.addresses().getFirst().getPort();
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:%d/%s".formatted(port, database), properties);
    }

    @Override
    public void close() {
        pooler.close();
    }
}
