package io.plenum.pooler.net;

import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SingleThreadIoEventLoop;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** The loops that serve clients and servers, and one more for what is not on a query's way (probes, names, HTTP). */
public final class EventLoops implements AutoCloseable {
    private static final long CLOSING_MILLIS = 20;

    /** So long may what is about to close still send its last word, and see its close through. */
    private static final long LEAVING_NANOS = 500_000_000L;

    private final Group group;
    private final Group controlGroup;
    private final List<Loop> loops;
    private final Loop control;
    private final AtomicInteger turn = new AtomicInteger();

    /**
     * Loops that know how many channels they have, but for those that were accepted, whose end their owners see to and which come
     * and go by the thousand; what Netty counts of those on io_uring only grows.
     */
    private static final class Group extends MultiThreadIoEventLoopGroup {
        private final AtomicInteger channels = new AtomicInteger();
        private final ChannelFutureListener closed = _ -> channels.decrementAndGet();

        Group(int count, String name, IoHandlerFactory handlers) {
            super(count, new DefaultThreadFactory(name), handlers);
        }

        @Override
        protected IoEventLoop newChild(Executor executor, IoHandlerFactory handlers, Object... more) {
            return new SingleThreadIoEventLoop(this, executor, handlers) {
                @Override
                public ChannelFuture register(ChannelPromise promise) {
                    if (promise.channel().parent() == null) {
                        channels.incrementAndGet();
                        promise.channel()
                                .closeFuture()
                                .addListener(closed); // one more where it comes from another loop
                    }
                    return super.register(promise);
                }
            };
        }

        boolean hasChannels() {
            return channels.get() > 0;
        }
    }

    private EventLoops(Transport transport, int count) {
        group = new Group(count, "plenum-loop", transport.handlers());
        controlGroup = new Group(1, "plenum-control", Transport.NIO.handlers());
        List<Loop> served = new ArrayList<>(count);
        for (EventExecutor executor : group) {
            served.add(new Loop(served.size(), (EventLoop) executor, transport));
        }
        loops = List.copyOf(served);
        control = new Loop(-1, controlGroup.next(), Transport.NIO);
    }

    /** Starts {@code count} loops, at least one. */
    public static EventLoops start(Transport transport, int count) {
        return new EventLoops(transport, count);
    }

    public List<Loop> loops() {
        return loops;
    }

    MultiThreadIoEventLoopGroup group() {
        return group;
    }

    /** The loop whose turn it is to get a connection. Any thread. */
    Loop next() {
        return loops.size() == 1 ? loops.getFirst() : loops.get(Math.floorMod(turn.getAndIncrement(), loops.size()));
    }

    /** The loop of probes, discovery and HTTP: no client waits behind it. */
    public Loop control() {
        return control;
    }

    /** Ends the threads and whatever connections there still are. Waits at most some two seconds. */
    @Override
    public void close() {
        awaitLeaving();
        var ended = end(group);
        end(controlGroup).awaitUninterruptibly(2, TimeUnit.SECONDS);
        ended.awaitUninterruptibly(2, TimeUnit.SECONDS);
    }

    /**
     * A connection that says Terminate is closed when that is written, each of which takes the kernel's answer; the quiet time
     * of a loop that ends counts tasks, and no answers.
     */
    private void awaitLeaving() {
        long until = System.nanoTime() + LEAVING_NANOS;
        while (group.hasChannels() && until - System.nanoTime() > 0) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** With io_uring a close is a request too: a loop that ends before the kernel has answered leaves the socket open. */
    private static Future<?> end(MultiThreadIoEventLoopGroup group) {
        return group.shutdownGracefully(CLOSING_MILLIS, 1_000, TimeUnit.MILLISECONDS);
    }
}
