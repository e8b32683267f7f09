package io.plenum.pooler.pool;

import io.plenum.pooler.net.Loop;
import java.util.concurrent.TimeUnit;

/** Runs a task on an event loop after a while; asked for again before that, it runs once. Confined to that loop. */
final class LaterOnce {
    private final Loop loop;
    private final Runnable task;
    private boolean planned;

    LaterOnce(Loop loop, Runnable task) {
        this.loop = loop;
        this.task = task;
    }

    void in(long nanos) {
        if (!planned) {
            planned = true;
            loop.executor().schedule(this::run, nanos, TimeUnit.NANOSECONDS);
        }
    }

    private void run() {
        planned = false;
        task.run();
    }
}
