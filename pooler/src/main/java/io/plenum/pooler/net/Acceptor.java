package io.plenum.pooler.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives each connection that one socket accepts to a loop: what Netty's {@code ServerBootstrap} does, without a handler that only
 * puts another one in its place, for applications connect for each of their queries. Confined to the loop of its socket.
 */
final class Acceptor extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(Acceptor.class);

    /** After it could not accept: there may be no descriptor left, and clients are about to give some back. */
    private static final long PAUSE_SECONDS = 1;

    private static final ChannelFutureListener REGISTERED = registered -> {
        if (!registered.isSuccess()) {
            registered.channel().unsafe().closeForcibly();
        }
    };

    private final EventLoops loops;
    private final Map.Entry<ChannelOption<Object>, Object>[] options;
    private final Function<Loop, ChannelHandler> handlers;

    /** {@code handlers} makes the handler of a connection for the loop that gets it. */
    @SuppressWarnings("unchecked")
    Acceptor(EventLoops loops, Map<ChannelOption<?>, Object> options, Function<Loop, ChannelHandler> handlers) {
        this.loops = loops;
        this.options = options.entrySet().toArray(Map.Entry[]::new);
        this.handlers = handlers;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object accepted) {
        Channel client = (Channel) accepted;
        try {
            for (var option : options) {
                client.config().setOption(option.getKey(), option.getValue());
            }
            Loop loop = loops.next();
            client.pipeline().addLast(handlers.apply(loop));
            loop.executor().register(client).addListener(REGISTERED);
        } catch (RuntimeException failed) { // an option of a socket that its peer has reset
            LOG.warn("event=connection_failed reason=\"{}\"", RootCause.message(failed));
            client.unsafe().closeForcibly();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        LOG.warn("accept() failed: {}", RootCause.message(cause));
        ChannelConfig config = context.channel().config();
        if (config.isAutoRead()) {
            config.setAutoRead(false);
            var _ = context.channel()
                    .eventLoop()
                    .schedule(() -> config.setAutoRead(true), PAUSE_SECONDS, TimeUnit.SECONDS);
        }
    }
}
