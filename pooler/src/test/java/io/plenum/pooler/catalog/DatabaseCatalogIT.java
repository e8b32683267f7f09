package io.plenum.pooler.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Frames;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the names of a database mean follows what clients and others define; EXPLAIN ROUTE shows it. */
@ExtendWith(LeakWatch.class)
class DatabaseCatalogIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    /** What {@link #ownPooler} has opened. */
    private static final String OF_OWN = " WHERE datname = 'app' AND usename = 'trust_user'";

    private static RunningPooler pooler;
    private static WireClient console;
    private static WireClient control;

    @BeforeAll
    static void start() throws IOException {
        pooler = RunningPooler.start(SERVER, "admin_users = postgres", "catalog_refresh = 1");
        console = RunningPooler.wire(pooler.port(), Map.of("database", "pgbouncer"), null);
        control = RunningPooler.wire(SERVER.port(), Map.of(), null);
        control.rows("DROP FUNCTION IF EXISTS rated(int); DROP VIEW IF EXISTS rates; DROP SEQUENCE IF EXISTS rate_seq");
    }

    @AfterAll
    static void stop() throws IOException {
        control.rows("DROP FUNCTION IF EXISTS rated(int); DROP VIEW IF EXISTS rates; DROP SEQUENCE IF EXISTS rate_seq");
        control.close();
        console.close();
        pooler.close();
    }

    @Test
    void whatAClientDefinesCountsFromItsNextStatementOn() throws Exception {
        try (WireClient client = pooler.wire()) {
            client.rows("CREATE OR REPLACE FUNCTION rated(int) RETURNS int LANGUAGE sql STABLE AS 'SELECT $1'");
            assertThat(reason("SELECT rated(1)")).isIn("no_catalog", "unknown_function", "read");
            awaitReason("SELECT rated(1)", "read");

            client.rows("BEGIN");
            client.rows("CREATE OR REPLACE FUNCTION rated(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1'");
            client.rows("COMMIT");
            assertThat(reason("SELECT rated(1)")).isIn("no_catalog", "volatile_function");
            awaitReason("SELECT rated(1)", "volatile_function");
        }
    }

    @Test
    void whatSomebodyElseDefinesCountsALittleLater() throws Exception {
        try (WireClient client = pooler.wire()) {
            client.rows("SELECT 1");
            awaitReason("SELECT * FROM rates", "read");
            elsewhere("CREATE VIEW rates AS SELECT pg_try_advisory_xact_lock(1)");
            awaitReason("SELECT * FROM rates", "opaque_relation");
            elsewhere("CREATE SEQUENCE rate_seq");
            awaitReason("SELECT * FROM rate_seq", "sequence");
        }
    }

    @Test
    void aRoleWithoutPrivilegesMayReadIt() throws Exception {
        try (WireClient client =
                RunningPooler.wire(pooler.port(), Map.of("user", "trust_user", "database", "postgres"), null)) {
            client.rows("SELECT 1");
            for (int i = 0;
                    !"read".equals(explain("FOR postgres SELECT * FROM x").get(4));
                    i++) {
                assertThat(i).isLessThan(1_000);
                TimeUnit.MILLISECONDS.sleep(10);
            }
        }
    }

    @Test
    void aStatementPreparedBeforeIsJudgedByWhatItsNamesMeanNow() throws Exception {
        try (WireClient client = pooler.wire()) {
            client.rows("CREATE TABLE IF NOT EXISTS rate_table (id int)");
            awaitReason("SELECT * FROM rate_table", "read");
            client.send(Frames.parse("kept", "SELECT * FROM rate_table"), Frames.sync());
            client.readUntilReady();
            assertThat(run(client)).isEqualTo("no_replica"); // there is but one node
            client.rows("DROP TABLE rate_table; CREATE VIEW rate_table AS SELECT 1 AS id, pg_backend_pid() AS pid");
            awaitReason("SELECT * FROM rate_table", "opaque_relation");
            assertThat(run(client)).isEqualTo("opaque_relation");
            client.rows("DROP VIEW rate_table");
        }
    }

    @Test
    void loginThatThePoolWasRefusedIsNotTriedForTheCatalogueToo() throws Exception {
        try (RunningPooler own = RunningPooler.ofDatabases(
                        "app = host=%s port=%d user=password_user password=password_user"
                                .formatted(SERVER.host(), SERVER.port()),
                        "event_loops = 1");
                WireClient holder = own.wire()) {
            holder.rows("BEGIN; SELECT 1");
            try (WireClient client = own.wire()) {
                control.rows("ALTER ROLE password_user PASSWORD 'another'");
                long before = refusals();
                client.send(Frames.query("SELECT 1"));
                assertThat(client.read().type()).isEqualTo('E');
                assertThat(refusals()).isEqualTo(before + 1);
                TimeUnit.MILLISECONDS.sleep(2_500); // it would have been read by now, and tried again several times
                assertThat(refusals()).isEqualTo(before + 1);
            } finally {
                control.rows("ALTER ROLE password_user PASSWORD 'password_user'");
            }
        }
    }

    @Test
    void itsConnectionIsOneOfThoseThatTheDatabaseMayHave() throws Exception {
        try (RunningPooler own = ownPooler("max_db_connections = 2");
                WireClient ownConsole = RunningPooler.wire(own.port(), Map.of("database", "pgbouncer"), null);
                WireClient first = own.wire();
                WireClient second = own.wire()) {
            first.rows("BEGIN; SELECT 1");
            second.rows("SELECT 1");
            first.rows("COMMIT");
            assertThat(connections()).as("none is left for the catalogue").isEqualTo(2);
            int most = 0;
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            while (!isRead(ownConsole) && System.nanoTime() - end < 0) {
                most = Math.max(most, connections());
            }
            assertThat(isRead(ownConsole)).isTrue();
            assertThat(most).isEqualTo(2);
            assertThat(first.value("SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void aClientThatWaitsHasItsConnectionClosed() throws Exception {
        try (WireClient locker = RunningPooler.wire(SERVER.port(), Map.of(), null);
                RunningPooler own =
                        ownPooler("max_db_connections = 1", "server_idle_timeout = 1", "query_wait_timeout = 10");
                WireClient client = own.wire()) {
            locker.rows("BEGIN; LOCK pg_catalog.pg_policy IN ACCESS EXCLUSIVE MODE");
            String reader = awaitReader();
            signal("STOP", reader); // it answers nobody any more, and holds the only connection that there may be
            try {
                locker.rows("ROLLBACK");
                assertThat(client.value("SELECT 'served'")).isEqualTo("served");
                assertThat(readers()).as("what PostgreSQL still has of it").contains(reader);
            } finally {
                signal("CONT", reader);
            }
        }
    }

    private static RunningPooler ownPooler(String... settings) {
        List<String> all = new ArrayList<>(List.of(settings));
        all.add("admin_users = postgres");
        return RunningPooler.ofDatabases(
                "app = host=%s port=%d user=trust_user".formatted(SERVER.host(), SERVER.port()),
                all.toArray(String[]::new));
    }

    private static boolean isRead(WireClient console) throws IOException {
        return "read"
                .equals(console.rows("EXPLAIN ROUTE FOR app SELECT * FROM x")
                        .getFirst()
                        .get(2));
    }

    private static int connections() throws IOException {
        return Integer.parseInt(control.value("SELECT count(*) FROM pg_stat_activity" + OF_OWN));
    }

    private static List<String> readers() throws IOException {
        return control
                .rows("SELECT pid FROM pg_stat_activity" + OF_OWN + " AND application_name = 'plenum catalog'")
                .stream()
                .map(row -> String.valueOf(row.getFirst()))
                .toList();
    }

    private static String awaitReader() throws Exception {
        for (int i = 0; readers().isEmpty(); i++) {
            assertThat(i).isLessThan(1_000);
            TimeUnit.MILLISECONDS.sleep(10);
        }
        return readers().getFirst();
    }

    private static void signal(String name, String process) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, process)
                        .inheritIO()
                        .start()
                        .waitFor())
                .isZero();
    }

    private static long refusals() throws IOException {
        try (Stream<String> lines = Files.lines(SERVER.node().log())) {
            return lines.filter(line -> line.contains("password authentication failed for user \"password_user\""))
                    .count();
        }
    }

    /** Past the pooler, by a session that ends: PostgreSQL counts what one did that idles only seconds later. */
    private static void elsewhere(String sql) throws IOException {
        try (WireClient other = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
            other.rows(sql);
        }
    }

    /** Runs the statement, whatever it answers; the reason of the batch. */
    private static String run(WireClient client) throws IOException {
        Map<String, Long> before = routes();
        client.send(Frames.bind("", "kept"), Frames.execute(), Frames.sync());
        client.readUntilReady();
        for (Map.Entry<String, Long> route : routes().entrySet()) {
            if (route.getValue() > before.getOrDefault(route.getKey(), 0L)) {
                return route.getKey();
            }
        }
        return "none";
    }

    private static Map<String, Long> routes() throws IOException {
        Map<String, Long> counts = new HashMap<>();
        for (List<@Nullable String> route : console.rows("SHOW ROUTES")) {
            counts.merge(String.valueOf(route.get(1)), Long.valueOf(String.valueOf(route.get(3))), Long::sum);
        }
        return counts;
    }

    private static void awaitReason(String sql, String reason) throws Exception {
        for (int i = 0; !reason(sql).equals(reason); i++) {
            assertThat(i).as("%s is %s", sql, reason(sql)).isLessThan(1_000);
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    private static String reason(String sql) throws IOException {
        return String.valueOf(explain("FOR app " + sql).get(2));
    }

    private static List<@Nullable String> explain(String what) throws IOException {
        return console.rows("EXPLAIN ROUTE " + what).getFirst();
    }
}
