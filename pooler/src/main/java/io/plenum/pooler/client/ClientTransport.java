package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.plenum.pooler.config.AddressRange;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.net.ClientTls;
import io.plenum.pooler.net.KeyExchange;
import io.plenum.pooler.net.PeerIdentity;
import io.plenum.pooler.net.TlsFailure;
import io.plenum.pooler.net.TlsSession;
import io.plenum.pooler.net.UnixPeer;
import io.plenum.pooler.net.UnixSockets;
import io.plenum.wire.FrameCutter;
import io.plenum.wire.startup.ProxyHeader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a client's bytes come to us: from where, by a proxy or not, through TLS or not. A connection in plain text has no
 * handler but its {@link ClientConnection}; one with TLS has netty's in front of it from the handshake on.
 *
 * <p>Confined to the event loop of its client.
 */
public final class ClientTransport {
    private static final Logger LOG = LoggerFactory.getLogger(ClientTransport.class);

    /** The first byte of a TLS record with a handshake in it; no startup packet is so long that it began like this. */
    private static final byte HANDSHAKE = 0x16;

    private final Channel channel;
    private @Nullable SocketAddress proxied;
    private @Nullable ClientTls tls;
    private @Nullable SslHandler handler;
    private @Nullable KeyExchange keys;
    private @Nullable TlsSession session;
    private @Nullable ByteBuf hello;
    private boolean direct;
    private boolean begun;

    ClientTransport(Channel channel) {
        this.channel = channel;
        UnixPeer peer = unixPeer();
        if (peer != null) {
            new PeerIdentity(null, false, null, peer.userName()).attach(channel);
        }
    }

    // --- in front of the startup packet ----------------------------------------------------------------------------

    /**
     * Takes what may stand in front of the first startup packet: a proxy's header, a handshake that nobody was asked for.
     *
     * @return whether what is at hand now is to be read as a startup packet
     */
    boolean clear(ByteBuf bytes, FrameCutter cutter, PoolerConfig config, ClientTls offered) {
        if (begun) {
            return true;
        }
        int at = cutter.position();
        int end = bytes.writerIndex();
        if (at == end) {
            return false;
        }
        if (proxied == null && ProxyHeader.begins(bytes, at, end) && isTrustedProxy(config)) {
            int length = ProxyHeader.lengthAt(bytes, at, end);
            if (length == 0 || end - at < length) {
                return false;
            }
            onProxyHeader(ProxyHeader.parse(bytes, at, length));
            cutter.rewind(at + length);
            at += length;
            if (at == end) {
                return false;
            }
        }
        begun = true;
        if (bytes.getByte(at) == HANDSHAKE && offered.isOffered() && !isUnix()) {
            direct = true;
            tls = offered;
            hello = bytes.retainedSlice(at, end - at);
            cutter.rewind(end);
            return false;
        }
        return true;
    }

    private boolean isTrustedProxy(PoolerConfig config) {
        return AddressRange.anyContains(config.get(Settings.PROXY_PROTOCOL_NETWORKS), channel.remoteAddress());
    }

    private void onProxyHeader(ProxyHeader header) {
        byte[] address = header.address();
        if (address == null) {
            proxied = channel.remoteAddress(); // the proxy speaks for itself; a second header is none
            return;
        }
        try {
            InetAddress client = InetAddress.getByAddress(address);
            proxied = new InetSocketAddress(client, header.port());
            PeerIdentity.at(client).attach(channel);
        } catch (UnknownHostException impossible) {
            throw new IllegalStateException("4 and 16 bytes are an address", impossible);
        }
    }

    /** After what was received is dealt with: hands a handshake that came unasked to TLS, which reads on from there. */
    void handOver() {
        ByteBuf first = hello;
        if (first != null) {
            hello = null;
            secure();
            channel.pipeline().fireChannelRead(first);
        }
    }

    // --- TLS -------------------------------------------------------------------------------------------------------

    /** What comes next is a handshake; all that we wrote before is on its way. */
    void secure(ClientTls offered) {
        tls = offered;
        secure();
    }

    private void secure() {
        ClientTls offered = tls;
        if (offered != null) {
            SslHandler made = offered.newHandler(channel.alloc());
            handler = made;
            channel.pipeline().addFirst(made);
            keys = KeyExchange.watch(channel, made, true);
        }
    }

    /** Whether TLS was begun, or asked for in the first byte. */
    boolean isSecured() {
        return tls != null;
    }

    /** The handshake is over; false when it is no use, and the connection is closed. */
    boolean onHandshake(SslHandshakeCompletionEvent event, long client) {
        ClientTls offered = tls;
        SslHandler made = handler;
        if (offered == null || made == null) {
            return true;
        }
        if (!event.isSuccess()) {
            LOG.info(
                    "event=client_tls_failed client={} addr={} reason=\"TLS handshake error: {}\"",
                    client,
                    remoteAddress(),
                    TlsFailure.reason(event.cause()));
            channel.close();
            return false;
        }
        if (direct && !ClientTls.isPostgres(made)) {
            // Who was sent here by another protocol's TLS is not to be answered in this one.
            LOG.info(
                    "event=client_tls_failed client={} addr={} reason=\"direct TLS without ALPN\"",
                    client,
                    remoteAddress());
            channel.close();
            return false;
        }
        TlsSession agreed = offered.session(made, keys == null ? "" : keys.end(channel));
        session = agreed;
        PeerIdentity.of(channel).encrypted(agreed.peer()).attach(channel);
        return true;
    }

    /** What was agreed; null in plain text and before the handshake is over. */
    public @Nullable TlsSession tls() {
        return session;
    }

    // --- addresses -------------------------------------------------------------------------------------------------

    /** Where the client is, also behind a proxy that we believe; null once the socket is closed. */
    public @Nullable SocketAddress remoteAddress() {
        return proxied == null ? channel.remoteAddress() : proxied;
    }

    public boolean isUnix() {
        return UnixSockets.isUnix(channel.localAddress());
    }

    /** Who is at the other end of a Unix socket; null of another one. */
    public @Nullable UnixPeer unixPeer() {
        return isUnix() ? UnixPeer.of(channel) : null;
    }

    /** Address and port as PgBouncer logs them and appends them to application_name; of a Unix socket process and port. */
    String describe() {
        SocketAddress address = remoteAddress();
        if (isUnix() && (address == null || UnixSockets.isUnix(address))) {
            UnixPeer peer = unixPeer();
            return "unix(%d):%d".formatted(peer == null ? 0 : peer.pid(), UnixSockets.port(channel.localAddress()));
        }
        String host = UnixSockets.host(address);
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + UnixSockets.port(address);
    }

    // --- the end ---------------------------------------------------------------------------------------------------

    /** Roughly so many bytes of what the client was sent are not the kernel's yet: it takes them slowly, or was just sent them. */
    long unsent() {
        ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
        return buffer == null ? 0 : buffer.totalPendingWriteBytes();
    }

    /**
     * Behind all that was written goes the end of our side; what the client still says can be received, for a close while input is
     * unread would send a reset that overtakes what was written. A client is closed that has not done so itself within this time,
     * nor taken any of what it is still sent.
     */
    void endOutput(long patienceMillis) {
        ChannelFuture sent = handler == null ? channel.writeAndFlush(Unpooled.EMPTY_BUFFER) : handler.closeOutbound();
        sent.addListener(written -> {
            if (channel instanceof DuplexChannel duplex) {
                duplex.shutdownOutput();
            }
        });
        linger(unsent(), patienceMillis);
    }

    private void linger(long unsentBefore, long patienceMillis) {
        var _ = channel.eventLoop()
                .schedule(
                        () -> {
                            long unsent = unsent();
                            if (unsent > 0 && unsent < unsentBefore) {
                                linger(unsent, patienceMillis);
                            } else {
                                channel.close();
                            }
                        },
                        patienceMillis,
                        TimeUnit.MILLISECONDS);
    }

    /** The connection is gone. */
    void discard() {
        if (hello != null) {
            hello.release();
            hello = null;
        }
    }
}
