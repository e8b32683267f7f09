package io.plenum.pooler;

import io.plenum.pooler.metrics.HttpServer;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
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

    private final Supplier<HttpServer> opening;
    private @Nullable HttpServer server; // guarded by this
    private boolean closed; // guarded by this

    private HttpPage(Supplier<HttpServer> opening) {
        this.opening = opening;
    }

    /** Opens it now, or later; {@code opening} fails with an UncheckedIOException where it cannot be yet. */
    static HttpPage open(Supplier<HttpServer> opening) {
        var page = new HttpPage(opening);
        try {
            page.take(opening.get());
        } catch (UncheckedIOException cannotListen) {
            LOG.error(
                    "event=no_http reason=\"{}\" retried_every_s={} hint=\"http_listen_port = 0 turns the page off\"",
                    cannotListen.getMessage(),
                    RETRY.toSeconds());
            Thread.ofVirtual().name("plenum-http").start(page::retry);
        }
        return page;
    }

    private void retry() {
        while (!isOver()) {
            try {
                Thread.sleep(RETRY);
                take(opening.get());
                LOG.info("event=http_opened");
            } catch (UncheckedIOException still) {
                LOG.debug("event=no_http_yet reason=\"{}\"", still.getMessage());
            } catch (InterruptedException | RejectedExecutionException ended) { // the loops are
                return;
            }
        }
    }

    private synchronized boolean isOver() {
        return closed || server != null;
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
