package io.plenum.bench.rig;

import io.plenum.bench.process.BenchException;
import io.plenum.testbed.PostgresCluster;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/**
 * Rows that a session counts up and reads back: what it wrote itself it must see, whatever node answers, and no row ever goes
 * down. A session belongs to one thread at a time.
 */
public final class Counters implements AutoCloseable {
    private final PreparedStatement write;
    private final PreparedStatement read;

    /** What a row held, and the name of the node that said so. */
    public record Seen(int value, String node) {}

    private Counters(PreparedStatement write, PreparedStatement read) {
        this.write = write;
        this.read = read;
    }

    /** Makes the rows, which are numbered from 0, and the view {@code whoami} with the name of the node that reads it. */
    public static void make(PostgresCluster cluster, int rows) {
        try (var connection = cluster.primary().connect(ClusterPlenum.DATABASE, PostgresCluster.SUPERUSER, "");
                var statement = connection.createStatement()) {
            statement.execute("CREATE VIEW whoami AS SELECT current_setting('cluster_name') AS node");
            statement.execute("CREATE TABLE counters (id int PRIMARY KEY, n int)");
            statement.execute("INSERT INTO counters SELECT i, 0 FROM generate_series(0, %d) i".formatted(rows - 1));
        } catch (SQLException e) {
            throw new BenchException("cannot make the tables", e);
        }
    }

    /** The rows as this session sees them. */
    public static Counters in(Connection session) throws SQLException {
        return new Counters(
                session.prepareStatement("UPDATE counters SET n = n + 1 WHERE id = ? RETURNING n"),
                session.prepareStatement("SELECT n, node FROM counters, whoami WHERE id = ?"));
    }

    /** Counts the row up; gives what it holds then. */
    public int countUp(int id) throws SQLException {
        write.setInt(1, id);
        try (var rows = write.executeQuery()) {
            rows.next();
            return rows.getInt(1);
        }
    }

    public Seen read(int id) throws SQLException {
        read.setInt(1, id);
        try (var rows = read.executeQuery()) {
            rows.next();
            return new Seen(rows.getInt(1), rows.getString(2));
        }
    }

    @Override
    public void close() throws SQLException {
        try (write) {
            read.close();
        }
    }
}
