package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.functionCall;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nobody is told what another one drew from a sequence, and a transaction that drew finds what it drew. */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SequenceMemoryIT {
    private static final int CURRVAL = 1575;
    private static final int LASTVAL = 2559;

    private RunningPooler pooler;
    private WireClient stranger;
    private WireClient client;

    @BeforeAll
    void start() throws Exception {
        pooler = RunningPooler.start(RunningPooler.sharedServer(), "default_pool_size = 1");
        try (var control = RunningPooler.wire(RunningPooler.sharedServer().port(), Map.of(), null)) {
            control.rows("DROP TABLE IF EXISTS numbered; CREATE TABLE numbered (id serial, v text)");
            control.rows("CREATE OR REPLACE FUNCTION last_of_all() RETURNS bigint LANGUAGE plpgsql AS"
                    + " $$BEGIN RETURN lastval(); END$$");
            control.rows("CREATE OR REPLACE FUNCTION last_by_text(ask text) RETURNS bigint LANGUAGE plpgsql AS"
                    + " $$DECLARE v bigint; BEGIN EXECUTE ask INTO v; RETURN v; END$$");
            control.rows("CREATE OR REPLACE PROCEDURE commits() LANGUAGE plpgsql AS $$BEGIN COMMIT; END$$");
        }
        stranger = pooler.wire();
        client = pooler.wire();
    }

    @BeforeEach
    void strangerDraws() throws IOException {
        stranger.rows("SELECT nextval('numbered_id_seq')");
    }

    @AfterAll
    void stop() throws Exception {
        client.close();
        stranger.close();
        pooler.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT currval('numbered_id_seq')",
                "SELECT lastval()",
                "SELECT last_of_all()",
                "SELECT last_by_text('SELECT last' || 'val()')",
                "DO $$BEGIN PERFORM lastval(); END$$",
                "SELECT 1; SELECT lastval()"
            })
    void noTextTellsWhatAnotherDrew(String ask) throws Exception {
        assertThat(Message.sqlState(client.query(ask))).isEqualTo("55000");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT currval('numbered_id_seq')",
                "SELECT last_of_all()",
                "SELECT last_by_text('SELECT last' || 'val()')"
            })
    void norBehindOtherStatementsOfItsGroup(String ask) throws Exception {
        client.send(parse("", "SELECT 1"), bind("", ""), execute(), parse("", ask), bind("", ""), execute(), sync());

        assertThat(Message.sqlState(client.readUntilReady())).isEqualTo("55000");
    }

    @Test
    void norDoesAFunctionCall() throws Exception {
        client.send(functionCall(CURRVAL, "numbered_id_seq"));
        assertThat(Message.sqlState(client.readUntilReady())).isEqualTo("55000");

        stranger.rows("SELECT nextval('numbered_id_seq')");
        client.send(functionCall(LASTVAL));
        assertThat(Message.sqlState(client.readUntilReady())).isEqualTo("55000");
    }

    @Test
    void transactionFindsWhatItDrewByParseAndBind() throws Exception {
        client.query("SELECT lastval()"); // from now on somebody asks
        stranger.rows("SELECT nextval('numbered_id_seq')");

        client.rows("BEGIN");
        run("INSERT INTO numbered (v) VALUES ('a')");
        var found = run("SELECT currval('numbered_id_seq') = max(id) FROM numbered");
        client.rows("COMMIT");

        assertThat(found.toString()).contains("[t]");
    }

    /** Behind an Execute of ours PostgreSQL would take the Query for a part of a pipeline, whose end is a Sync. */
    @ParameterizedTest
    @ValueSource(strings = {"SELECT 1", "SELECT nextval('numbered_id_seq')", "DO $$BEGIN NULL; END$$"})
    void queryInAnOpenGroupEndsItsTransaction(String sql) throws Exception {
        client.send(parse("", "SELECT 1"), parse("", "SELECT nextval('numbered_id_seq')"), bind("", ""), query(sql));

        assertThat(client.readUntilReady()).noneMatch(message -> message.type() == 'E');
        assertThat(client.transactionStatus()).isEqualTo('I');

        client.send(sync());
        client.readUntilReady();
    }

    @Test
    void functionCallInAnOpenGroupLeavesTheUnnamedStatement() throws Exception {
        client.send(parse("", "SELECT 'still there'"), functionCall(LASTVAL), sync());
        assertThat(Message.sqlState(client.readUntilReady())).isEqualTo("55000");
        assertThat(client.transactionStatus()).isEqualTo('I');
        client.readUntilReady();

        client.send(bind("", ""), execute(), sync());
        assertThat(client.readUntilReady().toString()).contains("still there");
    }

    @Test
    void procedureThatCommitsMayDoSo() throws Exception {
        assertThat(run("CALL commits()")).noneMatch(message -> message.type() == 'E');
    }

    /** Something that takes a snapshot in front of it would make it fail. */
    @Test
    void isolationCanStillBeSetWhereTextsAreNotUnderstood() throws Exception {
        client.rows("BEGIN");
        client.rows("SET LOCAL standard_conforming_strings = off");
        client.rows("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
        client.rows("COMMIT");
    }

    private List<Message> run(String sql) throws IOException {
        client.send(Frames.join(parse("", sql), bind("", ""), execute(), sync()));
        return client.readUntilReady();
    }
}
