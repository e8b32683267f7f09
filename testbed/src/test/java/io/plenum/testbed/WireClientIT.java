package io.plenum.testbed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WireClientIT {
    private final PostgresNode node = SharedPostgres.get().primary();

    @ParameterizedTest
    @ValueSource(strings = {"trust_user", "password_user", "md5_user", "scram_user"})
    void logsInAsTheServerAsks(String user) throws Exception {
        try (var client = connect(user, user)) {
            assertThat(client.value("SELECT current_user")).isEqualTo(user);
            assertThat(client.parameterStatus())
                    .containsEntry("client_encoding", "UTF8")
                    .containsKey("server_version");
            assertThat(client.processId()).isPositive();
            assertThat(client.cancelSecret()).hasSize(4);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"password_user", "md5_user", "scram_user"})
    void wrongPasswordIsAnErrorWithItsSqlState(String user) {
        var refused = catchThrowableOfType(ServerErrorException.class, () -> connect(user, "wrong"));

        assertThat(refused.sqlState()).isEqualTo("28P01");
    }

    @Test
    void newestProtocolHasLongCancelKeys() throws Exception {
        try (var client = WireClient.open(node.host(), node.port())) {
            client.startup(Frames.PROTOCOL_3_2, Map.of("user", "trust_user", "database", "postgres"), null);

            int expected = SharedPostgres.get().majorVersion() >= 18 ? 32 : 4;
            assertThat(client.cancelSecret()).hasSize(expected);
        }
    }

    @Test
    void extendedQueriesAreSentAndReadFrameByFrame() throws Exception {
        try (var client = connect("app", "app")) {
            client.send(
                    Frames.parse("s", "SELECT $1::int + 1, $2::text"),
                    Frames.describeStatement("s"),
                    Frames.bind("", "s", "41", null),
                    Frames.describePortal(""),
                    Frames.execute(),
                    Frames.closeStatement("s"),
                    Frames.sync());

            var answer = client.readUntilReady();

            assertThat(answer).extracting(Message::type).containsExactly('1', 't', 'T', '2', 'T', 'D', 'C', '3', 'Z');
            assertThat(answer.get(5).columns()).containsExactly("42", null);
            assertThat(answer.get(4).columnNames()).containsExactly("?column?", "text");
            assertThat(answer.get(6).commandTag()).isEqualTo("SELECT 1");
            assertThat(answer.getLast().transactionStatus()).isEqualTo('I');
        }
    }

    @Test
    void binaryParametersAndRowLimitsWork() throws Exception {
        try (var client = connect("app", "app")) {
            client.send(
                    Frames.parse("", "SELECT generate_series(1, $1)", 23),
                    Frames.bind("p", "", new int[] {1}, List.of(new byte[] {0, 0, 0, 3}), 1),
                    Frames.execute("p", 2),
                    Frames.flush());
            assertThat(client.readUntil('s')).extracting(Message::type).containsExactly('1', '2', 'D', 'D', 's');

            client.send(Frames.execute("p", 0), Frames.closePortal("p"), Frames.sync());
            assertThat(client.readUntilReady()).extracting(Message::type).containsExactly('D', 'C', '3', 'Z');
        }
    }

    @Test
    void copyGoesInIsReadBackAndFailsOnDemand() throws Exception {
        try (var client = connect("app", "app")) {
            client.query("CREATE TEMP TABLE t (i int, s text)");
            client.send(Frames.query("COPY t FROM STDIN"));
            client.readUntil('G');
            client.send(Frames.copyData("1\tone\n2\ttwo\n".getBytes(StandardCharsets.UTF_8)), Frames.copyDone());
            assertThat(client.readUntilReady().getFirst().commandTag()).isEqualTo("COPY 2");

            client.send(Frames.query("COPY t FROM STDIN"));
            client.readUntil('G');
            client.send(Frames.copyFail("no more"));
            assertThat(client.readUntilReady().getFirst().field('M')).contains("no more");

            assertThat(client.query("COPY t TO STDOUT"))
                    .extracting(Message::type)
                    .containsExactly('H', 'd', 'd', 'c', 'C', 'Z');
        }
    }

    @Test
    void functionsAreCalledByNumber() throws Exception {
        try (var client = connect("app", "app")) {
            int repeat = Integer.parseInt(client.value("SELECT 'repeat(text,int)'::regprocedure::oid::int"));

            client.send(Frames.functionCall(repeat, "ab", "3"));

            var answer = client.readUntilReady();
            assertThat(answer).extracting(Message::type).containsExactly('V', 'Z');
            assertThat(answer.getFirst().text()).endsWith("ababab");
        }
    }

    @Test
    void errorIsAMessageAndTheSessionGoesOn() throws Exception {
        try (var client = connect("app", "app")) {
            client.query("BEGIN");
            var failed = client.query("SELECT 1/0");

            assertThat(failed.getFirst().field('C')).isEqualTo("22012");
            assertThat(failed.getFirst().field('q')).isNull();
            assertThat(client.transactionStatus()).isEqualTo('E');
            assertThatThrownBy(() -> client.rows("SELECT 1"))
                    .isInstanceOfSatisfying(
                            ServerErrorException.class,
                            e -> assertThat(e.sqlState()).isEqualTo("25P02"));
            client.query("ROLLBACK");
            assertThat(client.value("SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void runningQueryIsCancelled() throws Exception {
        try (var client = connect("app", "app")) {
            client.send(Frames.query("SELECT pg_sleep(20)"));
            // The server takes the cancel only once the query runs.
            Await.until(
                    Duration.ofSeconds(10),
                    () -> "query runs",
                    () -> "active"
                            .equals(node.query(
                                    "SELECT state FROM pg_stat_activity WHERE pid = " + client.processId())));

            client.cancel();

            assertThat(client.readUntil('E').getLast().field('C')).isEqualTo("57014");
        }
    }

    @Test
    void halfAFrameIsNoMessageYet() throws Exception {
        try (var client = connect("app", "app")) {
            var query = Frames.query("SELECT 1");
            client.timeout(Duration.ofMillis(200));
            client.sendPart(query, 0, 7);
            assertThatThrownBy(client::read).isInstanceOf(SocketTimeoutException.class);

            client.timeout(Duration.ofSeconds(30));
            client.sendPart(query, 7, query.length);

            assertThat(client.readUntilReady()).hasSize(4);
        }
    }

    @Test
    void halfClosedClientReadsTheServersEnd() throws Exception {
        try (var client = connect("app", "app")) {
            client.halfClose();

            assertThatThrownBy(client::read).isInstanceOf(EOFException.class);
        }
    }

    @Test
    void closeDoesNotHangOnAServerThatReadsNothing() throws Exception {
        try (var target = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            var client = WireClient.open("127.0.0.1", target.getLocalPort());
            var sender = Thread.ofVirtual().start(() -> {
                try {
                    client.sendRaw(new byte[64 * 1024 * 1024]); // more than the system buffers
                } catch (IOException _) {
                    // close() ends it
                }
            });
            long start = System.nanoTime();

            client.close();

            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
            assertThat(sender.join(Duration.ofSeconds(10))).isTrue();
        }
    }

    @Test
    void killedClientIsResetAndItsBackendEnds() throws Exception {
        var client = connect("app", "app");
        int backend = client.processId();

        client.kill();

        assertThatThrownBy(() -> client.query("SELECT 1")).isInstanceOf(IOException.class);
        Await.until(
                Duration.ofSeconds(10),
                () -> "backend is gone",
                () -> "0".equals(node.query("SELECT count(*) FROM pg_stat_activity WHERE pid = " + backend)));
    }

    @Test
    void sslRequestIsRefusedWithOneByteAndPlainLoginFollows() throws Exception {
        try (var client = WireClient.open(node.host(), node.port())) {
            client.send(Frames.sslRequest());
            assertThat(client.readByte()).isEqualTo('N');
            client.startup(Frames.PROTOCOL_3_0, Map.of("user", "scram_user", "database", "postgres"), "scram_user");
            assertThat(client.value("SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void manyClientsRunOnVirtualThreads() throws Exception {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var answers = IntStream.range(0, 50)
                    .mapToObj(i -> threads.submit(() -> {
                        try (var client = connect("app", "app")) {
                            return client.value("SELECT " + i);
                        }
                    }))
                    .toList();

            for (int i = 0; i < answers.size(); i++) {
                assertThat(answers.get(i).get()).isEqualTo(Integer.toString(i));
            }
        }
    }

    private WireClient connect(String user, String password) throws IOException {
        return WireClient.connect(node.host(), node.port(), "app", user, password);
    }
}
