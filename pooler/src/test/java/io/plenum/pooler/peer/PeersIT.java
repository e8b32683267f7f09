package io.plenum.pooler.peer;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.Pooler;
import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.admin.AdministeredPooler;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.TestDns;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A cancel request that a balancer sends to another process reaches the one that gave the key. */
@ExtendWith(LeakWatch.class)
class PeersIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    private static Pooler pooler(String address, int port, String... settings) {
        return Pooler.start(PoolerConfig.parse(
                """
                [databases]
                * = host=%s port=%d
                [pgbouncer]
                listen_addr = %s
                listen_port = %d
                auth_type = trust
                admin_users = postgres
                http_listen_port = 0
                event_loops = 1
                %s
                """.formatted(SERVER.host(), SERVER.port(), address, port, String.join("\n", settings)), Path.of("")));
    }

    private static WireClient wire(String address, int port, int protocol) throws IOException {
        WireClient client = WireClient.open(address, port);
        client.startup(protocol, Map.of("user", "postgres", "database", "app"), null);
        return client;
    }

    private static WireClient console(int port) throws IOException {
        return WireClient.connect("127.0.0.1", port, "pgbouncer", "postgres", null);
    }

    /** Runs a statement of one process's client, and cancels it at another. */
    private static void assertCanceledBy(WireClient client, String address, int port) throws Exception {
        client.send(Frames.query("SELECT pg_sleep(20)"));
        Thread.sleep(100);
        try (WireClient stranger = WireClient.open(address, port)) {
            stranger.send(Frames.cancelRequest(client.processId(), client.cancelSecret()));
            assertThat(stranger.isClosedWithin(Duration.ofSeconds(5))).isTrue();
        }
        assertThat(code(client.readUntilReady())).isEqualTo("57014");
    }

    private static String code(List<Message> messages) {
        return messages.stream()
                .filter(message -> message.type() == 'E')
                .map(message -> String.valueOf(message.field('C')))
                .findFirst()
                .orElse("");
    }

    @ParameterizedTest
    @ValueSource(ints = {Frames.PROTOCOL_3_0, Frames.PROTOCOL_3_2})
    void requestIsPassedOnToThePeerThatGaveTheKey(int protocol) throws Exception {
        int first = AdministeredPooler.freePort();
        int second = AdministeredPooler.freePort();
        String peers = "[peers]\n1 = host=127.0.0.1 port=%d\n2 = host=localhost port=%d".formatted(first, second);
        try (var one = pooler("127.0.0.1", first, "peer_id = 1", peers);
                var two = pooler("127.0.0.1", second, "peer_id = 2", peers);
                WireClient client = wire("127.0.0.1", first, protocol);
                WireClient console = console(second)) {
            assertCanceledBy(client, "127.0.0.1", second);
            assertCanceledBy(client, "127.0.0.1", first);

            assertThat(console.rows("SHOW PEERS"))
                    .containsExactly(
                            List.of("1", "127.0.0.1", Integer.toString(first), "20"),
                            List.of("2", "localhost", Integer.toString(second), "20"));
            assertThat(console.rows("SHOW PEER_POOLS")).containsExactly(List.of("1", "0", "0", "0", "0"));
        }
    }

    @Test
    void requestReachesAPeerAtItsUnixSocket(@TempDir Path folder) throws Exception {
        int first = AdministeredPooler.freePort();
        int second = AdministeredPooler.freePort();
        String peers = "[peers]\n1 = host=%s port=%d".formatted(folder, first);
        try (var one = pooler("127.0.0.1", first, "peer_id = 1", "unix_socket_dir = " + folder);
                var two = pooler("127.0.0.1", second, "peer_id = 2", peers);
                WireClient client = wire("127.0.0.1", first, Frames.PROTOCOL_3_0)) {
            assertCanceledBy(client, "127.0.0.1", second);
        }
    }

    @Test
    void peersFindEachOtherByTheirService() throws Exception {
        int port = AdministeredPooler.freePort();
        try (var dns = TestDns.start()) {
            dns.addresses("plenum.test", "127.0.0.1", "127.0.0.2");
            String[] settings = {"peer_service = plenum.test", "dns_servers = 127.0.0.1:" + dns.port()};
            try (var one = pooler("127.0.0.1", port, settings);
                    var two = pooler("127.0.0.2", port, settings);
                    WireClient client = wire("127.0.0.1", port, Frames.PROTOCOL_3_0);
                    WireClient other = wire("127.0.0.2", port, Frames.PROTOCOL_3_2)) {
                assertCanceledBy(client, "127.0.0.2", port);
                assertCanceledBy(other, "127.0.0.1", port);
            }
        }
    }

    @Test
    void requestForAPodThatIsNewWaitsUntilItIsFound() throws Exception {
        int port = AdministeredPooler.freePort();
        try (var dns = TestDns.start()) {
            dns.addresses("plenum.test", "127.0.0.1");
            dns.ttl(Duration.ofSeconds(60));
            String[] settings = {"peer_service = plenum.test", "dns_servers = 127.0.0.1:" + dns.port()};
            try (var one = pooler("127.0.0.1", port, settings);
                    WireClient console = console(port)) {
                AdministeredPooler.await("the service is looked up", () -> dns.queries("plenum.test") > 0);
                dns.addresses("plenum.test", "127.0.0.1", "127.0.0.2");
                try (var two = pooler("127.0.0.2", port, settings);
                        WireClient client = wire("127.0.0.2", port, Frames.PROTOCOL_3_0)) {
                    assertThat(console.rows("SHOW PEERS")).isEmpty();
                    assertCanceledBy(client, "127.0.0.1", port);
                    assertThat(console.rows("SHOW PEERS")).hasSize(1);
                }
            }
        }
    }

    @Test
    void requestTravelsThreeHopsAtMost() throws Exception {
        try (var peer = new ServerSocket(0, 10, InetAddress.ofLiteral("127.0.0.1"))) {
            int port = AdministeredPooler.freePort();
            String peers = "[peers]\n7 = host=127.0.0.1 port=" + peer.getLocalPort();
            try (var pooler = pooler("127.0.0.1", port, "peer_id = 1", peers);
                    WireClient first = WireClient.open("127.0.0.1", port);
                    WireClient second = WireClient.open("127.0.0.1", port)) {
                first.send(Frames.cancelRequest(0x1107_0022, new byte[] {1, 2, 3, 3}));
                try (Socket passedOn = peer.accept()) {
                    assertThat(passedOn.getInputStream().readNBytes(16))
                            .isEqualTo(Frames.cancelRequest(0x1107_0022, new byte[] {1, 2, 3, 2}));
                }
                assertThat(first.isClosedWithin(Duration.ofSeconds(5))).isTrue();

                second.send(Frames.cancelRequest(0x1107_0022, new byte[] {1, 2, 3, 0}));
                assertThat(second.isClosedWithin(Duration.ofSeconds(5))).isTrue();
                peer.setSoTimeout(200);
                assertThat(org.assertj.core.api.Assertions.catchThrowable(peer::accept))
                        .isInstanceOf(java.net.SocketTimeoutException.class);
            }
        }
    }

    @Test
    void morePeersRequestsThanItsPoolSizeWaitNoLongerThanTheLimit() throws Exception {
        try (var peer = new ServerSocket(0, 10, InetAddress.ofLiteral("127.0.0.1"))) {
            int port = AdministeredPooler.freePort();
            String peers = "[peers]\n7 = host=127.0.0.1 pool_size=1 port=" + peer.getLocalPort();
            try (var pooler = pooler("127.0.0.1", port, "peer_id = 1", "cancel_wait_timeout = 0.5", peers);
                    WireClient first = WireClient.open("127.0.0.1", port);
                    WireClient second = WireClient.open("127.0.0.1", port);
                    WireClient console = console(port)) {
                first.send(Frames.cancelRequest(0x1107_0022, new byte[] {1, 2, 3, 3}));
                try (Socket silent = peer.accept()) {
                    second.send(Frames.cancelRequest(0x1107_0022, new byte[] {1, 2, 3, 3}));
                    AdministeredPooler.await(
                            "the second waits", () -> pools(console).equals("[7, 1, 1, 1, 0]"));

                    assertThat(second.isClosedWithin(Duration.ofSeconds(2))).isTrue();
                    assertThat(pools(console)).isEqualTo("[7, 1, 0, 1, 0]");
                    assertThat(silent.isConnected()).isTrue();
                }
                assertThat(first.isClosedWithin(Duration.ofSeconds(2))).isTrue();
            }
        }
    }

    private static String pools(WireClient console) {
        try {
            return console.rows("SHOW PEER_POOLS").getFirst().toString();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
