package io.plenum.pooler;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.plenum.pooler.config.SyslogFacility;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/**
 * The log of the system, by the socket and in the form that syslog(3) uses: priority, time, name and process, text. An event
 * that the daemon does not take is lost, for a log must not hold up what it tells of.
 */
final class Syslog extends AppenderBase<ILoggingEvent> {
    static final String SOCKET = "/dev/log";

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("MMM ppd HH:mm:ss", Locale.ENGLISH).withZone(ZoneId.systemDefault());

    private final String socketPath;
    private final String ident;
    private final SyslogFacility facility;
    private int socket = -1;

    Syslog(String socketPath, String ident, SyslogFacility facility) {
        this.socketPath = socketPath;
        this.ident = ident;
        this.facility = facility;
    }

    @Override
    public void start() {
        if (!Libc.isLinux()) {
            addError("syslog is written to on Linux alone");
            return;
        }
        socket = Libc.datagramSocket();
        if (socket >= 0) {
            super.start();
        }
    }

    @Override
    protected void append(ILoggingEvent event) {
        String line = "<%d>%s %s[%d]: %s"
                .formatted(
                        facility.number() * 8 + severity(event.getLevel()),
                        TIME.format(Instant.ofEpochMilli(event.getTimeStamp())),
                        ident,
                        ProcessHandle.current().pid(),
                        LogLine.text(event));
        Libc.sendTo(socket, socketPath, line.getBytes(StandardCharsets.UTF_8));
    }

    private static int severity(Level level) {
        return switch (level.toInt()) {
            case Level.ERROR_INT -> 3;
            case Level.WARN_INT -> 4;
            case Level.INFO_INT -> 6;
            default -> 7;
        };
    }

    @Override
    public void stop() {
        super.stop();
        if (socket >= 0) {
            Libc.close(socket);
            socket = -1;
        }
    }
}
