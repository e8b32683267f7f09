package io.plenum.pooler.auth;

import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The part of logins that hashes thousands of times or waits for somebody, on threads of its own; what waits is bounded,
 * and those who look like guessing wait behind all others. Any thread.
 */
final class SlowWork implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SlowWork.class);

    /** Whose work goes first; declared from the first to the last. */
    enum Urgency {
        USUAL,
        SUSPECT
    }

    private final int mostWaiting;
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicLong order = new AtomicLong();
    private final ThreadPoolExecutor threads;

    private record Task(Urgency urgency, long order, Runnable work) implements Runnable, Comparable<Task> {
        @Override
        public void run() {
            work.run();
        }

        @Override
        public int compareTo(Task other) {
            int byUrgency = urgency.compareTo(other.urgency);
            return byUrgency != 0 ? byUrgency : Long.compare(order, other.order);
        }
    }

    SlowWork(String name, int threadCount, int mostWaiting) {
        this.mostWaiting = mostWaiting;
        threads = new ThreadPoolExecutor(
                threadCount,
                threadCount,
                30,
                TimeUnit.SECONDS,
                new PriorityBlockingQueue<>(),
                Thread.ofPlatform().daemon().name("plenum-" + name + "-", 0).factory());
        threads.allowCoreThreadTimeOut(true);
    }

    /** Has the work done soon; false, and it will not be done, when too much waits. Suspects get half the room. */
    boolean run(Urgency urgency, Runnable work) {
        int most = urgency == Urgency.USUAL ? mostWaiting : mostWaiting / 2;
        if (waiting.incrementAndGet() > most) {
            waiting.decrementAndGet();
            return false;
        }
        threads.execute(new Task(urgency, order.getAndIncrement(), () -> {
            waiting.decrementAndGet();
            try {
                work.run();
            } catch (RuntimeException failure) {
                LOG.error("event=login_work_failed", failure);
            }
        }));
        return true;
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
