package io.plenum.pooler.net;

import io.netty.channel.Channel;
import io.netty.util.AttributeKey;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import org.jspecify.annotations.Nullable;

/**
 * What the transport knows of a client, whatever the client says of itself. Immutable; any thread.
 *
 * <p>A handler that knows more than the socket (TLS, the PROXY protocol, a Unix socket's credentials) puts it on the
 * channel with {@link #attach}, before the login reads the startup packet.
 *
 * @param address where the client comes from; null for a Unix socket
 * @param encrypted whether TLS is spoken
 * @param certificateName the common name of the client's certificate, once that has been verified; null without one
 * @param systemUser who is at the other end of a Unix socket, as the kernel says; null elsewhere
 */
public record PeerIdentity(
        @Nullable InetAddress address,
        boolean encrypted,
        @Nullable String certificateName,
        @Nullable String systemUser) {
    private static final AttributeKey<PeerIdentity> KEY = AttributeKey.valueOf(PeerIdentity.class, "peer");

    private static final int MAPPED_PREFIX = 12;

    /** An IPv4 client that a socket of both families has accepted is an IPv4 client. */
    public PeerIdentity {
        if (address instanceof Inet6Address six) {
            address = unmapped(six);
        }
    }

    /** A client in clear text over TCP. */
    public static PeerIdentity at(InetAddress address) {
        return new PeerIdentity(address, false, null, null);
    }

    /** What was put on the channel, else what its socket says. */
    public static PeerIdentity of(Channel channel) {
        PeerIdentity known = channel.hasAttr(KEY) ? channel.attr(KEY).get() : null; // to ask for one alone makes it
        return known == null ? of(channel.remoteAddress()) : known;
    }

    private static PeerIdentity of(@Nullable SocketAddress remote) {
        InetAddress address = remote instanceof InetSocketAddress internet ? internet.getAddress() : null;
        return new PeerIdentity(address, false, null, null);
    }

    public void attach(Channel channel) {
        channel.attr(KEY).set(this);
    }

    /** The same client, now behind TLS; {@code verified} is its certificate, null when it showed none or a doubtful one. */
    public PeerIdentity encrypted(@Nullable X509Certificate verified) {
        return new PeerIdentity(address, true, verified == null ? null : commonName(verified), systemUser);
    }

    public boolean isUnix() {
        return address == null;
    }

    /** How a log names the place: the address, or {@code unix}. */
    public String place() {
        return address == null ? "unix" : address.getHostAddress();
    }

    /**
     * The common name of a certificate's subject, the most specific if it has several; null when it has none, or one that
     * a reader of C strings would take for another.
     */
    private static @Nullable String commonName(X509Certificate certificate) {
        try {
            List<Rdn> names =
                    new LdapName(certificate.getSubjectX500Principal().getName()).getRdns(); // most specific last
            for (Rdn name : names.reversed()) {
                if (name.getType().equalsIgnoreCase("CN") && name.getValue() instanceof String text) {
                    return text.isEmpty() || text.indexOf('\0') >= 0 ? null : text;
                }
            }
            return null;
        } catch (InvalidNameException unreadable) {
            return null;
        }
    }

    private static InetAddress unmapped(Inet6Address address) {
        byte[] bytes = address.getAddress();
        for (int i = 0; i < MAPPED_PREFIX; i++) {
            if (bytes[i] != (i < 10 ? 0 : (byte) 0xff)) {
                return address;
            }
        }
        try {
            return Inet4Address.getByAddress(Arrays.copyOfRange(bytes, MAPPED_PREFIX, bytes.length));
        } catch (UnknownHostException impossible) {
            return address;
        }
    }
}
