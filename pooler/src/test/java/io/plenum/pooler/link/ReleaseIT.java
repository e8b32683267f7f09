package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.closeStatement;
import static io.plenum.testbed.Frames.copyData;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.flush;
import static io.plenum.testbed.Frames.join;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A server goes back to its pool when it is provably clean, and no earlier; what one client left no other one finds. */
@ExtendWith(LeakWatch.class)
class ReleaseIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();
    private static final String KEPT = "SELECT count(*) FROM pg_prepared_statements";
    private static final Duration A_WHILE = Duration.ofMillis(300);

    @Test
    void serverStaysWithItsClientBetweenFlushAndSync() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var reader = pooler.wire();
                var other = pooler.wire()) {
            reader.send(parse("", "SELECT generate_series(1, 5)"), bind("", ""), execute("", 2), flush());
            reader.readUntil('s');

            other.send(query("SELECT 'other'"));

            assertThat(answers(other, A_WHILE)).isFalse();
            reader.send(execute(), sync());
            assertThat(reader.readUntilReady()).filteredOn(m -> m.type() == 'D').hasSize(3);
            assertThat(other.readUntilReady()).hasSize(4);
        }
    }

    @Test
    void serverStaysWithItsClientInTheMiddleOfAMessage() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var writer = pooler.wire();
                var other = pooler.wire()) {
            byte[] two = join(query("SELECT 1"), query("SELECT '" + "x".repeat(200_000) + "'"));
            writer.sendPart(two, 0, 100_000);
            writer.readUntilReady();

            other.send(query("SELECT 'other'"));

            assertThat(answers(other, A_WHILE)).isFalse();
            writer.sendPart(two, 100_000, two.length);
            writer.readUntilReady();
            assertThat(other.readUntilReady()).hasSize(4);
        }
    }

    @Test
    void clientThatDiesAtAnyByteHarmsNobody() throws Exception {
        byte[] pipeline = join(
                parse("a", "SELECT 'dead'"),
                bind("", "a"),
                execute(),
                sync(),
                query("BEGIN"),
                parse("", "INSERT INTO dead VALUES ($1::int)"),
                bind("", "", "1"),
                execute(),
                closeStatement("a"),
                sync(),
                query("COPY dead FROM STDIN"),
                copyData("2\n".getBytes(StandardCharsets.UTF_8)));
        try (var control = direct();
                var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var survivor = pooler.wire()) {
            control.rows("DROP TABLE IF EXISTS dead");
            control.rows("CREATE TABLE dead (id int)");
            for (int length = 0; length <= pipeline.length; length++) {
                var doomed = pooler.wire();
                doomed.sendPart(pipeline, 0, length);
                doomed.kill();

                assertThat(survivor.value("SELECT 'alive " + length + "'")).isEqualTo("alive " + length);
                survivor.send(
                        parse("a", "SELECT $1::text"), bind("", "a", "b" + length), execute(), closeStatement("a"));
                survivor.send(sync());
                assertThat(Message.value(survivor.readUntilReady())).isEqualTo("b" + length);
            }
            assertThat(control.value("SELECT count(*) FROM dead")).isEqualTo("0");
        }
    }

    @Test
    void transactionOfAClientThatLeavesIsRolledBackAndItsServerUsedAgain() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var next = pooler.wire()) {
            var leaver = pooler.wire();
            var pid = leaver.value("SELECT pg_backend_pid()");
            leaver.rows("BEGIN");
            leaver.rows("CREATE TABLE never (id int)");

            leaver.close();

            assertThat(next.value("SELECT pg_backend_pid()")).isEqualTo(pid);
            assertThat(next.value("SELECT count(*) FROM pg_class WHERE relname = 'never'"))
                    .isEqualTo("0");
        }
    }

    @Test
    void failedTransactionOfAClientThatLeavesIsRolledBackToo() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var next = pooler.wire()) {
            var leaver = pooler.wire();
            leaver.rows("BEGIN");
            leaver.query("SELECT 1/0");
            leaver.kill();

            assertThat(next.value("SELECT 1")).isEqualTo("1");
        }
    }

    /** PostgreSQL 17 and 18 fail what comes behind the Sync of such a group. */
    @ParameterizedTest
    @CsvSource({
        "SELECT 5, SELECT 1",
        "SELECT 5, DEALLOCATE named",
        "SELECT 5, EXECUTE named",
        "BEGIN; SELECT 5, SELECT 1",
        "BEGIN; SELECT 5, DEALLOCATE named",
    })
    void serverWhoseGroupAQueryBrokeIsGivenToNobody(String before, String breaking) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var breaks = pooler.wire();
                var next = pooler.wire()) {
            breaks.send(query(before));
            breaks.readUntilReady();
            breaks.send(parse("", "COMMIT"), bind("", ""), execute());
            breaks.send(parse("named", "SELECT 7"), bind("", "named"), execute(), query(breaking));
            breaks.readUntilReady();
            breaks.send(sync());
            breaks.readUntilReady();

            assertThat(next.value("SELECT 'next'")).isEqualTo("next");
        }
    }

    @Test
    void clientThatDiesWithoutSyncLeavesNoHalfGroup() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var next = pooler.wire();
                var control = direct()) {
            control.rows("DROP TABLE IF EXISTS half");
            control.rows("CREATE TABLE half (id int)");
            var leaver = pooler.wire();
            leaver.send(parse("", "INSERT INTO half VALUES (1)"), bind("", ""), execute(), flush());
            leaver.readUntil('C');
            leaver.close();

            assertThat(next.value("SELECT count(*) FROM half")).isEqualTo("0");
            assertThat(control.value("SELECT count(*) FROM half")).isEqualTo("0");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SET statement_timeout = '33s'",
                "SELECT set_config('work_mem', '3MB', false)",
                "CREATE TEMP TABLE secret (id int)",
                "SELECT 1 AS id INTO TEMP secret",
                "PREPARE secret AS SELECT 1",
                "SELECT pg_advisory_lock(99)",
                "SET ROLE app",
                "SET SESSION AUTHORIZATION app",
                "BEGIN; DECLARE secret CURSOR WITH HOLD FOR SELECT 1; COMMIT",
                "LISTEN secret",
                "SET search_path = pg_temp",
                "SET TimeZone = 'Asia/Tokyo'",
                "SET application_name = 'secret'",
                "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
                "SET default_transaction_read_only = on"
            })
    void whatOneSessionLeftNoOtherFinds(String statement) throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2");
                var second = pooler.wire()) {
            var first = pooler.wire();
            var before = state(second);

            first.rows(statement);
            var whileItLives = state(second);
            first.close();
            var afterwards = state(second);

            assertThat(whileItLives).isEqualTo(before);
            assertThat(afterwards).isEqualTo(before);
        }
    }

    /** Everything that a session can leave behind, seen from another one. */
    private static List<List<@Nullable String>> state(WireClient client) throws IOException {
        return client.rows("SELECT current_user, session_user, current_setting('statement_timeout'),"
                + " current_setting('work_mem'), current_setting('search_path'), current_setting('TimeZone'),"
                + " current_setting('application_name'), current_setting('default_transaction_read_only'),"
                + " (SELECT count(*) FROM pg_prepared_statements WHERE from_sql), (SELECT count(*) FROM pg_cursors),"
                + " (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()),"
                + " (SELECT count(*) FROM pg_listening_channels()),"
                + " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())");
    }

    @Test
    void sequencesOfOneSessionAreNotLostInItsTransaction() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.wire()) {
            client.rows("CREATE SEQUENCE IF NOT EXISTS drawn_in_transaction");
            client.rows("BEGIN");
            var next = client.value("SELECT nextval('drawn_in_transaction')");
            assertThat(client.value("SELECT currval('drawn_in_transaction')")).isEqualTo(next);
            client.rows("COMMIT");
        }
    }

    @Test
    void staleplansAreMadeAnew() throws Exception {
        try (var control = direct();
                var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.wire()) {
            control.rows("DROP TABLE IF EXISTS shape");
            control.rows("CREATE TABLE shape AS SELECT 1 AS a");
            client.send(parse("s", "SELECT * FROM shape"), bind("", "s"), execute(), sync());
            client.readUntilReady();
            control.rows("ALTER TABLE shape ADD COLUMN b int DEFAULT 2");

            client.send(bind("", "s"), execute(), sync());
            var told = client.readUntilReady();
            client.send(bind("", "s"), execute(), sync());
            var after = client.readUntilReady();

            assertThat(told.getFirst().field('C')).isEqualTo("0A000");
            assertThat(after)
                    .filteredOn(m -> m.type() == 'D')
                    .singleElement()
                    .satisfies(row -> assertThat(row.columns()).containsExactly("1", "2"));
        }
    }

    @Test
    void serverKeepsNoMoreStatementsThanItMay() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "max_prepared_statements = 5");
                var client = pooler.wire()) {
            for (int i = 0; i < 100; i++) {
                client.send(parse("s" + i, "SELECT " + i), bind("", "s" + i), execute(), sync());
                assertThat(Message.value(client.readUntilReady())).isEqualTo(Integer.toString(i));
            }
            assertThat(Integer.parseInt(client.value("SELECT count(*) FROM pg_prepared_statements")))
                    .isLessThanOrEqualTo(5);
        }
    }

    @Test
    void howManyStatementsAServerKeepsChangesForClientsThatAreThere() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "max_prepared_statements = 1");
                var client = pooler.wire()) {
            prepare(client, 0, 3);
            assertThat(client.value(KEPT)).isEqualTo("1");

            setMaxPrepared(pooler, 3);
            prepare(client, 3, 6);
            assertThat(client.value(KEPT)).isEqualTo("3");

            setMaxPrepared(pooler, 2);
            assertThat(client.value(KEPT)).isEqualTo("3");
            prepare(client, 6, 7);
            assertThat(client.value(KEPT)).isEqualTo("2");

            setMaxPrepared(pooler, 0);
            client.send(bind("", "s6"), execute(), sync());
            assertThat(client.readUntilReady().getFirst().field('C')).isEqualTo("26000");
            client.send(parse("own", "SELECT 'own'"), bind("", "own"), execute(), sync());
            assertThat(Message.value(client.readUntilReady())).isEqualTo("own");
        }
    }

    private static void prepare(WireClient client, int from, int to) throws IOException {
        for (int i = from; i < to; i++) {
            client.send(parse("s" + i, "SELECT " + i), bind("", "s" + i), execute(), sync());
            assertThat(Message.value(client.readUntilReady())).isEqualTo(Integer.toString(i));
        }
    }

    private static void setMaxPrepared(RunningPooler pooler, int most) {
        pooler.set("max_prepared_statements", Integer.toString(most));
    }

    @Test
    void statementsOfManyClientsAreOneOnTheServer() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var first = pooler.wire();
                var second = pooler.wire()) {
            first.send(parse("one", "SELECT 'shared', $1::int"), sync());
            first.readUntilReady();
            second.send(parse("two", "SELECT 'shared', $1::int"), sync());
            second.readUntilReady();

            assertThat(first.value("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%''shared''%'"
                            + " AND NOT from_sql"))
                    .isEqualTo("1");
        }
    }

    private static WireClient direct() throws IOException {
        return RunningPooler.wire(SERVER.port(), Map.of(), null);
    }

    private static boolean answers(WireClient client, Duration time) throws IOException {
        client.timeout(time);
        try {
            client.input().mark(1);
            client.input().readByte();
            client.input().reset();
            return true;
        } catch (java.net.SocketTimeoutException silent) {
            return false;
        } finally {
            client.timeout(Duration.ofSeconds(10));
        }
    }
}
