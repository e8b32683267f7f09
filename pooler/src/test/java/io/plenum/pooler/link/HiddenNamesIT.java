package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.execute;
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
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Who prepares a text behind the definition of a table that hides another one finds the new table, as on a session of its own:
 * PostgreSQL does not see that of the statements that it has prepared before, which others share.
 */
@ExtendWith(LeakWatch.class)
class HiddenNamesIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();
    private static final String ASK = "SELECT v FROM hidden_name";

    private RunningPooler pooler;

    @BeforeEach
    void start() throws Exception {
        try (var control = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
            control.rows("DROP TABLE IF EXISTS hidden_name; DROP SCHEMA IF EXISTS front CASCADE; CREATE SCHEMA front");
            control.rows("CREATE TABLE hidden_name AS SELECT 'of all'::text AS v");
        }
        pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "max_pinned_share = 100");
    }

    @AfterEach
    void stop() throws Exception {
        pooler.close();
        try (var control = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
            control.rows("DROP TABLE hidden_name; DROP SCHEMA front CASCADE");
        }
    }

    @Test
    void temporaryTableIsFound() throws Exception {
        try (var other = pooler.wire();
                var client = pooler.wire()) {
            makeTemporarySchema(other);
            prepare(other, "s");
            assertThat(run(other, "s")).isEqualTo("of all");

            client.rows("CREATE TEMP TABLE hidden_name (v text)");
            client.rows("INSERT INTO hidden_name VALUES ('its own')");
            prepare(client, "s");

            assertThat(run(client, "s")).isEqualTo("its own");
            client.rows("DROP TABLE hidden_name");
            assertThat(run(client, "s")).isEqualTo("of all");
            assertThat(run(other, "s")).isEqualTo("of all");
        }
    }

    @Test
    void temporaryTableOfATransactionIsFoundThere() throws Exception {
        try (var other = pooler.wire();
                var client = pooler.wire()) {
            makeTemporarySchema(other);
            prepare(other, "s");

            client.rows("BEGIN; CREATE TEMP TABLE hidden_name (v text) ON COMMIT DROP");
            client.rows("INSERT INTO hidden_name VALUES ('its own')");
            prepare(client, "s");
            assertThat(run(client, "s")).isEqualTo("its own");
            client.rows("COMMIT");

            assertThat(run(other, "s")).isEqualTo("of all");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CREATE TABLE front.hidden_name (v text); INSERT INTO front.hidden_name VALUES ('in front')",
                "CREATE TABLE front.hidden_name AS SELECT 'in front'::text AS v",
                "CREATE MATERIALIZED VIEW front.hidden_name AS SELECT 'in front'::text AS v",
                "SELECT 'in front'::text AS v INTO front.hidden_name",
            })
    void tableThatStandsInFrontOnSearchPathIsFound(String creation) throws Exception {
        Map<String, String> path = Map.of("search_path", "front, public");
        try (var other = pooler.wire(path);
                var client = pooler.wire(path)) {
            prepare(other, "s");
            assertThat(run(other, "s")).isEqualTo("of all");
            other.rows("BEGIN; " + creation);
            prepare(other, "s2");
            assertThat(run(other, "s2")).isEqualTo("in front");
            other.rows("COMMIT");

            prepare(client, "s");

            assertThat(run(client, "s")).isEqualTo("in front");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CREATE TABLE front.hidden_name AS SELECT 'in front'::text AS v",
                "CREATE VIEW front.hidden_name AS SELECT 'in front'::text AS v",
            })
    void itIsFoundInThePipelineThatMakesIt(String creation) throws Exception {
        Map<String, String> path = Map.of("search_path", "front, public");
        try (var client = pooler.wire(path)) {
            prepare(client, "s");
            assertThat(run(client, "s")).isEqualTo("of all");

            client.send(query(creation), parse("s2", ASK), bind("", "s2"), execute(), sync());
            client.readUntilReady();

            assertThat(Message.value(client.readUntilReady())).isEqualTo("in front");
        }
    }

    /** From now on the server's session has one. */
    private static void makeTemporarySchema(WireClient client) throws IOException {
        client.rows("CREATE TEMP TABLE any_name ()");
        client.rows("DROP TABLE any_name");
    }

    private static void prepare(WireClient client, String name) throws IOException {
        client.send(parse(name, ASK), sync());
        assertThat(client.readUntilReady()).noneMatch(message -> message.type() == 'E');
    }

    private static String run(WireClient client, String name) throws IOException {
        client.send(bind("", name), execute(), sync());
        return Message.value(client.readUntilReady());
    }
}
