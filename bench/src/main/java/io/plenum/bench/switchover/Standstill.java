package io.plenum.bench.switchover;

import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import io.plenum.testbed.TestbedException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * What servers and pooler say of themselves while no write comes through although there is a primary: for whoever reads of a
 * run that nobody watched. Says whether PostgreSQL is what waits (its sessions wait for a standby) or the pooler is.
 */
final class Standstill {
    private static final String SESSIONS = """
        SELECT coalesce(string_agg(line, ', '), 'none') FROM (
            SELECT format('%s %s %s', count(*), state, coalesce(wait_event, 'running')) AS line
            FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
            GROUP BY state, wait_event) AS lines
        """;
    private static final String SENDERS = """
        SELECT coalesce(string_agg(format('%s %s %s', application_name, state, sync_state), ', '), 'none')
        FROM pg_stat_replication
        """;
    private static final String RECEIVER = """
        SELECT format('receiver %s, received %s, replayed %s',
            coalesce((SELECT status FROM pg_stat_wal_receiver), 'none'),
            pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
        """;
    private static final List<String> TABLES = List.of("NODES", "POOLS");

    private Standstill() {}

    /** A line for each thing that may be what writes wait for. */
    static List<String> witness(PostgresCluster cluster, Connection console) {
        List<String> lines = new ArrayList<>();
        PostgresNode primary = cluster.primary();
        lines.add("sessions of %s: %s".formatted(primary, answer(primary, SESSIONS)));
        lines.add("senders of %s: %s".formatted(primary, answer(primary, SENDERS)));
        for (PostgresNode standby : cluster.standbys()) {
            if (standby.isRunning()) {
                lines.add("%s: %s".formatted(standby, answer(standby, RECEIVER)));
            }
        }
        for (String table : TABLES) {
            show(console, table, lines);
        }
        return lines;
    }

    private static String answer(PostgresNode node, String sql) {
        try {
            return String.valueOf(node.query(sql));
        } catch (TestbedException e) {
            return "no answer, " + e.getMessage();
        }
    }

    private static void show(Connection console, String table, List<String> lines) {
        try (var statement = console.createStatement();
                ResultSet rows = statement.executeQuery("SHOW " + table)) {
            while (rows.next()) {
                var line = new StringBuilder(table);
                for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                    line.append(' ')
                            .append(rows.getMetaData().getColumnName(i))
                            .append('=')
                            .append(rows.getString(i));
                }
                lines.add(line.toString());
            }
        } catch (SQLException e) {
            lines.add("SHOW " + table + " failed: " + e.getMessage());
        }
    }
}
