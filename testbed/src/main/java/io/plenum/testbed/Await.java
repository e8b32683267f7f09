package io.plenum.testbed;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits for what another process does, by looking again every few milliseconds, with an end. */
final class Await {
    private static final Duration INTERVAL = Duration.ofMillis(5);

    private Await() {}

    /** Returns as soon as the condition holds; after the limit throws with {@code what}, which is read only then. */
    static void until(Duration limit, Supplier<String> what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new TestbedException("after " + limit.toMillis() + " ms still not: " + what.get());
            }
            try {
                Thread.sleep(INTERVAL);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new TestbedException("interrupted while waiting for: " + what.get(), e);
            }
        }
    }
}
