package io.plenum.pooler;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.FileAppender;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Where the log goes and how much of it: {@code logfile}, {@code syslog}, {@code verbose}, {@code -v} and {@code -q}.
 *
 * <p>Writing happens on a thread of the log, for a slow disk or a full pipe must not hold up an event loop; when its
 * queue is full, lines are lost. Any thread.
 */
final class ProcessLog {
    static final String STDERR = "STDERR";
    static final String FILE = "FILE";
    static final String SYSLOG = "SYSLOG";

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

    /** Takes over level, file and syslog, and opens the file anew, so that a rotated one is left alone from here on. */
    static synchronized void apply(PoolerConfig config) {
        apply(config, Syslog.SOCKET);
    }

    /** The same with another socket of syslog. */
    static synchronized void apply(PoolerConfig config, String syslogSocket) {
        level(Math.max(verbosity, config.get(Settings.VERBOSE)));
        replace(FILE, file(config.get(Settings.LOGFILE)));
        replace(
                SYSLOG,
                config.get(Settings.SYSLOG)
                        ? new Syslog(
                                syslogSocket, config.get(Settings.SYSLOG_IDENT), config.get(Settings.SYSLOG_FACILITY))
                        : null);
    }

    private static void replace(String name, @Nullable Appender<ILoggingEvent> target) {
        Logger root = root();
        Appender<ILoggingEvent> old = root.getAppender(name);
        if (target != null) {
            target.setContext(root.getLoggerContext());
            target.start();
            if (target.isStarted()) {
                root.addAppender(queue(name, target));
            } else {
                root.error("event=no_log target={} reason=\"it cannot be opened\"", name);
            }
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
        LogLine layout = new LogLine();
        layout.setContext(context);
        layout.start();
        LayoutWrappingEncoder<ILoggingEvent> encoder = new LayoutWrappingEncoder<>();
        encoder.setContext(context);
        encoder.setLayout(layout);
        encoder.start();
        FileAppender<ILoggingEvent> file = new FileAppender<>(); // without a name: two of one file would be refused
        file.setFile(name);
        file.setEncoder(encoder);
        return file;
    }

    private static AsyncAppender queue(String name, Appender<ILoggingEvent> target) {
        AsyncAppender queue = new AsyncAppender();
        queue.setContext(target.getContext());
        queue.setName(name);
        queue.setQueueSize(8192);
        queue.setDiscardingThreshold(0);
        queue.setNeverBlock(true);
        queue.addAppender(target);
        queue.start();
        return queue;
    }

    private static Logger root() {
        return (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    }
}
