package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.net.Dialer;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.peer.Peers;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.wire.frontend.FrontendMessages;
import io.plenum.wire.startup.CancelKey;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes cancel requests, and passes them on to servers, to the very address of the connection that is meant, or to peers.
 *
 * <p>A cancel belongs to one assignment of a server to a client: the server is held back until the cancel connection has
 * seen its end of file, for PostgreSQL signals before it closes. Without that, a late cancel hits the next client. So many at
 * once are on their way to servers; the others wait, oldest first, no longer than {@code cancel_wait_timeout}. Any thread
 * may ask; each request lives on the server's loop.
 */
public final class CancelRequests {
    private static final Logger LOG = LoggerFactory.getLogger(CancelRequests.class);

    private static final int MOST_IN_FLIGHT = 64;

    private final Supplier<PoolerConfig> config;
    private final CancelKeys keys;
    private final Peers peers;
    private final Dialer dialer;
    private final AtomicInteger inFlight = new AtomicInteger();
    private final Queue<Request> waiting = new ConcurrentLinkedQueue<>();

    public CancelRequests(Supplier<PoolerConfig> config, CancelKeys keys, Peers peers, Dialer dialer) {
        this.config = config;
        this.keys = keys;
        this.peers = peers;
        this.dialer = dialer;
    }

    /** Somebody asks with this key, whoever it is. Any thread; {@code done} runs on any, when it is over. */
    void accept(CancelKey key, Runnable done) {
        ClientConnection client = keys.holder(key);
        if (client == null) {
            peers.pass(key, done);
        } else {
            client.execute(() -> client.onCancel(done));
        }
    }

    /** Sends one for the statement that the server runs now; on the server's loop. {@code done} runs when it is over. */
    void send(ServerConnection server, Loop loop, Runnable done) {
        send(server, loop, () -> true, done);
    }

    /** The same, unless it is no longer {@code due} when its turn has come. */
    void send(ServerConnection server, Loop loop, BooleanSupplier due, Runnable done) {
        Duration limit = config.get().get(Settings.CANCEL_WAIT_TIMEOUT);
        var request = new Request(server, loop, due, Math.clamp(limit.toMillis(), 0, Integer.MAX_VALUE), done);
        waiting.add(request);
        server.addCancelsWaiting(1);
        admit();
        request.limitWait();
    }

    private void admit() {
        do {
            if (inFlight.incrementAndGet() > MOST_IN_FLIGHT) {
                inFlight.decrementAndGet();
                return; // whoever ends admits the next
            }
            Request next = waiting.poll();
            if (next != null) {
                next.loop.execute(next::begin);
            } else {
                inFlight.decrementAndGet();
            }
        } while (!waiting.isEmpty());
    }

    private final class Request extends ChannelInboundHandlerAdapter {
        private final ServerConnection server;
        private final Loop loop;
        private final BooleanSupplier due;
        private final int limitMillis;
        private final Runnable done;
        private boolean begun;
        private boolean over;

        /** A cancel that takes longer than {@code limitMillis} makes its server unusable; 0 is no limit. */
        Request(ServerConnection server, Loop loop, BooleanSupplier due, int limitMillis, Runnable done) {
            this.server = server;
            this.loop = loop;
            this.due = due;
            this.limitMillis = limitMillis;
            this.done = done;
        }

        void limitWait() {
            if (!begun && limitMillis > 0) {
                loop.executor()
                        .schedule(
                                () -> {
                                    if (!begun && waiting.remove(this)) {
                                        server.addCancelsWaiting(-1);
                                        LOG.warn(
                                                "event=cancel_not_sent server={} reason=cancel_wait_timeout",
                                                server.id());
                                        done.run();
                                    }
                                },
                                limitMillis,
                                TimeUnit.MILLISECONDS);
            }
        }

        void begin() {
            begun = true;
            server.addCancelsWaiting(-1);
            CancelKey key = server.cancelKey();
            if (key == null || server.isClosed() || !due.getAsBoolean()) {
                over = true;
                inFlight.decrementAndGet();
                done.run();
                admit();
                return;
            }
            server.beginCancel();
            var _ = dialer.dial(loop, server.target().address(), this, limitMillis); // 0 is no limit, as for us
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
            CancelKey key = server.cancelKey();
            if (key == null) {
                context.close();
                return;
            }
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
                admit();
            }
        }
    }
}
