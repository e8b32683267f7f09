package io.plenum.pooler.net;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** How the log calls a connection, as PgBouncer's does: {@code C-0x1f: database/user@address:port}. Any thread. */
public final class LogName {
    private LogName() {}

    /** A client. Database and user are what it said so far, or empty. */
    public static String ofClient(long id, String database, String user, String address) {
        return of('C', id, database, user, address);
    }

    /** A server, with the database that clients name and the user that it is logged in as. */
    public static String ofServer(long id, String database, String user, @Nullable SocketAddress address) {
        return of('S', id, database, user, of(address));
    }

    private static String of(char side, long id, String database, String user, String address) {
        return side
                + "-0x"
                + Long.toHexString(id)
                + ": "
                + (database.isEmpty() ? "(nodb)" : database)
                + "/"
                + (user.isEmpty() ? "(nouser)" : user)
                + "@"
                + address;
    }

    /** {@code 127.0.0.1:6432}, {@code [::1]:6432}, or {@code unix} for a socket without an address of its own. */
    public static String of(@Nullable SocketAddress address) {
        return switch (address) {
            case InetSocketAddress inet -> {
                String host = inet.getAddress() == null
                        ? inet.getHostString()
                        : inet.getAddress().getHostAddress();
                yield (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + inet.getPort();
            }
            case null -> "(gone)";
            default -> "unix";
        };
    }
}
