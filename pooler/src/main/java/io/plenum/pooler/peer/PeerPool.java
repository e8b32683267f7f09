package io.plenum.pooler.peer;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import io.plenum.pooler.net.Dialer;
import io.plenum.pooler.net.Loop;
import io.plenum.wire.frontend.FrontendMessages;
import io.plenum.wire.startup.CancelKey;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cancel requests that go to one peer: so many at once as its {@code pool_size}, each on a connection of its own, and
 * those that wait, oldest first, no longer than {@code cancel_wait_timeout}. Confined to the control loop.
 */
final class PeerPool {
    private static final Logger LOG = LoggerFactory.getLogger(PeerPool.class);

    /** So many wait; who comes then is dropped, for a flood must not become memory. */
    private static final int MOST_WAITING = 1_000;

    /** A peer that is silent for longer is not heard out: it has the request, and whoever sent it waits for us. */
    private static final int DEADLINE_MILLIS = 5_000;

    private final int id;
    private final Loop loop;
    private final Deque<Request> waiting = new ArrayDeque<>();
    private int size;
    private int connecting;
    private int sent;

    PeerPool(int id, Loop loop) {
        this.id = id;
        this.loop = loop;
    }

    int id() {
        return id;
    }

    void resize(int most) {
        size = most;
        connectMore();
    }

    PeerFacts facts() {
        return new PeerFacts(id, sent, waiting.size() + connecting, connecting);
    }

    /** {@code done} runs once, when the peer has closed the connection or it is clear that it will not. */
    void pass(CancelKey key, SocketAddress address, Duration patience, Runnable done) {
        if (waiting.size() >= MOST_WAITING) {
            LOG.debug("event=cancel_not_passed_on peer={} reason=\"too many wait\"", id);
            done.run();
            return;
        }
        var request = new Request(key, address, done);
        waiting.addLast(request);
        request.waitFor(patience);
        connectMore();
    }

    private void connectMore() {
        while (connecting + sent < size && !waiting.isEmpty()) {
            waiting.removeFirst().connect();
        }
    }

    /** One request, from the queue to the end of its connection. */
    private final class Request extends ChannelInboundHandlerAdapter {
        private enum State {
            WAITING,
            CONNECTING,
            SENT,
            OVER
        }

        private final CancelKey key;
        private final SocketAddress address;
        private final Runnable done;
        private State state = State.WAITING;
        private @Nullable Future<?> limit;

        Request(CancelKey key, SocketAddress address, Runnable done) {
            this.key = key;
            this.address = address;
            this.done = done;
        }

        void waitFor(Duration patience) {
            if (!patience.isZero()) {
                limit = loop.executor().schedule(this::giveUpWaiting, patience.toNanos(), TimeUnit.NANOSECONDS);
            }
        }

        private void giveUpWaiting() {
            if (state == State.WAITING) {
                waiting.remove(this);
                end("cancel_wait_timeout");
            }
        }

        void connect() {
            become(State.CONNECTING);
            var _ = Dialer.dialPlain(loop, address, this, DEADLINE_MILLIS);
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            become(State.SENT);
            ByteBuf request = context.alloc().directBuffer(16 + key.secret().length);
            FrontendMessages.cancelRequest(request, key);
            context.writeAndFlush(request, context.voidPromise());
            limit = context.executor().schedule(() -> context.close(), DEADLINE_MILLIS, TimeUnit.MILLISECONDS);
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ReferenceCountUtil.release(message); // the manual has no answer to a cancel request
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            end("");
        }

        @Override
        public void channelUnregistered(ChannelHandlerContext context) {
            end("connection failed"); // after a connect that failed; else it was over before
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }

        private void end(String trouble) {
            if (state == State.OVER) {
                return;
            }
            become(State.OVER);
            if (!trouble.isEmpty()) {
                LOG.warn("event=cancel_not_passed_on peer={} address={} reason=\"{}\"", id, address, trouble);
            }
            done.run();
            connectMore();
        }

        private void become(State next) {
            if (limit != null) {
                limit.cancel(false);
                limit = null;
            }
            connecting += (next == State.CONNECTING ? 1 : 0) - (state == State.CONNECTING ? 1 : 0);
            sent += (next == State.SENT ? 1 : 0) - (state == State.SENT ? 1 : 0);
            state = next;
        }
    }
}
