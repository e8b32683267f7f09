package io.plenum.pooler.net;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.function.Supplier;

/**
 * Opens connections to servers: by TCP or a Unix socket, through TLS where the settings want it. The one way to a server,
 * whatever the connection is for. Any thread.
 */
public final class Dialer {
    private final Supplier<ServerTls> tls;
    private final Supplier<SocketOptions> options;

    /** Both are asked for each connection. */
    public Dialer(Supplier<ServerTls> tls, Supplier<SocketOptions> options) {
        this.tls = tls;
        this.options = options;
    }

    /**
     * Begins to connect; {@code handler} hears {@code channelActive} when a startup packet may be sent.
     *
     * @param timeoutMillis for the connection alone; 0 is none
     * @return fails when there is nobody at the address; a handshake that fails closes the channel instead
     */
    public ChannelFuture dial(Loop loop, SocketAddress address, ChannelHandler handler, int timeoutMillis) {
        ServerTls now = tls.get();
        var bootstrap = bootstrap(loop, address, timeoutMillis);
        if (address instanceof InetSocketAddress inet) {
            SocketOptions.apply(bootstrap, options.get().of(loop.transport()));
            bootstrap.handler(now.isOn() ? new Secured(now, inet, handler) : handler);
        } else {
            // Nobody can listen in between two processes of one machine: as in PostgreSQL there is no TLS.
            SocketOptions.apply(bootstrap, options.get().ofUnix(loop.transport()));
            bootstrap.handler(handler);
        }
        return bootstrap.connect(target(loop, address));
    }

    /** The same without TLS and options: for a few bytes and their answer. */
    public static ChannelFuture dialPlain(Loop loop, SocketAddress address, ChannelHandler handler, int timeoutMillis) {
        return bootstrap(loop, address, timeoutMillis).handler(handler).connect(target(loop, address));
    }

    private static Bootstrap bootstrap(Loop loop, SocketAddress address, int timeoutMillis) {
        var bootstrap = new Bootstrap()
                .group(loop.executor())
                .channel(
                        address instanceof InetSocketAddress
                                ? loop.transport().socket()
                                : loop.transport().unixSocket());
        return timeoutMillis > 0 ? bootstrap.option(ChannelOption.CONNECT_TIMEOUT_MILLIS, timeoutMillis) : bootstrap;
    }

    private static SocketAddress target(Loop loop, SocketAddress address) {
        return address instanceof InetSocketAddress ? address : loop.transport().unixAddress(UnixSockets.path(address));
    }

    private static final class Secured extends ChannelInitializer<Channel> {
        private final ServerTls tls;
        private final InetSocketAddress address;
        private final ChannelHandler handler;

        Secured(ServerTls tls, InetSocketAddress address, ChannelHandler handler) {
            this.tls = tls;
            this.address = address;
            this.handler = handler;
        }

        @Override
        protected void initChannel(Channel channel) {
            // The host string is the name in the database entry, for that is what a certificate is made for.
            channel.pipeline().addLast(new TlsDial(tls, address.getHostString(), address.getPort()), handler);
        }
    }
}
