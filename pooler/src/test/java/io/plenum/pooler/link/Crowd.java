package io.plenum.pooler.link;

import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.link.ScriptPlayer.Strangers;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Strangers who swap the script's server, and now and then one who leaves a mess on it, under the names that generated
 * conversations use.
 */
final class Crowd implements Strangers, AutoCloseable {
    private static final List<String> MESSES = List.of(
            "SET work_mem = '3MB'",
            "SET application_name = 'stranger'",
            "SET search_path = pg_temp",
            "SET DateStyle = german",
            "SET standard_conforming_strings = off",
            "SET default_transaction_read_only = on",
            "SET client_encoding = 'SQL_ASCII'",
            "SET ROLE app",
            "SET SESSION AUTHORIZATION app",
            "SELECT set_config('work_mem', '2MB', false)",
            "CREATE TEMP TABLE t1 (of_the_stranger int)",
            "CREATE TEMP TABLE work (of_the_stranger int)",
            "PREPARE q1 AS SELECT 'of the stranger'",
            "DECLARE c1 CURSOR WITH HOLD FOR SELECT 'of the stranger'",
            "SELECT pg_advisory_lock(9021)",
            "LISTEN heard",
            "SELECT nextval('untouched')");

    private final RunningPooler pooler;
    private final PoolView pool;
    private final Swappers swappers;
    private Random random = new Random(0);

    Crowd(RunningPooler pooler) throws IOException {
        this.pooler = pooler;
        this.pool = new PoolView(pooler);
        this.swappers = new Swappers(pooler);
    }

    /** What happens next depends on this alone. */
    void gather(long seed) {
        random = new Random(seed);
    }

    @Override
    public void meanwhile() throws IOException {
        if (random.nextInt(12) == 0 && pool.serversAtWork() <= 1) {
            leaveAMess(MESSES.get(random.nextInt(MESSES.size())));
        }
        if (random.nextInt(4) > 0) {
            swappers.meanwhile();
        }
    }

    private void leaveAMess(String sql) throws IOException {
        try (WireClient stranger = pooler.wire(Map.of("application_name", "a stranger"))) {
            stranger.rows(sql);
        }
    }

    long swaps() {
        return swappers.swaps();
    }

    @Override
    public void close() throws IOException {
        swappers.close();
        pool.close();
    }
}
