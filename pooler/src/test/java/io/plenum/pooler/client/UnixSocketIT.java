package io.plenum.pooler.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.plenum.pooler.Authority;
import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.LogBook;
import io.plenum.pooler.Pooler;
import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.testbed.Frames;
import io.plenum.testbed.PostgresServer;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Unix sockets on both sides of the pooler. */
@ExtendWith(LeakWatch.class)
class UnixSocketIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    @TempDir
    private Path directory;

    private RunningPooler start(String... settings) {
        return RunningPooler.start(SERVER, "unix_socket_dir = " + directory, String.join("\n", settings));
    }

    private Path socket(RunningPooler pooler) {
        return directory.resolve(".s.PGSQL." + pooler.port());
    }

    private static final String READY = "Z\0\0\0\5";

    /** The answer to a startup packet and a query, as text. */
    private static String converse(Path socket, Map<String, String> startup, String sql) throws IOException {
        try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            var watch = Thread.ofVirtual().start(() -> giveUp(client));
            client.write(ByteBuffer.wrap(Frames.startup(Frames.PROTOCOL_3_0, startup)));
            client.write(ByteBuffer.wrap(Frames.query(sql)));
            var all = new StringBuilder();
            var buffer = ByteBuffer.allocate(64 * 1024);
            boolean answered = false;
            while (client.read(buffer) >= 0) {
                all.append(StandardCharsets.UTF_8.decode(buffer.flip()));
                buffer.clear();
                if (!answered
                        && all.indexOf(READY) != all.lastIndexOf(READY)) { // behind the login, and behind the query
                    answered = true;
                    client.write(ByteBuffer.wrap(Frames.terminate()));
                }
            }
            watch.interrupt();
            return all.toString();
        }
    }

    /** A read of such a channel knows no timeout. */
    private static void giveUp(SocketChannel client) {
        try {
            Thread.sleep(20_000);
            client.close();
        } catch (InterruptedException | IOException answered) {
            Thread.currentThread().interrupt();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"io_uring", "epoll", "nio"})
    void clientsAreServedByUnixSocket(String transport) throws Exception {
        try (var pooler = start("transport = " + transport)) {
            String said =
                    converse(socket(pooler), Map.of("user", "postgres", "database", "app"), "SELECT 'by ' || 'socket'");
            assertThat(said).contains("by socket");
        }
        assertThat(directory).isEmptyDirectory();
    }

    @ParameterizedTest
    @ValueSource(strings = {"io_uring", "epoll", "nio"})
    void serversAreReachedByUnixSocket(String transport) throws Exception {
        String database = "* = host=%s port=%d".formatted(SERVER.node().socketDirectory(), SERVER.port());
        try (var pooler = RunningPooler.ofDatabases(
                        database,
                        "transport = " + transport,
                        "admin_users = postgres",
                        "server_tls_sslmode = require");
                var client = pooler.wire()) {
            assertThat(client.value("SELECT inet_server_addr() IS NULL")).isEqualTo("t");
            try (var console = RunningPooler.wire(pooler.port(), Map.of("database", "pgbouncer"), null)) {
                assertThat(console.rows("SHOW SERVERS").getFirst()).contains("unix", Integer.toString(SERVER.port()));
            }
            client.cancel();
            assertThat(client.value("SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void fileHasTheModeThatTheSettingSays() throws Exception {
        try (var pooler = start("unix_socket_mode = 0750")) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket(pooler))))
                    .isEqualTo("rwxr-x---");
        }
        try (var pooler = start()) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket(pooler))))
                    .isEqualTo("rwxrwxrwx");
        }
    }

    private Pooler startAt(int port) {
        return Pooler.start(PoolerConfig.parse("""
            [pgbouncer]
            listen_port = %d
            unix_socket_dir = %s
            http_listen_port = 0
            event_loops = 1
            """.formatted(port, directory), directory));
    }

    @Test
    void socketThatADeadProcessLeftIsReplacedAndALiveOneIsNot() throws Exception {
        Path stale = directory.resolve(".s.PGSQL.7001");
        try (var dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(stale));
        }
        assertThat(stale).exists();
        try (var _ = startAt(7001)) {
            assertThatThrownBy(() -> startAt(7001)).hasStackTraceContaining("is in use by another process");
            try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(stale))) {
                assertThat(client.isConnected()).isTrue();
            }
        }
        Files.writeString(stale, "no socket");
        assertThatThrownBy(() -> startAt(7001)).hasStackTraceContaining("is there and is no socket");
        assertThat(stale).hasContent("no socket");
    }

    @ParameterizedTest
    @ValueSource(strings = {"io_uring", "epoll"})
    void abstractSocketsHaveNoFile(String transport) throws Exception {
        String name = "@" + directory.getFileName();
        try (var inner = RunningPooler.start(SERVER, "transport = " + transport, "unix_socket_dir = " + name);
                var outer = RunningPooler.ofDatabases(
                        "* = host=%s port=%d".formatted(name, inner.port()), "transport = " + transport);
                var client = outer.wire()) {
            assertThat(client.value("SELECT 1")).isEqualTo("1");
        }
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void noTlsIsDemandedOfUnixSockets() throws Exception {
        var authority = new Authority("authority", directory);
        var own = authority.issue("own");
        try (var pooler = start(
                "client_tls_sslmode = require",
                "client_tls_key_file = " + own.key(),
                "client_tls_cert_file = " + own.certificate())) {
            assertThat(converse(socket(pooler), Map.of("user", "postgres", "database", "app"), "SELECT 'in'"))
                    .contains("in");
            try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(socket(pooler)))) {
                client.write(ByteBuffer.allocate(8).putInt(8).putInt(80877103).flip());
                var answer = ByteBuffer.allocate(1);
                client.read(answer);
                assertThat(answer.get(0)).isEqualTo((byte) 'N');
            }
        }
    }

    /** By the number of its process, as in PgBouncer, and also when it has gone. */
    @Test
    void logTellsWhichProcessCameByUnixSocket() throws Exception {
        try (var log = new LogBook();
                var pooler = start()) {
            converse(socket(pooler), Map.of("user", "postgres", "database", "app"), "SELECT 1");
            String name = "C-0x[0-9a-f]+: app/postgres@unix\\(%d\\):%d "
                    .formatted(ProcessHandle.current().pid(), pooler.port());
            log.await(name + "login attempt: .*");
            log.await(name + "closing because: .*");
        }
    }

    @Test
    void consoleShowsWhoComesByUnixSocket() throws Exception {
        try (var pooler = start("admin_users = postgres")) {
            String said = converse(socket(pooler), Map.of("user", "postgres", "database", "pgbouncer"), "SHOW CLIENTS");
            assertThat(said).contains("unix").contains(Integer.toString(pooler.port()));
        }
    }

    /** As PgBouncer's: whoever runs the process is the console's user pgbouncer at the Unix socket, and needs no proof. */
    @Test
    void ownerOfTheProcessMayDoAllOnTheConsoleWithoutAPassword() throws Exception {
        try (var pooler = start("auth_type = scram-sha-256")) {
            var owner = Map.of("user", "pgbouncer", "database", "pgbouncer");
            assertThat(converse(socket(pooler), owner, "SHOW VERSION")).contains("PgBouncer");
            assertThat(converse(socket(pooler), owner, "RECONNECT")).contains("RECONNECT");
            var stranger = Map.of("user", "postgres", "database", "pgbouncer");
            assertThat(converse(socket(pooler), stranger, "SHOW VERSION")).doesNotContain("PgBouncer");
        }
    }

    @Test
    void hostOfTheClientIsAppendedToItsApplicationName() throws Exception {
        try (var pooler = start("application_name_add_host = 1")) {
            assertThat(converse(
                            socket(pooler),
                            Map.of("user", "postgres", "database", "app", "application_name", "by_socket"),
                            "SHOW application_name"))
                    .containsPattern(
                            "by_socket - unix\\(" + ProcessHandle.current().pid() + "\\):" + pooler.port());
            try (var client = pooler.wire(Map.of("application_name", "by_tcp"))) {
                assertThat(client.value("SHOW application_name"))
                        .isEqualTo("by_tcp - 127.0.0.1:" + client.socket().getLocalPort());
                client.query("SET application_name = 'own'");
                assertThat(client.value("SHOW application_name")).isEqualTo("own");
            }
            try (var client = pooler.wire()) {
                assertThat(client.value("SHOW application_name")).startsWith("app - 127.0.0.1:");
            }
        }
    }
}
