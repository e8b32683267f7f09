package io.plenum.pooler.admin;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.LoadResult;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.pool.Pause;
import io.plenum.routing.topology.Topology;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/** What the console asks of the whole pooler. Any thread; nothing here blocks. A database is given by name, all by "". */
public interface Controls {
    /** The configuration in force. */
    PoolerConfig config();

    /** Reads the configuration anew and takes it over, wholly or not at all; completes when every loop works by it. */
    CompletionStage<LoadResult> reload();

    /** Changes one setting until the next reload; completes when every loop works by it. */
    CompletionStage<LoadResult> set(String setting, String text);

    /**
     * What of the database is not given out any more; it ends by itself after {@code longest}, if that is not zero. A
     * second pause of the same takes the place of the first.
     */
    void pause(String database, Pause what, Duration longest);

    /** Ends a pause of the same. */
    void resume(String database);

    /** Whether exactly this was paused and not resumed. */
    boolean isPaused(String database);

    /** What of the database is not given out now, whoever paused it. */
    Pause pauseOf(String database);

    /** What is known of the database's nodes now. */
    Topology topology(DatabaseConfig database);

    /** Clients are read no more, save those of the console. */
    void suspend();

    /** Ends that. */
    void endSuspend();

    boolean isSuspended();

    /** Ends at once. */
    void stopNow();

    /** No new clients and transactions; ends when the running transactions have. */
    void stopWhenServersAreFree();

    /** No new clients; ends when the last has left by itself. */
    void stopWhenClientsHaveLeft();
}
