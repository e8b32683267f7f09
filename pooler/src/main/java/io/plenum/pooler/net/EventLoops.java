package io.plenum.pooler.net;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The loops that serve clients and servers, and one more for what is not on a query's way (probes, names, HTTP). */
public final class EventLoops implements AutoCloseable {
    private static final long CLOSING_MILLIS = 20;

    private final MultiThreadIoEventLoopGroup group;
    private final MultiThreadIoEventLoopGroup controlGroup;
    private final List<Loop> loops;
    private final Loop control;

    private EventLoops(Transport transport, int count) {
        group = new MultiThreadIoEventLoopGroup(count, new DefaultThreadFactory("plenum-loop"), transport.handlers());
        controlGroup = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("plenum-control"), Transport.NIO.handlers());
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

    IdentityHashMap<EventLoop, Loop> byExecutor() {
        var map = new IdentityHashMap<EventLoop, Loop>();
        loops.forEach(loop -> map.put(loop.executor(), loop));
        return map;
    }

    /** The loop of probes, discovery and HTTP: no client waits behind it. */
    public Loop control() {
        return control;
    }

    /** Ends the threads and whatever connections there still are. Waits at most two seconds. */
    @Override
    public void close() {
        var ended = end(group);
        end(controlGroup).awaitUninterruptibly(2, TimeUnit.SECONDS);
        ended.awaitUninterruptibly(2, TimeUnit.SECONDS);
    }

    /** With io_uring a close is a request too: a loop that ends before the kernel has answered leaves the socket open. */
    private static Future<?> end(MultiThreadIoEventLoopGroup group) {
        return group.shutdownGracefully(CLOSING_MILLIS, 1_000, TimeUnit.MILLISECONDS);
    }
}
