package io.plenum.pooler.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What the acceptor does with what real sockets do seldom. */
class AcceptorTest {
    @Test
    void socketThatCannotAcceptIsLeftAloneForASecond() {
        try (var loops = EventLoops.start(Transport.NIO, 1)) {
            var socket = new EmbeddedChannel(new Acceptor(loops, Map.of(), _ -> new ChannelInboundHandlerAdapter()));
            socket.freezeTime();
            socket.pipeline().fireExceptionCaught(new IOException("Too many open files"));

            assertThat(socket.config().isAutoRead()).isFalse();
            socket.advanceTimeBy(1, TimeUnit.SECONDS);
            socket.runScheduledPendingTasks();
            assertThat(socket.config().isAutoRead()).isTrue();
        }
    }

    @Test
    void clientThatCannotBeServedIsClosedAndOthersAreAccepted() {
        try (var loops = EventLoops.start(Transport.NIO, 1)) {
            var socket = new EmbeddedChannel(new Acceptor(loops, Map.of(), _ -> {
                throw new IllegalStateException("no handler for this one");
            }));
            var client = new EmbeddedChannel();
            socket.writeInbound(client);

            assertThat(client.isOpen()).isFalse();
            assertThat(socket.config().isAutoRead()).isTrue();
        }
    }
}
