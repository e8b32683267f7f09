package io.plenum.pooler;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.UnixChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(OS.LINUX)
class LibcTest {
    private static final MultiThreadIoEventLoopGroup GROUP =
            new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());

    @AfterAll
    static void stop() {
        GROUP.shutdownGracefully();
    }

    @Test
    void socketOfAPathIsNamedByIt(@TempDir Path directory) {
        Path path = directory.resolve(".s.PGSQL.6432");

        assertThat(nameOf(new DomainSocketAddress(path.toFile())))
                .isEqualTo(new Libc.SocketName(Libc.Family.UNIX, path.toString()));
    }

    @Test
    void abstractSocketHasASignInFront() {
        String name = "plenum-test-" + ProcessHandle.current().pid();

        assertThat(nameOf(new DomainSocketAddress("\0" + name)))
                .isEqualTo(new Libc.SocketName(Libc.Family.UNIX, "@" + name));
    }

    @Test
    void socketOfTheInternetHasNoPath() {
        assertThat(nameOf(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)))
                .isEqualTo(new Libc.SocketName(Libc.Family.INTERNET, ""));
    }

    @Test
    void descriptorThatIsNoSocketHasNoName() {
        assertThat(Libc.socketName(-1).family()).isEqualTo(Libc.Family.OTHER);
    }

    private static Libc.SocketName nameOf(SocketAddress address) {
        boolean unix = address instanceof DomainSocketAddress;
        Channel listener = new ServerBootstrap()
                .group(GROUP)
                .channel(unix ? EpollServerDomainSocketChannel.class : EpollServerSocketChannel.class)
                .childHandler(new ChannelInboundHandlerAdapter())
                .bind(address)
                .syncUninterruptibly()
                .channel();
        try {
            return Libc.socketName(((UnixChannel) listener).fd().intValue());
        } finally {
            listener.close().syncUninterruptibly();
        }
    }
}
