package io.plenum.testbed;

import static io.plenum.testbed.FaultProxy.Direction.TO_CLIENT;
import static io.plenum.testbed.FaultProxy.Direction.TO_SERVER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FaultProxyTest {
    private static final byte[] TEN = "0123456789".getBytes(StandardCharsets.US_ASCII);

    private ServerSocket target;
    private FaultProxy proxy;
    private Socket client;
    private Socket server;

    @BeforeEach
    void connectThroughProxy() throws IOException {
        target = new ServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1"));
        proxy = FaultProxy.start("127.0.0.1", target.getLocalPort());
        connect();
    }

    @AfterEach
    void closeAll() throws IOException {
        client.close();
        server.close();
        proxy.close();
        target.close();
    }

    @Test
    void healthyProxyPassesAllBytesAndEndsBothWays() throws Exception {
        var large = new byte[5_000_000];
        new Random(1).nextBytes(large);
        var sender = Thread.ofVirtual().start(() -> {
            try {
                client.getOutputStream().write(large);
                client.shutdownOutput();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });

        assertThat(server.getInputStream().readAllBytes()).isEqualTo(large);
        sender.join();
        server.getOutputStream().write(TEN); // the other half is still open
        server.close();
        assertThat(client.getInputStream().readAllBytes()).isEqualTo(TEN);

        assertThat(proxy.bytes(TO_SERVER)).isEqualTo(large.length);
        assertThat(proxy.bytes(TO_CLIENT)).isEqualTo(10);
        assertThat(proxy.acceptedConnections()).isEqualTo(1);
        Await.until(Duration.ofSeconds(5), () -> "connection is gone", () -> proxy.openConnections() == 0);
    }

    @Test
    void latencyDelaysEachByteButNotTheNextOnesMore() throws Exception {
        proxy.set(TO_SERVER, new Fault.Latency(Duration.ofMillis(200)));
        long start = System.nanoTime();
        for (int i = 0; i < 10; i++) {
            client.getOutputStream().write(TEN, i, 1);
        }

        assertThat(server.getInputStream().readNBytes(10)).isEqualTo(TEN);

        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .isBetween(Duration.ofMillis(200), Duration.ofMillis(1500));
    }

    @Test
    void blackholeSwallowsUntilHealed() throws Exception {
        proxy.blackhole();
        client.getOutputStream().write(TEN);
        server.setSoTimeout(150);
        assertThatThrownBy(() -> server.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);

        proxy.heal();
        client.getOutputStream().write('x');

        server.setSoTimeout(5000);
        assertThat(server.getInputStream().read()).isEqualTo('x');
    }

    @Test
    void blackholeHidesThatThePeerIsGone() throws Exception {
        proxy.blackhole();
        client.setSoLinger(true, 0);
        client.close();

        server.setSoTimeout(150);
        assertThatThrownBy(() -> server.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);

        proxy.heal();
        server.setSoTimeout(5000);
        assertThatThrownBy(() -> server.getInputStream().read()).isInstanceOf(SocketException.class);
    }

    @Test
    void stallKeepsBytesAndGivesThemBack() throws Exception {
        proxy.set(TO_SERVER, new Fault.StallAfter(4));
        client.getOutputStream().write(TEN);
        assertThat(server.getInputStream().readNBytes(4)).isEqualTo(Arrays.copyOf(TEN, 4));
        server.setSoTimeout(150);
        assertThatThrownBy(() -> server.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);

        proxy.heal();

        server.setSoTimeout(5000);
        assertThat(server.getInputStream().readNBytes(6)).isEqualTo(Arrays.copyOfRange(TEN, 4, 10));
    }

    @Test
    void closeAfterEndsBothSidesInOrder() throws Exception {
        proxy.set(TO_SERVER, new Fault.CloseAfter(3));
        client.getOutputStream().write(TEN);

        assertThat(server.getInputStream().readAllBytes()).isEqualTo(Arrays.copyOf(TEN, 3));
        assertThat(client.getInputStream().read()).isEqualTo(-1);
    }

    @Test
    void resetAfterResetsBothSides() throws Exception {
        proxy.set(TO_CLIENT, new Fault.ResetAfter(3));
        server.getOutputStream().write(TEN);

        assertThatThrownBy(() -> client.getInputStream().readNBytes(10)).isInstanceOf(SocketException.class);
        assertThatThrownBy(() -> server.getInputStream().read()).isInstanceOf(SocketException.class);
    }

    @Test
    void halfCloseAfterLeavesTheOtherDirectionOpen() throws Exception {
        proxy.set(TO_SERVER, new Fault.HalfCloseAfter(3));
        client.getOutputStream().write(TEN);
        assertThat(server.getInputStream().readAllBytes()).isEqualTo(Arrays.copyOf(TEN, 3));

        server.getOutputStream().write(TEN);

        assertThat(client.getInputStream().readNBytes(10)).isEqualTo(TEN);
    }

    @Test
    void choppedBytesArriveOneByOne() throws Exception {
        proxy.set(TO_SERVER, new Fault.Chop(1, Duration.ofMillis(10)));
        client.getOutputStream().write(TEN);

        int reads = 0;
        var buffer = new byte[10];
        for (int got = 0; got < 10; reads++) {
            got += server.getInputStream().read(buffer, got, 10 - got);
        }

        assertThat(buffer).isEqualTo(TEN);
        // A slow machine may let two of them meet in the buffer.
        assertThat(reads).isGreaterThan(3);
    }

    @Test
    void faultCountsFromWhenItWasSet() throws Exception {
        client.getOutputStream().write(TEN);
        assertThat(server.getInputStream().readNBytes(10)).isEqualTo(TEN);

        proxy.set(TO_SERVER, new Fault.CloseAfter(3));
        client.getOutputStream().write(TEN);

        assertThat(server.getInputStream().readAllBytes()).isEqualTo(Arrays.copyOf(TEN, 3));
    }

    @Test
    void resetAllAndCloseAllEndOpenConnectionsAndLetNewOnesIn() throws Exception {
        proxy.resetAll();
        assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(SocketException.class);
        connect();
        proxy.closeAll();
        assertThat(client.getInputStream().read()).isEqualTo(-1);
        assertThat(server.getInputStream().read()).isEqualTo(-1);
        connect();
        proxy.halfCloseAll(TO_CLIENT);
        assertThat(client.getInputStream().read()).isEqualTo(-1);
        client.getOutputStream().write(TEN);
        assertThat(server.getInputStream().readNBytes(10)).isEqualTo(TEN);
    }

    @Test
    void refusingProxyRefusesAndListensAgainOnItsPort() throws Exception {
        int port = proxy.port();
        proxy.refuse(true);
        assertThatThrownBy(() -> new Socket(proxy.host(), port)).isInstanceOf(ConnectException.class);

        proxy.heal();

        connect();
        assertThat(client.getPort()).isEqualTo(port);
        client.getOutputStream().write(TEN);
        assertThat(server.getInputStream().readNBytes(10)).isEqualTo(TEN);
    }

    @Test
    void newConnectionsGoToTheNewTarget() throws Exception {
        try (var other = new ServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1"))) {
            proxy.target("127.0.0.1", other.getLocalPort());
            try (var second = new Socket(proxy.host(), proxy.port());
                    var accepted = other.accept()) {
                second.getOutputStream().write('n');
                client.getOutputStream().write('o');

                assertThat(accepted.getInputStream().read()).isEqualTo('n');
                assertThat(server.getInputStream().read()).isEqualTo('o');
            }
        }
    }

    @Test
    void deadTargetResetsTheClient() throws Exception {
        target.close();
        try (var second = new Socket(proxy.host(), proxy.port())) {
            assertThatThrownBy(() -> second.getInputStream().read()).isInstanceOf(SocketException.class);
        }
    }

    private void connect() throws IOException {
        client = new Socket(proxy.host(), proxy.port());
        server = target.accept();
        client.setSoTimeout(5000);
        server.setSoTimeout(5000);
    }
}
