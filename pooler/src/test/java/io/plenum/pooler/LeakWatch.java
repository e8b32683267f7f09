package io.plenum.pooler;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/**
 * Fails a test class when Netty reports a buffer that nobody released, or when the pooler logs an event that is our bug:
 * replies that do not match, a handler that threw.
 */
public final class LeakWatch implements BeforeAllCallback, AfterAllCallback {
    private static final List<String> OUR_BUGS = List.of(
            "event=reply_mismatch",
            "event=server_failure",
            "event=client_failure",
            "event=server_move_failed",
            "event=server_protocol_violation");

    private final List<String> reported = new CopyOnWriteArrayList<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            String text = event.getFormattedMessage();
            boolean leak = event.getLoggerName().equals(ResourceLeakDetector.class.getName());
            boolean uncaught = text.contains("exceptionCaught()") || text.contains("was thrown by");
            if (leak || uncaught || OUR_BUGS.stream().anyMatch(text::startsWith)) {
                reported.add(text);
            }
        }
    };

    @Override
    public void beforeAll(ExtensionContext context) {
        appender.start();
        root().addAppender(appender);
    }

    @Override
    public void afterAll(ExtensionContext context) throws InterruptedException {
        for (int i = 0; i < 3; i++) {
            System.gc(); // the detector learns of a lost buffer when it is collected, and tells at the next allocation
            Thread.sleep(30);
            for (int k = 0; k < 200; k++) {
                PooledByteBufAllocator.DEFAULT.directBuffer(16).release();
            }
        }
        root().detachAppender(appender);
        appender.stop();
        if (!reported.isEmpty()) {
            throw new AssertionError(reported.size() + " reports, the first:\n" + reported.getFirst());
        }
    }

    private static Logger root() {
        return (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    }
}
