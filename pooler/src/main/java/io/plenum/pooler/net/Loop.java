package io.plenum.pooler.net;

import io.netty.channel.EventLoop;
import java.util.concurrent.Executor;

/**
 * One event loop and what all its connections share.
 *
 * @param index from 0, without gaps
 * @param executor the thread that owns every connection of this loop
 */
public record Loop(int index, EventLoop executor, Transport transport) implements Executor {
    /** Runs the task on the loop: at once when the caller is there already. */
    @Override
    public void execute(Runnable task) {
        if (executor.inEventLoop()) {
            task.run();
        } else {
            executor.execute(task);
        }
    }

    public boolean isCurrent() {
        return executor.inEventLoop();
    }
}
