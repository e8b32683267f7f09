package io.plenum.pooler;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * systemd, where it is who started us: told when we are ready, reload and stop, for units of Type=notify and
 * Type=notify-reload. Any thread.
 *
 * <p>The protocol is that of sd_notify(3): lines of {@code NAME=value} in one datagram to the socket that
 * {@code NOTIFY_SOCKET} names.
 */
final class ServiceManager {
    private static final Logger LOG = LoggerFactory.getLogger(ServiceManager.class);

    private final String socketPath;

    private ServiceManager(String socketPath) {
        this.socketPath = socketPath;
    }

    /** Nobody is told where the environment names no socket. */
    static ServiceManager of(Map<String, String> environment) {
        String path = environment.getOrDefault("NOTIFY_SOCKET", "");
        if (!path.isEmpty() && !Libc.isLinux()) {
            LOG.warn("event=no_notification reason=\"NOTIFY_SOCKET is understood on Linux alone\"");
            return new ServiceManager("");
        }
        return new ServiceManager(path);
    }

    /** Clients can connect, or a reload is over. */
    void ready() {
        tell("READY=1\nSTATUS=Accepting clients");
    }

    /** SIGHUP has come; Type=notify-reload wants the time by the clock that System.nanoTime() has on Linux. */
    void reloading() {
        tell("RELOADING=1\nMONOTONIC_USEC=" + System.nanoTime() / 1_000);
    }

    void stopping() {
        tell("STOPPING=1\nSTATUS=Shutting down");
    }

    private void tell(String state) {
        if (socketPath.isEmpty()) {
            return;
        }
        int socket = Libc.datagramSocket();
        try {
            if (!Libc.sendTo(socket, socketPath, state.getBytes(StandardCharsets.UTF_8))) {
                LOG.warn(
                        "event=not_notified socket={} state={}",
                        socketPath,
                        state.lines().findFirst().orElse(""));
            }
        } finally {
            Libc.close(socket);
        }
    }
}
