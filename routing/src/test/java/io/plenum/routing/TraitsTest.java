package io.plenum.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.StringJoiner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TraitsTest {
    private final StatementClassifier classifier = new StatementClassifier();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "SELECT 1",
                "SELECT lower(name), count(*) FROM users GROUP BY name",
                "SELECT pg_catalog.now(), pg_backend_pid(), pg_is_in_recovery(), current_setting('work_mem')",
                "SELECT * FROM pg_class WHERE pg_table_is_visible(oid)",
                "SELECT nextval('s'), setval('s', 1)",
                "SELECT pg_advisory_lock(1), pg_advisory_xact_lock(2)",
                "SELECT set_config('a.b', 'c', true)",
                "SELECT currval, lastval, set_config FROM t",
                "SELECT 1 AS currval",
                "SELECT x::numeric(10, 2) FROM t AS u(x) WHERE x IN (1, 2) AND (x, x) = ANY (SELECT 1, 2)",
                "INSERT INTO users (id, name) VALUES (1, 'x') RETURNING id",
                "INSERT INTO app.users (id) SELECT id FROM other",
                "insert into \"users\" (\"id\") values ($1) returning \"id\"",
                "INSERT INTO users AS u (id) VALUES (1)",
                "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO NOTHING",
                "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET (a, b) = (EXCLUDED.a, EXCLUDED.b)",
                "INSERT INTO currval (id) VALUES (1)",
                "UPDATE users SET name = upper(name) WHERE id = 1",
                "UPDATE users SET (a, b) = (SELECT 1, 2)",
                "UPDATE users u SET (a) = ROW (1)",
                "DELETE FROM users USING other WHERE users.id = other.id",
                "MERGE INTO users USING other ON (users.id = other.id) WHEN MATCHED THEN UPDATE SET (a) = (1)",
                "WITH a (b) AS (SELECT 1) SELECT * FROM a",
                "BEGIN; SELECT 1; COMMIT",
                "SAVEPOINT a",
                "DECLARE c CURSOR FOR SELECT 1",
                "FETCH ALL FROM c",
                "TRUNCATE users",
                "ALTER TABLE users ADD COLUMN x int",
                "SET LOCAL work_mem = 1",
                "SET TRANSACTION READ ONLY",
                "SHOW work_mem",
                "EXPLAIN (ANALYZE, BUFFERS) SELECT 1",
                "LOCK TABLE users",
            })
    void plainStatementsHaveNone(String sql) {
        assertThat(traits(sql)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT touch()",
                "SELECT lower(touch(1))",
                "SELECT app.lower('x')",
                "SELECT d.pg_catalog.lower('x')",
                "SELECT \"Lower\"('x')",
                "SELECT pg_no_such_function()",
                "SELECT query_to_xml('SELECT 1', true, true, '')",
                "SELECT app.pg_advisory_lock(1)",
                "SELECT OPERATOR(1)",
                "SELECT 1; SELECT touch(); SELECT 2",
                "EXPLAIN ANALYZE SELECT touch()",
                "INSERT INTO users (id) VALUES (touch())",
                "INSERT INTO users (id) SELECT a.id FROM a JOIN b ON conflict(a.id)",
                "INSERT INTO users (id) VALUES (1) ON CONFLICT (touch()) DO NOTHING",
                "UPDATE users SET name = touch()",
                "SELECT set(1)",
                "SELECT conflict(1)",
                "UPDATE pg_settings SET setting = '3MB' WHERE name = 'work_mem'",
                "WITH x AS (UPDATE pg_catalog.pg_settings SET setting = '3MB' RETURNING 1) SELECT * FROM x",
                "DO $$ BEGIN END $$",
                "do language plpgsql 'BEGIN END'",
                "CALL p()",
                "CALL app.p(1)",
                "CREATE EXTENSION dblink",
                "ALTER EXTENSION dblink UPDATE",
                "IMPORT FOREIGN SCHEMA x FROM SERVER y INTO z",
                "EXECUTE p",
                "EXECUTE p(1)",
                "EXPLAIN EXECUTE p",
                "CREATE TABLE x AS EXECUTE p",
                "COPY users FROM STDIN",
                "COPY users TO PROGRAM 'x'",
                "LOAD 'x'",
                "REFRESH MATERIALIZED VIEW x",
                "REINDEX TABLE users",
                "VACUUM",
                "ANALYZE users",
                "CLUSTER users",
                "TRUNCATE users CASCADE",
                "CREATE TABLE x (id int)",
                "FOO",
                "SELECT 1; FOO",
                "SELECT U&\"a\"",
                "SELECT 1)",
                "SELECT 'unterminated",
                "BEGIN READ ONLY 'unterminated",
                "EXPLAIN",
                "SELECT pg_advisory_lock(1), U&\"a\"",
            })
    void codeThatIsNotInTheTextIsUnknown(String sql) {
        assertThat(traits(sql)).isEqualTo("code");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '¦', quoteCharacter = '¬', textBlock = """
        SELECT currval('s')                                     ¦ memory
        SELECT CURRVAL('s')                                     ¦ memory
        SELECT lastval()                                        ¦ memory
        SELECT pg_catalog.currval('s')                          ¦ memory
        SELECT "pg_catalog"."currval"('s')                      ¦ memory
        SELECT "lastval" ()                                     ¦ memory
        INSERT INTO t (id) VALUES (currval('s'))                ¦ memory
        SELECT nextval('s'); SELECT lastval()                   ¦ memory
        SELECT pg_advisory_lock(lastval())                      ¦ memory
        SELECT app.currval('s')                                 ¦ code memory
        SELECT d.pg_catalog.currval('s')                        ¦ code memory
        SELECT touch(lastval())                                 ¦ code memory
        FOO currval                                             ¦ code memory
        FOO "lastval"                                           ¦ code memory
        SELECT pg_listening_channels()                          ¦ channels
        SELECT count(*) FROM pg_catalog.pg_listening_channels() ¦ channels
        BEGIN; SELECT pg_listening_channels(); COMMIT           ¦ channels
        SELECT touch((SELECT count(*) FROM pg_listening_channels())) ¦ code channels
        FOO pg_listening_channels                               ¦ code channels
        NOTIFY x                                                ¦ notifies
        NOTIFY x, 'y'                                           ¦ notifies
        SELECT pg_notify('x', 'y')                              ¦ notifies
        SELECT pg_catalog."pg_notify"('x', 'y')                 ¦ notifies
        INSERT INTO t (id) VALUES (1); NOTIFY x                 ¦ notifies
        FOO NOTIFY x                                            ¦ code notifies
        FOO pg_notify                                           ¦ code notifies
        SET work_mem = 1                                        ¦ session
        SET timezone = 'UTC'                                    ¦ session
        SET ROLE bob                                            ¦ session
        SET local.x = 1                                         ¦ session
        SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY    ¦ session
        RESET ALL                                               ¦ session
        RESET transaction.x                                     ¦ session
        RESET SESSION AUTHORIZATION                             ¦ session
        LISTEN x                                                ¦ session
        UNLISTEN *                                              ¦ session
        DISCARD ALL                                             ¦ session
        SELECT set_config('a', 'b', false)                      ¦ session
        SELECT set_config(name, 'b', false) FROM pg_settings WHERE name = 'x' ¦ code session
        SELECT set_config($1, 'b', false)                       ¦ session
        SELECT set_config('a', set_config('b', 'c', true), true) ¦ session
        SET work_mem = 1; SELECT pg_advisory_lock(1)            ¦ session
        UNLISTEN *; INSERT INTO t (id) VALUES (1)               ¦ session
        SELECT app.set_config('a', 'b', true)                   ¦ code session
        SELECT U&"set_config"('a', 'b', false)                  ¦ code session
        FOO SET x                                               ¦ code session
        FOO set_config                                          ¦ code session
        SELECT set_config('a', 'b', false                       ¦ session
        SELECT set_config('a', currval('s')::text, false), touch(); NOTIFY x ¦ code memory notifies session
        """)
    void eachTraitIsSeenBesideTheOthers(String sql, String expected) {
        assertThat(traits(sql)).isEqualTo(expected);
    }

    @Test
    void aTextThatCannotBeTrustedMayRunAnythingThatStandsInIt() {
        assertThat(traits("SELECT 1", false)).isEqualTo("code");
        assertThat(traits("SELECT 'a\\', ' || lastval() || pg_notify(1, 2) || '", false))
                .isEqualTo("code memory notifies");
        assertThat(traits("SELECT pg_advisory_lock(1), 'a\\', ' || lastval() || '", false))
                .isEqualTo("code memory");
        assertThat(traits("SELECT 'a\\', '; SET x = 1; --'", false)).isEqualTo("code session");
        assertThat(traits("SELECT 'a\\', ' || set_config(1, 2, 3) || '", false)).isEqualTo("code session");
    }

    @Test
    void aTextThatIsTooLongMayDoWhatWasNotRead() {
        assertThat(traits("SELECT '" + "x".repeat(StatementClassifier.LIMIT) + "'"))
                .isEqualTo("code session");
        assertThat(traits("SELECT " + "(".repeat(10_000) + "1" + ")".repeat(10_000)))
                .isEqualTo("code");
    }

    @Test
    void traitsAreThoseOfTheTextClassifiedLast() {
        assertThat(traits("SELECT touch(currval('s')); NOTIFY x; SET y = 1")).isEqualTo("code memory notifies session");
        assertThat(traits("SELECT 1")).isEmpty();
        assertThat(traits("SELECT 1", false)).isEqualTo("code");
        assertThat(traits("")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SET work_mem = 1",
                "SET a.b = 'c'; RESET ALL;; SHOW work_mem;",
                "SET LOCAL work_mem = 1",
                "SET ROLE bob",
                "RESET SESSION AUTHORIZATION",
                "show transaction isolation level",
            })
    void settingsAloneWriteNothing(String sql) {
        assertThat(has(Traits.ONLY_SETTINGS, sql, true)).isTrue();
        assertThat(has(Traits.ONLY_SETTINGS, sql, false)).as("not trusted").isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT 1",
                "SET work_mem = 1; INSERT INTO t VALUES (1)",
                "BEGIN; SET work_mem = 1; COMMIT",
                "SELECT set_config('a', 'b', false)",
                "SET a = 1; SELECT touch()",
                "SET a = 'unterminated",
                "SET a = 1)",
            })
    void whatIsNotOnlySettingsMayWrite(String sql) {
        assertThat(has(Traits.ONLY_SETTINGS, sql, true)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT pg_advisory_xact_lock(1)",
                "SELECT 1; SELECT pg_catalog.pg_try_advisory_xact_lock_shared(1, 2)",
                "SET a = 1; SELECT pg_advisory_xact_lock_shared(1)",
                "FOO pg_advisory_xact_lock",
            })
    void advisoryLocksOfTheTransactionAreSeen(String sql) {
        assertThat(has(Traits.LOCKS_TRANSACTION, sql, true)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"SELECT pg_advisory_lock(1)", "SELECT 1 FOR UPDATE", "SELECT 'pg_advisory_xact_lock(1)'"})
    void otherLocksAreNone(String sql) {
        assertThat(has(Traits.LOCKS_TRANSACTION, sql, true)).isFalse();
    }

    @Test
    void endsOfTransactionsAmongOthersAreSeen() {
        assertThat(has(Traits.ENDS_TRANSACTION, "COMMIT; SELECT 1", true)).isTrue();
        assertThat(has(Traits.ENDS_TRANSACTION, "SELECT 1; ROLLBACK", true)).isTrue();
        assertThat(has(Traits.ENDS_TRANSACTION, "COMMIT", true)).isFalse();
        assertThat(has(Traits.ENDS_TRANSACTION, "SELECT 1; ROLLBACK TO a", true))
                .isFalse();
    }

    @Test
    void transactionsThatKeepASnapshotAreSeen() {
        assertThat(has(Traits.KEEPS_SNAPSHOT, "BEGIN ISOLATION LEVEL REPEATABLE READ", true))
                .isTrue();
        assertThat(has(Traits.KEEPS_SNAPSHOT, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", true))
                .isTrue();
        assertThat(has(Traits.KEEPS_SNAPSHOT, "BEGIN ISOLATION LEVEL READ COMMITTED", true))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CREATE TABLE t (x int)",
                "create unlogged table if not exists a.t (x) as values (1)",
                "CREATE OR REPLACE VIEW v AS SELECT 1",
                "CREATE TEMP TABLE t ON COMMIT DROP AS TABLE u",
                "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1",
                "WITH u AS (SELECT 1 AS x) SELECT x INTO t FROM u",
                "SELECT 1; SELECT 2 INTO TEMP t",
            })
    void whatMakesSomethingIsSeen(String sql) {
        assertThat(has(Traits.CREATES, sql, true)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"INSERT INTO t SELECT 1 AS x", "ALTER TABLE t ADD x int", "SELECT 1 AS created"})
    void whatChangesSomethingMakesNothing(String sql) {
        assertThat(has(Traits.CREATES, sql, true)).isFalse();
    }

    private boolean has(int trait, String sql, boolean safeText) {
        traits(sql, safeText);
        return (classifier.traits() & trait) != 0;
    }

    private String traits(String sql) {
        return traits(sql, true);
    }

    private String traits(String sql, boolean safeText) {
        ByteBuf text = Unpooled.wrappedBuffer(sql.getBytes(StandardCharsets.UTF_8));
        classifier.classify(text, 0, text.readableBytes(), safeText, Catalog.OFF);
        int traits = classifier.traits();
        StringJoiner names = new StringJoiner(" ");
        if ((traits & Traits.RUNS_UNKNOWN_CODE) != 0) {
            names.add("code");
        }
        if ((traits & Traits.ASKS_SEQUENCE_MEMORY) != 0) {
            names.add("memory");
        }
        if ((traits & Traits.NOTIFIES) != 0) {
            names.add("notifies");
        }
        if ((traits & Traits.ASKS_CHANNELS) != 0) {
            names.add("channels");
        }
        if ((traits & Traits.CHANGES_SESSION) != 0) {
            names.add("session");
        }
        return names.toString();
    }
}
