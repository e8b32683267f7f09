package io.plenum.pooler.drivers;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.sync;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresServer;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What drivers met when their servers changed, in the fewest messages. */
@ExtendWith(LeakWatch.class)
class AcrossServersIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    /** The driver of Vert.x without its cache, and libpq's PQprepare, end with Sync between Parse and Bind. */
    @Test
    void theUnnamedStatementIsTheOneParsedLast() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2", "server_round_robin = 1");
                var client = pooler.wire();
                var other = pooler.wire()) {
            other.query("BEGIN; SELECT 1");
            client.query("SELECT 'a second server'");
            other.query("COMMIT");
            for (int i = 0; i < 6; i++) {
                client.send(parse("", "SELECT " + i), sync());
                client.readUntilReady();
                client.send(bind("", ""), execute(), sync()); // on the other server

                assertThat(Message.value(client.readUntilReady())).isEqualTo(Integer.toString(i));
            }
        }
    }

    @Test
    void theUnnamedStatementIsFoundWhereASimpleQueryWas() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2", "server_round_robin = 1");
                var client = pooler.wire();
                var other = pooler.wire()) {
            other.query("BEGIN; SELECT 1");
            client.query("SELECT 'a second server'");
            other.query("COMMIT");
            for (int i = 0; i < 6; i++) {
                client.query("SELECT 'simple'");
                client.query("SELECT 'simple'");
                client.send(parse("", "SELECT " + i), sync());
                client.readUntilReady();
                client.send(bind("", ""), execute(), sync());

                assertThat(Message.value(client.readUntilReady())).isEqualTo(Integer.toString(i));
            }
        }
    }

    @Test
    void aSettingThatTheServerHasAlreadyIsReportedAtLogin() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var before = pooler.wire(Map.of("IntervalStyle", "iso_8601"))) {
            before.query("SELECT 1");
            try (var client = pooler.wire(Map.of("IntervalStyle", "iso_8601", "application_name", "new"))) {
                assertThat(client.parameterStatus()).containsEntry("IntervalStyle", "iso_8601");
                assertThat(client.value("SHOW IntervalStyle")).isEqualTo("iso_8601");
            }
        }
    }

    /** pgjdbc sees that a session changes tables and then prepares everything anew, under new names. */
    @Test
    void aStatementPreparedAnewAfterDdlHasTheNewColumns() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.wire()) {
            client.query("DROP TABLE IF EXISTS wider; CREATE TABLE wider AS SELECT 1 AS a");
            client.send(parse("s1", "SELECT * FROM wider"), bind("", "s1"), execute(), sync());
            client.readUntilReady();
            client.query("ALTER TABLE wider ADD COLUMN b int");

            client.send(parse("s2", "SELECT * FROM wider"), bind("", "s2"), execute(), sync());

            assertThat(client.readUntilReady()).filteredOn(m -> m.type() == 'E').isEmpty();
            client.query("DROP TABLE wider");
        }
    }
}
