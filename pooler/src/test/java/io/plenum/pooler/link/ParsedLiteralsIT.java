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
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A literal is a value from Parse on, by the settings of then: no statement is shared by clients that would read it otherwise. */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ParsedLiteralsIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    private RunningPooler pooler;

    static Stream<Arguments> readings() {
        return Stream.of(
                Arguments.of(
                        "TimeZone", "UTC", "Asia/Tokyo", "SELECT extract(epoch FROM '2024-01-01'::timestamptz)::int"),
                Arguments.of("DateStyle", "ISO, MDY", "ISO, DMY", "SELECT '01/02/2003'::date - '2003-01-01'::date"),
                Arguments.of(
                        "IntervalStyle",
                        "postgres",
                        "sql_standard",
                        "SELECT extract(epoch FROM '-1 2:03:04'::interval)::int"),
                Arguments.of("client_encoding", "UTF8", "LATIN1", "SELECT length('é')"),
                Arguments.of("standard_conforming_strings", "on", "off", "SELECT length('a\\b')"),
                Arguments.of("array_nulls", "on", "off", "SELECT ('{NULL}'::text[])[1] IS NULL"),
                Arguments.of("transform_null_equals", "off", "on", "SELECT (1 = NULL) IS NULL"));
    }

    @BeforeAll
    void start() throws Exception {
        pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "max_prepared_statements = 2");
    }

    @AfterAll
    void stop() {
        pooler.close();
    }

    @ParameterizedTest
    @MethodSource("readings")
    void eachReadsItByItsOwnSettings(String setting, String one, String other, String sql) throws Exception {
        String asOne = direct(setting, one, sql);
        String asOther = direct(setting, other, sql);
        assertThat(asOne).isNotEqualTo(asOther);
        try (var first = pooler.wire(Map.of(setting, one));
                var second = pooler.wire(Map.of(setting, other))) {
            prepare(first, sql);
            assertThat(run(first)).isEqualTo(asOne);
            prepare(second, sql);
            assertThat(run(second)).isEqualTo(asOther);
            assertThat(run(first)).isEqualTo(asOne);
        }
    }

    /** Where a server lacks it, a text is parsed anew, by the settings of that moment: not for those who share it. */
    @ParameterizedTest
    @MethodSource("readings")
    void nobodyElseFindsWhatWasParsedAnew(String setting, String one, String other, String sql) throws Exception {
        String asOne = direct(setting, one, sql);
        try (var first = pooler.wire(Map.of(setting, one));
                var second = pooler.wire(Map.of(setting, one))) {
            prepare(first, sql);
            for (int i = 0; i < 3; i++) { // the server has room for two
                second.send(parse("other" + i, "SELECT " + i), bind("", "other" + i), execute(), sync());
                second.readUntilReady();
            }
            first.rows("SET " + setting + " TO '" + other + "'");
            assertThat(run(first)).isEqualTo(direct(setting, other, sql));

            prepare(second, sql);

            assertThat(run(second)).isEqualTo(asOne);
        }
    }

    /** When the text is parsed, nobody knows yet whether the settings have changed. */
    @ParameterizedTest
    @MethodSource("readings")
    void norWhatWasParsedBehindAChangeInTheSamePipeline(String setting, String one, String other, String sql)
            throws Exception {
        String asOne = direct(setting, one, sql);
        try (var first = pooler.wire(Map.of(setting, one));
                var second = pooler.wire(Map.of(setting, one))) {
            first.send(query("SET " + setting + " TO '" + other + "'"), parse("s", sql), sync());
            first.readUntilReady();
            first.readUntilReady();
            assertThat(run(first)).isEqualTo(direct(setting, other, sql));

            prepare(second, sql);

            assertThat(run(second)).isEqualTo(asOne);
        }
    }

    /** PostgreSQL parses a text anew when a table of it has changed, by the settings of who comes first. */
    @ParameterizedTest
    @MethodSource("readings")
    void norWhatPostgresHasParsedAnewByItself(String setting, String one, String other, String sql) throws Exception {
        String ofTable = sql + " FROM one_row";
        String asOne = direct(setting, one, sql);
        try (var first = pooler.wire(Map.of(setting, one));
                var second = pooler.wire(Map.of(setting, one));
                var control = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
            control.rows("DROP TABLE IF EXISTS one_row; CREATE TABLE one_row AS SELECT 1 AS id");
            prepare(first, ofTable);
            assertThat(run(first)).isEqualTo(asOne);
            first.rows("SET " + setting + " TO '" + other + "'");
            control.rows("ALTER TABLE one_row SET (fillfactor = 90)");
            run(first);

            prepare(second, ofTable);

            assertThat(run(second)).isEqualTo(asOne);
            control.rows("DROP TABLE one_row");
        }
    }

    static Stream<Arguments> reportedReadings() {
        return readings().limit(5);
    }

    /** No text of the session's changes is followed there, but PostgreSQL tells before it is ready. */
    @ParameterizedTest
    @MethodSource("reportedReadings")
    void norWhatWasParsedBehindALocalChangeInTheSameGroup(String setting, String one, String other, String sql)
            throws Exception {
        String asOne = direct(setting, one, sql);
        try (var first = pooler.wire(Map.of(setting, one));
                var second = pooler.wire(Map.of(setting, one))) {
            first.rows("BEGIN");
            first.send(
                    parse("", "SET LOCAL " + setting + " TO '" + other + "'"),
                    bind("", ""),
                    execute(),
                    parse("s", sql),
                    sync());
            first.readUntilReady();
            assertThat(run(first)).isEqualTo(direct(setting, other, sql));
            first.rows("COMMIT");

            prepare(second, sql);

            assertThat(run(second)).isEqualTo(asOne);
        }
    }

    private static void prepare(WireClient client, String sql) throws IOException {
        client.send(parse("s", sql), sync());
        assertThat(client.readUntilReady()).noneMatch(message -> message.type() == 'E');
    }

    private static String run(WireClient client) throws IOException {
        client.send(bind("", "s"), execute(), sync());
        return Message.value(client.readUntilReady());
    }

    private static String direct(String setting, String value, String sql) throws IOException {
        try (var client = RunningPooler.wire(SERVER.port(), Map.of(setting, value), null)) {
            return client.value(sql);
        }
    }
}
