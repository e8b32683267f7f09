package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A session in transaction mode is the client's own, whichever server serves it: what can be followed follows it, and what
 * lives in the backend keeps its server for just as long as it lives.
 */
@ExtendWith(LeakWatch.class)
class SessionStateIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    @BeforeAll
    static void makeRoles() throws IOException {
        try (var control = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
            control.rows("DROP ROLE IF EXISTS lowly");
            control.rows("CREATE ROLE lowly");
            control.rows("""
                DROP SCHEMA IF EXISTS hiding CASCADE; CREATE SCHEMA hiding;
                CREATE FUNCTION hiding.sets() RETURNS trigger LANGUAGE plpgsql AS
                    $$BEGIN PERFORM set_config('work_mem', '7MB', false); RETURN NULL; END$$;
                CREATE FUNCTION hiding.locks(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
                    $$BEGIN PERFORM pg_advisory_lock($1); RETURN $1; END$$;
                CREATE TABLE hiding.triggered (id int PRIMARY KEY);
                CREATE TRIGGER sets AFTER INSERT OR TRUNCATE ON hiding.triggered
                    FOR EACH STATEMENT EXECUTE FUNCTION hiding.sets();
                CREATE VIEW hiding.seen AS SELECT id FROM hiding.triggered;
                CREATE VIEW hiding.seen_twice AS SELECT id FROM hiding.seen;
                CREATE TABLE hiding.pointed_at (id int PRIMARY KEY);
                ALTER TABLE hiding.triggered ADD FOREIGN KEY (id) REFERENCES hiding.pointed_at NOT VALID;
                CREATE TABLE hiding.parts (id int) PARTITION BY LIST (id);
                CREATE TABLE hiding.part PARTITION OF hiding.parts DEFAULT;
                CREATE TRIGGER sets AFTER INSERT ON hiding.parts FOR EACH ROW EXECUTE FUNCTION hiding.sets();
                CREATE DOMAIN hiding.defaulted AS text DEFAULT set_config('work_mem', '7MB', false);
                CREATE TABLE hiding.of_default (id int, v hiding.defaulted);
                CREATE MATERIALIZED VIEW hiding.refreshed AS SELECT hiding.locks(8) WITH NO DATA;
                CREATE TABLE hiding.indexed AS SELECT 5 AS id;
                CREATE INDEX of_locks ON hiding.indexed (hiding.locks(id)); SELECT pg_advisory_unlock_all();
                """);
        }
    }

    // --- settings --------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        SET work_mem = '7 MB'                                           | work_mem        | 7MB
        SET SESSION work_mem TO 7168                                    | work_mem        | 7MB
        BEGIN; SET work_mem = '7MB'; COMMIT                             | work_mem        | 7MB
        BEGIN; SET work_mem = '8MB'; SAVEPOINT a; SET work_mem = '9MB'; ROLLBACK TO a; COMMIT | work_mem | 8MB
        BEGIN; SAVEPOINT a; SET work_mem = '9MB'; ROLLBACK TO a; COMMIT | work_mem        | 4MB
        BEGIN; SET work_mem = '7MB'; ROLLBACK                           | work_mem        | 4MB
        SET work_mem = '7MB'; SET LOCAL work_mem = '8MB'                | work_mem        | 7MB
        SELECT set_config('app.tenant', 'blue', false)                  | app.tenant      | blue
        SELECT set_config(name, '7MB', false) FROM pg_settings WHERE name = 'work_mem' | work_mem | 7MB
        SELECT set_config(name, '7MB', false) FROM pg_settings WHERE name = 'nothing'  | work_mem | 4MB
        SET app.tenant = 'red'; SET work_mem = '7MB'                    | app.tenant      | red
        SET ROLE lowly                                                  | role            | lowly
        SET SESSION AUTHORIZATION lowly                                 | session_authorization | lowly
        BEGIN; SET LOCAL ROLE lowly; COMMIT                             | role            | none
        SET search_path TO a, "B c"                                     | search_path     | a, "B c"
        SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE | default_transaction_isolation | serializable
        """)
    void settingFollowsItsClient(String statement, String setting, String value) throws Exception {
        try (var pooler = pooled("default_pool_size = 2");
                var client = pooler.wire();
                var stranger = pooler.wire()) {
            var untouched = current(stranger, setting);
            client.rows(statement);
            assertThat(pins(pooler)).isEmpty();

            for (int i = 0; i < 3; i++) {
                stranger.rows("BEGIN; SELECT 1"); // takes the server that was used last
                assertThat(current(client, setting)).isEqualTo(value);
                assertThat(current(stranger, setting)).isEqualTo(untouched);
                stranger.rows("COMMIT");
            }
        }
    }

    @Test
    void preparedSetFollowsItsClientEachTimeItRuns() throws Exception {
        try (var pooler = pooled("default_pool_size = 1");
                var client = pooler.wire();
                var stranger = pooler.wire()) {
            client.send(parse("s", "SELECT set_config('app.tenant', $1, false)"), sync());
            client.readUntilReady();
            for (String tenant : List.of("a", "b", "c")) {
                client.send(bind("", "s", tenant), execute(), sync());
                client.readUntilReady();
                assertThat(stranger.value("SELECT coalesce(current_setting('app.tenant', true), '')"))
                        .isEmpty();
                assertThat(current(client, "app.tenant")).isEqualTo(tenant);
            }
        }
    }

    @Test
    void resetAllUndoesWhatWeStillAskFor() throws Exception {
        try (var pooler = pooled("default_pool_size = 2");
                var client = pooler.wire();
                var stranger = pooler.wire();
                var control = direct()) {
            control.rows("BEGIN; LOCK TABLE pg_catalog.pg_settings"); // which the question behind a rollback reads
            client.rows("BEGIN; SET work_mem = '7MB'; SAVEPOINT a; ROLLBACK TO a; COMMIT");
            client.send(query("RESET ALL"));
            Thread.sleep(200);
            control.rows("ROLLBACK");
            client.readUntilReady();

            stranger.rows("BEGIN; SELECT 1"); // takes the server that was used last
            assertThat(current(client, "work_mem")).isEqualTo("4MB");
        }
    }

    @Test
    void lateCancelDoesNotKeepUsFromLearningWhatWasSet() throws Exception {
        try (var pooler = pooled("default_pool_size = 1");
                var client = pooler.wire()) {
            var stop = new AtomicBoolean();
            var other = Thread.ofPlatform().start(() -> {
                while (!stop.get()) {
                    try {
                        client.cancel();
                    } catch (IOException closed) {
                        return;
                    }
                }
            });
            for (int i = 0; i < 400; i++) {
                client.send(query("SET work_mem = '7MB'"));
                client.readUntilReady();
            }
            stop.set(true);
            other.join();
            client.rows("SELECT 1");

            awaitNoPin(pooler); // what could not be learnt keeps the server for good
        }
    }

    @Test
    void roleIsGivenUpForASettingThatItMayNotChangeAndTakenAgain() throws Exception {
        try (var pooler = pooled("default_pool_size = 1");
                var client = pooler.wire();
                var stranger = pooler.wire()) {
            client.rows("SET log_min_duration_statement = '77s'"); // for superusers
            client.rows("SET ROLE lowly");
            for (int i = 0; i < 2; i++) {
                assertThat(current(stranger, "log_min_duration_statement")).isEqualTo("-1");
                assertThat(stranger.value("SELECT current_user")).isEqualTo("postgres");
                assertThat(current(client, "log_min_duration_statement")).isEqualTo("77s");
                assertThat(client.value("SELECT current_user")).isEqualTo("lowly");
            }
        }
    }

    @Test
    void resetGoesBackToWhatTheClientBeganWithInItsTransactionToo() throws Exception {
        try (var pooler = pooled("default_pool_size = 1");
                var client = pooler.wire(Map.of("options", "-c work_mem=5MB", "TimeZone", "Europe/Paris"));
                var stranger = pooler.wire()) {
            for (String reset : List.of(
                    "RESET work_mem; RESET timezone", "SET work_mem TO DEFAULT; SET TIME ZONE DEFAULT", "RESET ALL")) {
                client.rows("SET work_mem = '9MB'");
                client.rows("SET TimeZone = 'Asia/Tokyo'");
                client.rows("BEGIN");
                client.rows(reset);
                assertThat(current(client, "work_mem")).as(reset).isEqualTo("5MB");
                assertThat(current(client, "timezone")).as(reset).isEqualTo("Europe/Paris");
                client.rows("ROLLBACK");
                assertThat(current(stranger, "work_mem")).isEqualTo("4MB");
                assertThat(current(client, "work_mem")).as(reset).isEqualTo("9MB");
                assertThat(current(client, "timezone")).as(reset).isEqualTo("Asia/Tokyo");

                client.rows(reset);
                assertThat(current(stranger, "work_mem")).isEqualTo("4MB");
                assertThat(current(client, "work_mem")).as(reset).isEqualTo("5MB");
                assertThat(current(client, "timezone")).as(reset).isEqualTo("Europe/Paris");
            }
        }
    }

    @Test
    void equalSettingsAreNotReplayed() throws Exception {
        try (var pooler = pooled("default_pool_size = 1");
                var first = pooler.wire();
                var second = pooler.wire()) {
            first.rows("SET work_mem = '7MB'");
            second.rows("SET work_mem = '7MB'");
            first.rows("CREATE TABLE IF NOT EXISTS nothing ()");
            var asked = first.value("SELECT backend_xid IS NULL FROM pg_stat_activity WHERE pid = pg_backend_pid()");
            assertThat(asked).isEqualTo("t");
            second.rows("SELECT 1");
            first.send(query("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()"));
            first.readUntilReady();
            // The text before the client's own is the other client's, not a replay of ours.
            second.send(query("SELECT 'last words'"));
            second.readUntilReady();
            try (var control = direct()) {
                assertThat(control.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%set_config%'"
                                + " AND pid <> pg_backend_pid()"))
                        .isEqualTo("0");
            }
        }
    }

    // --- what lives in the backend ---------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        CREATE TEMP TABLE mine (id int)                     | DROP TABLE mine                   | temporary_object
        SELECT 1 AS id INTO TEMP mine                       | DISCARD TEMP                      | temporary_object
        PREPARE mine AS SELECT 1                            | DEALLOCATE mine                   | sql_prepare
        PREPARE mine AS SELECT 1                            | DISCARD ALL                       | sql_prepare
        BEGIN; DECLARE mine CURSOR WITH HOLD FOR SELECT 1; COMMIT | CLOSE mine                  | hold_cursor
        SELECT pg_advisory_lock(5)                          | SELECT pg_advisory_unlock(5)      | session_lock
        SELECT pg_try_advisory_lock(5)                      | SELECT pg_advisory_unlock_all()   | session_lock
        """)
    void pinEndsWithWhatItStandsFor(String begin, String end, String reason) throws Exception {
        try (var pooler = pooled("default_pool_size = 2");
                var client = pooler.wire();
                var stranger = pooler.wire()) {
            client.rows(begin);
            assertThat(pins(pooler)).containsExactly(reason);
            stranger.rows("SELECT 1");
            client.rows("SELECT 1");
            assertThat(pins(pooler)).containsExactly(reason);

            client.rows(end);

            awaitNoPin(pooler);
            assertThat(servers(pooler)).isPositive();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "BEGIN; CREATE TEMP TABLE mine (id int) ON COMMIT DROP; COMMIT",
                "BEGIN; CREATE TEMP TABLE mine (id int); ROLLBACK",
                "SELECT pg_advisory_lock(6); SELECT pg_advisory_unlock(6)",
                "BEGIN; DECLARE mine CURSOR WITH HOLD FOR SELECT 1; ROLLBACK",
                "CREATE TEMP TABLE mine (id int); DROP TABLE mine"
            })
    void whatDidNotOutliveItsTransactionKeepsNoServer(String statement) throws Exception {
        try (var pooler = pooled("default_pool_size = 1");
                var client = pooler.wire();
                var stranger = pooler.wire()) {
            client.rows(statement);

            assertThat(stranger.value("SELECT 'served'")).isEqualTo("served");
            assertThat(pins(pooler)).isEmpty();
        }
    }

    @Test
    void secondThingKeepsTheServerWhenTheFirstIsGone() throws Exception {
        try (var pooler = pooled("default_pool_size = 2");
                var client = pooler.wire()) {
            client.rows("CREATE TEMP TABLE mine (id int)");
            client.rows("SELECT pg_advisory_lock(7)");
            client.rows("DROP TABLE mine");
            client.rows("SELECT 1");
            assertThat(pins(pooler)).containsExactly("session_lock");
            client.rows("SELECT pg_advisory_unlock(7)");
            awaitNoPin(pooler);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void pinThatTheServerTellsOfShowsTheStatementThatCausedIt(boolean extended) throws Exception {
        try (var pooler = pooled("default_pool_size = 2");
                var client = pooler.wire()) {
            client.rows("SET search_path = pg_temp, public");
            client.rows("SELECT 1");
            String definition = "CREATE TABLE unseen (id int)";
            client.send(
                    extended ? Frames.join(parse("", definition), bind("", ""), execute(), sync()) : query(definition));
            client.readUntilReady();
            awaitPins(pooler, 1);
            assertThat(shown(pooler)).containsExactly("temporary_object", definition);

            client.rows("PREPARE mine AS SELECT 1");
            client.rows("DROP TABLE unseen");
            client.rows("SELECT 1");
            assertThat(shown(pooler)).containsExactly("sql_prepare", "PREPARE mine AS SELECT ?");

            client.rows("DEALLOCATE mine");
            awaitNoPin(pooler);
        }
    }

    @Test
    void answerOfAnOlderQuestionDoesNotEndThePinOfWhatCameSince() throws Exception {
        try (var pooler = pooled("default_pool_size = 2");
                var client = pooler.wire();
                var stranger = pooler.wire();
                var control = direct()) {
            client.rows("PREPARE mine AS SELECT 'first'");
            awaitPins(pooler, 1);
            control.rows("BEGIN; LOCK TABLE pg_catalog.pg_depend"); // which the question reads
            client.rows("DEALLOCATE mine");
            client.send(query("PREPARE mine AS SELECT 'second'"));
            Thread.sleep(200);
            control.rows("ROLLBACK");
            client.readUntilReady();
            Thread.sleep(100);

            stranger.rows("BEGIN; SELECT 1"); // takes the server that was used last
            assertThat(client.value("EXECUTE mine")).isEqualTo("second");
            assertThat(pins(pooler)).containsExactly("sql_prepare");
        }
    }

    @Test
    void noMoreThanTheirShareOfAPoolIsKept() throws Exception {
        try (var pooler = pooled("default_pool_size = 4", "max_pinned_share = 50");
                var first = pooler.wire();
                var second = pooler.wire();
                var third = pooler.wire();
                var fourth = pooler.wire()) {
            first.rows("CREATE TEMP TABLE mine (id int)");
            second.rows("CREATE TEMP TABLE mine (id int)");

            third.send(query("CREATE TEMP TABLE mine (id int)"));

            var refusal = third.read();
            assertThat(refusal.field('C')).isEqualTo("53400");
            assertThat(refusal.field('M')).startsWith("max_pinned_share");
            first.rows("DROP TABLE mine");
            awaitPins(pooler, 1);
            fourth.rows("CREATE TEMP TABLE mine (id int)");
            assertThat(pins(pooler)).hasSize(2);
        }
    }

    @Test
    void strictSessionStateRefusesInsteadOfKeeping() throws Exception {
        try (var pooler = pooled("session_state = refuse");
                var client = pooler.wire()) {
            client.rows("SET work_mem = '7MB'"); // which is followed, not kept
            client.send(query("PREPARE mine AS SELECT 1"));

            var refusal = client.read();
            assertThat(refusal.field('C')).isEqualTo("0A000");
            assertThat(refusal.field('M')).startsWith("session_state");
        }
    }

    @Test
    void keptServerThatNobodyUsesIsTakenBack() throws Exception {
        try (var pooler = pooled("default_pool_size = 1", "pin_idle_timeout = 1");
                var keeper = pooler.wire();
                var waiter = pooler.wire()) {
            keeper.rows("CREATE TEMP TABLE mine (id int)");
            waiter.send(query("SELECT 'served'"));

            var end = keeper.read();
            assertThat(end.field('C')).isEqualTo("57P05");
            assertThat(end.field('M')).startsWith("pin_idle_timeout");
            assertThat(Message.value(waiter.readUntilReady())).isEqualTo("served");
        }
    }

    // --- what cannot be seen ---------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(
            strings = {
                "PERFORM set_config('work_mem', '7MB', false)",
                "PERFORM set_config('role', 'lowly', false)",
                "PERFORM pg_advisory_lock(8)",
                "CREATE TEMP TABLE mine (id int)",
                "LISTEN mine",
                "SET statement_timeout = '77s'"
            })
    void whatAFunctionDidIsUndoneBeforeAnybodyElseComes(String body) throws Exception {
        try (var pooler = pooled("default_pool_size = 1");
                var client = pooler.wire();
                var stranger = pooler.wire()) {
            var pid = stranger.value("SELECT pg_backend_pid()");
            var before = state(stranger);
            client.rows("CREATE OR REPLACE FUNCTION hidden() RETURNS int LANGUAGE plpgsql AS" + " $$BEGIN " + body
                    + "; RETURN 1; END$$");
            for (String run : List.of("SELECT hidden()", "DO $$BEGIN PERFORM hidden(); END$$")) {
                client.rows(run);
                assertThat(state(stranger)).as(run).isEqualTo(before);
            }
            assertThat(stranger.value("SELECT pg_backend_pid()")).isEqualTo(pid);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "INSERT INTO hiding.triggered VALUES (1)",
                "INSERT INTO hiding.seen VALUES (2)",
                "INSERT INTO hiding.seen_twice VALUES (3)",
                "TRUNCATE hiding.pointed_at CASCADE",
                "INSERT INTO hiding.part VALUES (1)",
                "INSERT INTO hiding.of_default (id) VALUES (5)",
                "REFRESH MATERIALIZED VIEW hiding.refreshed",
                "ANALYZE hiding.indexed",
                "REINDEX INDEX hiding.of_locks",
                "CLUSTER hiding.indexed USING of_locks"
            })
    void whatCodeDidThatNoTextNamesIsUndoneToo(String sql) throws Exception {
        String reset =
                "TRUNCATE hiding.triggered; INSERT INTO hiding.pointed_at VALUES (1), (2), (3) ON CONFLICT DO NOTHING";
        try (var control = direct()) {
            control.rows(reset);
            control.rows("CREATE OR REPLACE FUNCTION hiding.runs() RETURNS void LANGUAGE plpgsql AS $$BEGIN "
                    + sql.replaceFirst("^SELECT", "PERFORM") + "; END$$");
        }
        try (var pooler = pooled("default_pool_size = 1");
                var client = pooler.wire();
                var stranger = pooler.wire();
                var control = direct()) {
            var before = state(stranger);
            awaitCatalog(pooler);
            client.rows(sql);
            assertThat(state(stranger)).isEqualTo(before);
            control.rows(reset);
            client.rows("SELECT hiding.runs()");
            assertThat(state(stranger)).isEqualTo(before);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"DO $$BEGIN DEALLOCATE ALL; END$$", "SELECT forgets()", "SELECT forgets_in_sql()"})
    void whatAFunctionDeallocatedIsNotMissedByAnotherClient(String sql) throws Exception {
        try (var control = direct()) {
            control.rows("CREATE OR REPLACE FUNCTION forgets() RETURNS void LANGUAGE plpgsql AS"
                    + " $$BEGIN DEALLOCATE ALL; END$$");
            control.rows("CREATE OR REPLACE FUNCTION forgets_in_sql() RETURNS void LANGUAGE sql AS 'DEALLOCATE ALL'");
        }
        try (var pooler = pooled("default_pool_size = 1");
                var client = pooler.wire();
                var stranger = pooler.wire();
                var control = direct()) {
            stranger.send(parse("s", "SELECT 'prepared'"), bind("", "s"), execute(), sync());
            stranger.readUntilReady();
            awaitCatalog(pooler);

            client.rows(sql);

            stranger.send(bind("", "s"), execute(), sync());
            assertThat(Message.value(stranger.readUntilReady())).isEqualTo("prepared");
            control.rows("DROP FUNCTION forgets(), forgets_in_sql()");
        }
    }

    @Test
    void preparedStatementsOfTheProtocolOutliveTheScrub() throws Exception {
        try (var pooler = pooled("default_pool_size = 1", "scrub = always");
                var client = pooler.wire()) {
            client.send(parse("s", "SELECT 'prepared'"), bind("", "s"), execute(), sync());
            client.readUntilReady();
            client.rows("SELECT 1");
            client.send(bind("", "s"), execute(), sync());
            assertThat(Message.value(client.readUntilReady())).isEqualTo("prepared");
            assertThat(client.value("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%prepared%'"
                            + " AND NOT from_sql AND statement NOT LIKE '%count%'"))
                    .isEqualTo("1");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"SELECT currval('drawn')", "SELECT lastval()"})
    void whatOneClientDrewFromASequenceNoOtherIsTold(String ask) throws Exception {
        try (var pooler = pooled("default_pool_size = 1");
                var client = pooler.wire();
                var stranger = pooler.wire()) {
            client.rows("CREATE SEQUENCE IF NOT EXISTS drawn");
            client.rows("SELECT nextval('drawn')");

            stranger.send(query(ask));
            assertThat(Message.sqlState(stranger.readUntilReady())).isEqualTo("55000");
            client.rows("SELECT nextval('drawn')");
            stranger.send(parse("", ask), bind("", ""), execute(), sync());
            assertThat(Message.sqlState(stranger.readUntilReady())).isEqualTo("55000");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"SELECT nextval('drawn')", "DISCARD SEQUENCES", "DISCARD ALL"})
    void whatAClientDrewBeforeItDrewOrForgotElsewhereItIsNotTold(String elsewhere) throws Exception {
        try (var pooler = pooled("default_pool_size = 2");
                var client = pooler.wire();
                var stranger = pooler.wire()) {
            client.rows("CREATE SEQUENCE IF NOT EXISTS drawn");
            client.rows("SELECT nextval('drawn')");
            stranger.rows("BEGIN; SELECT 1"); // takes the server that was used last
            client.rows(elsewhere);
            stranger.rows("COMMIT");

            client.send(query("SELECT currval('drawn')"));
            assertThat(Message.sqlState(client.readUntilReady())).isEqualTo("55000");
        }
    }

    @Test
    void whatAClientDrewBehindForgettingInOneTransactionItIsTold() throws Exception {
        try (var pooler = pooled("default_pool_size = 1");
                var client = pooler.wire()) {
            client.rows("CREATE SEQUENCE IF NOT EXISTS drawn");
            client.rows("BEGIN");
            client.rows("SELECT nextval('drawn')");
            client.rows("DISCARD SEQUENCES");
            String drawn = client.value("SELECT nextval('drawn')");
            assertThat(client.value("SELECT currval('drawn')")).isEqualTo(drawn);
            client.rows("COMMIT");
        }
    }

    @Test
    void whoAsksLaterWhatItDrewKeepsItsServerWhereTheSettingSaysSo() throws Exception {
        try (var pooler = pooled("default_pool_size = 2", "sequence_memory = session");
                var client = pooler.wire();
                var stranger = pooler.wire()) {
            client.rows("CREATE TABLE IF NOT EXISTS numbered (id serial, v text)");
            client.send(parse("", "INSERT INTO numbered (v) VALUES ('a')"), bind("", ""), execute(), sync());
            client.readUntilReady();
            stranger.rows("BEGIN; SELECT 1"); // would take the server that was used last

            assertThat(client.value("SELECT lastval() = max(id) FROM numbered")).isEqualTo("t");
            assertThat(pins(pooler)).containsExactly("sequence");
        }
    }

    // --- settings that cannot be brought ---------------------------------------------------------------------------

    @Test
    void nothingRunsWithoutTheRoleThatIsGone() throws Exception {
        try (var pooler = pooled("default_pool_size = 1");
                var client = pooler.wire();
                var stranger = pooler.wire();
                var control = direct()) {
            control.rows("CREATE TABLE IF NOT EXISTS ran (v text); TRUNCATE ran");
            control.rows("DROP ROLE IF EXISTS gone");
            control.rows("CREATE ROLE gone; GRANT ALL ON ran TO gone");
            client.rows("SET ROLE gone");
            stranger.rows("SELECT 1"); // gives the role up
            control.rows("DROP OWNED BY gone; DROP ROLE gone");

            client.send(query("INSERT INTO ran VALUES ('as somebody else')"));

            Message last = client.read();
            assertThat(last.field('S')).isEqualTo("FATAL");
            assertThat(last.field('M')).contains("role \"gone\" does not exist");
            assertThat(client.isClosedWithin(Duration.ofSeconds(2))).isTrue();
            assertThat(control.value("SELECT count(*) FROM ran")).isEqualTo("0");
            assertThat(stranger.value("SELECT 'served'")).isEqualTo("served");
        }
    }

    @Test
    void serverThatCannotHaveTheSettingsAnyMoreIsReplaced() throws Exception {
        try (var pooler = pooled("default_pool_size = 1");
                var client = pooler.wire();
                var stranger = pooler.wire()) {
            client.rows("SET temp_buffers = '2MB'");
            // What an earlier client did to the process: the number of local buffers is fixed for its life.
            stranger.rows("DO $$BEGIN CREATE TEMP TABLE t AS SELECT 1; DROP TABLE t; END$$");

            assertThat(client.value("SELECT current_setting('temp_buffers')")).isEqualTo("2MB");
            stranger.rows("DO $$BEGIN CREATE TEMP TABLE t AS SELECT 1; DROP TABLE t; END$$");
            client.send(
                    parse("s", "INSERT INTO pg_temp.nothing SELECT 1"),
                    sync(),
                    parse("s", "SELECT current_setting('temp_buffers') || $1"),
                    bind("", "s", "!"),
                    execute(),
                    sync());
            client.readUntilReady();
            assertThat(Message.value(client.readUntilReady())).isEqualTo("2MB!");
        }
    }

    @Test
    void lastWordOfThePoolerNeverStandsInTheMidstOfARow() throws Exception {
        try (var pooler = pooled("default_pool_size = 1", "query_timeout = 3");
                var client = pooler.wire()) {
            client.send(query("SELECT repeat('x', 50000000)"));
            client.read(); // the description, with which the row begins
            Thread.sleep(4500); // the client takes no more, and its time is up

            var heard = new String(client.input().readAllBytes(), StandardCharsets.ISO_8859_1);
            assertThat(heard.length()).isLessThan(50_000_000);
            assertThat(heard).endsWith("xxx").doesNotContain("query_timeout");
        }
    }

    // --- what there is ---------------------------------------------------------------------------------------------

    /** Not by its name either, which pg_prepared_statements shows to all. */
    @ParameterizedTest
    @ValueSource(strings = {"DEALLOCATE \"%s\"", "SELECT 1; DEALLOCATE \"%s\"", "BEGIN; DEALLOCATE \"%s\"; ROLLBACK"})
    void nobodyTakesAwayWhatOthersHavePrepared(String deallocate) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.wire();
                var stranger = pooler.wire()) {
            client.send(parse("s", "SELECT 'still there'"), sync());
            client.readUntilReady();
            String name = stranger.value(
                    "SELECT name FROM pg_prepared_statements WHERE statement = $$SELECT 'still there'$$");
            stranger.query(deallocate.formatted(name));

            client.send(bind("", "s"), execute(), sync());

            assertThat(client.readUntilReady())
                    .anyMatch(message -> message.type() == 'D')
                    .noneMatch(message -> message.type() == 'E');
        }
    }

    @Test
    void valuesThatAreNotAsciiSurviveClientsOfOtherEncodings() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var utf8 = pooler.wire();
                var latin1 = pooler.wire(Map.of("client_encoding", "LATIN1"))) {
            String tell = "SELECT encode(convert_to(current_setting('app.tenant'), 'UTF8'), 'hex')";
            utf8.rows("SET app.tenant = 'müller'");
            latin1.send(inLatin1("SET app.tenant = 'größe'"));
            latin1.readUntilReady();

            assertThat(utf8.value(tell)).isEqualTo(hex("müller"));
            assertThat(latin1.value(tell)).isEqualTo(hex("größe"));
            assertThat(utf8.value(tell)).isEqualTo(hex("müller"));
            utf8.rows("SET client_encoding = 'LATIN1'");
            assertThat(latin1.value(tell)).isEqualTo(hex("größe"));
            assertThat(utf8.value(tell)).isEqualTo(hex("müller"));
        }
    }

    @Test
    void searchPathThatIsNotAsciiIsFollowedInOtherEncodings() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var utf8 = pooler.wire();
                var latin1 = pooler.wire(Map.of("client_encoding", "LATIN1"))) {
            String tell = "SELECT encode(convert_to(current_setting('search_path'), 'UTF8'), 'hex')";
            latin1.send(inLatin1("SET search_path = 'größe'"));
            latin1.readUntilReady();

            assertThat(utf8.value(tell)).isEqualTo(hex("\"$user\", public"));
            assertThat(latin1.value(tell)).isEqualTo(hex("\"größe\""));
        }
    }

    @Test
    void idleSessionTimeoutEndsItsClientAndNoServer() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.wire();
                var other = pooler.wire()) {
            String server = other.value("SELECT pg_backend_pid()");
            client.rows("SET idle_session_timeout = '200ms'");
            client.timeout(Duration.ofSeconds(5));

            Message lastWord = client.read();

            assertThat(lastWord.field('S')).isEqualTo("FATAL");
            assertThat(lastWord.field('C')).isEqualTo("57P05");
            assertThat(client.isClosedWithin(Duration.ofSeconds(5))).isTrue();
            assertThat(other.value("SELECT pg_backend_pid()")).isEqualTo(server);
            assertThat(other.value("SHOW idle_session_timeout")).isEqualTo("0");
        }
    }

    @Test
    void idleSessionTimeoutOfAClientThatVanishesEndsNoServer() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var other = pooler.wire()) {
            String server = other.value("SELECT pg_backend_pid()");
            try (var client = pooler.wire()) {
                client.rows("SET idle_session_timeout = '500ms'");
                client.rows("BEGIN; SELECT 1");
            }
            Thread.sleep(1_000);

            assertThat(other.value("SELECT pg_backend_pid()")).isEqualTo(server);
        }
    }

    private static String hex(String text) {
        return HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] inLatin1(String sql) {
        byte[] text = sql.getBytes(StandardCharsets.ISO_8859_1);
        return ByteBuffer.allocate(text.length + 6)
                .put((byte) 'Q')
                .putInt(text.length + 5)
                .put(text)
                .put((byte) 0)
                .array();
    }

    private static RunningPooler pooled(String... settings) {
        return RunningPooler.start(SERVER, "admin_users = postgres\n" + String.join("\n", settings));
    }

    private static String current(WireClient client, String setting) throws IOException {
        return client.value("SELECT coalesce(current_setting('" + setting + "', true), '')");
    }

    private static List<String> state(WireClient client) throws IOException {
        return List.of(
                current(client, "work_mem"),
                current(client, "statement_timeout"),
                client.value("SELECT current_user"),
                client.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"),
                client.value("SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()"),
                client.value("SELECT count(*) FROM pg_listening_channels()"));
    }

    private static List<String> pins(RunningPooler pooler) throws IOException {
        try (var console = console(pooler)) {
            return console.rows("SHOW PINS").stream().map(row -> row.get(2)).toList();
        }
    }

    /** Reason and statement of the only pin. */
    private static List<String> shown(RunningPooler pooler) throws IOException {
        try (var console = console(pooler)) {
            var pin = console.rows("SHOW PINS").getFirst();
            return List.of(String.valueOf(pin.get(2)), String.valueOf(pin.get(4)));
        }
    }

    private static int servers(RunningPooler pooler) throws IOException {
        try (var console = console(pooler)) {
            return console.rows("SHOW SERVERS").size();
        }
    }

    private static WireClient console(RunningPooler pooler) throws IOException {
        return pooler.wire(Map.of("database", "pgbouncer"));
    }

    /** Until it is known what the names of the database mean: before, all that names something is scrubbed. */
    private static void awaitCatalog(RunningPooler pooler) throws Exception {
        try (var console = console(pooler)) {
            long deadline = System.nanoTime() + Duration.ofSeconds(5).toNanos();
            while (!"read"
                    .equals(console.rows("EXPLAIN ROUTE FOR app SELECT * FROM hiding.triggered")
                            .getFirst()
                            .get(2))) {
                assertThat(System.nanoTime()).as("the catalogue in time").isLessThan(deadline);
                Thread.sleep(20);
            }
        }
    }

    private static void awaitNoPin(RunningPooler pooler) throws Exception {
        awaitPins(pooler, 0);
    }

    private static void awaitPins(RunningPooler pooler, int count) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(5).toNanos();
        while (pins(pooler).size() != count) {
            assertThat(System.nanoTime()).as("pins in time").isLessThan(deadline);
            Thread.sleep(20);
        }
    }

    private static WireClient direct() throws IOException {
        return RunningPooler.wire(SERVER.port(), Map.of(), null);
    }
}
