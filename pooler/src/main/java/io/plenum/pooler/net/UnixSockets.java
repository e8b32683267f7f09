package io.plenum.pooler.net;

import io.netty.channel.unix.DomainSocketAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import org.jspecify.annotations.Nullable;

/** Paths of Unix sockets as PostgreSQL makes them: {@code DIRECTORY/.s.PGSQL.PORT}, abstract where it begins with {@code @}. */
public final class UnixSockets {
    private static final String NAME = "/.s.PGSQL.";

    private UnixSockets() {}

    /** Where the server of a directory and port listens. */
    public static SocketAddress address(String directory, int port) {
        return UnixDomainSocketAddress.of(path(directory, port));
    }

    static String path(String directory, int port) {
        return directory + NAME + port;
    }

    /** The path, with {@code @} for the NUL of an abstract one; empty for a client's end, which has none. */
    static String path(SocketAddress address) {
        String path = switch (address) {
            case UnixDomainSocketAddress unix -> unix.getPath().toString();
            case DomainSocketAddress unix -> unix.path();
            default -> throw new IllegalArgumentException("no Unix socket: " + address);
        };
        return path.startsWith("\0") ? "@" + path.substring(1) : path;
    }

    /** Whether it is the address of a Unix socket. */
    public static boolean isUnix(@Nullable SocketAddress address) {
        return address instanceof UnixDomainSocketAddress || address instanceof DomainSocketAddress;
    }

    /** For SHOW, as PgBouncer has it: the address in digits, or {@code unix}; empty for none. */
    public static String host(@Nullable SocketAddress address) {
        return switch (address) {
            case InetSocketAddress inet
            when !inet.isUnresolved() -> inet.getAddress().getHostAddress();
            case null, default -> isUnix(address) ? "unix" : "";
        };
    }

    /** For SHOW: the port, also that in the name of a Unix socket; 0 for none. */
    public static int port(@Nullable SocketAddress address) {
        if (address instanceof InetSocketAddress inet) {
            return inet.getPort();
        }
        if (!isUnix(address) || address == null) {
            return 0;
        }
        String path = path(address);
        int at = path.lastIndexOf('.');
        try {
            return at < 0 ? 0 : Integer.parseInt(path, at + 1, path.length(), 10);
        } catch (NumberFormatException otherName) {
            return 0;
        }
    }
}
