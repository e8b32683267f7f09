package io.plenum.pooler;

import io.plenum.pooler.metrics.HttpServer;
import io.plenum.pooler.net.Loop;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP page, opened as soon as its address can be had: a process that we took over from has it until its last client has
 * left. Without the page the pooler still pools, so that is an error to be read, not an end. Any thread.
 */
final class HttpPage implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HttpPage.class);
    private static final Duration RETRY = Duration.ofSeconds(2);

    private final Loop control;
    private final Supplier<HttpServer> opening;
    private @Nullable HttpServer server; // guarded by this
    private boolean closed; // guarded by this

    private HttpPage(Loop control, Supplier<HttpServer> opening) {
        this.control = control;
        this.opening = opening;
    }

    /** Opens it now, or later; {@code opening}, which may wait, fails with an UncheckedIOException where it cannot be yet. */
    static HttpPage open(Loop control, Supplier<HttpServer> opening) {
        var page = new HttpPage(control, opening);
        try {
            page.take(opening.get());
        } catch (UncheckedIOException cannotListen) {
            LOG.error(
                    "event=no_http reason=\"{}\" retried_every_s={} hint=\"http_listen_port = 0 turns the page off\"",
                    cannotListen.getMessage(),
                    RETRY.toSeconds());
            page.retryLater();
        }
        return page;
    }

    private void retryLater() {
        var _ = control.executor().schedule(this::startRetry, RETRY.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void startRetry() {
        Thread.ofVirtual().name("plenum-http").start(this::retry);
    }

    private void retry() {
        try {
            if (!isClosed() && !opens()) {
                retryLater();
            }
        } catch (RejectedExecutionException ended) {
            LOG.debug("event=http_after_the_end");
        }
    }

    private boolean opens() {
        try {
            take(opening.get());
            LOG.info("event=http_opened");
            return true;
        } catch (UncheckedIOException still) {
            LOG.debug("event=no_http_yet reason=\"{}\"", still.getMessage());
            return false;
        }
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    private synchronized void take(HttpServer opened) {
        if (closed) {
            opened.close();
        } else {
            server = opened;
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (server != null) {
            server.close();
        }
    }
}
