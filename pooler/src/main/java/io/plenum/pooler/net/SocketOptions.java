package io.plenum.pooler.net;

import io.netty.bootstrap.AbstractBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.uring.IoUringChannelOption;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The options of every connection; 0 leaves the kernel's value. Seconds, but for {@code userTimeoutMillis}. TCP_NODELAY is not
 * among them, for Netty sets it on every connection by itself.
 *
 * @param keepAlive whether a silent peer is probed at all
 */
public record SocketOptions(
        boolean keepAlive, int keepCount, int keepIdle, int keepInterval, int userTimeoutMillis, int bufferBytes) {
    /** A peer that takes no more than this at once stops its partner's reading until it has taken half. */
    private static final WriteBufferWaterMark WATER_MARK = new WriteBufferWaterMark(128 * 1024, 256 * 1024);

    /** SOL_SOCKET's SO_KEEPALIVE, which Netty knows for connections only. */
    private static final ChannelOption<Integer> LISTENERS_KEEPALIVE =
            new IntegerUnixChannelOption("SO_KEEPALIVE", 1, 9);

    /** The options for connections of this transport. */
    public Map<ChannelOption<?>, Object> of(Transport transport) {
        Map<ChannelOption<?>, Object> options = new LinkedHashMap<>();
        options.put(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT);
        options.put(ChannelOption.SO_KEEPALIVE, keepAlive);
        options.put(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK);
        if (bufferBytes > 0) {
            options.put(ChannelOption.SO_RCVBUF, bufferBytes);
            options.put(ChannelOption.SO_SNDBUF, bufferBytes);
        }
        switch (transport) {
            case IO_URING -> {
                if (transport.picksBuffers()) {
                    options.put(IoUringChannelOption.IO_URING_BUFFER_GROUP_ID, Transport.BUFFER_GROUP);
                }
                put(options, IoUringChannelOption.TCP_KEEPCNT, keepCount);
                put(options, IoUringChannelOption.TCP_KEEPIDLE, keepIdle);
                put(options, IoUringChannelOption.TCP_KEEPINTVL, keepInterval);
                put(options, IoUringChannelOption.TCP_USER_TIMEOUT, userTimeoutMillis);
            }
            case EPOLL -> {
                put(options, EpollChannelOption.TCP_KEEPCNT, keepCount);
                put(options, EpollChannelOption.TCP_KEEPIDLE, keepIdle);
                put(options, EpollChannelOption.TCP_KEEPINTVL, keepInterval);
                put(options, EpollChannelOption.TCP_USER_TIMEOUT, userTimeoutMillis);
            }
            case NIO -> {} // Java's own channels have these only by the system's defaults
        }
        return options;
    }

    /** The options of a socket that listens: what every connection accepted there has from it, without a system call of its own. */
    Map<ChannelOption<?>, Object> ofListener(Transport transport) {
        return transport == Transport.NIO ? Map.of() : Map.of(LISTENERS_KEEPALIVE, keepAlive ? 1 : 0);
    }

    /** The options for connections that are accepted where {@link #ofListener} is in force. */
    Map<ChannelOption<?>, Object> ofAccepted(Transport transport) {
        Map<ChannelOption<?>, Object> options = of(transport);
        if (transport != Transport.NIO) {
            options.remove(ChannelOption.SO_KEEPALIVE);
        }
        return options;
    }

    /** The options for connections by Unix sockets, which know nothing of TCP's. */
    Map<ChannelOption<?>, Object> ofUnix(Transport transport) {
        Map<ChannelOption<?>, Object> options = new LinkedHashMap<>();
        options.put(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT);
        options.put(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK);
        if (transport == Transport.IO_URING && transport.picksBuffers()) {
            options.put(IoUringChannelOption.IO_URING_BUFFER_GROUP_ID, Transport.BUFFER_GROUP);
        }
        return options;
    }

    private static void put(Map<ChannelOption<?>, Object> options, ChannelOption<Integer> option, int value) {
        if (value > 0) {
            options.put(option, value);
        }
    }

    /** Sets the options on a bootstrap: of the connection that it makes, or of the socket that it listens at. */
    @SuppressWarnings("unchecked")
    static void apply(AbstractBootstrap<?, ?> bootstrap, Map<ChannelOption<?>, Object> options) {
        options.forEach((option, value) -> bootstrap.option((ChannelOption<Object>) option, value));
    }
}
