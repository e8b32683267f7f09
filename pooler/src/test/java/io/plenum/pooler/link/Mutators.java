package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;

import io.plenum.pooler.link.Mutator.Kept;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.util.List;

/** All known ways to leave something in a session of PostgreSQL, and the tables and functions that they need. */
final class Mutators {
    /** What {@code setseed} is given, so that what comes after it is known. */
    static final String SEED = "0.371";

    private Mutators() {}

    static void prepare(WireClient control) throws IOException {
        control.rows("DROP VIEW IF EXISTS triggered_view; DROP TABLE IF EXISTS triggered_parts");
        control.rows("DROP TABLE IF EXISTS triggered, counted; DROP VIEW IF EXISTS view_of_view, setting_view;"
                + " DROP SEQUENCE IF EXISTS left_sequence");
        control.rows("CREATE SEQUENCE left_sequence");
        control.rows("CREATE OR REPLACE FUNCTION set_inside(name text, value text) RETURNS text LANGUAGE plpgsql AS"
                + " $$BEGIN RETURN set_config(name, value, false); END$$");
        control.rows("CREATE OR REPLACE FUNCTION set_by_statement() RETURNS void LANGUAGE plpgsql AS"
                + " $$BEGIN SET work_mem = '3MB'; END$$");
        control.rows("CREATE OR REPLACE PROCEDURE set_by_call() LANGUAGE plpgsql AS"
                + " $$BEGIN PERFORM set_config('work_mem', '3MB', false); END$$");
        control.rows("CREATE OR REPLACE FUNCTION become_inside() RETURNS void LANGUAGE plpgsql AS"
                + " $$BEGIN EXECUTE 'SET ROLE app'; END$$");
        control.rows("CREATE OR REPLACE FUNCTION table_inside() RETURNS void LANGUAGE plpgsql AS"
                + " $$BEGIN CREATE TEMP TABLE left_inside (id int); END$$");
        control.rows("CREATE OR REPLACE FUNCTION lock_inside() RETURNS void LANGUAGE plpgsql AS"
                + " $$BEGIN PERFORM pg_advisory_lock(5001); END$$");
        control.rows("CREATE OR REPLACE FUNCTION listen_inside() RETURNS void LANGUAGE plpgsql AS"
                + " $$BEGIN EXECUTE 'LISTEN left_inside'; END$$");
        control.rows("CREATE OR REPLACE FUNCTION prepare_inside() RETURNS void LANGUAGE plpgsql AS"
                + " $$BEGIN EXECUTE 'PREPARE left_inside AS SELECT 1'; END$$");
        control.rows("CREATE OR REPLACE FUNCTION seed_inside() RETURNS void LANGUAGE plpgsql AS"
                + " $$BEGIN PERFORM setseed(" + SEED + "); END$$");
        control.rows("CREATE OR REPLACE FUNCTION cursor_inside() RETURNS void LANGUAGE plpgsql AS"
                + " $$BEGIN EXECUTE 'DECLARE left_inside CURSOR WITH HOLD FOR SELECT 1'; END$$");
        control.rows("CREATE OR REPLACE FUNCTION next_inside() RETURNS bigint LANGUAGE plpgsql AS"
                + " $$BEGIN RETURN nextval('left_sequence'); END$$");
        control.rows("DROP TABLE IF EXISTS cascaded, cascades, defaulted, secured;"
                + " DROP OPERATOR IF EXISTS <=#=> (text, text)");
        control.rows("CREATE TABLE defaulted (id text DEFAULT set_inside('work_mem', '3MB'))");
        control.rows("CREATE TABLE secured (id int); INSERT INTO secured VALUES (1);"
                + " ALTER TABLE secured ENABLE ROW LEVEL SECURITY; GRANT ALL ON secured TO app;"
                + " CREATE POLICY sets ON secured USING (set_config('work_mem', '3MB', false) IS NOT NULL)");
        control.rows("CREATE OPERATOR <=#=> (LEFTARG = text, RIGHTARG = text, FUNCTION = set_inside)");
        control.rows("CREATE VIEW setting_view AS SELECT set_config('work_mem', '3MB', false) AS set");
        control.rows("CREATE TABLE counted (id int); CREATE TABLE triggered (id int)");
        control.rows("CREATE OR REPLACE FUNCTION set_by_trigger() RETURNS trigger LANGUAGE plpgsql AS"
                + " $$BEGIN PERFORM set_config('work_mem', '3MB', false); RETURN NULL; END$$");
        control.rows("CREATE TRIGGER sets BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION set_by_trigger()");
        control.rows("CREATE VIEW view_of_view AS SELECT * FROM setting_view");
        control.rows("CREATE VIEW triggered_view AS SELECT * FROM triggered");
        control.rows(
                "CREATE TABLE triggered_parts (id int) PARTITION BY LIST (id); CREATE TABLE triggered_part PARTITION"
                    + " OF triggered_parts DEFAULT; CREATE TRIGGER sets AFTER INSERT ON triggered_parts FOR EACH ROW"
                    + " EXECUTE FUNCTION set_by_trigger()");
        control.rows("CREATE TABLE cascades (id int PRIMARY KEY); CREATE TABLE cascaded (id int REFERENCES cascades ON"
                + " DELETE CASCADE); CREATE TRIGGER sets BEFORE DELETE ON cascaded FOR EACH STATEMENT EXECUTE"
                + " FUNCTION set_by_trigger()");
        control.rows("GRANT ALL ON triggered, counted, left_sequence, setting_view TO app");
        control.rows("SELECT lo_create(77001) WHERE NOT EXISTS"
                + " (SELECT FROM pg_largeobject_metadata WHERE oid = 77001)");
        control.rows("GRANT ALL ON LARGE OBJECT 77001 TO app");
    }

    static List<Mutator> all() {
        return List.of(
                // settings
                Mutator.of("SET", "SET work_mem = '3MB'"),
                Mutator.of("SET TO", "SET work_mem TO '3MB'"),
                Mutator.of("SET SESSION", "SET SESSION work_mem = '3MB'"),
                Mutator.of("SET a list", "SET search_path = pg_temp, \"$user\", 'odd, name'"),
                Mutator.of(
                        Kept.NO, "SET TO DEFAULT of what was set", "SET work_mem = '3MB'", "SET work_mem TO DEFAULT"),
                Mutator.of("RESET of what was set", "SET work_mem = '3MB'", "SET DateStyle = german", "RESET work_mem"),
                Mutator.of("SET in capitals", "SET WORK_MEM = '3MB'"),
                Mutator.of("SET behind a comment", "/* SET */ -- x\n SET statement_timeout = '44s'"),
                Mutator.of("SET of a quoted name", "SET \"work_mem\" = '3MB'"),
                Mutator.of("SET of a name with escapes", "SET U&\"work\\005fmem\" = '3MB'"),
                Mutator.of("two SET", "SET work_mem = '3MB'", "SET statement_timeout = '44s'"),
                Mutator.of(
                        "SET, then RESET ALL, then SET", "SET work_mem = '3MB'", "RESET ALL", "SET lock_timeout = 9"),
                Mutator.of("SET TIME ZONE", "SET TIME ZONE 'Asia/Tokyo'"),
                Mutator.of("SET TIME ZONE INTERVAL", "SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE"),
                Mutator.of("SET TimeZone", "SET TimeZone = 'Europe/Paris'"),
                Mutator.of("SET NAMES", "SET NAMES 'LATIN1'"),
                Mutator.of("SET client_encoding", "SET client_encoding = 'SQL_ASCII'"),
                Mutator.of("SET SCHEMA", "SET SCHEMA 'pg_catalog'"),
                Mutator.of("SET search_path", "SET search_path = pg_catalog"),
                Mutator.of("SET DateStyle", "SET DateStyle = german"),
                Mutator.of("SET IntervalStyle", "SET IntervalStyle = iso_8601"),
                Mutator.of("SET application_name", "SET application_name = 'left'"),
                Mutator.of("SET standard_conforming_strings", "SET standard_conforming_strings = off"),
                Mutator.of("SET statement_timeout", "SET statement_timeout = '44s'"),
                Mutator.of("SET row_security", "SET row_security = off"),
                Mutator.of("SET SEED", "SET SEED TO " + SEED),
                Mutator.of("SET default_transaction_read_only", "SET default_transaction_read_only = on"),
                Mutator.of(
                        "SET SESSION CHARACTERISTICS READ ONLY",
                        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"),
                Mutator.of(
                        "SET SESSION CHARACTERISTICS ISOLATION LEVEL",
                        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE"),
                Mutator.of(
                        "SET SESSION CHARACTERISTICS DEFERRABLE",
                        "SET SESSION CHARACTERISTICS AS TRANSACTION DEFERRABLE"),
                Mutator.of("SET ROLE", "SET ROLE app"),
                Mutator.of("SET role as a setting", "SET role = 'app'"),
                Mutator.of("SET SESSION ROLE", "SET SESSION ROLE app"),
                Mutator.of("SET SESSION AUTHORIZATION", "SET SESSION AUTHORIZATION app"),
                Mutator.of("SET SESSION AUTHORIZATION and ROLE", "SET SESSION AUTHORIZATION app", "SET ROLE app"),
                Mutator.of("SET of a custom setting", "SET app.trace = 'x'"),
                Mutator.of("SET of a custom setting with quotes", "SET app.trace TO 'it''s \"this\"'"),
                // set_config
                Mutator.of("set_config", "SELECT set_config('work_mem', '3MB', false)"),
                Mutator.of("set_config of role", "SELECT set_config('role', 'app', false)"),
                Mutator.of("set_config with its schema", "SELECT pg_catalog.set_config('work_mem', '3MB', false)"),
                Mutator.of("set_config of a custom setting", "SELECT set_config('app.trace', 'x', false)"),
                Mutator.of(
                        "set_config of a name that is put together",
                        "SELECT set_config('work_' || 'mem', '3MB', 1 > 2)"),
                Mutator.of(
                        "set_config in the middle",
                        "WITH s AS (SELECT 1 AS a) SELECT a, (SELECT set_config('work_mem', '3MB', false)) FROM s"),
                Mutator.of(
                        "set_config of many",
                        "SELECT set_config(n, v, false) FROM (VALUES ('work_mem', '3MB'), ('lock_timeout', '9')) s(n,"
                                + " v)"),
                Mutator.asked("set_config with parameters", "SELECT set_config($1, $2, false)", "work_mem", "3MB"),
                Mutator.asked(
                        "set_config with all parameters", "SELECT set_config($1, $2, $3)", "work_mem", "3MB", "f"),
                Mutator.of(
                        Kept.UNSEEN,
                        "UPDATE of pg_settings",
                        "UPDATE pg_settings SET setting = '3MB' WHERE name = 'work_mem'"),
                Mutator.of(
                        "EXPLAIN ANALYZE of set_config", "EXPLAIN ANALYZE SELECT set_config('work_mem', '3MB', false)"),
                // settings that the text does not show
                Mutator.of(Kept.UNSEEN, "set_config in a function", "SELECT set_inside('work_mem', '3MB')"),
                Mutator.of(Kept.UNSEEN, "set_config of role in a function", "SELECT set_inside('role', 'app')"),
                Mutator.of(Kept.UNSEEN, "a custom setting in a function", "SELECT set_inside('app.trace', 'x')"),
                Mutator.of(Kept.UNSEEN, "search_path in a function", "SELECT set_inside('search_path', 'pg_temp')"),
                Mutator.of(Kept.UNSEEN, "SET in a function", "SELECT set_by_statement()"),
                Mutator.of(Kept.UNSEEN, "SET ROLE in a function", "SELECT become_inside()"),
                Mutator.of(Kept.UNSEEN, "a function in FROM", "SELECT * FROM set_inside('work_mem', '3MB') AS f"),
                Mutator.of(
                        Kept.UNSEEN,
                        "set_config in DO",
                        "DO $$BEGIN PERFORM set_config('work_mem', '3MB', false); END$$"),
                Mutator.of(Kept.UNSEEN, "SET in DO", "DO $$BEGIN SET work_mem = '3MB'; END$$"),
                Mutator.of(Kept.UNSEEN, "set_config in CALL", "CALL set_by_call()"),
                Mutator.of(Kept.UNSEEN, "set_config through a view", "SELECT * FROM setting_view"),
                Mutator.of(Kept.UNSEEN, "set_config through a view of a view", "SELECT * FROM view_of_view"),
                Mutator.of(Kept.UNSEEN, "set_config through a trigger", "INSERT INTO triggered VALUES (1)"),
                Mutator.of(
                        Kept.UNSEEN,
                        "set_config through the trigger of a table behind a view",
                        "INSERT INTO triggered_view VALUES (1)"),
                Mutator.of(
                        Kept.UNSEEN,
                        "set_config through the trigger of a partition's table",
                        "INSERT INTO triggered_part VALUES (1)"),
                Mutator.of(
                        Kept.UNSEEN,
                        "set_config through the trigger of a table that cascades",
                        "INSERT INTO cascades VALUES (1)",
                        "DELETE FROM cascades"),
                Mutator.of(Kept.UNSEEN, "set_config through a default", "INSERT INTO defaulted DEFAULT VALUES"),
                Mutator.of(
                        Kept.UNSEEN,
                        "set_config through a policy",
                        "SET ROLE app",
                        "SELECT * FROM secured",
                        "RESET ROLE"),
                Mutator.of(Kept.UNSEEN, "set_config through an operator", "SELECT 'work_mem' <=#=> '3MB'"),
                Mutator.of(
                        Kept.UNSEEN,
                        "set_config through COPY of a view",
                        "COPY (SELECT * FROM setting_view) TO STDOUT"),
                // objects
                Mutator.of("temporary table", "CREATE TEMP TABLE left_table (id int)")
                        .seenBy("SELECT count(*) FROM left_table"),
                Mutator.of("temporary table with rows", "CREATE TEMPORARY TABLE left_table AS SELECT 5 AS id")
                        .seenBy("SELECT id FROM left_table"),
                Mutator.of("temporary table by SELECT INTO", "SELECT 6 AS id INTO TEMP left_table")
                        .seenBy("SELECT id FROM left_table"),
                Mutator.of("table in pg_temp", "CREATE TABLE pg_temp.left_table (id int)")
                        .seenBy("SELECT count(*) FROM left_table"),
                Mutator.of(
                                "table in a search_path that begins with pg_temp",
                                "SET search_path = pg_temp, public",
                                "CREATE TABLE left_table AS SELECT 7 AS id")
                        .seenBy("SELECT id FROM left_table"),
                Mutator.of(
                                "view in a search_path that comes to pg_temp",
                                "SET search_path = \"$user\", pg_temp",
                                "CREATE VIEW left_view AS SELECT 7 AS id")
                        .seenBy("SELECT id FROM left_view"),
                Mutator.of(
                                "temporary table by EXPLAIN ANALYZE",
                                "EXPLAIN ANALYZE CREATE TEMP TABLE left_table AS SELECT 8 AS id")
                        .seenBy("SELECT id FROM left_table"),
                Mutator.of(
                                "temporary table that is emptied",
                                "CREATE LOCAL TEMP TABLE left_table (id int) ON COMMIT DELETE ROWS")
                        .seenBy("SELECT count(*) FROM left_table"),
                Mutator.of("temporary view", "CREATE TEMP VIEW left_view AS SELECT 7 AS id")
                        .seenBy("SELECT id FROM left_view"),
                Mutator.of("temporary sequence", "CREATE TEMP SEQUENCE left_temp_sequence")
                        .seenBy("SELECT nextval('left_temp_sequence')"),
                Mutator.of(
                                "function in pg_temp",
                                "CREATE FUNCTION pg_temp.left_function() RETURNS int LANGUAGE sql AS 'SELECT 8'")
                        .seenBy("SELECT pg_temp.left_function()"),
                Mutator.of("type in pg_temp", "CREATE TYPE pg_temp.left_type AS (a int)"),
                Mutator.of("temporary table that hides another", "CREATE TEMP TABLE triggered (of_mine int)")
                        .seenBy("SELECT count(of_mine) FROM triggered"),
                Mutator.of(Kept.UNSEEN, "temporary table in a function", "SELECT table_inside()"),
                Mutator.of(
                        Kept.UNSEEN,
                        "temporary table in DO",
                        "DO $$BEGIN CREATE TEMP TABLE left_inside (id int); END$$"),
                // statements, cursors, portals
                Mutator.of("PREPARE", "PREPARE left_statement AS SELECT 9").seenBy("EXECUTE left_statement"),
                Mutator.of("PREPARE with a parameter", "PREPARE left_statement (int) AS SELECT $1")
                        .seenBy("EXECUTE left_statement(4)"),
                Mutator.of(Kept.UNSEEN, "PREPARE in a function", "SELECT prepare_inside()"),
                Mutator.of(Kept.UNSEEN, "PREPARE in DO", "DO $$BEGIN PREPARE left_inside AS SELECT 1; END$$"),
                Mutator.of("DECLARE WITH HOLD", "DECLARE left_cursor CURSOR WITH HOLD FOR VALUES (1), (2), (3)")
                        .seenBy("FETCH 2 FROM left_cursor"),
                Mutator.of(
                                "DECLARE BINARY SCROLL WITH HOLD",
                                "DECLARE left_cursor BINARY SCROLL CURSOR WITH HOLD FOR VALUES (1), (2)")
                        .seenBy("FETCH 1 FROM left_cursor"),
                Mutator.of(Kept.UNSEEN, "DECLARE WITH HOLD in a function", "SELECT cursor_inside()"),
                Mutator.messages("named statement of the protocol", Kept.YES, parse("left_named", "SELECT 10")),
                Mutator.messages("unnamed statement of the protocol", Kept.YES, parse("", "SELECT 11")),
                Mutator.messages(
                        "portal",
                        Kept.NO,
                        parse("", "SELECT generate_series(1, 9)"),
                        bind("left_portal", ""),
                        execute("left_portal", 2)),
                Mutator.of(Kept.NO, "descriptor of a large object", "SELECT lo_open(77001, 262144)"),
                // locks
                Mutator.of("pg_advisory_lock", "SELECT pg_advisory_lock(5011)"),
                Mutator.of("pg_advisory_lock of two numbers", "SELECT pg_advisory_lock(50, 1)"),
                Mutator.of("pg_advisory_lock_shared", "SELECT pg_advisory_lock_shared(5012)"),
                Mutator.of("pg_try_advisory_lock", "SELECT pg_try_advisory_lock(5013)"),
                Mutator.of("pg_try_advisory_lock_shared", "SELECT pg_try_advisory_lock_shared(5014)"),
                Mutator.of("lock taken twice", "SELECT pg_advisory_lock(5001), pg_advisory_lock(5001)"),
                Mutator.of(
                        "lock taken twice and given back once",
                        "SELECT pg_advisory_lock(5001), pg_advisory_lock(5001)",
                        "SELECT pg_advisory_unlock(5001)"),
                Mutator.of("locks of many rows", "SELECT pg_advisory_lock(g) FROM generate_series(5001, 5004) g"),
                Mutator.of("lock by EXPLAIN ANALYZE", "EXPLAIN (ANALYZE) SELECT pg_advisory_lock(5001)"),
                Mutator.of("lock by a name with escapes", "SELECT pg_catalog.U&\"pg\\005fadvisory_lock\"(5001)"),
                Mutator.of(Kept.UNSEEN, "lock in a function", "SELECT lock_inside()"),
                Mutator.of(Kept.UNSEEN, "lock in DO", "DO $$BEGIN PERFORM pg_advisory_lock(5001); END$$"),
                // the rest
                Mutator.of("LISTEN", "LISTEN left_channel"),
                Mutator.of("LISTEN to two", "LISTEN left_channel", "LISTEN \"Left Channel\""),
                Mutator.of(Kept.UNSEEN, "LISTEN in a function", "SELECT listen_inside()"),
                Mutator.of(Kept.NOT_IN_A_POOL, "nextval", "SELECT nextval('left_sequence')"),
                Mutator.of(Kept.NOT_IN_A_POOL, "setval", "SELECT setval('left_sequence', 50)"),
                Mutator.of(
                        Kept.NOT_IN_A_POOL,
                        "nextval in an INSERT",
                        "INSERT INTO counted SELECT nextval('left_sequence')"),
                Mutator.of(Kept.UNSEEN, "nextval in a function", "SELECT next_inside()"),
                Mutator.of("setseed", "SELECT setseed(" + SEED + ")"),
                Mutator.of(Kept.UNSEEN, "setseed in DO", "DO $$BEGIN PERFORM setseed(" + SEED + "); END$$"),
                Mutator.of(Kept.UNSEEN, "setseed in a function", "SELECT seed_inside()"),
                Mutator.of("LOAD", "LOAD 'auto_explain'").seenBy("SHOW auto_explain.log_min_duration"),
                Mutator.of(Kept.UNSEEN, "LOAD in DO", "DO $$BEGIN LOAD 'auto_explain'; END$$")
                        .undetected());
    }
}
