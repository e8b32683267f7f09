package io.plenum.pooler;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sockets that listen already, opened by who started us: systemd's socket activation, sd_listen_fds(3). Where there are some,
 * the settings of where to listen do not count, as in PgBouncer.
 */
final class InheritedSockets {
    private static final Logger LOG = LoggerFactory.getLogger(InheritedSockets.class);

    /** SD_LISTEN_FDS_START: they follow the three standard ones. */
    private static final int FIRST = 3;

    private static final int MOST = 1_000;

    /** One of them; {@code unix} says that it is a Unix socket, which alone has a path. */
    record Inherited(int descriptor, boolean unix, String path) {}

    private InheritedSockets() {}

    /** Those that the environment tells of, made ready for a loop; what is meant for another process is left alone. */
    static List<Inherited> of(Map<String, String> environment) {
        int count = number(environment.getOrDefault("LISTEN_FDS", ""));
        List<Inherited> sockets = new ArrayList<>();
        if (count <= 0 || count > MOST) {
            return sockets;
        }
        long meant = number(environment.getOrDefault("LISTEN_PID", ""));
        if (meant != ProcessHandle.current().pid() || !Libc.isLinux()) {
            LOG.warn("event=sockets_not_taken count={} meant_for_process={}", count, meant);
            return sockets;
        }
        for (int descriptor = FIRST; descriptor < FIRST + count; descriptor++) {
            Libc.SocketName name = Libc.socketName(descriptor);
            if (name.family() == Libc.Family.OTHER || !Libc.setNonBlocking(descriptor)) {
                LOG.warn("event=socket_not_taken descriptor={} reason=\"it is no socket of TCP or Unix\"", descriptor);
            } else {
                sockets.add(new Inherited(descriptor, name.family() == Libc.Family.UNIX, name.path()));
            }
        }
        return sockets;
    }

    private static int number(String text) {
        return text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : -1;
    }
}
