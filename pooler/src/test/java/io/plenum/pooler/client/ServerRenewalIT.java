package io.plenum.pooler.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.ServerErrorException;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Databases and roles are dropped, renamed and altered as on a direct connection, although servers idle there. */
@ExtendWith(LeakWatch.class)
class ServerRenewalIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();
    private static final String LOOPS = "event_loops = 2";

    @BeforeEach
    void make() {
        unmake();
        SERVER.node().execute("CREATE DATABASE leaving", "CREATE ROLE leaver LOGIN");
    }

    @AfterEach
    void unmake() {
        SERVER.node()
                .execute(
                        "DROP DATABASE IF EXISTS leaving WITH (FORCE)",
                        "DROP DATABASE IF EXISTS \"Left\" WITH (FORCE)",
                        "DROP ROLE IF EXISTS leaver",
                        "ALTER DATABASE app RESET ALL");
    }

    // --- databases -------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DROP DATABASE leaving",
                "DROP DATABASE IF EXISTS \"leaving\";",
                "DROP DATABASE leaving WITH (FORCE)",
                "ALTER DATABASE leaving RENAME TO \"Left\"",
                "CREATE DATABASE \"Left\" TEMPLATE leaving",
                "CREATE DATABASE \"Left\" WITH OWNER = postgres TEMPLATE = 'leaving'"
            })
    void databaseIsFreeWhenItsClientsHaveLeft(String sql) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, LOOPS);
                var client = pooler.wire()) {
            use(pooler, "leaving");

            assertThat(error(client, sql)).isNull();
        }
    }

    @Test
    void databaseIsFreeWhenWhoListenedThereHasLeft() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, LOOPS);
                var client = pooler.wire()) {
            try (var listener = pooler.wire(Map.of("database", "leaving"))) {
                listener.query("LISTEN news");
            }

            assertThat(error(client, "DROP DATABASE leaving")).isNull();
        }
    }

    @Test
    void databaseThatIsKeptWarmIsFree() throws Exception {
        String at = "host=%s port=%d ".formatted(SERVER.host(), SERVER.port());
        String entries = "warm = " + at + "dbname=leaving user=postgres min_pool_size=3\napp = " + at;
        try (var pooler = RunningPooler.ofDatabases(entries, LOOPS);
                var client = pooler.wire()) {
            use(pooler, "warm");
            until("SELECT count(*) > 2 FROM pg_stat_activity WHERE datname = 'leaving'");

            assertThat(error(client, "DROP DATABASE leaving")).isNull();
        }
    }

    @Test
    void databaseInWhichPasswordsAreAskedForIsFree(@TempDir Path directory) throws Exception {
        Files.writeString(directory.resolve("userlist.txt"), "\"postgres\" \"secret\"\n");
        String[] logins = {"auth_type = md5", "auth_file = userlist.txt", "auth_user = postgres"};
        try (var pooler = RunningPooler.start(SERVER, directory, logins);
                var client = RunningPooler.wire(pooler.port(), Map.of(), "secret")) {
            Map<String, String> asked = Map.of("user", "scram_user", "database", "leaving");
            RunningPooler.wire(pooler.port(), asked, "scram_user").close();
            until("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = 'leaving' AND query ~"
                    + " 'pg_authid|pg_shadow'");

            assertThat(error(client, "DROP DATABASE leaving")).isNull();
        }
    }

    @Test
    void whoIsAloneInADatabaseCopiesIt() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, LOOPS)) {
            use(pooler, "leaving");
            try (var client = pooler.wire(Map.of("database", "leaving"))) {
                client.value("SELECT 1");

                assertThat(error(client, "CREATE DATABASE \"Left\" TEMPLATE leaving"))
                        .isNull();
                assertThat(client.value("SELECT current_database()")).isEqualTo("leaving");
            }
        }
    }

    @Test
    void databaseIsInUseAsLongAsAClientIsLoggedIn() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, LOOPS);
                var client = pooler.wire();
                var other = pooler.wire(Map.of("database", "leaving"))) {
            String process = other.value("SELECT pg_backend_pid()");

            ServerErrorException inUse = error(client, "DROP DATABASE leaving");

            assertThat(inUse).isNotNull();
            assertThat(inUse.sqlState()).isEqualTo("55006");
            assertThat(other.value("SELECT pg_backend_pid()")).isEqualTo(process);
        }
    }

    @Test
    void databaseIsFreeAsSoonAsItsLastClientLeaves() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, LOOPS);
                var client = pooler.wire();
                var other = pooler.wire(Map.of("database", "leaving"))) {
            other.value("SELECT 1");
            client.send(Frames.query("DROP DATABASE leaving"));
            Thread.sleep(300);
            other.close();

            assertThat(client.readUntilReady()).extracting(Message::type).containsExactly('C', 'Z');
        }
    }

    @Test
    void databaseOfTheSameNameIsAnother() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, LOOPS);
                var client = pooler.wire()) {
            try (var before = pooler.wire(Map.of("database", "leaving"))) {
                before.query("CREATE TABLE t (i int)");
            }
            client.rows("DROP DATABASE leaving");
            client.rows("CREATE DATABASE leaving");
            client.rows("ALTER DATABASE leaving SET timezone = 'Asia/Tokyo'");
            try (var after = pooler.wire(Map.of("database", "leaving"))) {
                assertThat(after.parameterStatus()).containsEntry("TimeZone", "Asia/Tokyo");
                assertThat(after.value("SELECT to_regclass('t')")).isEmpty();
            }
        }
    }

    // --- roles -----------------------------------------------------------------------------------------------------

    @Test
    void roleOfTheSameNameIsAnother() throws Exception {
        try (var pooler = RunningPooler.start(SERVER);
                var client = pooler.wire()) {
            use(pooler, Map.of("user", "leaver"));
            client.rows("DROP ROLE leaver");
            client.rows("CREATE ROLE leaver LOGIN");
            try (var after = pooler.wire(Map.of("user", "leaver"))) {
                assertThat(after.value("SELECT current_user")).isEqualTo("leaver");
            }
        }
    }

    @Test
    void serverInUseIsClosedWhenItComesBack() throws Exception {
        try (var pooler = RunningPooler.start(SERVER);
                var client = pooler.wire();
                var other = pooler.wire(Map.of("user", "leaver"))) {
            other.query("BEGIN");
            String process = other.value("SELECT pg_backend_pid()");
            client.rows("ALTER ROLE leaver SET work_mem = '123kB'");

            assertThat(other.value("SELECT pg_backend_pid()")).isEqualTo(process);
            other.query("COMMIT");
            assertThat(other.value("SELECT pg_backend_pid()")).isNotEqualTo(process);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ALTER ROLE leaver SET timezone = 'Asia/Tokyo'",
                "ALTER USER leaver IN DATABASE app SET timezone = 'Asia/Tokyo'",
                "ALTER DATABASE app SET timezone = 'Asia/Tokyo'",
                "BEGIN; SAVEPOINT a; ALTER ROLE leaver SET timezone = 'Asia/Tokyo'; COMMIT"
            })
    void newClientBeginsWithWhatWasSet(String sql) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, LOOPS);
                var client = pooler.wire()) {
            Map<String, String> leaver = Map.of("user", "leaver");
            use(pooler, leaver);
            use(pooler, leaver);
            client.rows(sql);
            try (var after = pooler.wire(leaver)) {
                assertThat(after.parameterStatus()).containsEntry("TimeZone", "Asia/Tokyo");
                assertThat(after.value("SHOW timezone")).isEqualTo("Asia/Tokyo");
            }
        }
    }

    @Test
    void whatIsSetElsewhereIsInForceBehindReconnect() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, LOOPS, "admin_users = postgres");
                var console = pooler.wire(Map.of("database", "pgbouncer"))) {
            Map<String, String> leaver = Map.of("user", "leaver");
            use(pooler, leaver);
            use(pooler, leaver);
            SERVER.node().execute("ALTER ROLE leaver SET timezone = 'Asia/Tokyo'");
            console.query("RECONNECT");
            try (var after = pooler.wire(leaver)) {
                assertThat(after.parameterStatus()).containsEntry("TimeZone", "Asia/Tokyo");
                assertThat(after.value("SHOW timezone")).isEqualTo("Asia/Tokyo");
            }
        }
    }

    @Test
    void changeCountsFromItsCommit() throws Exception {
        try (var pooler = RunningPooler.start(SERVER);
                var client = pooler.wire()) {
            Map<String, String> leaver = Map.of("user", "leaver");
            String process = use(pooler, leaver);
            client.query("BEGIN");
            client.query("ALTER ROLE leaver SET work_mem = '123kB'");
            client.query("SAVEPOINT a");
            client.query("ROLLBACK TO a");
            assertThat(use(pooler, leaver)).isEqualTo(process);
            client.query("COMMIT");
            assertThat(use(pooler, leaver)).isNotEqualTo(process);
        }
    }

    @Test
    void whatFailsOrIsRolledBackChangesNothing() throws Exception {
        try (var pooler = RunningPooler.start(SERVER);
                var client = pooler.wire()) {
            Map<String, String> leaver = Map.of("user", "leaver");
            String process = use(pooler, leaver);
            client.query("BEGIN");
            client.query("ALTER ROLE leaver SET work_mem = '123kB'");
            client.query("ROLLBACK");
            client.query("BEGIN; ALTER ROLE leaver SET work_mem = '123kB'; ROLLBACK");
            client.query("ALTER ROLE leaver SET work_mem = '123kB'; SELECT 1 / 0");
            assertThat(error(client, "ALTER ROLE leaver SET no_such_setting = 1"))
                    .isNotNull();

            assertThat(use(pooler, leaver)).isEqualTo(process);
        }
    }

    @Test
    void serversOfAStandbyFollowAlthoughItLags() throws Exception {
        try (var cluster = PostgresCluster.builder().standbys(1).start()) {
            PostgresNode standby = cluster.standbys().getFirst();
            String hosts = cluster.nodes().stream().map(PostgresNode::host).collect(Collectors.joining(","));
            String entry = "app = host=%s port=%d monitor_user=postgres"
                    .formatted(hosts, cluster.primary().port());
            try (var pooler = RunningPooler.ofDatabases(entry, "event_loops = 1", "read_consistency = eventual");
                    var client = pooler.wire()) {
                client.rows("CREATE ROLE leaver LOGIN");
                client.rows("CREATE VIEW seen AS SELECT concat_ws(' ', current_setting('cluster_name'),"
                        + " nullif(current_setting('leaver.x', true), ''))");
                client.rows("GRANT SELECT ON seen TO leaver");
                cluster.awaitReplay();
                untilSeen(pooler, standby.name());
                standby.delayReplay(Duration.ofMillis(500));
                client.rows("ALTER ROLE leaver SET leaver.x = 'new'");
                seen(pooler);

                untilSeen(pooler, standby.name() + " new");
            }
        }
    }

    private static void untilSeen(RunningPooler pooler, String seen) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(15).toNanos();
        while (!seen(pooler).equals(seen)) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.sleep(20);
        }
    }

    private static String seen(RunningPooler pooler) throws IOException {
        try (var client = pooler.wire(Map.of("user", "leaver"))) {
            return client.value("SELECT * FROM seen");
        }
    }

    // --- help ------------------------------------------------------------------------------------------------------

    private static void use(RunningPooler pooler, String database) throws IOException {
        use(pooler, Map.of("database", database));
    }

    /** A client comes, runs a statement and leaves; the process that served it. */
    private static String use(RunningPooler pooler, Map<String, String> parameters) throws IOException {
        try (var client = pooler.wire(parameters)) {
            return client.value("SELECT pg_backend_pid()");
        }
    }

    private static @Nullable ServerErrorException error(WireClient client, String sql) throws IOException {
        client.timeout(Duration.ofSeconds(20));
        try {
            client.rows(sql);
            return null;
        } catch (ServerErrorException error) {
            return error;
        }
    }

    private static void until(String sql) throws Exception {
        while (!"t".equals(SERVER.node().query(sql))) {
            Thread.sleep(20);
        }
    }
}
