package io.plenum.pooler.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.plenum.pooler.Authority;
import io.plenum.pooler.Authority.Issued;
import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.LogBook;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Frames;
import io.plenum.testbed.PostgresServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS between clients and the pooler, with pgjdbc and with bytes of our own. */
@ExtendWith(LeakWatch.class)
class ClientTlsIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    @TempDir
    private Path directory;

    private Authority authority;
    private Issued own;

    @BeforeEach
    void makeCertificates() {
        authority = new Authority("authority", directory);
        own = authority.issue("pooler", "localhost", "127.0.0.1");
    }

    private RunningPooler start(String mode, String... more) {
        return start(own.key(), own.certificate(), mode, more);
    }

    private RunningPooler start(Path key, Path certificate, String mode, String... more) {
        return RunningPooler.start(SERVER, directory, settings(key, certificate, mode, more));
    }

    private static String settings(Path key, Path certificate, String mode, String... more) {
        return """
            client_tls_sslmode = %s
            client_tls_key_file = %s
            client_tls_cert_file = %s
            %s
            """.formatted(mode, key, certificate, String.join("\n", more));
    }

    private String trusted() {
        return "sslmode=verify-full&sslrootcert=" + authority.file();
    }

    private static String value(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "allow,disable",
        "allow,require",
        "prefer,disable",
        "prefer,require",
        "require,require",
        "require,verify-full"
    })
    void clientIsLetInWhereItsWishMeetsTheMode(String mode, String wish) throws Exception {
        try (var pooler = start(mode);
                var client = pooler.connect("sslmode=" + wish + "&sslrootcert=" + authority.file())) {
            assertThat(value(client, "SELECT 1")).isEqualTo("1");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"require", "verify-ca", "verify-full"})
    void clientWithoutTlsIsToldThatItIsDemanded(String mode) {
        try (var pooler = start(mode, "client_tls_ca_file = " + authority.file())) {
            assertThatThrownBy(() -> pooler.connect("sslmode=disable"))
                    .isInstanceOfSatisfying(SQLException.class, refused -> {
                        assertThat(refused.getSQLState()).isEqualTo("28000");
                        assertThat(refused.getMessage()).contains("SSL required");
                    });
        }
    }

    @Test
    void withoutTlsWhoeverAsksIsToldThatThereIsNone() throws Exception {
        try (var pooler = RunningPooler.start(SERVER);
                var client = pooler.open()) {
            client.sendRaw(sslRequest());
            assertThat(client.readByte()).isEqualTo('N');
            client.startup(Frames.PROTOCOL_3_0, Map.of("user", "postgres", "database", "app"), null);
            assertThat(client.value("SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void onlyCertificatesOfTheAuthorityAreLetInWhereTheyAreDemanded() throws Exception {
        var stranger = new Authority("stranger", directory).issue("stranger");
        var friend = authority.issue("postgres");
        try (var pooler = start("verify-full", "client_tls_ca_file = " + authority.file())) {
            try (var client = pooler.connect(trusted() + key(friend))) {
                assertThat(value(client, "SELECT 1")).isEqualTo("1");
            }
            assertThatThrownBy(() -> pooler.connect(trusted()).createStatement().execute("SELECT 1"))
                    .isInstanceOf(SQLException.class);
            assertThatThrownBy(() -> pooler.connect(trusted() + key(stranger))
                            .createStatement()
                            .execute("SELECT 1"))
                    .isInstanceOf(SQLException.class);
        }
    }

    @Test
    void certificateThatIsShownUnaskedIsCheckedTooAndNoneIsAsGood() throws Exception {
        var stranger = new Authority("stranger", directory).issue("stranger");
        var friend = authority.issue("friend");
        try (var pooler = start("require", "client_tls_ca_file = " + authority.file())) {
            try (var client = pooler.connect(trusted())) {
                assertThat(value(client, "SELECT 1")).isEqualTo("1");
            }
            assertThat(firstAnswer(pooler, friend)).isEqualTo('R');
            assertThat(firstAnswer(pooler, stranger)).isEqualTo(-1);
        }
    }

    /** The first byte that is answered to a startup packet by one who shows this certificate; -1 for an end. */
    private static int firstAnswer(RunningPooler pooler, Issued shown) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(new KeyManager[] {new Insistent(shown)}, new TrustManager[] {new Anybody()}, null);
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), pooler.port())) {
            socket.getOutputStream().write(sslRequest());
            assertThat(socket.getInputStream().read()).isEqualTo('S');
            var tls = (SSLSocket) context.getSocketFactory().createSocket(socket, "127.0.0.1", socket.getPort(), true);
            tls.setSoTimeout(10_000);
            tls.startHandshake();
            tls.getOutputStream().write(Frames.startup(Frames.PROTOCOL_3_0, Map.of("user", "postgres")));
            return readOrEnd(tls.getInputStream());
        } catch (IOException refused) {
            return -1;
        }
    }

    /** pgjdbc reads keys in PKCS#8 and DER. */
    private String key(Issued issued) throws Exception {
        Path der = directory.resolve(issued.key().getFileName() + ".pk8");
        Files.write(der, issued.privateKey().getEncoded());
        Files.setPosixFilePermissions(der, PosixFilePermissions.fromString("rw-------"));
        return "&sslkey=" + der + "&sslcert=" + issued.certificate();
    }

    @Test
    void keysInEveryFormThatOpensslWritesAreRead() throws Exception {
        var rsa = authority.issueRsa("rsa", "localhost", "127.0.0.1");
        Path pkcs1 = directory.resolve("pkcs1.key");
        Files.writeString(pkcs1, Authority.pem("RSA PRIVATE KEY", Authority.innerKey(rsa.privateKey())));
        Path sec1 = directory.resolve("sec1.key");
        Files.writeString(
                sec1,
                Authority.pem(
                                "EC PARAMETERS",
                                new byte[] {0x06, 0x08, 0x2A, (byte) 0x86, 0x48, (byte) 0xCE, 0x3D, 0x03, 0x01, 0x07})
                        + Authority.pem("EC PRIVATE KEY", Authority.innerKey(own.privateKey())));
        for (var pair : List.of(
                List.of(rsa.key(), rsa.certificate()),
                List.of(pkcs1, rsa.certificate()),
                List.of(sec1, own.certificate()))) {
            try (var pooler = start(pair.getFirst(), pair.getLast(), "require");
                    var client = pooler.connect(trusted())) {
                assertThat(value(client, "SELECT 1")).isEqualTo("1");
            }
        }
    }

    @Test
    void bytesBehindTheRequestAreRefusedForTheyWereNotEncrypted() throws Exception {
        try (var pooler = start("prefer");
                var client = pooler.open()) {
            client.send(sslRequest(), Frames.startup(Frames.PROTOCOL_3_0, Map.of("user", "postgres")));
            assertThat(client.read().toString()).contains("received unencrypted data after SSL request");
        }
    }

    @Test
    void encryptionIsAskedForOnceAndNotInsideOfItself() throws Exception {
        try (var pooler = start("prefer");
                var socket = new Socket(InetAddress.getLoopbackAddress(), pooler.port())) {
            socket.getOutputStream().write(sslRequest());
            assertThat(socket.getInputStream().read()).isEqualTo('S');
            try (var tls = handshake(socket, "postgresql")) {
                tls.getOutputStream().write(sslRequest());
                assertThat(new String(tls.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                        .contains("encryption was asked for twice");
            }
        }
    }

    @Test
    void gssEncryptionIsDeclinedAndTlsMayFollow() throws Exception {
        try (var pooler = start("require");
                var socket = new Socket(InetAddress.getLoopbackAddress(), pooler.port())) {
            socket.getOutputStream()
                    .write(ByteBuffer.allocate(8).putInt(8).putInt(80877104).array());
            assertThat(socket.getInputStream().read()).isEqualTo('N');
            socket.getOutputStream().write(sslRequest());
            assertThat(socket.getInputStream().read()).isEqualTo('S');
            try (var tls = handshake(socket, "postgresql")) {
                assertThat(tls.getSession().isValid()).isTrue();
            }
        }
    }

    @Test
    void handshakeMayBeTheFirstThingSaidIfItNamesOurProtocol() throws Exception {
        try (var pooler = start("require")) {
            try (var client = pooler.connect(trusted() + "&sslNegotiation=direct")) {
                assertThat(value(client, "SELECT 1")).isEqualTo("1");
            }
            for (String protocol : List.of("", "http/1.1")) {
                try (var socket = new Socket(InetAddress.getLoopbackAddress(), pooler.port());
                        var tls = handshake(socket, protocol)) {
                    tls.getOutputStream().write(Frames.startup(Frames.PROTOCOL_3_0, Map.of("user", "postgres")));
                    assertThat(readOrEnd(tls.getInputStream())).as(protocol).isEqualTo(-1);
                } catch (SSLException closedMeanwhile) {
                    assertThat(closedMeanwhile.getMessage()).isNotEmpty();
                }
            }
        }
    }

    @Test
    void nobodyReadsWhatComesWithTheEndOfAHandshakeThatIsNoUse() throws Exception {
        try (var pooler = start("allow");
                var log = new LogBook();
                var socket = new Socket(InetAddress.getLoopbackAddress(), pooler.port())) {
            shakeHandsAndSay(socket, Frames.startup(Frames.PROTOCOL_3_0, Map.of("user", "postgres")));

            log.await("event=client_tls_failed .*direct TLS without ALPN.*");
            while (readOrEnd(socket.getInputStream()) >= 0) {
                // the pooler's half of the handshake
            }
            assertThat(log.lines()).noneMatch(line -> line.contains("login attempt"));
        }
    }

    /** The last message of the handshake, without ALPN, and the words behind it in one piece. */
    private static void shakeHandsAndSay(Socket socket, byte[] words) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new Anybody()}, null);
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(true);
        engine.beginHandshake();
        ByteBuffer received = ByteBuffer.allocate(1 << 16).flip();
        ByteBuffer sent = ByteBuffer.allocate(1 << 16);
        while (true) {
            switch (engine.getHandshakeStatus()) {
                case NEED_TASK -> engine.getDelegatedTask().run();
                case NEED_WRAP -> engine.wrap(ByteBuffer.allocate(0), sent);
                case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                    SSLEngineResult read = engine.unwrap(received, ByteBuffer.allocate(1 << 16));
                    if (read.getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW) {
                        send(socket, sent);
                        received.compact();
                        int count = socket.getInputStream()
                                .read(received.array(), received.position(), received.remaining());
                        received.position(received.position() + count).flip();
                    }
                }
                case FINISHED, NOT_HANDSHAKING -> {
                    engine.wrap(ByteBuffer.wrap(words), sent);
                    send(socket, sent);
                    return;
                }
            }
        }
    }

    private static void send(Socket socket, ByteBuffer bytes) throws IOException {
        byte[] written = new byte[bytes.flip().remaining()];
        bytes.get(written).clear();
        socket.getOutputStream().write(written);
    }

    private static int readOrEnd(InputStream in) {
        try {
            return in.read();
        } catch (IOException reset) {
            return -1;
        }
    }

    @Test
    void certificatesAreReadAgainByReloadAndOldConnectionsGoOn() throws Exception {
        var other = new Authority("other", directory);
        var next = other.issue("pooler", "localhost", "127.0.0.1");
        Path key = Files.copy(own.key(), directory.resolve("current.key"));
        Path certificate = Files.copy(own.certificate(), directory.resolve("current.crt"));
        try (var pooler = start(key, certificate, "require");
                var before = pooler.connect(trusted())) {
            Files.copy(next.key(), key, StandardCopyOption.REPLACE_EXISTING);
            Files.copy(next.certificate(), certificate, StandardCopyOption.REPLACE_EXISTING);
            pooler.pooler().reload(RunningPooler.config(SERVER, directory, settings(key, certificate, "require")));

            assertThatThrownBy(() -> pooler.connect(trusted())).isInstanceOf(SQLException.class);
            try (var after = pooler.connect("sslmode=verify-full&sslrootcert=" + other.file())) {
                assertThat(value(after, "SELECT 1")).isEqualTo("1");
            }
            assertThat(value(before, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void settingsThatDoNotFitYetLeaveTlsAsItWas() throws Exception {
        var next = authority.issue("next", "localhost", "127.0.0.1");
        try (var pooler = start("require")) {
            pooler.set("client_tls_key_file", next.key().toString());
            try (var client = pooler.connect(trusted())) {
                assertThat(value(client, "SELECT 1")).isEqualTo("1");
            }
            pooler.set("client_tls_cert_file", next.certificate().toString());
            assertThat(commonName(pooler)).isEqualTo("CN=next");
            pooler.set("client_tls_sslmode", "disable");
            try (var client = pooler.connect("sslmode=prefer")) {
                assertThat(value(client, "SELECT 1")).isEqualTo("1");
            }
        }
    }

    private static String commonName(RunningPooler pooler) throws Exception {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), pooler.port())) {
            socket.getOutputStream().write(sslRequest());
            assertThat(socket.getInputStream().read()).isEqualTo('S');
            try (var tls = handshake(socket, "postgresql")) {
                return ((X509Certificate) tls.getSession().getPeerCertificates()[0])
                        .getSubjectX500Principal()
                        .getName();
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "client_tls_protocols = tlsv1.2                                 | TLSv1.2",
                "client_tls_protocols = tlsv1.3                                 | TLSv1.3",
                "client_tls_protocols = all,!tlsv1.3                            | TLSv1.2",
                "client_tls13_ciphers = TLS_AES_128_GCM_SHA256                  | TLS_AES_128_GCM_SHA256",
                "client_tls_protocols = tlsv1.2; client_tls_ciphers = AESGCM+AES128:!RSA |"
                        + " ECDHE-ECDSA-AES128-GCM-SHA256",
                "client_tls_ecdhcurve = prime256v1                              | /ECDH=prime256v1",
                "client_tls_protocols = tlsv1.2; client_tls_ecdhcurve = secp384r1 | /ECDH=secp384r1",
            })
    void versionsAndCiphersAreThoseThatTheSettingsAllow(String settings, String expected) throws Exception {
        try (var pooler = start(
                        "require", "admin_users = postgres", settings.strip().replace("; ", "\n"));
                var console = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + pooler.port()
                        + "/pgbouncer?user=postgres&" + "preferQueryMode=simple&" + trusted());
                var statement = console.createStatement();
                var client = pooler.connect(trusted())) {
            assertThat(value(client, "SELECT 1")).isEqualTo("1");
            String seen = "";
            try (var rows = statement.executeQuery("SHOW CLIENTS")) {
                while (rows.next()) {
                    if (rows.getString("database").equals("app")) {
                        seen = rows.getString("tls");
                    }
                }
            }
            assertThat(seen).contains(expected);
        }
    }

    @Test
    void scramIsBoundToTheCertificateThatTheClientSees() throws Exception {
        Path users = directory.resolve("users.txt");
        Files.writeString(users, "\"scram_user\" \"scram_user\"\n");
        try (var pooler = start("require", "auth_type = scram-sha-256", "auth_file = " + users)) {
            for (String binding : List.of("require", "prefer", "disable")) {
                String url = pooler.jdbcUrl() + "?user=scram_user&password=scram_user&channelBinding=" + binding + "&"
                        + trusted();
                try (var client = DriverManager.getConnection(url)) {
                    assertThat(value(client, "SELECT 1")).as(binding).isEqualTo("1");
                }
            }
            assertThatThrownBy(() -> DriverManager.getConnection(
                            pooler.jdbcUrl() + "?user=scram_user&password=wrong&channelBinding=require&" + trusted()))
                    .hasMessageContaining("password authentication failed");
        }
    }

    @Test
    void largeResultsAndSlowReadersWorkThroughTls() throws Exception {
        try (var pooler = start("require");
                var client = pooler.connect(trusted() + "&defaultRowFetchSize=10")) {
            client.setAutoCommit(false);
            try (var statement = client.createStatement();
                    var rows =
                            statement.executeQuery("SELECT i, repeat('x', 100000) FROM generate_series(1, 400) AS i")) {
                int count = 0;
                while (rows.next()) {
                    assertThat(rows.getString(2)).hasSize(100_000);
                    if (count++ % 50 == 0) {
                        Thread.sleep(20);
                    }
                }
                assertThat(count).isEqualTo(400);
            }
        }
    }

    private static byte[] sslRequest() {
        return ByteBuffer.allocate(8).putInt(8).putInt(80877103).array();
    }

    /** A handshake that trusts anybody and names this protocol in ALPN, or none. */
    private static SSLSocket handshake(Socket socket, String protocol) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new Anybody()}, null);
        var tls = (SSLSocket) context.getSocketFactory().createSocket(socket, "127.0.0.1", socket.getPort(), true);
        tls.setSoTimeout(10_000);
        if (!protocol.isEmpty()) {
            SSLParameters parameters = tls.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {protocol});
            tls.setSSLParameters(parameters);
        }
        tls.startHandshake();
        return tls;
    }

    /** Shows its certificate whatever authorities the server names, as libpq does. */
    private static final class Insistent extends X509ExtendedKeyManager {
        private final Issued shown;

        Insistent(Issued shown) {
            this.shown = shown;
        }

        @Override
        public String[] getClientAliases(String type, Principal[] issuers) {
            return new String[] {"own"};
        }

        @Override
        public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
            return "own";
        }

        @Override
        public String[] getServerAliases(String type, Principal[] issuers) {
            return new String[0];
        }

        @Override
        public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
            return "";
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return new X509Certificate[] {shown.x509()};
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return shown.privateKey();
        }
    }

    private static final class Anybody implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
