package io.plenum.pooler.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.Authority;
import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Frames;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import javax.net.SocketFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The PROXY protocol in front of the startup packet. */
@ExtendWith(LeakWatch.class)
class ProxyProtocolIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    /** From 10.1.2.3, port 41234. */
    private static final byte[] HEADER = HexFormat.of()
            .parseHex("0d0a0d0a000d0a515549540a" + "2111000c" + "0a010203" + "c0a80001" + "a112" + "1920");

    private static final byte[] LOCAL = HexFormat.of().parseHex("0d0a0d0a000d0a515549540a" + "20000000");

    private static final Map<String, String> STARTUP = Map.of("user", "postgres", "database", "app");

    @TempDir
    private Path directory;

    private static RunningPooler start(String networks, String... more) {
        return RunningPooler.start(
                SERVER,
                "proxy_protocol_networks = " + networks,
                "application_name_add_host = 1",
                String.join("\n", more));
    }

    private static String address(WireClient client) throws Exception {
        client.startup(Frames.PROTOCOL_3_0, STARTUP, null);
        return client.value("SHOW application_name");
    }

    @Test
    void clientIsWhereATrustedProxySaysItIs() throws Exception {
        try (var pooler = start("10.0.0.0/8, 127.0.0.0/8")) {
            try (var client = pooler.open()) {
                client.sendRaw(HEADER);
                assertThat(address(client)).isEqualTo("app - 10.1.2.3:41234");
            }
            try (var client = pooler.open()) { // in pieces, the last of them with the startup packet
                for (int i = 0; i < HEADER.length - 3; i += 5) {
                    client.sendPart(HEADER, i, Math.min(i + 5, HEADER.length - 3));
                    Thread.sleep(2);
                }
                client.sendRaw(
                        Frames.join(HexFormat.of().parseHex("121920"), Frames.startup(Frames.PROTOCOL_3_0, STARTUP)));
                client.readUntilReady();
                assertThat(client.value("SHOW application_name")).isEqualTo("app - 10.1.2.3:41234");
            }
            try (var client = pooler.open()) {
                client.sendRaw(LOCAL);
                assertThat(address(client)).startsWith("app - 127.0.0.1:");
            }
            try (var client = pooler.open()) {
                assertThat(address(client)).startsWith("app - 127.0.0.1:");
            }
        }
    }

    @Test
    void headerFromElsewhereOrASecondOneEndsTheConnection() throws Exception {
        try (var pooler = start("10.0.0.0/8")) {
            try (var client = pooler.open()) {
                client.sendRaw(HEADER);
                assertThat(client.isClosedWithin(Duration.ofSeconds(5))).isTrue();
            }
        }
        try (var pooler = start("*")) {
            for (byte[] first : new byte[][] {HEADER, LOCAL}) {
                try (var client = pooler.open()) {
                    client.send(first, HEADER);
                    assertThat(client.isClosedWithin(Duration.ofSeconds(5))).isTrue();
                }
            }
        }
    }

    @Test
    void handshakeFollowsTheHeaderAskedForOrNot() throws Exception {
        var authority = new Authority("authority", directory);
        var own = authority.issue("own", "127.0.0.1");
        try (var pooler = start(
                "127.0.0.1",
                "client_tls_sslmode = require",
                "client_tls_key_file = " + own.key(),
                "client_tls_cert_file = " + own.certificate())) {
            for (String negotiation : new String[] {"postgres", "direct"}) {
                String url = pooler.jdbcUrl() + "?user=postgres&sslmode=require&sslNegotiation=" + negotiation
                        + "&ApplicationName=app&assumeMinServerVersion=18&socketFactory="
                        + ProxiedSockets.class.getName();
                try (var client = DriverManager.getConnection(url);
                        var statement = client.createStatement();
                        var rows = statement.executeQuery("SHOW application_name")) {
                    rows.next();
                    assertThat(rows.getString(1)).startsWith("app - 10.1.2.3:41234");
                }
            }
        }
    }

    /** Sockets that begin as a proxy would. */
    public static final class ProxiedSockets extends SocketFactory {
        @Override
        public Socket createSocket() {
            return new Socket() {
                @Override
                public void connect(SocketAddress address, int timeout) throws IOException {
                    super.connect(address, timeout);
                    getOutputStream().write(HEADER);
                }
            };
        }

        @Override
        public Socket createSocket(String host, int port) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress local, int localPort) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(InetAddress host, int port) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) {
            throw new UnsupportedOperationException();
        }
    }
}
