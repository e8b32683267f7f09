package io.plenum.bench.compare;

import io.plenum.bench.process.PoolerProcess;
import io.plenum.bench.process.ProcessUsage;
import org.jspecify.annotations.Nullable;

/**
 * One of those compared: a pooler, or PostgreSQL itself.
 *
 * @param name as in the tables
 * @param warms whether it compiles while it runs, so that its first seconds say nothing
 */
record Rival(String name, String host, int port, @Nullable PoolerProcess process, boolean warms)
        implements AutoCloseable {

    ProcessUsage usage() {
        return process == null ? new ProcessUsage(0, 0, 0) : process.usage();
    }

    @Override
    public void close() {
        if (process != null) {
            process.close();
        }
    }
}
