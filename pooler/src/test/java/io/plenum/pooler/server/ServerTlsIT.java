package io.plenum.pooler.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.plenum.pooler.Authority;
import io.plenum.pooler.Authority.Issued;
import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Frames;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresServer;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** TLS between the pooler and PostgreSQL with ssl = on. */
@ExtendWith(LeakWatch.class)
class ServerTlsIT {
    private static final String IS_TLS = "SELECT ssl || '/' || version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

    @TempDir
    private static Path directory;

    private static PostgresServer server;
    private static Authority authority;
    private static Issued friend;

    @BeforeAll
    static void startServer() {
        server = PostgresServer.start(PostgresCluster.builder()
                .hba(
                        "hostssl all cert_user 127.0.0.1/32 cert",
                        "hostssl all tls_user 127.0.0.1/32 trust",
                        "hostnossl all tls_user 127.0.0.1/32 reject"));
        authority = new Authority("authority", directory);
        friend = authority.issue("cert_user");
        Issued own = authority.issue("postgres", "localhost");
        place("tls.key", own.keyText());
        place("tls.crt", own.certificateText());
        place("ca.crt", authority.text());
        server.node().execute("CREATE ROLE cert_user LOGIN", "CREATE ROLE tls_user LOGIN");
        server.node().set("ssl_key_file", "tls.key");
        server.node().set("ssl_cert_file", "tls.crt");
        server.node().set("ssl_ca_file", "ca.crt");
        server.node().set("ssl", "on");
        awaitTls();
    }

    private static void awaitTls() {
        SQLException last = null;
        for (int i = 0; i < 200; i++) {
            try (var _ = DriverManager.getConnection(server.jdbcUrl("postgres") + "?user=postgres&sslmode=require")) {
                return;
            } catch (SQLException notYet) {
                last = notYet;
                LockSupport.parkNanos(100_000_000);
            }
        }
        throw new IllegalStateException("the server does not come to speak TLS", last);
    }

    @AfterAll
    static void stopServer() {
        server.close();
    }

    /** Has the server write a file that is its own and nobody else's. */
    private static void place(String name, String text) {
        List<String> rows = new ArrayList<>();
        text.lines().forEach(line -> rows.add("('" + line + "')"));
        server.node()
                .execute("COPY (VALUES " + String.join(",", rows) + ") TO PROGRAM 'umask 077; cat > " + name + "'");
    }

    private static RunningPooler start(String... settings) {
        return startFor("localhost", settings);
    }

    private static RunningPooler startFor(String host, String... settings) {
        return RunningPooler.ofDatabases(
                "* = host=%s port=%d".formatted(host, server.port()),
                "event_loops = 1",
                "server_login_retry = 1",
                String.join("\n", settings));
    }

    private static String value(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static Connection connect(RunningPooler pooler, String user) throws SQLException {
        return DriverManager.getConnection(
                pooler.jdbcUrl() + "?user=" + user + "&sslmode=disable&connectTimeout=20&socketTimeout=20");
    }

    @ParameterizedTest
    @CsvSource({
        "disable,false",
        "allow,true/TLSv1.3",
        "prefer,true/TLSv1.3",
        "require,true/TLSv1.3",
        "verify-ca,true/TLSv1.3",
        "verify-full,true/TLSv1.3"
    })
    void serverIsSpokenToAsTheModeSays(String mode, String expected) throws Exception {
        try (var pooler = start("server_tls_sslmode = " + mode, "server_tls_ca_file = " + authority.file());
                var client = pooler.connect("sslmode=disable")) {
            assertThat(value(client, "SELECT coalesce((" + IS_TLS + "), 'false')"))
                    .isEqualTo(expected);
        }
    }

    @Test
    void tlsIsPreferredWithoutASetting() throws Exception {
        try (var pooler = start();
                var client = connect(pooler, "tls_user")) {
            assertThat(value(client, IS_TLS)).startsWith("true");
        }
    }

    @Test
    void handshakeMayComeUnaskedWhereTheServerKnowsIt() throws Exception {
        try (var pooler = start(
                        "server_tls_sslmode = verify-full",
                        "server_tls_sslnegotiation = direct",
                        "server_tls_ca_file = " + authority.file());
                var client = pooler.connect("sslmode=disable")) {
            assertThat(value(client, IS_TLS)).isEqualTo("true/TLSv1.3");
        }
    }

    @Test
    void serverWithoutTlsIsSpokenToUnlessTlsIsDemanded() throws Exception {
        var plain = RunningPooler.sharedServer();
        String database = "* = host=%s port=%d".formatted(plain.host(), plain.port());
        try (var pooler = RunningPooler.ofDatabases(database, "server_tls_sslmode = prefer");
                var client = pooler.connect("sslmode=disable")) {
            assertThat(value(client, "SELECT 1")).isEqualTo("1");
        }
        var log = watchLog();
        try (var pooler =
                RunningPooler.ofDatabases(database, "server_tls_sslmode = require", "query_wait_timeout = 1")) {
            assertThatThrownBy(() -> pooler.connect("sslmode=disable")).isInstanceOf(SQLException.class);
        }
        assertThat(said(log)).contains("step=tls: server refused SSL");
    }

    @ParameterizedTest
    @ValueSource(strings = {"other authority", "other name", "no authority that Java knows"})
    void serverWhoseCertificateIsWrongGetsNoCredential(String fault) throws Exception {
        var other = new Authority("other", directory);
        String ca = fault.equals("other authority")
                ? "server_tls_ca_file = " + other.file()
                : fault.equals("other name") ? "server_tls_ca_file = " + authority.file() : "";
        String host = fault.equals("other name") ? "127.0.0.1" : "localhost";
        var log = watchLog();
        try (var pooler = startFor(host, "server_tls_sslmode = verify-full", "query_wait_timeout = 2", ca)) {
            assertThatThrownBy(() -> connect(pooler, "postgres")).isInstanceOf(SQLException.class);
        }
        assertThat(said(log)).contains("certificate verify failed");
    }

    @Test
    void nameOfTheServerIsNotLookedAtBelowVerifyFull() throws Exception {
        try (var pooler = startFor(
                        "127.0.0.1", "server_tls_sslmode = verify-ca", "server_tls_ca_file = " + authority.file());
                var client = pooler.connect("sslmode=disable")) {
            assertThat(value(client, IS_TLS)).startsWith("true");
        }
    }

    @Test
    void certificateOfOursLogsUsInWhereTheServerAsksForOne() throws Exception {
        try (var pooler = start(
                        "server_tls_sslmode = verify-full",
                        "server_tls_ca_file = " + authority.file(),
                        "server_tls_key_file = " + friend.key(),
                        "server_tls_cert_file = " + friend.certificate());
                var client = connect(pooler, "cert_user")) {
            assertThat(value(client, "SELECT current_user")).isEqualTo("cert_user");
        }
    }

    @Test
    void scramTowardsTheServerIsBoundToItsCertificate() throws Exception {
        String database = "* = host=localhost port=%d user=scram_user password=scram_user".formatted(server.port());
        try (var pooler = RunningPooler.ofDatabases(
                        database, "server_tls_sslmode = verify-full", "server_tls_ca_file = " + authority.file());
                var client = pooler.connect("sslmode=disable")) {
            assertThat(value(client, IS_TLS)).startsWith("true");
            assertThat(value(client, "SELECT current_user")).isEqualTo("scram_user");
        }
    }

    @Test
    void changedSettingsReplaceTheConnectionsThatThereAre() throws Exception {
        var log = watchLog();
        try (var pooler = start("server_tls_sslmode = disable");
                var client = connect(pooler, "postgres")) {
            assertThat(value(client, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
                    .isEqualTo("f");
            pooler.set("server_tls_sslmode", "require");
            assertThat(value(client, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
                    .isEqualTo("t");
            String before = value(client, "SELECT pg_backend_pid()");
            pooler.set("server_tls_sslmode", "require");
            Thread.sleep(500);
            assertThat(value(client, "SELECT pg_backend_pid()")).isEqualTo(before);
        }
        assertThat(said(log)).containsOnlyOnce("closing because: database configuration changed");
    }

    @Test
    void cancelRequestGoesThroughTlsToo() throws Exception {
        try (var pooler = start("server_tls_sslmode = require");
                var client = connect(pooler, "tls_user");
                var statement = client.createStatement()) {
            Thread.ofVirtual().start(() -> {
                try {
                    Thread.sleep(500);
                    statement.cancel();
                } catch (SQLException | InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThatThrownBy(() -> statement.execute("SELECT pg_sleep(15)"))
                    .hasMessageContaining("canceling statement due to user request");
            assertThat(value(client, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void replicationGoesThroughTls() throws Exception {
        try (var pooler = start("server_tls_sslmode = require");
                var client = RunningPooler.wire(pooler.port(), Map.of("replication", "database"), null)) {
            client.send(Frames.query("IDENTIFY_SYSTEM"));
            assertThat(client.readUntilReady()).anyMatch(message -> message.type() == 'D');
        }
    }

    /** A slow client holds the server's socket, not our memory, with TLS on both sides of it. */
    @Test
    void largeResultsPassThroughWholeWithReadersThatPause() throws Exception {
        try (var pooler = start("server_tls_sslmode = require");
                var client = connect(pooler, "tls_user");
                var statement = client.createStatement()) {
            client.setAutoCommit(false);
            statement.setFetchSize(5);
            int count = 0;
            try (var rows = statement.executeQuery("SELECT repeat('x', 200000) FROM generate_series(1, 200)")) {
                while (rows.next()) {
                    assertThat(rows.getString(1)).hasSize(200_000);
                    count++;
                    if (count % 40 == 0) {
                        Thread.sleep(30);
                    }
                }
            }
            assertThat(count).isEqualTo(200);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "nio", "io_uring"})
    void serversOfOneLoopServeAnotherThatStarves(String transport) throws Exception {
        try (var pooler = RunningPooler.ofDatabases(
                "* = host=localhost port=%d pool_size=1".formatted(server.port()),
                "event_loops = 3",
                "transport = " + transport,
                "server_tls_sslmode = require")) {
            List<Connection> clients = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                clients.add(connect(pooler, "tls_user"));
            }
            var failed = new AtomicInteger();
            var done = new CountDownLatch(clients.size());
            for (Connection client : clients) {
                Thread.ofVirtual().start(() -> {
                    try {
                        for (int i = 0; i < 40; i++) {
                            if (!"7".equals(value(client, "SELECT 7"))) {
                                failed.incrementAndGet();
                            }
                        }
                    } catch (SQLException e) {
                        failed.incrementAndGet();
                    } finally {
                        done.countDown();
                    }
                });
            }
            assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(failed).hasValue(0);
            for (Connection client : clients) {
                client.close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"SE", "E", "X"})
    void answerWithMoreBehindItOrAnErrorEndsTheConnection(String answer) throws Exception {
        var log = watchLog();
        try (var impostor = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            var heard = new AtomicInteger();
            Thread.ofVirtual().start(() -> {
                while (!impostor.isClosed()) {
                    try (var socket = impostor.accept()) {
                        var in = new DataInputStream(socket.getInputStream());
                        in.readFully(new byte[8]);
                        socket.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
                        if (in.read() >= 0) {
                            heard.incrementAndGet();
                        }
                    } catch (IOException over) {
                        // the next one, then
                    }
                }
            });
            try (var pooler = RunningPooler.ofDatabases(
                    "* = host=127.0.0.1 port=" + impostor.getLocalPort(), "query_wait_timeout = 1")) {
                assertThatThrownBy(() -> connect(pooler, "postgres")).isInstanceOf(SQLException.class);
            }
            assertThat(heard).hasValue(0);
        }
        assertThat(said(log))
                .contains(answer.equals("SE") ? "received unencrypted data after SSL response" : "bad sslreq answer");
    }

    private static ListAppender<ILoggingEvent> watchLog() {
        ListAppender<ILoggingEvent> appender = new ListAppender<>();
        appender.start();
        ((Logger) LoggerFactory.getLogger("io.plenum")).addAppender(appender);
        return appender;
    }

    private static String said(ListAppender<ILoggingEvent> appender) {
        ((Logger) LoggerFactory.getLogger("io.plenum")).detachAppender(appender);
        return List.copyOf(appender.list).stream()
                .map(ILoggingEvent::getFormattedMessage)
                .reduce("", (all, line) -> all + line + "\n");
    }
}
