package io.plenum.pooler;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.FileAppender;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Where the log goes and how much of it: {@code logfile}, {@code verbose}, {@code -v} and {@code -q}.
 *
 * <p>Writing happens on a thread of the log, for a slow disk or a full pipe must not hold up an event loop; when its
 * queue is full, lines are lost. Any thread.
 */
final class ProcessLog {
    static final String STDERR = "STDERR";
    static final String FILE = "FILE";

    private static int verbosity;
    private static @Nullable Appender<ILoggingEvent> stderr;

    private ProcessLog() {}

    /** What the command line says: {@code -v} once or more often, {@code -q} for nothing on the standard error. */
    static synchronized void options(int verbosity, boolean quiet) {
        ProcessLog.verbosity = verbosity;
        level(verbosity);
        Logger root = root();
        if (stderr == null) {
            stderr = root.getAppender(STDERR);
        }
        if (quiet) {
            root.detachAppender(STDERR);
        } else if (stderr != null) {
            root.addAppender(stderr); // once more changes nothing
        }
    }

    /** Takes over level and file, and opens the file anew, so that a rotated one is left alone from here on. */
    static synchronized void apply(PoolerConfig config) {
        level(Math.max(verbosity, config.get(Settings.VERBOSE)));
        Logger root = root();
        Appender<ILoggingEvent> old = root.getAppender(FILE);
        Appender<ILoggingEvent> fresh = file(config.get(Settings.LOGFILE));
        if (fresh != null) {
            root.addAppender(fresh);
        }
        if (old != null) {
            root.detachAppender(old);
            old.stop();
        }
    }

    /** 0 info, 1 debug, 2 all of Plenum, 3 all of the libraries too. */
    private static void level(int verbosity) {
        Level ours = verbosity == 0 ? Level.INFO : verbosity == 1 ? Level.DEBUG : Level.TRACE;
        root().getLoggerContext().getLogger("io.plenum").setLevel(ours);
        root().setLevel(verbosity >= 3 ? Level.TRACE : Level.INFO);
    }

    private static @Nullable Appender<ILoggingEvent> file(String name) {
        if (name.isEmpty()) {
            return null;
        }
        LoggerContext context = root().getLoggerContext();
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setPattern(context.getProperty("LINE"));
        encoder.start();
        FileAppender<ILoggingEvent> file = new FileAppender<>();
        file.setContext(context);
        file.setFile(name);
        file.setEncoder(encoder);
        file.start();
        if (!file.isStarted()) {
            root().error("event=no_logfile logfile={}", name);
            return null;
        }
        AsyncAppender queue = new AsyncAppender();
        queue.setContext(context);
        queue.setName(FILE);
        queue.setQueueSize(8192);
        queue.setDiscardingThreshold(0);
        queue.setNeverBlock(true);
        queue.addAppender(file);
        queue.start();
        return queue;
    }

    private static Logger root() {
        return (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    }
}
