package io.plenum.pooler.drivers;

import io.plenum.testbed.PostgresCluster;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;

/**
 * An address that an application may use: PostgreSQL's own or the pooler's. The superuser gets in without a password.
 *
 * @param name for messages
 * @param host a loopback address
 * @param port its TCP port
 * @param database the same on both ways
 */
record Way(String name, String host, int port, String database) {
    static final String USER = PostgresCluster.SUPERUSER;

    String jdbcUrl() {
        return "jdbc:postgresql://" + host + ":" + port + "/" + database + "?user=" + USER;
    }

    Connection jdbc() throws SQLException {
        return jdbc("");
    }

    /** A session of pgjdbc with parameters of its URL: {@code a=b&c=d}. */
    Connection jdbc(String parameters) throws SQLException {
        return DriverManager.getConnection(jdbcUrl() + "&" + parameters);
    }
}
