package io.plenum.pooler.net;

import io.netty.channel.Channel;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.unix.PeerCredentials;
import io.netty.channel.uring.IoUringDomainSocketChannel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import jdk.net.ExtendedSocketOptions;
import jdk.net.UnixDomainPrincipal;
import org.jspecify.annotations.Nullable;

/**
 * Who is at the other end of a Unix socket, as the kernel says: SO_PEERCRED.
 *
 * @param pid 0 where it is not known
 * @param uid -1 where only the name is known
 * @param name null where only the number is known
 */
public record UnixPeer(int pid, int uid, @Nullable String name) {
    private static final int OWN_UID = ownUid();
    private static final Path USERS = Path.of("/etc/passwd");
    private static final int MOST_NAMES = 10_000;

    /** By number; empty for one that has no name. */
    private static final Map<Integer, String> NAMES = new ConcurrentHashMap<>();

    /** The peer of a connection; null if it is no Unix socket or the kernel does not say. */
    public static @Nullable UnixPeer of(Channel channel) {
        try {
            PeerCredentials credentials = switch (channel) {
                case EpollDomainSocketChannel epoll -> epoll.peerCredentials();
                case IoUringDomainSocketChannel uring -> uring.peerCredentials();
                default -> null;
            };
            if (credentials != null) {
                return new UnixPeer(credentials.pid(), credentials.uid(), null);
            }
            if (channel instanceof NioDomainSocketChannel nio) {
                UnixDomainPrincipal principal =
                        nio.config().getOption(NioChannelOption.of(ExtendedSocketOptions.SO_PEERCRED));
                return principal == null
                        ? null
                        : new UnixPeer(0, -1, principal.user().getName());
            }
            return null;
        } catch (IOException | UnsupportedOperationException unknown) {
            return null;
        }
    }

    /**
     * The name of the peer's user; null if its number has none here. The first of each user reads the list of users, which is
     * a small file of this machine; the rest are told from memory.
     */
    public @Nullable String userName() {
        if (name != null) {
            return name;
        }
        if (uid == OWN_UID) {
            return System.getProperty("user.name");
        }
        String known = NAMES.get(uid);
        if (known == null) {
            known = read(uid);
            if (NAMES.size() < MOST_NAMES) {
                NAMES.put(uid, known);
            }
        }
        return known.isEmpty() ? null : known;
    }

    private static String read(int uid) {
        try {
            for (String line : Files.readAllLines(USERS)) {
                String[] fields = line.split(":", -1);
                if (fields.length > 2 && fields[2].equals(Integer.toString(uid))) {
                    return fields[0];
                }
            }
            return "";
        } catch (IOException unreadable) {
            return "";
        }
    }

    private static int ownUid() {
        try {
            return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException noLinux) {
            return -1;
        }
    }
}
