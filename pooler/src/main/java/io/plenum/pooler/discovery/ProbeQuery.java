package io.plenum.pooler.discovery;

import io.plenum.routing.causal.Lsn;
import io.plenum.routing.topology.Observation;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.backend.DataRow;
import org.jspecify.annotations.Nullable;

/** What a node is asked, and how its answer reads. */
enum ProbeQuery {
    /**
     * All that we want to know; every role may ask it unless somebody revoked that.
     *
     * <p>The timeline of a primary is the one of its WAL file's name: pg_control still has the old one until the first
     * checkpoint behind a promotion. That of a standby is NULL without pg_read_all_stats, but that there is a WAL receiver
     * is told to everybody. A role changes only once in a
     * server's life, from standby to primary, so it is asked once and the rest follows from it.
     */
    FULL("""
        SELECT standby,
            (SELECT system_identifier FROM pg_catalog.pg_control_system()),
            CASE WHEN standby
                THEN (SELECT pg_catalog.to_hex(received_tli) FROM pg_catalog.pg_stat_wal_receiver)
                ELSE pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8)
            END,
            CASE WHEN standby
                THEN pg_catalog.pg_last_wal_replay_lsn()
                ELSE pg_catalog.pg_current_wal_insert_lsn()
            END,
            (extract(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000000)::pg_catalog.int8,
            NOT standby OR EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver)
        FROM pg_catalog.pg_is_in_recovery() AS standby\
        """),

    /** The role alone, for servers that refuse the rest. */
    ROLE("SELECT pg_catalog.pg_is_in_recovery()");

    private final String sql;

    ProbeQuery(String sql) {
        this.sql = sql;
    }

    String sql() {
        return sql;
    }

    /** Reads the row; a {@link ProtocolException} when it is not what was asked for. */
    ProbeResult.Answered read(DataRow row, long nowNanos) {
        String standby = row.value(0);
        if (standby == null || !(standby.equals("t") || standby.equals("f"))) {
            throw new ProtocolException("pg_is_in_recovery() is " + standby);
        }
        boolean inRecovery = standby.equals("t");
        if (this == ROLE) {
            return new ProbeResult.Answered(new Observation(inRecovery, 0, 0, 0, nowNanos), 0);
        }
        try {
            var seen = new Observation(
                    inRecovery,
                    number(row.value(1)),
                    timeline(row.value(2)),
                    lsn(row.value(3)),
                    nowNanos,
                    !"f".equals(row.value(5)));
            return new ProbeResult.Answered(seen, number(row.value(4)));
        } catch (NumberFormatException malformed) {
            throw new ProtocolException("malformed answer to a probe: " + row);
        }
    }

    private static long number(@Nullable String text) {
        return text == null ? 0 : Long.parseLong(text);
    }

    private static int timeline(@Nullable String hex) {
        return hex == null ? 0 : Integer.parseUnsignedInt(hex, 16);
    }

    private static long lsn(@Nullable String text) {
        if (text == null) {
            return 0;
        }
        long lsn = Lsn.parse(text);
        if (lsn == Lsn.MALFORMED) {
            throw new NumberFormatException(text);
        }
        return lsn;
    }
}
