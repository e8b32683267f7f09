package io.plenum.pooler.net;

import io.netty.channel.EventLoop;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * One event loop and what all its connections share.
 *
 * @param index from 0, without gaps
 * @param executor the thread that owns every connection of this loop
 */
public record Loop(int index, EventLoop executor, Transport transport) implements Executor {
    /** Runs the task on the loop: at once when the caller is there already, never when the loop has ended. */
    @Override
    public void execute(Runnable task) {
        if (executor.inEventLoop()) {
            task.run();
        } else {
            executeLater(task);
        }
    }

    /** Runs the task on the loop behind what that is at, also when the caller is there already; never when the loop has ended. */
    public void executeLater(Runnable task) {
        try {
            executor.execute(task);
        } catch (RejectedExecutionException ended) {
            // The process ends, and with the loop all that the task could have been about.
            assert executor.isShuttingDown() : ended;
        }
    }

    public boolean isCurrent() {
        return executor.inEventLoop();
    }
}
