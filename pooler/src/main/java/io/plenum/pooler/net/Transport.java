package io.plenum.pooler.net;

import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringBufferRingConfig;
import io.netty.channel.uring.IoUringDatagramChannel;
import io.netty.channel.uring.IoUringDomainSocketChannel;
import io.netty.channel.uring.IoUringFixedBufferRingAllocator;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringIoHandlerConfig;
import io.netty.channel.uring.IoUringServerDomainSocketChannel;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;

/** How the kernel is asked for bytes: the way with the fewest system calls that this machine allows. */
public enum Transport {
    IO_URING(
            IoUringSocketChannel.class,
            IoUringServerSocketChannel.class,
            IoUringDatagramChannel.class,
            IoUringDomainSocketChannel.class,
            IoUringServerDomainSocketChannel.class) {
        @Override
        public boolean isAvailable() {
            return IoUring.isAvailable();
        }

        @Override
        public IoHandlerFactory handlers() {
            var config = new IoUringIoHandlerConfig();
            config.setSingleIssuer(true);
            if (IoUring.isRegisterBufferRingSupported()) {
                // The kernel picks a buffer when bytes are there: a connection that waits holds none.
                config.setBufferRingConfig(IoUringBufferRingConfig.builder()
                        .bufferGroupId(BUFFER_GROUP)
                        .bufferRingSize(RING_BUFFERS)
                        .batchSize(RING_BATCH)
                        .allocator(new IoUringFixedBufferRingAllocator(
                                PooledByteBufAllocator.DEFAULT, true, RING_BUFFER_BYTES))
                        .build());
            }
            return IoUringIoHandler.newFactory(config);
        }

        @Override
        public boolean picksBuffers() {
            return IoUring.isRegisterBufferRingSupported();
        }
    },
    EPOLL(
            EpollSocketChannel.class,
            EpollServerSocketChannel.class,
            EpollDatagramChannel.class,
            EpollDomainSocketChannel.class,
            EpollServerDomainSocketChannel.class) {
        @Override
        public boolean isAvailable() {
            return Epoll.isAvailable();
        }

        @Override
        public IoHandlerFactory handlers() {
            return EpollIoHandler.newFactory();
        }
    },
    NIO(
            NioSocketChannel.class,
            NioServerSocketChannel.class,
            NioDatagramChannel.class,
            NioDomainSocketChannel.class,
            NioServerDomainSocketChannel.class) {
        @Override
        public boolean isAvailable() {
            return true;
        }

        @Override
        public IoHandlerFactory handlers() {
            return NioIoHandler.newFactory();
        }
    };

    /** The ring of receive buffers that the connections of one loop share. */
    static final short BUFFER_GROUP = 1;

    private static final short RING_BUFFERS = 256;
    private static final int RING_BATCH = 32;
    private static final int RING_BUFFER_BYTES = 16 * 1024;

    private final Class<? extends SocketChannel> socket;
    private final Class<? extends ServerSocketChannel> listener;
    private final Class<? extends DatagramChannel> datagram;
    private final Class<? extends Channel> unixSocket;
    private final Class<? extends ServerChannel> unixListener;

    Transport(
            Class<? extends SocketChannel> socket,
            Class<? extends ServerSocketChannel> listener,
            Class<? extends DatagramChannel> datagram,
            Class<? extends Channel> unixSocket,
            Class<? extends ServerChannel> unixListener) {
        this.socket = socket;
        this.listener = listener;
        this.datagram = datagram;
        this.unixSocket = unixSocket;
        this.unixListener = unixListener;
    }

    /** The first that works here: io_uring, epoll, NIO. Container profiles often forbid the first. */
    public static Transport best() {
        for (Transport transport : values()) {
            if (transport.isAvailable()) {
                return transport;
            }
        }
        throw new IllegalStateException("no transport is available");
    }

    public abstract boolean isAvailable();

    abstract IoHandlerFactory handlers();

    /** Whether receive buffers come from a ring that the kernel picks from. */
    boolean picksBuffers() {
        return false;
    }

    /**
     * Whether a connection can leave one loop for another. With io_uring what the kernel was asked for stays with the loop
     * that asked, and Netty has no way to wait for the end of it.
     */
    public boolean movesConnections() {
        return this != IO_URING;
    }

    public Class<? extends SocketChannel> socket() {
        return socket;
    }

    public Class<? extends ServerSocketChannel> listener() {
        return listener;
    }

    public Class<? extends DatagramChannel> datagram() {
        return datagram;
    }

    Class<? extends Channel> unixSocket() {
        return unixSocket;
    }

    Class<? extends ServerChannel> unixListener() {
        return unixListener;
    }

    /** The address of a Unix socket as the channels of this transport want it; {@code @} in front is an abstract one. */
    SocketAddress unixAddress(String path) {
        if (this == NIO) {
            return UnixDomainSocketAddress.of(path); // of abstract ones Java knows nothing: a file of that name
        }
        return new DomainSocketAddress(path.startsWith("@") ? "\0" + path.substring(1) : path);
    }
}
