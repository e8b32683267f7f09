package io.plenum.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SessionChangesTest {
    private final SessionChanges changes = new SessionChanges();

    // In the tables, ⏎ is a line end.

    @ParameterizedTest
    @CsvSource(delimiter = '¦', quoteCharacter = '¬', textBlock = """
        SET work_mem = '1MB'                                    ¦ set work_mem
        SET work_mem TO '1MB'                                   ¦ set work_mem
        set Work_Mem to '1MB'                                   ¦ set work_mem
        SET work_mem='1MB';                                     ¦ set work_mem
        SET work_mem=64                                         ¦ set work_mem
        SET extra_float_digits=-1                               ¦ set extra_float_digits
        SET extra_float_digits =+1                              ¦ set extra_float_digits
        SET work_mem = $1                                       ¦ set work_mem
        SET search_path TO app, public                          ¦ set search_path
        SET search_path = "$user", public                       ¦ set search_path
        SET statement_timeout TO 0; SELECT 1                    ¦ set statement_timeout
        SET x TO on                                             ¦ set x
        SET x TO 'a', 'b'                                       ¦ set x
        SET SESSION work_mem = 1                                ¦ set work_mem
        SET session Work_Mem TO 1                               ¦ set work_mem
        SET "work_mem" = 1                                      ¦ set work_mem
        SET "Work_Mem" = 1                                      ¦ set work_mem
        SET app.tenant = '7'                                    ¦ set app.tenant
        SET App . Tenant TO '7'                                 ¦ set app.tenant
        SET "App"."Tenant" = '7'                                ¦ set app.tenant
        SET app."tenant" = '7'                                  ¦ set app.tenant
        SET a.b.c = 1                                           ¦ set a.b.c
        SET "a""b".c = 1                                        ¦ set a"b.c
        SET SESSION app.tenant = '7'                            ¦ set app.tenant
        SET seed TO 0.5                                         ¦ set seed
        SET timezone = 'UTC'                                    ¦ set timezone
        SET TimeZone TO 'UTC'                                   ¦ set timezone
        SET application_name = 'x'                              ¦ set application_name
        SET work_mem FROM CURRENT                               ¦ set work_mem
        SET default_transaction_isolation = 'serializable'      ¦ set default_transaction_isolation
        SET work_mem TO DEFAULT                                 ¦ reset work_mem
        SET work_mem = default                                  ¦ reset work_mem
        SET SESSION app.tenant TO DEFAULT                       ¦ reset app.tenant
        SET work_mem TO "default"                               ¦ set work_mem
        SET work_mem TO 'default'                               ¦ set work_mem
        RESET work_mem                                          ¦ reset work_mem
        RESET Work_Mem;                                         ¦ reset work_mem
        RESET "Work_Mem"                                        ¦ reset work_mem
        RESET app.tenant                                        ¦ reset app.tenant
        RESET "App" . tenant                                    ¦ reset app.tenant
        RESET ALL                                               ¦ resetAll
        reset all ;                                             ¦ resetAll
        RESET "all"                                             ¦ reset all
        """)
    void settingsAreNamedThatAreSetOrReset(String sql, String expected) {
        assertThat(told(sql)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '¦', quoteCharacter = '¬', textBlock = """
        SET TIME ZONE 'UTC'                                     ¦ set timezone
        SET TIME ZONE utc                                       ¦ set timezone
        SET TIME ZONE "default"                                 ¦ set timezone
        SET TIME ZONE -7                                        ¦ set timezone
        SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE          ¦ set timezone
        SET SESSION TIME ZONE 'UTC'                             ¦ set timezone
        SET TIME ZONE DEFAULT                                   ¦ reset timezone
        SET TIME ZONE LOCAL                                     ¦ reset timezone
        RESET TIME ZONE                                         ¦ reset timezone
        SET NAMES 'UTF8'                                        ¦ set client_encoding
        SET NAMES                                               ¦ reset client_encoding
        SET NAMES DEFAULT                                       ¦ reset client_encoding
        SET NAMES; SELECT 1                                     ¦ reset client_encoding
        SET SCHEMA 'app'                                        ¦ set search_path
        SET XML OPTION DOCUMENT                                 ¦ set xmloption
        SET XML OPTION CONTENT                                  ¦ set xmloption
        SET ROLE bob                                            ¦ set role
        SET ROLE "Bob"                                          ¦ set role
        SET ROLE 'bob'                                          ¦ set role
        SET ROLE NONE                                           ¦ set role
        SET SESSION ROLE bob                                    ¦ set role
        SET role = bob                                          ¦ set role
        SET ROLE TO DEFAULT                                     ¦ reset role
        RESET ROLE                                              ¦ reset role
        SET SESSION AUTHORIZATION bob                           ¦ set session_authorization, set role
        SET SESSION AUTHORIZATION 'bob'                         ¦ set session_authorization, set role
        SET SESSION SESSION AUTHORIZATION bob                   ¦ set session_authorization, set role
        SET session_authorization = bob                         ¦ set session_authorization, set role
        SET SESSION AUTHORIZATION DEFAULT                       ¦ reset session_authorization, reset role
        SET session_authorization TO DEFAULT                    ¦ reset session_authorization, reset role
        RESET SESSION AUTHORIZATION                             ¦ reset session_authorization, reset role
        RESET session_authorization                             ¦ reset session_authorization, reset role
        SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY    ¦ set default_transaction_read_only
        SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE   ¦ set default_transaction_read_only
        SET SESSION CHARACTERISTICS AS TRANSACTION DEFERRABLE   ¦ set default_transaction_deferrable
        SET SESSION CHARACTERISTICS AS TRANSACTION NOT DEFERRABLE                     ¦ set default_transaction_deferrable
        SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE       ¦ set default_transaction_isolation
        SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ    ¦ set default_transaction_isolation
        SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED     ¦ set default_transaction_isolation
        SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ UNCOMMITTED, READ ONLY ¦ set default_transaction_isolation, set default_transaction_read_only
        SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY ISOLATION LEVEL SERIALIZABLE DEFERRABLE ¦ set default_transaction_read_only, set default_transaction_isolation, set default_transaction_deferrable
        SET SESSION SESSION CHARACTERISTICS AS TRANSACTION READ ONLY                  ¦ set default_transaction_read_only
        """)
    void theStandardsOwnFormsNameTheirSetting(String sql, String expected) {
        assertThat(told(sql)).isEqualTo(expected);
    }

    /** Words that PostgreSQL does not reserve are names of settings where a sign or a dot follows. */
    @ParameterizedTest
    @CsvSource(delimiter = '¦', quoteCharacter = '¬', textBlock = """
        SET local = 1                                           ¦ set local
        SET local.x = 1                                         ¦ set local.x
        SET session = 1                                         ¦ set session
        SET session TO DEFAULT                                  ¦ reset session
        SET session.x TO 1                                      ¦ set session.x
        SET SESSION session.x TO 1                              ¦ set session.x
        SET SESSION local.x = 1                                 ¦ set local.x
        SET SESSION characteristics.x = 1                       ¦ set characteristics.x
        SET transaction.x = 1                                   ¦ set transaction.x
        SET constraints.x = 1                                   ¦ set constraints.x
        SET role.x = 1                                          ¦ set role.x
        SET time.zone = 1                                       ¦ set time.zone
        SET names.x = 1                                         ¦ set names.x
        SET names = 'x'                                         ¦ set names
        SET schema.x = 1                                        ¦ set schema.x
        SET xml.option = 1                                      ¦ set xml.option
        SET timezone.x = 1                                      ¦ set timezone.x
        SET app.role TO bob                                     ¦ set app.role
        SET app.local FROM CURRENT                              ¦ set app.local
        SET "local" = 1                                         ¦ set local
        SET "session" TO 1                                      ¦ set session
        RESET session                                           ¦ reset session
        RESET session.x                                         ¦ reset session.x
        RESET time.x                                            ¦ reset time.x
        RESET transaction.x                                     ¦ reset transaction.x
        RESET "session"                                         ¦ reset session
        """)
    void aKeywordBeforeASignOrADotIsAName(String sql, String expected) {
        assertThat(told(sql)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ";;",
                "-- SET x = 1",
                "/* SET x = 1; /* RESET ALL; */ SET y = 1 */",
                "SELECT 1",
                "SELECT 'SET x = 1; SET y = 1'",
                "SELECT $$; SET x = 1; $$, $a$; SET y = 1; $$ $a$",
                "SELECT E'\\'; SET x = 1; --'",
                "SELECT \"; SET x = 1;\" FROM t",
                "SET LOCAL work_mem = 1",
                "set local work_mem to default",
                "SET LOCAL ROLE bob",
                "SET LOCAL TIME ZONE 'UTC'",
                "SET LOCAL SESSION AUTHORIZATION bob",
                "SET LOCAL SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
                "SET TRANSACTION READ ONLY",
                "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                "SET TRANSACTION SNAPSHOT '1-1'",
                "SET SESSION TRANSACTION READ ONLY",
                "SET CONSTRAINTS ALL DEFERRED",
                "SET CONSTRAINTS app.c, d IMMEDIATE",
                "RESET TRANSACTION ISOLATION LEVEL",
                "SET transaction_isolation = 'serializable'",
                "SET Transaction_Read_Only TO on",
                "SET \"transaction_deferrable\" = off",
                "RESET transaction_isolation",
                "SELECT set_config('transaction_read_only', 'on', false)",
                "SHOW work_mem",
                "UPDATE t SET x = 1, y = 2",
                "ALTER ROLE bob SET work_mem = 1",
                "ALTER DATABASE d RESET ALL",
                "ALTER SYSTEM SET work_mem = 1",
                "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET work_mem = 1 AS 'SELECT 1'",
                "DISCARD PLANS",
                "DISCARD TEMP",
                "DISCARD TEMPORARY",
                "NOTIFY x, 'LISTEN y'",
                "SELECT set_config('x', 'y', true)",
                "SELECT set_config('x', 'y', TRUE)",
                "SELECT set_config('x', 'y', 't'), set_config('x', 'y', 'True'), set_config('x', 'y', E'on')",
                "SELECT set_config('x', 'y', 'yes'), set_config('x', 'y', '1'), set_config('x', 'y', $$true$$)",
                "SELECT set_config($1, $2, true)",
                "SELECT set_config('app.' || $1, coalesce($2, (SELECT 'y')), true)",
                "SELECT set_config FROM t",
                "SELECT 1 AS set_config",
                "SELECT * FROM f() AS set_config(a, b)",
                "INSERT INTO set_config (a) VALUES ('b')",
                "SELECT set_configuration('x', 'y', false), \"Set_Config\"('x', 'y', false)",
                "DO $$ BEGIN PERFORM set_config('x', 'y', false); END $$",
                "SELECT 'unterminated",
                "FOO BAR",
                "WAIT FOR LSN '0/1'",
            })
    void whatEndsWithTheTransactionOrChangesNothingIsNotTold(String sql) {
        assertThat(told(sql)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '¦', quoteCharacter = '¬', textBlock = """
        DISCARD ALL                                             ¦ discardAll
        DISCARD SEQUENCES                                       ¦ discardSequences
        discard all;                                            ¦ discardAll
        LISTEN jobs                                             ¦ listen jobs
        LISTEN Jobs                                             ¦ listen jobs
        LISTEN "Jobs"                                           ¦ listen Jobs
        LISTEN "a ""b"" c"                                      ¦ listen a "b" c
        LISTEN Größe                                            ¦ listen größe
        LISTEN ÄÖ                                               ¦ listen ÄÖ
        LISTEN listen                                           ¦ listen listen
        UNLISTEN jobs                                           ¦ unlisten jobs
        UNLISTEN "Jobs";                                        ¦ unlisten Jobs
        UNLISTEN *                                              ¦ unlistenAll
        UNLISTEN*;                                              ¦ unlistenAll
        UNLISTEN */* all */                                     ¦ unlistenAll
        LISTEN a; UNLISTEN b; LISTEN c                          ¦ listen a, unlisten b, listen c
        """)
    void channelsAndDiscardAreTold(String sql, String expected) {
        assertThat(told(sql)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '¦', quoteCharacter = '¬', textBlock = """
        SELECT set_config('work_mem', '1MB', false)             ¦ set work_mem
        SELECT set_config('Work_Mem', '1MB', false)             ¦ set work_mem
        SELECT set_config('app.Tenant', $1, false)              ¦ set app.tenant
        SELECT Set_Config('a', 'b', FALSE)                      ¦ set a
        SELECT "set_config"('a', 'b', false)                    ¦ set a
        SELECT pg_catalog.set_config('search_path', '', false)  ¦ set search_path
        SELECT PG_CATALOG.SET_CONFIG('a', 'b', false)           ¦ set a
        SELECT "pg_catalog"."set_config"('a', 'b', false)       ¦ set a
        SELECT pg_catalog . set_config /* */ ( 'a' , 'b' , 'f' ) ¦ set a
        SELECT set_config(E'a', 'b', false)                     ¦ set a
        SELECT set_config($$a.B$$, 'b', false)                  ¦ set a.b
        SELECT set_config($x$a$x$, 'b', false)                  ¦ set a
        SELECT set_config('a''b', 'c', false)                   ¦ set a'b
        SELECT set_config('a', 'b', $1)                         ¦ set a
        SELECT set_config('a', 'b', NOT true)                   ¦ set a
        SELECT set_config('a', 'b', true AND false)             ¦ set a
        SELECT set_config('a', 'b', (true))                     ¦ set a
        SELECT set_config('a', 'b', "true") FROM t              ¦ set a
        SELECT set_config('a', 'b', 'no')                       ¦ set a
        SELECT set_config('a', 'b', true::bool)                 ¦ set a
        SELECT set_config('a', 'b', is_local => true)           ¦ set a
        SELECT set_config('a', f('x', g(1, 2)), false)          ¦ set a
        SELECT set_config('session_authorization', 'b', false)  ¦ set session_authorization, set role
        SELECT set_config('a', 'b', true), set_config('c', 'd', false) ¦ set c
        SELECT set_config('a', 'b', false), set_config('c', 'd', true) ¦ set a
        SELECT set_config('a', 'b', false) FROM t WHERE set_config('c', 'd', false) = '' ¦ set a, set c
        WITH x AS (SELECT set_config('a', 'b', false)) SELECT 1 FROM x ¦ set a
        (SELECT set_config('a', 'b', false))                    ¦ set a
        VALUES (set_config('a', 'b', false))                    ¦ set a
        SELECT * FROM set_config('a', 'b', false)               ¦ set a
        INSERT INTO t VALUES (set_config('a', 'b', false))      ¦ set a
        UPDATE t SET x = set_config('a', 'b', false)            ¦ set a
        COPY (SELECT set_config('a', 'b', false)) TO STDOUT     ¦ set a
        EXPLAIN ANALYZE SELECT set_config('a', 'b', false)      ¦ set a
        EXPLAIN (ANALYZE) SELECT set_config('a', 'b', false)    ¦ set a
        PREPARE p AS SELECT set_config('a', 'b', false)         ¦ set a
        DECLARE c CURSOR FOR SELECT set_config('a', 'b', false) ¦ set a
        SELECT set_config($1, 'b', false)                       ¦ unknown
        SELECT set_config('a' || 'b', 'c', false)               ¦ unknown
        SELECT set_config(lower('a'), 'c', false)               ¦ unknown
        SELECT set_config(name, 'c', false) FROM t              ¦ unknown
        SELECT set_config(name, 'c', false) FROM pg_settings WHERE name = 'X.y' ¦ set x.y
        SELECT set_config(name, 'c', false) FROM pg_catalog.pg_settings WHERE name = $$x$$; SET y = 1 ¦ set x, set y
        SELECT set_config(name, 'c', true) FROM pg_settings WHERE name = 'x'; SET y = 1 ¦ set y
        SELECT set_config(name, 'c', name) FROM pg_settings WHERE name = 'x' ¦ set x
        SELECT set_config(name, 'c', false) FROM pg_settings    ¦ unknown
        SELECT set_config(name, 'c', false) FROM pg_settings; SET y = 1 ¦ unknown, set y
        SELECT set_config(name, 'c', false) FROM pg_settings WHERE name = $1 ¦ unknown
        SELECT set_config(name, 'c', false) FROM pg_settings WHERE name <> 'x' ¦ unknown
        SELECT set_config(name, 'c', false) FROM pg_settings WHERE name = 'x' OR true ¦ unknown
        SELECT set_config(name, 'c', false) FROM pg_settings WHERE name = 'x' || 'y' ¦ unknown
        SELECT set_config(name, 'c', false) FROM pg_settings WHERE name = 'x ¦ unknown
        SELECT set_config(name, 'c', false) FROM a.pg_settings WHERE name = 'x' ¦ unknown
        SELECT set_config(name, 'c', false) FROM pg_settings s WHERE name = 'x' ¦ unknown
        SELECT set_config(name, 'c', false), 1 FROM pg_settings WHERE name = 'x' ¦ unknown
        SELECT set_config(name || 'x', 'c', false) FROM pg_settings WHERE name = 'x' ¦ unknown
        SELECT set_config("name", 'c', false) FROM pg_settings WHERE name = 'x' ¦ unknown
        SELECT set_config('a'::text, 'c', false)                ¦ unknown
        SELECT set_config(setting_name => 'a', new_value => 'b', is_local => false) ¦ unknown
        SELECT set_config('a'⏎'b', 'c', false)                  ¦ unknown
        SELECT set_config(E'a'⏎'b', 'c', false)                 ¦ unknown
        SELECT set_config(E'\\x61', 'c', false)                 ¦ unknown
        SELECT set_config(U&'\\0061', 'c', false)               ¦ unknown
        SELECT set_config(N'a', 'c', false)                     ¦ unknown
        SELECT set_config('', 'c', false)                       ¦ unknown
        SELECT set_config('a', 'b')                             ¦ unknown
        SELECT set_config('a', 'b', false, 1)                   ¦ unknown
        SELECT set_config('a', array['x', 'y']::text, true)     ¦ unknown
        SELECT set_config('a', set_config('b', 'c', true), false) ¦ unknown, set a
        SELECT app.set_config('a', 'b', true)                   ¦ unknown
        SELECT d.pg_catalog.set_config('a', 'b', false)         ¦ unknown
        SELECT U&"set_config"('a', 'b', false)                  ¦ unknown
        SELECT pg_catalog.U&"set_c\\006Fnfig"('a', 'b', true)   ¦ unknown
        SELECT U&"pg_catalog".set_config('a', 'b', true)        ¦ unknown
        SELECT set_config('a', 'b', false                       ¦ unknown
        SELECT set_config('a', 'b                               ¦ unknown
        """)
    void setConfigIsSeenWhereverItIsCalled(String sql, String expected) {
        assertThat(told(sql)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '¦', quoteCharacter = '¬', textBlock = """
        SET                                                     ¦ unknown
        SET x                                                   ¦ unknown
        SET x =                                                 ¦ unknown
        SET x TO                                                ¦ unknown
        SET = 1                                                 ¦ unknown
        SET x 1                                                 ¦ unknown
        SET x . = 1                                             ¦ unknown
        SET "" = 1                                              ¦ unknown
        SET U&"work_mem" = 1                                    ¦ unknown
        SET app.U&"x" = 1                                       ¦ unknown
        SET x => 1                                              ¦ unknown
        SET x = DEFAULT, 1                                      ¦ unknown
        SET x = 'unterminated                                   ¦ unknown
        SET x = $a$unterminated$b$                              ¦ unknown
        SET "unterminated = 1                                   ¦ unknown
        SET /* /* */ x = 1                                      ¦ unknown
        SET ROLE                                                ¦ unknown
        SET SESSION                                             ¦ unknown
        SET SESSION AUTHORIZATION                               ¦ unknown
        SET TIME ZONE                                           ¦ unknown
        SET TIME 'UTC'                                          ¦ unknown
        SET SCHEMA app                                          ¦ unknown
        SET CATALOG 'x'                                         ¦ unknown
        SET XML DOCUMENT                                        ¦ unknown
        SET SESSION CHARACTERISTICS AS FOO                      ¦ unknown
        RESET                                                   ¦ unknown
        RESET 'x'                                               ¦ unknown
        RESET x y                                               ¦ unknown
        RESET U&"x"                                             ¦ unknown
        RESET ALL ALL                                           ¦ unknown
        DISCARD ALL 'x                                          ¦ unknown
        LISTEN                                                  ¦ unknown
        LISTEN 'x'                                              ¦ unknown
        LISTEN x y                                              ¦ unknown
        LISTEN U&"x"                                            ¦ unknown
        UNLISTEN                                                ¦ unknown
        UNLISTEN + x                                            ¦ unknown
        FOO SET x = 1                                           ¦ unknown
        FOO x, RESET ALL, LISTEN y                              ¦ unknown
        FOO RESET x                                             ¦ unknown
        FOO DISCARD ALL                                         ¦ unknown
        FOO LISTEN x                                            ¦ unknown
        FOO UNLISTEN *                                          ¦ unknown
        FOO set_config                                          ¦ unknown
        FOO U&"f"(1)                                            ¦ unknown
        "SET" x = 1; SELECT 1                                   ¦
        "RESET" SET; SELECT 1                                   ¦ unknown
        FOO SET x; SET y = 1; FOO LISTEN z                      ¦ unknown, set y, unknown
        """)
    void whatIsNotUnderstoodIsUnknownWhereAWordOfTheSessionStands(String sql, String expected) {
        assertThat(told(sql)).isEqualTo(expected == null ? "" : expected);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '¦', quoteCharacter = '¬', textBlock = """
        SET a = 1; SET b = 2; RESET c                           ¦ set a, set b, reset c
        SET a = ';'; SET b = $$;$$; SET c = E'\\';'; SET d = 1  ¦ set a, set b, set c, set d
        ;; /* ; */ SET a = 1 -- ; SET b = 2⏎; SET c = 3         ¦ set a, set c
        BEGIN; SET a = 1; SET LOCAL b = 1; COMMIT               ¦ set a
        /* a /* b */ c */SET/**/a/**/=/**/1                     ¦ set a
        --⏎SET--⏎a--⏎.--⏎b--⏎TO--⏎1                             ¦ set a.b
        SELECT 1; SELECT set_config('a', 'b', false); SET b = 1 ¦ set a, set b
        SET a = 1; RESET ALL; SET b = 1; DISCARD ALL; LISTEN c  ¦ set a, resetAll, set b, discardAll, listen c
        SET a = 1; SET b = 'unterminated                        ¦ set a, unknown
        SELECT set_config('a', 'b'; SET b = 1                   ¦ unknown, set b
        SELECT 1) ; SET a = 1                                   ¦ set a
        """)
    void statementsAreToldInTheirOrder(String sql, String expected) {
        assertThat(told(sql)).isEqualTo(expected);
    }

    @Test
    void longNamesAreCutWherePostgresCutsThem() {
        String name = "x".repeat(62);

        assertThat(told("LISTEN " + name + "yz")).isEqualTo("listen " + name + "y");
        assertThat(told("LISTEN \"" + name + "Yz\"")).isEqualTo("listen " + name + "Y");
        assertThat(told("LISTEN " + name + "éz")).isEqualTo("listen " + name);
        assertThat(told("LISTEN \"" + "\"\"".repeat(64) + "\"")).isEqualTo("listen " + "\"".repeat(63));
        assertThat(told("SET a." + name + "yz = 1")).isEqualTo("set a." + name + "y");
        // A literal is no identifier.
        assertThat(told("SELECT set_config('a." + name + "yz', '', false)")).isEqualTo("set a." + name + "yz");
    }

    @Test
    void namesThatAreNotUtf8AreUnknown() {
        assertThat(toldOfLatin1("LISTEN größe")).isEqualTo("unknown");
        assertThat(toldOfLatin1("LISTEN \"größe\"")).isEqualTo("unknown");
        assertThat(toldOfLatin1("UNLISTEN größe")).isEqualTo("unknown");
        assertThat(toldOfLatin1("SET größe = 1")).isEqualTo("unknown");
        assertThat(toldOfLatin1("RESET app.größe")).isEqualTo("unknown");
        assertThat(toldOfLatin1("SELECT set_config('app.größe', '', false)")).isEqualTo("unknown");
        assertThat(toldOfLatin1("SET application_name = 'größe'")).isEqualTo("set application_name");
    }

    @Test
    void aZeroByteIsPartOfNoName() {
        assertThat(told("SET a\0b = 1")).isEqualTo("unknown");
        assertThat(told("LISTEN a\0")).isEqualTo("unknown");
        assertThat(told("\0SET a = 1")).isEqualTo("unknown");
        assertThat(told("SELECT 1\0")).isEmpty();
    }

    @Test
    void aTextBeyondTheLimitIsUnknownBehindWhatWasRead() {
        String filler = "x".repeat(StatementClassifier.LIMIT);

        assertThat(told("SET a = 1; SELECT '" + filler + "'; SET b = 1")).isEqualTo("set a, unknown");
        assertThat(told("(".repeat(1 << 20))).isEqualTo("unknown");
        assertThat(told("/*".repeat(1 << 19))).isEqualTo("unknown");
    }

    @Test
    void aTextOfTheLimitIsReadToItsEnd() {
        String head = "SET a = 1; SELECT '";
        String tail = "'; SET b = 1";
        String sql = head + "x".repeat(StatementClassifier.LIMIT - head.length() - tail.length()) + tail;

        assertThat(told(sql)).isEqualTo("set a, set b");
        assertThat(told(sql + "1")).isEqualTo("set a, set b, unknown");
    }

    @Test
    void nestingOfAnyDepthIsRead() {
        String deep = "(".repeat(100_000) + "set_config('a', " + "(".repeat(20_000) + "'b'" + ")".repeat(20_000)
                + ", false)" + ")".repeat(100_000);

        assertThat(told("SELECT " + deep)).isEqualTo("set a");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SET x = 1;",
                "SET a",
                "a.",
                "SESSION ",
                "SET ",
                "set_config(",
                "set_config('",
                "\"",
                "\"\"",
                "/*",
                "--\n",
                "LISTEN ",
                "'a',",
                "(",
                ")",
                "$a",
                "/* */",
                "a /* */ . /* */ ",
            })
    void hostileTextsTakeLinearTime(String piece) {
        for (String head :
                List.of("", "SET ", "RESET ", "LISTEN ", "SET SESSION CHARACTERISTICS AS ", "SELECT set_config(")) {
            String sql = head + piece.repeat((StatementClassifier.LIMIT - head.length()) / piece.length());
            long shortest = Long.MAX_VALUE;
            for (int i = 0; i < 3; i++) {
                long began = System.nanoTime();
                told(sql);
                shortest = Math.min(shortest, System.nanoTime() - began);
            }
            // A quadratic reader of 256 KiB would take tens of seconds.
            assertThat(shortest).as(head + piece).isLessThan(TimeUnit.SECONDS.toNanos(1));
        }
    }

    @Test
    void randomBytesNeverThrow() {
        Random random = new Random(17);
        byte[] alphabet =
                "SET RESET a.b = TO LISTEN * DISCARD ALL set_config('a', 'b', false) '\"$a$ E'\\ U&\" /* */ -- ;é\0"
                        .getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 100_000; i++) {
            byte[] sql = new byte[random.nextInt(64)];
            random.nextBytes(sql);
            if (i % 4 != 0) {
                for (int at = 0; at < sql.length; at++) {
                    sql[at] = alphabet[(sql[at] & 0xFF) % alphabet.length];
                }
            }
            Told told = new Told();
            changes.read(sql, 0, sql.length, told);
            assertThat(told.toString()).isNotNull();
        }
    }

    @Test
    void everyPrefixAndSuffixOfTheCorpusIsRead() {
        for (Corpus.Labelled labelled : Corpus.statements()) {
            byte[] sql = labelled.sql().getBytes(StandardCharsets.UTF_8);
            for (int at = 0; at <= sql.length; at++) {
                changes.read(sql, 0, at, new Told());
                changes.read(sql, at, sql.length, new Told());
            }
        }
    }

    @Test
    void whatIsToldHasTheTrait() {
        StatementClassifier classifier = new StatementClassifier();
        for (Corpus.Labelled labelled : Corpus.statements()) {
            ByteBuf text = Unpooled.wrappedBuffer(labelled.sql().getBytes(StandardCharsets.UTF_8));
            classifier.classify(text, 0, text.readableBytes());
            if ((classifier.traits() & Traits.CHANGES_SESSION) == 0) {
                assertThat(told(labelled.sql())).as(labelled.sql()).isEmpty();
            }
        }
    }

    @Test
    void aChangeOfSettingsInTheCorpusIsTold() {
        for (Corpus.Labelled labelled : Corpus.statements()) {
            if (labelled.reason().changesSettings() || labelled.reason() == Reason.LISTEN) {
                assertThat(told(labelled.sql())).as(labelled.sql()).isNotEmpty();
            }
        }
    }

    @Test
    void whatStandsAroundTheRangeIsNotReadAndNothingIsKept() {
        String sql = "SET a = 1; SET b = 1; SET c = 1";
        ByteBuf direct = Unpooled.directBuffer().writeBytes(sql.getBytes(StandardCharsets.UTF_8));
        Told told = new Told();
        try {
            changes.read(direct, 11, 20, told);
            assertThat(direct.readerIndex()).isZero();
        } finally {
            direct.release();
        }

        assertThat(told.toString()).isEqualTo("set b");
        assertThat(told("SELECT 1")).isEmpty();
    }

    private String told(String sql) {
        byte[] text = sql.replace('⏎', '\n').getBytes(StandardCharsets.UTF_8);
        Told told = new Told();
        changes.read(text, 0, text.length, told);
        Told ofBuffer = new Told();
        changes.read(Unpooled.wrappedBuffer(text), 0, text.length, ofBuffer);
        assertThat(ofBuffer.toString()).isEqualTo(told.toString());
        return told.toString();
    }

    private String toldOfLatin1(String sql) {
        byte[] text = sql.getBytes(StandardCharsets.ISO_8859_1);
        Told told = new Told();
        changes.read(text, 0, text.length, told);
        return told.toString();
    }

    /** Writes down what it is told. */
    private static final class Told implements SessionChanges.Sink {
        private final List<String> changes = new ArrayList<>();

        @Override
        public void set(String setting) {
            changes.add("set " + setting);
        }

        @Override
        public void reset(String setting) {
            changes.add("reset " + setting);
        }

        @Override
        public void resetAll() {
            changes.add("resetAll");
        }

        @Override
        public void discardSequences() {
            changes.add("discardSequences");
        }

        @Override
        public void discardAll() {
            changes.add("discardAll");
        }

        @Override
        public void listen(String channel) {
            changes.add("listen " + channel);
        }

        @Override
        public void unlisten(String channel) {
            changes.add("unlisten " + channel);
        }

        @Override
        public void unlistenAll() {
            changes.add("unlistenAll");
        }

        @Override
        public void unknown() {
            changes.add("unknown");
        }

        @Override
        public String toString() {
            return String.join(", ", changes);
        }
    }
}
