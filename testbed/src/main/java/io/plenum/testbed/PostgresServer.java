package io.plenum.testbed;

import java.sql.Connection;
import java.sql.SQLException;

/** One PostgreSQL server without standbys, with the roles and settings of {@link PostgresCluster}. */
public final class PostgresServer implements AutoCloseable {
    private final PostgresCluster cluster;

    private PostgresServer(PostgresCluster cluster) {
        this.cluster = cluster;
    }

    /** Starts a server; returns when it takes connections. */
    public static PostgresServer start() {
        return start(PostgresCluster.builder());
    }

    /** Starts a server of this version, with these settings and these hba lines. */
    public static PostgresServer start(PostgresCluster.Builder builder) {
        return new PostgresServer(builder.standbys(0).start());
    }

    /** The server itself, for stopping, freezing, settings. */
    public PostgresNode node() {
        return cluster.primary();
    }

    /** The major version that runs. */
    public int majorVersion() {
        return cluster.majorVersion();
    }

    /** The loopback address that the server listens on. */
    public String host() {
        return node().host();
    }

    /** The TCP port. */
    public int port() {
        return node().port();
    }

    /** The address of a database for pgjdbc, without user and password. */
    public String jdbcUrl(String database) {
        return node().jdbcUrl(database);
    }

    /** Connects as the superuser to the database postgres. */
    public Connection connect() throws SQLException {
        return node().connect();
    }

    /** Ends the server at once and removes its files. */
    @Override
    public void close() {
        cluster.close();
    }
}
