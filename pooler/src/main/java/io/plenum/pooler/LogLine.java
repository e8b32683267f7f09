package io.plenum.pooler;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.LayoutBase;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/**
 * One event on one line, in PgBouncer's form: time, process, level, text. A line break inside an event, be it in a stack
 * trace or in something that a client sent, becomes a bar, so that nobody can forge a line. Any thread.
 */
public final class LogLine extends LayoutBase<ILoggingEvent> {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss.SSS' UTC'").withZone(ZoneOffset.UTC);

    private static final long PID = ProcessHandle.current().pid();

    @Override
    public String doLayout(ILoggingEvent event) {
        StringBuilder line = new StringBuilder(200);
        TIME.formatTo(Instant.ofEpochMilli(event.getTimeStamp()), line);
        line.append(" [")
                .append(PID)
                .append("] ")
                .append(word(event.getLevel()))
                .append(' ');
        appendText(event, line);
        return line.append('\n').toString();
    }

    /** The text alone, as syslog gets it, which adds the rest itself. */
    static String text(ILoggingEvent event) {
        StringBuilder text = new StringBuilder(160);
        appendText(event, text);
        return text.toString();
    }

    private static void appendText(ILoggingEvent event, StringBuilder line) {
        appendInOneLine(event.getFormattedMessage(), line);
        IThrowableProxy thrown = event.getThrowableProxy();
        if (thrown != null) {
            line.append(" | ");
            appendInOneLine(ThrowableProxyUtil.asString(thrown), line);
        }
    }

    private static void appendInOneLine(String text, StringBuilder line) {
        int end = text.length();
        while (end > 0 && Character.isWhitespace(text.charAt(end - 1))) {
            end--;
        }
        for (int i = 0; i < end; i++) {
            char c = text.charAt(i);
            if (c == '\n' || c == '\r') {
                while (i + 1 < end && Character.isWhitespace(text.charAt(i + 1))) {
                    i++;
                }
                line.append(" | ");
            } else {
                line.append(c != '\t' && Character.isISOControl(c) ? '?' : c);
            }
        }
    }

    /** PgBouncer's words. */
    static String word(Level level) {
        return switch (level.toInt()) {
            case Level.ERROR_INT -> "ERROR";
            case Level.WARN_INT -> "WARNING";
            case Level.INFO_INT -> "LOG";
            case Level.DEBUG_INT -> "DEBUG";
            default -> "NOISE";
        };
    }
}
