package io.plenum.pooler.net;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.ReflectiveChannelFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.unix.UnixChannelOption;
import io.netty.channel.uring.IoUringChannelOption;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Accepts clients and gives each to one loop, in turn. */
public final class Listener implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Listener.class);

    private final EventLoops loops;
    private final Transport transport;
    private final SocketOptions options;
    private final Function<Loop, ChannelHandler> handlers;
    private final List<Channel> channels = new ArrayList<>();
    private final List<Channel> adoptedUnix = new ArrayList<>();
    private @Nullable Channel unixChannel;
    private @Nullable UnixSocketFile unixFile;
    private @Nullable Object unixKey;

    /**
     * Listens on all addresses; {@code handlers} makes the handler of a connection on the loop that gets it.
     *
     * @throws UncheckedIOException when none of the addresses can be had; the log hears of each one that cannot
     */
    public Listener(
            EventLoops loops,
            List<InetSocketAddress> addresses,
            int backlog,
            boolean reusePort,
            SocketOptions options,
            Function<Loop, ChannelHandler> handlers) {
        this.loops = loops;
        this.transport = loops.loops().getFirst().transport();
        this.options = options;
        this.handlers = handlers;
        List<UncheckedIOException> refused = new ArrayList<>();
        for (InetSocketAddress address : addresses) {
            var bootstrap = bootstrap(new ReflectiveChannelFactory<>(transport.listener()), backlog, false)
                    .option(ChannelOption.SO_REUSEADDR, true);
            if (reusePort && transport != Transport.NIO) {
                bootstrap.option(UnixChannelOption.SO_REUSEPORT, true);
            }
            try {
                channels.add(bind(bootstrap, address));
            } catch (IOException cannot) {
                refused.add(new UncheckedIOException("cannot listen on " + LogName.of(address), cannot));
            }
        }
        if (channels.isEmpty() && !refused.isEmpty()) {
            throw refused.getFirst();
        }
        // As in PgBouncer: one may be that of a machine that this one takes over from some day.
        refused.forEach(one -> LOG.warn("{}: {}", one.getMessage(), RootCause.message(one)));
    }

    /**
     * Listens on a Unix socket too.
     *
     * @throws UncheckedIOException when it cannot be had
     */
    public void listenOn(UnixSocketFile file, int backlog) {
        try {
            file.makeRoom();
            Channel bound = bind(
                    bootstrap(new ReflectiveChannelFactory<>(transport.unixListener()), backlog, true),
                    transport.unixAddress(file.path()));
            unixChannel = bound;
            unixFile = file;
            unixKey = file.key();
            file.protect();
        } catch (IOException cannot) {
            closeUnix();
            throw new UncheckedIOException("cannot listen on " + file.path(), cannot);
        }
    }

    /**
     * Accepts at a socket that listens already; only {@link Transport#EPOLL} can.
     *
     * @param descriptor that does not block, and is ours from now on
     */
    public void adopt(int descriptor, boolean unix, int backlog) {
        ChannelFactory<ServerChannel> factory = () ->
                unix ? new EpollServerDomainSocketChannel(descriptor, true) : new EpollServerSocketChannel(descriptor);
        var registered = bootstrap(factory, backlog, unix).register().awaitUninterruptibly();
        if (!registered.isSuccess()) {
            throw new UncheckedIOException(
                    "cannot listen on descriptor " + descriptor, new IOException(registered.cause()));
        }
        (unix ? adoptedUnix : channels).add(registered.channel());
    }

    private Bootstrap bootstrap(ChannelFactory<? extends ServerChannel> factory, int backlog, boolean unix) {
        var bootstrap = new Bootstrap()
                .group(loops.group())
                .channelFactory(factory)
                .option(ChannelOption.SO_BACKLOG, backlog)
                .handler(new Acceptor(
                        loops, unix ? options.ofUnix(transport) : options.ofAccepted(transport), handlers));
        if (!unix) {
            SocketOptions.apply(bootstrap, options.ofListener(transport));
        }
        return bootstrap;
    }

    private static Channel bind(Bootstrap bootstrap, SocketAddress address) throws IOException {
        var bound = bootstrap.bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(bound.cause());
        }
        return bound.channel();
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

    /** Where it listens by TCP, with the ports that the kernel chose. */
    public List<InetSocketAddress> addresses() {
        return channels.stream()
                .map(channel -> (InetSocketAddress) channel.localAddress())
                .toList();
    }

    /** The path of the Unix socket; empty if there is none. */
    public String unixPath() {
        return unixFile == null ? "" : unixFile.path();
    }

    /**
     * Accepts no more by TCP; returns before that is so. At Unix sockets, where the console is to be had until the end, it is for
     * the login to refuse. Any thread.
     */
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
        for (Channel channel : adoptedUnix) {
            channel.close().awaitUninterruptibly();
        }
        closeUnix();
    }

    /** netty removes the file of that name with its channel, whoever it is of: that of our successor is kept aside meanwhile. */
    private synchronized void closeUnix() {
        Channel open = unixChannel;
        UnixSocketFile file = unixFile;
        if (open == null || file == null) {
            return;
        }
        unixFile = null;
        boolean ours = unixKey != null && unixKey.equals(file.key());
        boolean kept = !ours && file.keepAside();
        open.close().awaitUninterruptibly();
        if (kept) {
            file.putBack();
        } else if (ours) {
            file.remove();
        }
    }
}
