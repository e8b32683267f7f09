package io.plenum.pooler;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.LoggerFactory;

/** The texts of what this JVM logs while it is open. */
public final class LogBook implements AutoCloseable {
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            lines.add(event.getFormattedMessage());
        }
    };

    public LogBook() {
        appender.start();
        root().addAppender(appender);
    }

    public List<String> lines() {
        return lines;
    }

    /** Waits for a line that the expression matches as a whole. */
    public void await(String expression) throws InterruptedException {
        long end = System.nanoTime() + Duration.ofSeconds(5).toNanos();
        while (lines.stream().noneMatch(line -> line.matches(expression)) && System.nanoTime() < end) {
            Thread.sleep(10);
        }
        assertThat(lines).anySatisfy(line -> assertThat(line).matches(expression));
    }

    @Override
    public void close() {
        root().detachAppender(appender);
        appender.stop();
    }

    private static Logger root() {
        return (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    }
}
