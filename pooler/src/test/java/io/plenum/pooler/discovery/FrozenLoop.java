package io.plenum.pooler.discovery;

import io.netty.channel.embedded.EmbeddedChannel;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.net.Transport;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** A control loop on which time passes only when the test says so. */
final class FrozenLoop {
    private static final Duration STEP = Duration.ofMillis(10);

    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final Loop loop = new Loop(-1, channel.eventLoop(), Transport.NIO);

    FrozenLoop() {
        channel.freezeTime();
    }

    Loop loop() {
        return loop;
    }

    LongSupplier clock() {
        return channel.eventLoop().ticker()::nanoTime;
    }

    /** Lets time pass and runs what is due, in steps. */
    void pass(Duration time) {
        for (long left = time.toNanos(); left > 0; left -= STEP.toNanos()) {
            channel.advanceTimeBy(Math.min(left, STEP.toNanos()), TimeUnit.NANOSECONDS);
            channel.runScheduledPendingTasks();
            channel.runPendingTasks();
        }
    }
}
