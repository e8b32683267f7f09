package io.plenum.pooler.net;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.unix.UnixChannelOption;
import io.netty.channel.uring.IoUringChannelOption;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.Function;

/** Accepts clients and gives each to one loop, in turn. */
public final class Listener implements AutoCloseable {
    private final List<Channel> channels = new ArrayList<>();
    private final Transport transport;

    /**
     * Listens on all addresses; {@code handlers} makes the handler of a connection on the loop that gets it.
     *
     * @throws UncheckedIOException when an address cannot be had
     */
    public Listener(
            EventLoops loops,
            List<InetSocketAddress> addresses,
            int backlog,
            boolean reusePort,
            SocketOptions options,
            Function<Loop, ChannelHandler> handlers) {
        transport = loops.loops().getFirst().transport();
        IdentityHashMap<EventLoop, Loop> byExecutor = loops.byExecutor();
        for (InetSocketAddress address : addresses) {
            var bootstrap = new ServerBootstrap()
                    .group(loops.group())
                    .channel(transport.listener())
                    .option(ChannelOption.SO_BACKLOG, backlog)
                    .option(ChannelOption.SO_REUSEADDR, true)
                    .childHandler(new ChannelInitializer<SocketChannel>() {
                        @Override
                        protected void initChannel(SocketChannel client) {
                            Loop loop = byExecutor.get(client.eventLoop());
                            if (loop == null) {
                                throw new IllegalStateException("a client on a loop that is not ours");
                            }
                            client.pipeline().addLast(handlers.apply(loop));
                        }
                    });
            if (reusePort && transport != Transport.NIO) {
                bootstrap.option(UnixChannelOption.SO_REUSEPORT, true);
            }
            options.of(transport).forEach((option, value) -> child(bootstrap, option, value));
            var bound = bootstrap.bind(address).awaitUninterruptibly();
            if (!bound.isSuccess()) {
                close();
                throw new UncheckedIOException("cannot listen on " + address, new IOException(bound.cause()));
            }
            channels.add(bound.channel());
        }
    }

    @SuppressWarnings("unchecked")
    private static void child(ServerBootstrap bootstrap, ChannelOption<?> option, Object value) {
        bootstrap.childOption((ChannelOption<Object>) option, value);
    }

    /**
     * The kernel keeps a new connection to itself until it has sent something, but no longer than so many seconds: one turn of
     * the loop less for each. 0 hands it over at once, as NIO, which cannot ask for it, always does. Any thread.
     */
    public void deferAccept(int seconds) {
        ChannelOption<Integer> option = switch (transport) {
            case IO_URING -> IoUringChannelOption.TCP_DEFER_ACCEPT;
            case EPOLL -> EpollChannelOption.TCP_DEFER_ACCEPT;
            case NIO -> null;
        };
        if (option != null) {
            channels.forEach(channel -> channel.config().setOption(option, seconds));
        }
    }

    /** Where it listens, with the ports that the kernel chose. */
    public List<InetSocketAddress> addresses() {
        return channels.stream()
                .map(channel -> (InetSocketAddress) channel.localAddress())
                .toList();
    }

    /** As {@link #close()}, but returns before it is done. Any thread. */
    public void stopAccepting() {
        for (Channel channel : channels) {
            var _ = channel.close();
        }
    }

    /** Accepts no more; those accepted stay. */
    @Override
    public void close() {
        for (Channel channel : channels) {
            channel.close().awaitUninterruptibly();
        }
    }
}
