package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.sync;

import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.link.ScriptPlayer.Strangers;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;

/**
 * Two clients that hold one of two servers in turn, so that the script's next transaction runs on the other one. A script
 * that keeps its server keeps it.
 *
 * <p>For a pool of two that {@link PoolView} may look into.
 */
final class Swappers implements Strangers, AutoCloseable {
    private final PoolView pool;
    private WireClient holder;
    private WireClient free;
    private long swaps;

    Swappers(RunningPooler pooler) throws IOException {
        pool = new PoolView(pooler);
        holder = pooler.wire(Map.of("application_name", "swapper"));
        free = pooler.wire(Map.of("search_path", "pg_catalog"));
        holder.timeout(Duration.ofSeconds(5));
        free.timeout(Duration.ofSeconds(5));
        holder.rows("BEGIN; SELECT 1");
    }

    @Override
    public void meanwhile() throws IOException {
        if (pool.serversAtWork() > 1) {
            return; // the script keeps its server
        }
        free.rows("BEGIN; SELECT 1"); // on the server that the script has just used
        holder.send(parse("", "SELECT 'swapped'"), sync());
        holder.readUntilReady();
        holder.rows("COMMIT");
        WireClient next = holder;
        holder = free;
        free = next;
        swaps++;
    }

    /** How often the script's server was taken from it. */
    long swaps() {
        return swaps;
    }

    @Override
    public void close() throws IOException {
        holder.close();
        free.close();
        pool.close();
    }
}
