package io.plenum.pooler;

import io.plenum.pooler.config.ConfigLoader;
import io.plenum.pooler.config.PoolerConfig;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has {@code auth_file} read again whenever it has changed, as PgBouncer does: scripts add users to it, and Kubernetes mounts
 * another Secret in its place, and nobody says RELOAD. In a thread of its own, for a look waits for the file system.
 */
final class AuthFileWatch {
    private static final Logger LOG = LoggerFactory.getLogger(AuthFileWatch.class);

    /** PgBouncer's janitor comes by as often. */
    private static final long PERIOD_MILLIS = 333;

    private final Supplier<PoolerConfig> config;
    private final Consumer<PoolerConfig> taker;

    private AuthFileWatch(Supplier<PoolerConfig> config, Consumer<PoolerConfig> taker) {
        this.config = config;
        this.taker = taker;
    }

    /** Looks until the end comes; {@code taker} gets what the file makes of the configuration in force. */
    static void start(Supplier<PoolerConfig> config, Consumer<PoolerConfig> taker, CountDownLatch end) {
        var watch = new AuthFileWatch(config, taker);
        Thread.ofVirtual().name("plenum-auth-file").start(() -> {
            try {
                while (!end.await(PERIOD_MILLIS, TimeUnit.MILLISECONDS)) {
                    watch.look();
                }
            } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
            }
        });
    }

    private void look() {
        try {
            PoolerConfig running = config.get();
            ConfigLoader.Users changed = ConfigLoader.changedUsers(running);
            if (changed == null || config.get() != running) { // a reload that came in between has read it
                return;
            }
            taker.accept(changed.config());
            if (changed.faults().isEmpty()) {
                LOG.info(
                        "event=auth_file_read users={}",
                        changed.config().userList().size());
            }
            changed.faults().forEach(fault -> LOG.error("{}; the users of before stay", fault));
        } catch (RuntimeException failure) {
            LOG.error("event=auth_file_failed", failure);
        }
    }
}
