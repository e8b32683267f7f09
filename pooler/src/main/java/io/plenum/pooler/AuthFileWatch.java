package io.plenum.pooler;

import io.plenum.pooler.config.ConfigLoader;
import io.plenum.pooler.config.LoadResult;
import io.plenum.pooler.config.PoolerConfig;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
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

    private final Changes changes;

    private AuthFileWatch(Changes changes) {
        this.changes = changes;
    }

    /** Where the configuration is changed. */
    interface Changes {
        CompletableFuture<LoadResult> change(Function<PoolerConfig, LoadResult> change);
    }

    /** Looks until the end comes, and puts in force what the file makes of the configuration. */
    static void start(Changes changes, CountDownLatch end) {
        var watch = new AuthFileWatch(changes);
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
        var seen = new AtomicReference<ConfigLoader.@Nullable Users>();
        try {
            changes.change(running -> {
                        ConfigLoader.Users changed = ConfigLoader.changedUsers(running);
                        seen.set(changed);
                        return new LoadResult.Loaded(changed == null ? running : changed.config());
                    })
                    .join();
        } catch (CompletionException failure) {
            if (!(failure.getCause() instanceof RejectedExecutionException)) { // which is the end
                LOG.error("event=auth_file_failed", failure);
            }
        }
        ConfigLoader.Users changed = seen.get();
        if (changed != null && changed.faults().isEmpty()) {
            LOG.info(
                    "event=auth_file_read users={}", changed.config().userList().size());
        } else if (changed != null) {
            changed.faults().forEach(fault -> LOG.error("{}; the users of before stay", fault));
        }
    }
}
