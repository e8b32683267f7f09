package io.plenum.pooler.client;

import static io.plenum.testbed.Frames.copyData;
import static io.plenum.testbed.Frames.copyDone;
import static io.plenum.testbed.Frames.query;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.netty.buffer.PooledByteBufAllocator;
import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.ServerErrorException;
import io.plenum.testbed.WireClient;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;

/** A replication connection is one to PostgreSQL itself, and ends with it; the pool beside it goes on. */
@ExtendWith(LeakWatch.class)
class ReplicationIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();
    private static final long MOST_BYTES = 16 * 1024 * 1024;
    private static final AtomicInteger NAMES = new AtomicInteger();

    @TempDir
    private Path directory;

    /** What the server calls this test's WAL sender. */
    private final String name = "replication_" + NAMES.incrementAndGet();

    // --- login -----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(strings = {"true", "on", "yes", "1", "T", "database"})
    void sessionIsThatOfAWalSender(String replication) throws Exception {
        Map<String, String> startup = Map.of(
                "replication",
                replication,
                "application_name",
                name,
                "options",
                "-c enable_seqscan=off -c DateStyle=SQL");
        try (var pooler = RunningPooler.start(SERVER);
                var client = pooler.wire(startup);
                var direct = RunningPooler.wire(SERVER.port(), startup, null)) {
            assertThat(client.rows("IDENTIFY_SYSTEM").getFirst().getFirst())
                    .isEqualTo(direct.rows("IDENTIFY_SYSTEM").getFirst().getFirst());
            assertThat(client.value("SHOW application_name")).isEqualTo(name);
            assertThat(client.value("SHOW enable_seqscan")).isEqualTo("off");
            assertThat(client.parameterStatus()).isEqualTo(direct.parameterStatus());
            assertThat(client.loginMessages())
                    .extracting(Message::type)
                    .isEqualTo(
                            direct.loginMessages().stream().map(Message::type).toList());
            assertThat(code(client.query("SELECT 1"))).isEqualTo(code(direct.query("SELECT 1")));
        }
    }

    @Test
    void falseValueIsAnOrdinarySession() throws Exception {
        try (var pooler = RunningPooler.start(SERVER);
                var client = pooler.wire(Map.of("replication", "off"))) {
            assertThat(client.value("SELECT backend_type FROM pg_stat_activity WHERE pid = pg_backend_pid()"))
                    .isEqualTo("client backend");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "2", "o", "databases", "physical", ""})
    void wrongValueIsRefusedInPostgresWords(String value) throws Exception {
        try (var pooler = RunningPooler.start(SERVER)) {
            Map<String, String> startup = Map.of("replication", value);

            assertThat(refusal(() -> pooler.wire(startup)))
                    .isEqualTo("FATAL 22023 invalid value for parameter \"replication\": \"" + value + "\"")
                    .isEqualTo(refusal(() -> RunningPooler.wire(SERVER.port(), startup, null)));
        }
    }

    @ParameterizedTest
    @CsvSource({"database, 42501", "true, 28000"})
    void roleWithoutTheRightHearsPostgresRefusal(String replication, String code) throws Exception {
        try (var pooler = RunningPooler.start(SERVER)) {
            Map<String, String> startup = Map.of("replication", replication, "user", "trust_user");

            assertThat(refusal(() -> pooler.wire(startup)))
                    .startsWith("FATAL " + code)
                    .isEqualTo(refusal(() -> RunningPooler.wire(SERVER.port(), startup, null)));
        }
    }

    @Test
    void refusedWalSenderIsNoMatterOfTheOthersInThePool() throws Exception {
        Map<String, String> startup = Map.of("user", "trust_user", "replication", "database");
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2")) {
            var stop = new AtomicBoolean();
            var hurt = new AtomicReference<Throwable>();
            List<Thread> others = new ArrayList<>();
            for (int i = 0; i < 6; i++) { // more than the pool has servers: somebody always waits
                others.add(Thread.ofVirtual().start(() -> {
                    try (var client = pooler.wire(Map.of("user", "trust_user"))) {
                        while (!stop.get()) {
                            client.rows("SELECT pg_sleep(0.005)");
                        }
                    } catch (IOException | RuntimeException failure) {
                        hurt.set(failure);
                    }
                }));
            }
            for (int i = 0; i < 20; i++) {
                assertThat(refusal(() -> pooler.wire(startup))).startsWith("FATAL 42501");
            }
            stop.set(true);
            for (var other : others) {
                other.join();
            }

            assertThat(hurt).hasValue(null);
        }
    }

    @Test
    void walSenderLogsInWithTheStoredPassword() throws Exception {
        SERVER.node().execute("ALTER ROLE app REPLICATION");
        try (var pooler = RunningPooler.ofDatabases(
                        "app = host=%s port=%d user=app password=app".formatted(SERVER.host(), SERVER.port()));
                var client = pooler.wire(Map.of("replication", "database", "user", "anybody"))) {
            assertThat(client.value("SELECT session_user")).isEqualTo("app");
        } finally {
            SERVER.node().execute("ALTER ROLE app NOREPLICATION");
        }
    }

    @Test
    void consoleTakesNoReplicationConnection() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "admin_users = postgres")) {
            assertThat(refusal(() -> pooler.wire(Map.of("replication", "true", "database", "pgbouncer"))))
                    .startsWith("FATAL 0A000");
        }
    }

    @Test
    void databaseNamedInTheStartupPacketMustBeConfigured() throws Exception {
        try (var pooler = RunningPooler.ofDatabases("""
            app = host=%1$s port=%2$d
            replication = host=%1$s port=%2$d\
            """.formatted(SERVER.host(), SERVER.port()));
                var client = pooler.wire(Map.of("replication", "true", "database", "replication"))) {
            assertThat(client.rows("IDENTIFY_SYSTEM")).hasSize(1);

            assertThat(refusal(() -> pooler.wire(Map.of("replication", "true", "database", "other"))))
                    .startsWith("FATAL 3D000");
        }
    }

    // --- streaming -------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void physicalStreamIsRelayedBothWays(int loops) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "event_loops = " + loops, "default_pool_size = 2");
                var client = physical(pooler);
                var normal = pooler.wire();
                var control = direct()) {
            startPhysical(client);
            for (int i = 0; i < 20; i++) {
                var written = normal.value("SELECT pg_logical_emit_message(true, 'plenum', 'message %d')".formatted(i));
                long end = readWal(client, position(written));

                client.send(statusUpdate(end));

                awaitTrue(
                        control,
                        "SELECT flush_lsn = '%s'::pg_lsn FROM pg_stat_replication WHERE application_name = '%s'"
                                .formatted(lsn(end), name));
            }

            client.send(copyDone());

            assertThat(client.readUntil('c')).extracting(Message::type).containsOnly('d', 'c');
            assertThat(client.readUntilReady()).extracting(Message::type).endsWith('C', 'Z');
            assertThat(client.rows("IDENTIFY_SYSTEM")).hasSize(1);
        }
    }

    @Test
    void logicalStreamOfADriverIsDecoded() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2");
                var normal = pooler.wire();
                var connection = logical(pooler)) {
            normal.rows("DROP TABLE IF EXISTS decoded");
            normal.rows("CREATE TABLE decoded (id int PRIMARY KEY, text text)");
            var replication = connection.unwrap(PGConnection.class).getReplicationAPI();
            replication
                    .createReplicationSlot()
                    .logical()
                    .withSlotName(name)
                    .withOutputPlugin("test_decoding")
                    .withTemporaryOption()
                    .make();
            try (var stream = replication
                    .replicationStream()
                    .logical()
                    .withSlotName(name)
                    .withSlotOption("include-xids", false)
                    .withSlotOption("skip-empty-xacts", true)
                    .withStatusInterval(100, TimeUnit.MILLISECONDS)
                    .start()) {
                for (int i = 0; i < 50; i++) {
                    normal.rows("INSERT INTO decoded VALUES (%d, 'row %d')".formatted(i, i));

                    assertThat(text(stream.read())).isEqualTo("BEGIN");
                    assertThat(text(stream.read()))
                            .isEqualTo(
                                    "table public.decoded: INSERT: id[integer]:%d text[text]:'row %d'".formatted(i, i));
                    assertThat(text(stream.read())).isEqualTo("COMMIT");
                }
                stream.setFlushedLSN(stream.getLastReceiveLSN());
                stream.forceUpdateStatus();
            }
            normal.rows("DROP TABLE decoded");
        }
    }

    @Test
    void messagesLargerThanABufferAreRelayedWhole() throws Exception {
        try (var pooler = RunningPooler.start(SERVER);
                var client = pooler.wire(Map.of("replication", "database"))) {
            assertThat(client.value("SELECT repeat('0123456789', 500000)")).hasSize(5_000_000);
            assertThat(client.value("SELECT length('" + "x".repeat(3_000_000) + "')"))
                    .isEqualTo("3000000");
        }
    }

    @Test
    void baseBackupOfASlowReaderStaysOnTheServer() throws Exception {
        try (var pooler = RunningPooler.start(SERVER);
                var client = WireClient.open("127.0.0.1", pooler.port(), 64 * 1024)) {
            client.startup(
                    Frames.PROTOCOL_3_0,
                    Map.of("user", "postgres", "database", "app", "replication", "true", "application_name", name),
                    null);
            long before = directBytes();
            client.send(query("BASE_BACKUP (LABEL 'slow', CHECKPOINT 'fast', WAL false)"));
            long most = 0;
            for (int i = 0; i < 20; i++) {
                client.read();
                Thread.sleep(20);
                most = Math.max(most, directBytes() - before);
            }
            assertThat(most).isLessThan(MOST_BYTES);

            long bytes = 0;
            for (var message : client.readUntilReady()) {
                bytes += message.type() == 'd' ? message.body().length : 0;
                assertThat(message.type()).isNotEqualTo('E');
            }
            assertThat(bytes).isGreaterThan(MOST_BYTES * 3 / 2);
        }
    }

    @Test
    void standbyStreamsFromThePrimaryAmongTheHosts() throws Exception {
        try (var cluster = PostgresCluster.builder().standbys(1).start();
                var pooler = RunningPooler.ofDatabases(
                        "replication = host=%s,%s port=%d dbname=postgres"
                                .formatted(
                                        cluster.standbys().getFirst().host(),
                                        cluster.primary().host(),
                                        cluster.primary().port()),
                        "monitor_user = postgres",
                        "listen_addr = 127.0.0.1")) {
            var standby = cluster.standbys().getFirst();
            standby.set(
                    "primary_conninfo",
                    "host=127.0.0.1 port=%d user=postgres application_name=%s".formatted(pooler.port(), name));
            cluster.primary().execute("CREATE TABLE streamed AS SELECT 42 AS answer");

            var through = "SELECT count(*) FROM pg_stat_wal_receiver WHERE sender_port = " + pooler.port();
            await(() -> "1".equals(standby.query(through)));
            await(() -> "t".equals(standby.query("SELECT to_regclass('streamed') IS NOT NULL")));
            assertThat(standby.query("SELECT answer FROM streamed")).isEqualTo("42");
        }
    }

    @Test
    void walSenderIsSoughtAtTheNewPrimary() throws Exception {
        try (var cluster = PostgresCluster.builder().standbys(1).start();
                var pooler = RunningPooler.ofDatabases(
                        "app = host=%s,%s port=%d"
                                .formatted(
                                        cluster.primary().host(),
                                        cluster.standbys().getFirst().host(),
                                        cluster.primary().port()),
                        "monitor_user = postgres");
                var before = pooler.wire(Map.of("replication", "database"))) {
            assertThat(before.value("SELECT host(inet_server_addr())"))
                    .isEqualTo(cluster.primary().host());

            cluster.switchOver(cluster.standbys().getFirst());

            assertThat(rest(before)).isNotEmpty();
            try (var after = pooler.wire(Map.of("replication", "database"))) {
                assertThat(after.value("SELECT pg_is_in_recovery()")).isEqualTo("f");
                assertThat(after.value("SELECT host(inet_server_addr())"))
                        .isEqualTo(cluster.primary().host());
            }
        }
    }

    // --- the pool beside it ----------------------------------------------------------------------------------------

    @Test
    void walSenderTakesItsPlaceInThePool() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "query_wait_timeout = 1");
                var normal = pooler.wire();
                var client = physical(pooler)) { // the idle server made room
            startPhysical(client);
            normal.send(query("SELECT 'no place'"));

            assertThat(code(rest(normal))).isEqualTo("53300");
            client.kill();
            try (var next = pooler.wire()) {
                assertThat(next.value("SELECT 'a place'")).isEqualTo("a place");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1, auto", "2, auto", "2, epoll"}) // where a connection can leave its loop, and where not
    void walSenderWaitsForItsTurn(int loops, String transport) throws Exception {
        try (var pooler = RunningPooler.start(
                        SERVER, "event_loops = " + loops, "default_pool_size = 1", "transport = " + transport);
                var holder = pooler.wire()) {
            holder.rows("BEGIN; SELECT 1");
            var served = new AtomicBoolean();
            var waiting = Thread.ofVirtual().start(() -> {
                try (var client = physical(pooler)) {
                    served.set(client.rows("IDENTIFY_SYSTEM").size() == 1);
                } catch (IOException refused) {
                    throw new IllegalStateException(refused);
                }
            });
            Thread.sleep(300);
            assertThat(served).isFalse();
            assertThat(waiting.isAlive()).isTrue();

            try (var later = pooler.wire()) {
                later.send(query("BEGIN; SELECT 1")); // and would keep what it gets
                holder.rows("COMMIT");
                waiting.join(Duration.ofSeconds(20));
                assertThat(served).isTrue();
                assertThat(later.readUntilReady()).extracting(Message::type).containsExactly('C', 'T', 'D', 'C', 'Z');
            }
        }
    }

    @Test
    void walSenderThatWaitsTooLongIsToldWhy() throws Exception {
        try (var pooler = RunningPooler.start(
                        SERVER, "default_pool_size = 1", "query_wait_timeout = 1", "client_login_timeout = 20");
                var holder = pooler.wire()) {
            holder.rows("BEGIN; SELECT 1");

            assertThat(refusal(() -> physical(pooler))).startsWith("FATAL 53300 query_wait_timeout");
            holder.rows("COMMIT");
            assertThat(holder.value("SELECT 'unharmed'")).isEqualTo("unharmed");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"max_db_connections = 1", "max_user_connections = 1"})
    void limitOverSeveralPoolsIsKept(String limit) throws Exception {
        boolean ofUser = limit.contains("user");
        try (var pooler = RunningPooler.start(SERVER, limit, "query_wait_timeout = 1");
                var other = pooler.wire(Map.of(ofUser ? "database" : "user", ofUser ? "postgres" : "trust_user"))) {
            other.rows("SELECT 1");
            try (var client = physical(pooler)) { // what idles in the other pool made room
                assertThat(client.rows("IDENTIFY_SYSTEM")).hasSize(1);

                assertThat(refusal(() -> physical(pooler))).startsWith("FATAL 53300 query_wait_timeout");
            }
            assertThat(other.value("SELECT 'again'")).isEqualTo("again");
        }
    }

    @Test
    void serverWithoutAFreeWalSenderSaysSoSoon() throws Exception {
        try (var server = PostgresServer.start(PostgresCluster.builder().setting("max_wal_senders", "1"));
                var pooler = RunningPooler.start(server);
                var first = physical(pooler)) {
            assertThat(refusal(() -> physical(pooler)))
                    .startsWith("FATAL 53300")
                    .contains("max_wal_senders");
            assertThat(first.rows("IDENTIFY_SYSTEM")).hasSize(1);
        }
    }

    @Test
    void clientThatGivesUpWaitingLeavesNothingBehind() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var holder = pooler.wire();
                var control = direct()) {
            holder.rows("BEGIN; SELECT 1");
            for (int i = 0; i < 5; i++) {
                var client = pooler.open();
                client.send(Frames.startup(
                        Frames.PROTOCOL_3_0,
                        Map.of(
                                "user",
                                "postgres",
                                "database",
                                "app",
                                "replication",
                                "true",
                                "application_name",
                                name)));
                Thread.sleep(20);
                client.kill();
            }
            holder.rows("COMMIT");

            assertThat(holder.value("SELECT 'mine'")).isEqualTo("mine");
            awaitTrue(control, "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = '" + name + "'");
        }
    }

    @Test
    void normalClientsNeverGetAWalSender() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2")) {
            for (int i = 0; i < 20; i++) {
                try (var client = pooler.wire(Map.of("replication", "database"));
                        var normal = pooler.wire()) {
                    client.rows("IDENTIFY_SYSTEM");
                    assertThat(normal.value("SELECT backend_type FROM pg_stat_activity WHERE pid = pg_backend_pid()"))
                            .isEqualTo("client backend");
                }
            }
        }
    }

    @Test
    void bothSidesAreShown() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "admin_users = postgres");
                var physical = physical(pooler);
                var logical = pooler.wire(Map.of("replication", "database", "application_name", name));
                var console = pooler.wire(Map.of("database", "pgbouncer"));
                var control = direct()) {
            startPhysical(physical);
            logical.rows("IDENTIFY_SYSTEM");

            for (var table : List.of("CLIENTS", "SERVERS")) {
                assertThat(show(console, table, "application_name", name, "replication"))
                        .containsExactlyInAnyOrder("physical", "logical");
                assertThat(show(console, table, "application_name", name, "state"))
                        .containsOnly("active");
                assertThat(show(console, table, "application_name", name, "link"))
                        .doesNotContain("");
            }
            assertThat(show(console, "SERVERS", "replication", "physical", "remote_pid"))
                    .containsExactly(pidOf(control, "replication physical"));
        }
    }

    // --- the end ---------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void clientThatIsGoneLeavesNoServer(boolean killed) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "admin_users = postgres");
                var client = physical(pooler);
                var console = pooler.wire(Map.of("database", "pgbouncer"));
                var control = direct()) {
            startPhysical(client);
            pidOf(control, "the client streams");

            if (killed) {
                client.kill();
            } else {
                client.close();
            }

            awaitTrue(control, "SELECT count(*) = 0 FROM pg_stat_replication WHERE application_name = '" + name + "'");
            awaitTrue(control, "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = '" + name + "'");
            await(() -> show(console, "SERVERS", "application_name", name, "id").isEmpty());
            await(() -> show(console, "CLIENTS", "application_name", name, "id").isEmpty());
        }
    }

    @Test
    void serverThatIsEndedIsHeardToTheLastWord() throws Exception {
        try (var pooler = RunningPooler.start(SERVER);
                var client = physical(pooler);
                var control = direct()) {
            startPhysical(client);
            var pid = pidOf(control, "the client streams");

            control.rows("SELECT pg_terminate_backend(" + pid + ", 1000)");

            assertOneFatal(rest(client), "57P01");
        }
    }

    @Test
    void serverThatDiesWithoutAWordEndsTheClientLikewise() throws Exception {
        try (var server = PostgresServer.start();
                var pooler = RunningPooler.start(server);
                var client = physical(pooler)) {
            startPhysical(client);

            server.node().kill9();

            assertThat(rest(client)).extracting(Message::type).doesNotContain('E');
        }
    }

    @Test
    void cancelReachesTheWalSender() throws Exception {
        try (var pooler = RunningPooler.start(SERVER);
                var client = pooler.wire(Map.of("replication", "database", "application_name", name));
                var control = direct()) {
            assertThat(Integer.toString(client.processId())).isNotEqualTo(pidOf(control, "logged in"));
            client.send(query("SELECT pg_sleep(20)"));
            awaitTrue(
                    control,
                    "SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'active' AND application_name = '" + name
                            + "'");

            client.cancel();

            assertThat(code(client.readUntilReady())).isEqualTo("57014");
            client.cancel(); // nothing runs
            assertThat(client.value("SELECT 'still here'")).isEqualTo("still here");
        }
    }

    @Test
    void drainEndsTheStream() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "drain_delay = 0");
                var client = physical(pooler);
                var control = direct()) {
            startPhysical(client);

            pooler.pooler().stopWhenClientsAreGone();

            assertOneFatal(rest(client), "57P01");
            pooler.pooler().awaitTermination();
            awaitTrue(control, "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = '" + name + "'");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"KILL app", "RECONNECT app", "RECONNECT", "KILL_CLIENT"})
    void commandOfTheConsoleEndsTheStream(String command) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "admin_users = postgres");
                var client = physical(pooler);
                var console = pooler.wire(Map.of("database", "pgbouncer"));
                var control = direct()) {
            startPhysical(client);
            var id = show(console, "CLIENTS", "replication", "physical", "id").getFirst();

            assertThat(code(console.query(command.equals("KILL_CLIENT") ? command + " " + id : command)))
                    .isEmpty();

            assertOneFatal(rest(client), "57P01");
            awaitTrue(control, "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = '" + name + "'");
        }
    }

    @Test
    void lastWordOfOursNeverStandsInsideOfAMessage() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "drain_delay = 0");
                var client = WireClient.open("127.0.0.1", pooler.port(), 64 * 1024)) {
            client.startup(
                    Frames.PROTOCOL_3_0,
                    Map.of("user", "postgres", "database", "app", "replication", "database"),
                    null);
            client.send(query("SELECT repeat('x', 100000000)"));
            client.input().skipNBytes(1_000_000);

            pooler.pooler().stopWhenClientsAreGone();

            var stream = client.input();
            var seen = new ArrayList<Byte>();
            try {
                for (int next = stream.read(); next >= 0; next = stream.read()) {
                    if (next != 'x') {
                        seen.add((byte) next);
                    }
                }
            } catch (SocketException reset) {
                seen.add((byte) 0);
            }
            assertThat(seen.size()).isLessThanOrEqualTo(1);
        }
    }

    @Test
    void pauseIsNotSpoiledByANewWalSender() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "admin_users = postgres", "query_wait_timeout = 1");
                var console = pooler.wire(Map.of("database", "pgbouncer"))) {
            assertThat(code(console.query("PAUSE"))).isEmpty();

            assertThat(refusal(() -> physical(pooler))).startsWith("FATAL 53300 query_wait_timeout");
            assertThat(code(console.query("RESUME"))).isEmpty();
            try (var client = physical(pooler)) {
                assertThat(client.rows("IDENTIFY_SYSTEM")).hasSize(1);
            }
        }
    }

    // --- PostgreSQL's own programs, where they are installed -------------------------------------------------------

    @Test
    void pgBasebackupTakesABackupWithItsWal() throws Exception {
        var program = program("pg_basebackup", true);
        try (var pooler = RunningPooler.start(SERVER)) {
            run(
                    pooler,
                    program,
                    "-D",
                    directory.resolve("backup").toString(),
                    "-c",
                    "fast",
                    "-X",
                    "stream",
                    "--no-sync");

            assertThat(directory.resolve("backup/backup_manifest")).isNotEmptyFile();
            assertThat(directory.resolve("backup/PG_VERSION")).isNotEmptyFile();
        }
    }

    @Test
    void pgReceivewalStreamsUpToAPosition() throws Exception {
        var program = program("pg_receivewal", true);
        try (var pooler = RunningPooler.start(SERVER);
                var normal = pooler.wire()) {
            normal.rows("SELECT pg_logical_emit_message(true, 'plenum', 'for pg_receivewal')");
            var until = normal.value("SELECT pg_current_wal_flush_lsn()");

            run(pooler, program, "-D", directory.toString(), "--endpos", until, "--no-loop", "--no-sync");

            try (var files = Files.list(directory)) {
                assertThat(files.count()).isPositive();
            }
        }
    }

    @Test
    void pgRecvlogicalWritesWhatIsDecoded() throws Exception {
        var program = program("pg_recvlogical", false);
        try (var pooler = RunningPooler.start(SERVER);
                var normal = pooler.wire()) {
            var slot = List.of("-d", "app", "-S", name);
            run(pooler, program, concat(slot, "--create-slot", "-P", "test_decoding"));
            normal.rows("SELECT pg_logical_emit_message(true, 'plenum', 'for pg_recvlogical')");
            var until = normal.value("SELECT pg_current_wal_flush_lsn()");

            var said = run(pooler, program, concat(slot, "--start", "-f", "-", "--endpos", until, "--no-loop"));

            assertThat(said).contains("content:for pg_recvlogical");
            run(pooler, program, concat(slot, "--drop-slot"));
        }
    }

    /** Where the program is; one that reads or writes files of the server must be as new as that. */
    private static String program(String program, boolean asNewAsServer) throws Exception {
        var folders = System.getProperty("plenum.postgres.home", "") + "/bin:"
                + System.getenv().getOrDefault("PATH", "");
        for (var folder : folders.split(":", -1)) {
            var file = Path.of(folder, program);
            if (folder.startsWith("/") && Files.isExecutable(file)) {
                int server;
                try (var control = direct()) {
                    server = Integer.parseInt(control.value("SHOW server_version_num")) / 10_000;
                }
                var version = output(List.of(file.toString(), "--version"));
                int major = Integer.parseInt(version.replaceFirst("(?s).*\\) (\\d+).*", "$1"));
                Assumptions.assumeTrue(
                        !asNewAsServer || major >= server,
                        "%s is older than the server, %d: this is not tested here".formatted(version.strip(), server));
                return file.toString();
            }
        }
        return Assumptions.abort(program + " is not installed, so this is not tested here");
    }

    private static String[] concat(List<String> some, String... more) {
        return Stream.concat(some.stream(), Stream.of(more)).toArray(String[]::new);
    }

    private static String run(RunningPooler pooler, String program, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(program, "-h", "127.0.0.1", "-p", Integer.toString(pooler.port()), "-U", "postgres"));
        command.addAll(List.of(arguments));
        return output(command);
    }

    private static String output(List<String> command) throws Exception {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as("%s: %s", command, said).isZero();
        return said;
    }

    // --- what the tests need ---------------------------------------------------------------------------------------

    private interface Opening {
        WireClient open() throws IOException;
    }

    /** The error that a login ends with. */
    private static String refusal(Opening login) {
        var refused = catchThrowableOfType(
                ServerErrorException.class, () -> login.open().close());
        return String.valueOf(refused.getMessage());
    }

    private WireClient physical(RunningPooler pooler) throws IOException {
        return pooler.wire(Map.of("replication", "true", "application_name", name));
    }

    private static Connection logical(RunningPooler pooler) throws Exception {
        var properties = new Properties();
        PGProperty.USER.set(properties, "postgres");
        PGProperty.REPLICATION.set(properties, "database");
        PGProperty.ASSUME_MIN_SERVER_VERSION.set(properties, "10");
        PGProperty.PREFER_QUERY_MODE.set(properties, "simple");
        return DriverManager.getConnection(pooler.jdbcUrl(), properties);
    }

    private static WireClient direct() throws IOException {
        return RunningPooler.wire(SERVER.port(), Map.of(), null);
    }

    private static void startPhysical(WireClient client) throws IOException {
        List<@Nullable String> system = client.rows("IDENTIFY_SYSTEM").getFirst();
        client.send(query("START_REPLICATION PHYSICAL %s TIMELINE %s".formatted(system.get(2), system.get(1))));
        assertThat(client.read().type()).isEqualTo('W');
    }

    /** Reads XLogData until there is WAL up to this position; gives the position behind it. */
    private static long readWal(WireClient client, long position) throws IOException {
        while (true) {
            var message = client.read();
            assertThat(message.type()).isEqualTo('d');
            var body = ByteBuffer.wrap(message.body());
            if (body.get() == 'w') {
                long start = body.getLong();
                body.position(25); // start, end, time
                if (start + body.remaining() >= position) {
                    return start + body.remaining();
                }
            }
        }
    }

    private static byte[] statusUpdate(long lsn) {
        return copyData(ByteBuffer.allocate(34)
                .put((byte) 'r')
                .putLong(lsn)
                .putLong(lsn)
                .putLong(lsn)
                .putLong(0)
                .put((byte) 1)
                .array());
    }

    private static long position(String lsn) {
        int slash = lsn.indexOf('/');
        return (Long.parseLong(lsn.substring(0, slash), 16) << 32) | Long.parseLong(lsn.substring(slash + 1), 16);
    }

    private static String lsn(long position) {
        return "%X/%X".formatted(position >>> 32, position & 0xffff_ffffL);
    }

    private static String text(@Nullable ByteBuffer bytes) {
        return bytes == null ? "" : StandardCharsets.UTF_8.decode(bytes).toString();
    }

    private String pidOf(WireClient control, String what) throws Exception {
        var pids = "FROM pg_stat_activity WHERE backend_type = 'walsender' AND application_name = '%s' AND %s"
                .formatted(name, what.equals("replication physical") ? "datname IS NULL" : "true");
        awaitTrue(control, "SELECT count(*) = 1 " + pids);
        return control.value("SELECT pid " + pids);
    }

    /** What a column of the console has in the rows where another has this value. */
    private static List<String> show(WireClient console, String table, String where, String value, String column)
            throws IOException {
        var names = console.query("SHOW " + table).getFirst().columnNames();
        List<String> found = new ArrayList<>();
        for (var row : console.rows("SHOW " + table)) {
            if (value.equals(row.get(names.indexOf(where)))) {
                found.add(String.valueOf(row.get(names.indexOf(column))));
            }
        }
        return found;
    }

    private static List<Message> rest(WireClient client) throws IOException {
        List<Message> messages = new ArrayList<>();
        try {
            while (true) {
                messages.add(client.read());
            }
        } catch (EOFException | SocketException closed) {
            return messages;
        }
    }

    private static void assertOneFatal(List<Message> messages, String code) {
        assertThat(messages.stream().filter(message -> message.type() == 'E'))
                .singleElement()
                .satisfies(error -> assertThat(error.field('C')).isEqualTo(code));
        assertThat(messages.getLast().type()).isEqualTo('E');
    }

    private static String code(List<Message> messages) {
        Map<Character, String> codes = new HashMap<>();
        messages.stream()
                .filter(message -> message.type() == 'E')
                .forEach(message -> codes.put('E', String.valueOf(message.field('C'))));
        return codes.getOrDefault('E', "");
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void awaitTrue(WireClient control, String sql) throws Exception {
        await(() -> {
            var rows = control.rows(sql);
            return rows.size() == 1 && "t".equals(rows.getFirst().getFirst());
        });
    }

    private static void await(Condition condition) throws Exception {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (!condition.holds()) {
            assertThat(System.nanoTime()).as("within 20 s").isLessThan(deadline);
            Thread.sleep(10);
        }
    }

    private static long directBytes() {
        return PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
    }
}
