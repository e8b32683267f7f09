package io.plenum.pooler.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(30)
class ListenerTest {
    private static final byte UNIX = 'u';
    private static final byte TCP = 't';

    /** Says whether it takes its client for one at a Unix socket. */
    private static ChannelHandler greeter() {
        return new ChannelInboundHandlerAdapter() {
            @Override
            public void channelActive(ChannelHandlerContext context) {
                boolean unix = UnixSockets.isUnix(context.channel().localAddress());
                context.writeAndFlush(Unpooled.wrappedBuffer(new byte[] {unix ? UNIX : TCP}), context.voidPromise());
            }
        };
    }

    private static byte greeting(SocketChannel client) throws IOException {
        ByteBuffer one = ByteBuffer.allocate(1);
        assertThat(client.read(one)).isOne();
        return one.get(0);
    }

    private static Listener adopting(EventLoops loops, Socket listening, boolean unix) throws IOException {
        listening.listen(8);
        var options = new SocketOptions(false, 0, 0, 0, 0, 0);
        var listener = new Listener(loops, List.of(), 8, false, options, _ -> greeter());
        listener.adopt(listening.intValue(), unix, 8);
        return listener;
    }

    @Test
    void clientsAreAcceptedAtASocketThatListensAlready() throws IOException {
        assumeThat(Transport.EPOLL.isAvailable()).isTrue();
        Socket listening = Socket.newSocketStream();
        listening.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        try (var loops = EventLoops.start(Transport.EPOLL, 1);
                var listener = adopting(loops, listening, false)) {
            InetSocketAddress address = listener.addresses().getFirst();
            try (var client = SocketChannel.open(address)) {
                assertThat(greeting(client)).isEqualTo(TCP);
            }
        }
    }

    @Test
    void soTheyAreAtAUnixSocket(@TempDir Path folder) throws IOException {
        Path path = folder.resolve("socket");
        assumeThat(Transport.EPOLL.isAvailable()).isTrue();
        Socket listening = Socket.newSocketDomain();
        listening.bind(new DomainSocketAddress(path.toString()));
        try (var loops = EventLoops.start(Transport.EPOLL, 1);
                var _ = adopting(loops, listening, true);
                var client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            assertThat(greeting(client)).isEqualTo(UNIX);
        }
    }

    @Test
    void addressThatThisMachineDoesNotHaveKeepsNobodyFromTheOthers() throws IOException {
        InetSocketAddress nobodys = new InetSocketAddress(InetAddress.ofLiteral("192.0.2.77"), 0);
        InetSocketAddress own = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (var loops = EventLoops.start(Transport.NIO, 1)) {
            try (var listener = listening(loops, List.of(nobodys, own))) {
                assertThat(listener.addresses()).hasSize(1);
                try (var client = SocketChannel.open(listener.addresses().getFirst())) {
                    assertThat(greeting(client)).isEqualTo(TCP);
                }
            }
            assertThatThrownBy(() -> listening(loops, List.of(nobodys)))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessage("cannot listen on 192.0.2.77:0");
        }
    }

    private static Listener listening(EventLoops loops, List<InetSocketAddress> addresses) {
        return new Listener(loops, addresses, 8, false, new SocketOptions(false, 0, 0, 0, 0, 0), _ -> greeter());
    }

    /** A pooler whose clients vanish behind a firewall keeps their places without it. */
    @ParameterizedTest
    @EnumSource(Transport.class)
    void whetherSilentClientsAreProbedIsAsConfigured(Transport transport) throws Exception {
        assumeThat(transport.isAvailable()).isTrue();
        assertThat(isProbed(transport, true)).isTrue();
        assertThat(isProbed(transport, false)).isFalse();
    }

    private static boolean isProbed(Transport transport, boolean asked) throws Exception {
        var probed = new CompletableFuture<Boolean>();
        var handler = new ChannelInboundHandlerAdapter() {
            @Override
            public void channelActive(ChannelHandlerContext context) {
                probed.complete(context.channel().config().getOption(ChannelOption.SO_KEEPALIVE));
            }
        };
        var options = new SocketOptions(asked, 0, 0, 0, 0, 0);
        var anyPort = List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        try (var loops = EventLoops.start(transport, 1);
                var listener = new Listener(loops, anyPort, 8, false, options, _ -> handler);
                var _ = SocketChannel.open(listener.addresses().getFirst())) {
            return probed.get(10, TimeUnit.SECONDS);
        }
    }
}
