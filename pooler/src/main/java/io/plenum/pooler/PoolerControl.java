package io.plenum.pooler;

import io.plenum.pooler.config.LoadResult;
import io.plenum.pooler.config.PoolerConfig;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * What command line and signals ask of a running pooler. Every method may be called by any thread and at any time,
 * after the end too; only {@link #awaitTermination} blocks.
 */
interface PoolerControl {
    /** The configuration in force. */
    PoolerConfig config();

    /**
     * SIGHUP: makes another configuration of the one in force and takes it over, wholly, unless it is refused. Until that is
     * over nobody else changes it.
     */
    CompletableFuture<LoadResult> change(Function<PoolerConfig, LoadResult> change);

    /** SIGUSR1: as PAUSE on the console. */
    void pause();

    /** SIGUSR2: as RESUME on the console. */
    void resume();

    /** Whether {@link #pause}, or PAUSE or SUSPEND on the console, holds everything back. */
    boolean isPaused();

    /** Whether a signal or SHUTDOWN has begun the end. */
    boolean isStopping();

    /** SIGTERM: no new clients, ends when the last client has left. */
    void stopWhenClientsAreGone();

    /** SIGINT: no new transactions, ends when the last server connection is free. */
    void stopWhenServersAreFree();

    /** SIGQUIT, or a second SIGTERM or SIGINT: ends at once. */
    void stopNow();

    /** Returns when the pooler has ended. */
    void awaitTermination() throws InterruptedException;
}
