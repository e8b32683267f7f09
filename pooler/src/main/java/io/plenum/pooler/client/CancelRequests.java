package io.plenum.pooler.client;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.wire.frontend.FrontendMessages;
import io.plenum.wire.startup.CancelKey;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes cancel requests on to servers, to the very address of the connection that is meant.
 *
 * <p>A cancel belongs to one assignment of a server to a client: the server is held back until the cancel connection has
 * seen its end of file, for PostgreSQL signals before it closes. Without that, a late cancel hits the next client. Any thread
 * may ask; each request lives on the server's loop.
 */
public final class CancelRequests {
    private static final Logger LOG = LoggerFactory.getLogger(CancelRequests.class);

    private static final int MOST_IN_FLIGHT = 64;

    private final Supplier<Duration> deadline;
    private final AtomicInteger inFlight = new AtomicInteger();

    /** {@code deadline} is cancel_wait_timeout; a cancel that takes longer makes its server unusable. Zero is for ever. */
    public CancelRequests(Supplier<Duration> deadline) {
        this.deadline = deadline;
    }

    /** Sends one for the statement that the server runs now; on the server's loop. {@code done} runs when it is over. */
    void send(ServerConnection server, Loop loop, Runnable done) {
        CancelKey key = server.cancelKey();
        if (key == null || server.isClosed() || inFlight.incrementAndGet() > MOST_IN_FLIGHT) {
            if (key != null && !server.isClosed()) {
                inFlight.decrementAndGet();
            }
            done.run();
            return;
        }
        server.beginCancel();
        int limitMillis = Math.clamp(deadline.get().toMillis(), 0, Integer.MAX_VALUE);
        new Bootstrap()
                .group(loop.executor())
                .channel(loop.transport().socket())
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, limitMillis) // 0 is none, as for us
                .handler(new Request(server, key, limitMillis, done))
                .connect(server.target().address());
    }

    private final class Request extends ChannelInboundHandlerAdapter {
        private final ServerConnection server;
        private final CancelKey key;
        private final int limitMillis;
        private final Runnable done;
        private boolean over;

        Request(ServerConnection server, CancelKey key, int limitMillis, Runnable done) {
            this.server = server;
            this.key = key;
            this.limitMillis = limitMillis;
            this.done = done;
        }

        @Override
        public void handlerAdded(ChannelHandlerContext context) {
            if (limitMillis > 0) {
                context.executor().schedule(() -> giveUp(context), limitMillis, TimeUnit.MILLISECONDS);
            }
        }

        private void giveUp(ChannelHandlerContext context) {
            if (!over) {
                LOG.warn("event=cancel_not_seen_through server={} closing because: cancel_wait_timeout", server.id());
                server.blame("cancel_wait_timeout").close();
                context.close();
            }
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            ByteBuf request = context.alloc().directBuffer(16 + key.secret().length);
            FrontendMessages.cancelRequest(request, key);
            context.writeAndFlush(request, context.voidPromise());
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            end();
        }

        @Override
        public void channelUnregistered(ChannelHandlerContext context) {
            end(); // also after a connect that failed
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }

        private void end() {
            if (!over) {
                over = true;
                inFlight.decrementAndGet();
                server.endCancel();
                done.run();
            }
        }
    }
}
