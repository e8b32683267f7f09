package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;
import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Code that no text names is found in the catalogue, by whatever way PostgreSQL comes to it: nobody else finds what it left, and
 * no standby is given it. In a database of its own, for some of it counts for all that is said there.
 */
@ExtendWith(LeakWatch.class)
class HiddenCodeIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();
    private static final String DATABASE = "hidden_code";
    private static final String LOCK = "PERFORM pg_advisory_lock(7);";

    private static RunningPooler pooler;
    private static WireClient console;
    private static WireClient owner;

    @BeforeAll
    static void start() throws Exception {
        try (var control = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
            control.rows("DROP DATABASE IF EXISTS " + DATABASE);
            control.rows("CREATE DATABASE " + DATABASE);
            control.rows("ALTER DATABASE " + DATABASE + " SET search_path = h, public");
        }
        pooler = RunningPooler.start(SERVER, "default_pool_size = 1", "admin_users = postgres");
        console = pooler.wire(Map.of("database", "pgbouncer"));
        owner = session();
    }

    @AfterAll
    static void stop() throws IOException {
        owner.close();
        console.close();
        pooler.close();
        try (var control = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
            control.rows("DROP DATABASE " + DATABASE + " WITH (FORCE)");
        }
    }

    static Stream<Arguments> whatRunsUnnamed() {
        return Stream.of(
                Arguments.of(
                        "operators that a word means, or a class of operators",
                        tokens(LOCK, ""),
                        List.of(
                                "SELECT count(*) FROM tokens WHERE t IN (ROW(1)::token, ROW(3)::token)",
                                "SELECT count(*) FROM tokens WHERE t NOT IN (ROW(1)::token, ROW(3)::token)",
                                "SELECT count(*) FROM tokens WHERE t BETWEEN ROW(1)::token AND ROW(2)::token",
                                "SELECT NULLIF(t, t) FROM tokens",
                                "SELECT CASE t WHEN ROW(1)::token THEN 1 END FROM tokens",
                                "SELECT t IS DISTINCT FROM t FROM tokens",
                                "SELECT (t, n) IN (SELECT t, n FROM tokens) FROM tokens",
                                "SELECT DISTINCT t FROM tokens",
                                "SELECT count(*) FROM tokens GROUP BY t",
                                "SELECT t FROM tokens UNION SELECT t FROM tokens",
                                "SELECT 1 FROM tokens JOIN tokens o USING (t)",
                                "SELECT 1 FROM tokens NATURAL JOIN (SELECT t FROM tokens) o",
                                "BEGIN; DECLARE c CURSOR FOR SELECT NULLIF(t, t) FROM tokens; FETCH c; COMMIT")),
                Arguments.of(
                        "what supports a class of operators",
                        tokens("", LOCK),
                        List.of(
                                "SELECT t FROM tokens ORDER BY t",
                                "SELECT DISTINCT t FROM tokens",
                                "SELECT count(*) FROM tokens GROUP BY t",
                                "SELECT count(DISTINCT t) FROM tokens",
                                "SELECT row_number() OVER (PARTITION BY t) FROM tokens",
                                "SELECT greatest(t, ROW(2)::token) FROM tokens",
                                "SELECT ARRAY[t] < ARRAY[t] FROM tokens",
                                "INSERT INTO numbered VALUES (ROW(5)), (ROW(6))")),
                Arguments.of(
                        "casts",
                        tokens("", "") + """
                            CREATE FUNCTION h.number(h.token) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
                                $$BEGIN PERFORM pg_advisory_lock(7); RETURN ($1).v; END$$;
                            CREATE CAST (h.token AS int) WITH FUNCTION h.number(h.token) AS IMPLICIT;
                            CREATE FUNCTION h.document(h.token) RETURNS json IMMUTABLE LANGUAGE plpgsql AS
                                $$BEGIN PERFORM pg_advisory_lock(7); RETURN '{}'; END$$;
                            CREATE CAST (h.token AS json) WITH FUNCTION h.document(h.token);
                            CREATE TABLE h.numbers (n int);
                            """,
                        List.of(
                                "SELECT t + 1 FROM tokens",
                                "SELECT t::integer FROM tokens",
                                "SELECT abs(t) FROM tokens",
                                "SELECT to_json(t) FROM tokens",
                                "INSERT INTO numbers SELECT t FROM tokens")),
                Arguments.of(
                        "checks of domains",
                        """
                        CREATE DOMAIN h.locked AS int CHECK (h.locks(VALUE) > 0);
                        CREATE DOMAIN h.small_locked AS h.locked CHECK (VALUE < 10);
                        CREATE DOMAIN h.setting AS int CHECK (set_config('work_mem', '7MB', false) IS NOT NULL);
                        CREATE TYPE h.pair AS (a int, b h.setting);
                        CREATE TABLE h.of_domain (id h.small_locked);
                        CREATE TABLE h.of_array (ids h.setting[]);
                        CREATE TABLE h.of_pair (pair h.pair);
                        CREATE FUNCTION h.takes(h.locked) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1';
                        """,
                        List.of(
                                "SELECT 5::locked",
                                "SELECT 5::small_locked",
                                "SELECT 5::setting",
                                "SELECT ROW(1, 2)::pair",
                                "INSERT INTO of_domain VALUES (5)",
                                "INSERT INTO of_array VALUES (ARRAY[5])",
                                "INSERT INTO of_pair VALUES ('(1,2)')",
                                "SELECT takes(5)",
                                "SELECT pg_input_is_valid('5', 'locked')",
                                "SELECT jsonb_populate_record(NULL::of_domain, '{\"id\": 5}')")),
                Arguments.of(
                        "functions of ranges",
                        """
                        CREATE FUNCTION h.apart(float8, float8) RETURNS float8 IMMUTABLE LANGUAGE plpgsql AS
                            $$BEGIN PERFORM pg_advisory_lock(7); RETURN $1 - $2; END$$;
                        CREATE TYPE h.span AS RANGE (subtype = float8, subtype_diff = h.apart);
                        CREATE TABLE h.spans (s h.span); CREATE INDEX ON h.spans USING gist (s);
                        CREATE TYPE h.steps;
                        CREATE FUNCTION h.canonical(h.steps) RETURNS h.steps IMMUTABLE STRICT LANGUAGE internal
                            AS 'int4range_canonical';
                        CREATE TYPE h.steps AS RANGE (subtype = int, canonical = h.canonical);
                        CREATE TABLE h.stepped (s h.steps); INSERT INTO h.stepped VALUES ('[1,5)');
                        CREATE OR REPLACE FUNCTION h.canonical(h.steps) RETURNS h.steps IMMUTABLE STRICT
                            LANGUAGE plpgsql AS $$BEGIN PERFORM pg_advisory_lock(7); RETURN $1; END$$;
                        """,
                        List.of(
                                "INSERT INTO spans SELECT span(i, i + 1) FROM generate_series(1, 500) i",
                                "SELECT s * s FROM stepped")),
                Arguments.of(
                        "functions that are written as columns",
                        tokens("", "") + """
                            CREATE FUNCTION h.touched(anyelement, int DEFAULT 1) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
                                $$BEGIN PERFORM pg_advisory_lock(7); RETURN 1; END$$;
                            CREATE FUNCTION h.seen(h.tokens) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
                                $$BEGIN PERFORM pg_advisory_lock(7); RETURN 1; END$$;
                            """,
                        List.of(
                                "SELECT tokens.touched FROM tokens",
                                "SELECT x.seen FROM tokens x",
                                "SELECT (5).locks",
                                "SELECT (n).locks FROM tokens")),
                Arguments.of(
                        "what a function evaluates or makes, by its definition",
                        """
                        CREATE FUNCTION h.defaulting(a int DEFAULT h.locks(5)) RETURNS int LANGUAGE sql AS 'SELECT $1';
                        CREATE AGGREGATE h.sets(text, bool) (SFUNC = set_config, STYPE = text, INITCOND = 'work_mem');
                        CREATE FUNCTION h.makes() RETURNS int LANGUAGE plpgsql SET search_path = pg_temp AS
                            $$BEGIN CREATE TABLE left_table (id int); RETURN 1; END$$;
                        CREATE FUNCTION h.makes_too() RETURNS int LANGUAGE sql SET search_path = pg_temp
                            BEGIN ATOMIC SELECT 1; END;
                        CREATE OR REPLACE FUNCTION h.makes_too() RETURNS int LANGUAGE sql SET search_path = pg_temp
                            AS 'CREATE TABLE left_table (id int); SELECT 1';
                        """,
                        List.of(
                                "SELECT defaulting()",
                                "SELECT sets(v, false) FROM (VALUES ('7MB')) s(v)",
                                "SELECT makes()",
                                "SELECT makes_too()")),
                Arguments.of(
                        "operators of PostgreSQL's own functions",
                        "CREATE OPERATOR h.<> (LEFTARG = int, RIGHTARG = int, FUNCTION = pg_try_advisory_lock)",
                        List.of("SET search_path = h, pg_catalog; SELECT 1 NOT IN (2); RESET search_path")),
                Arguments.of(
                        "what the same transaction has defined",
                        """
                        CREATE TABLE h.plain (id int);
                        CREATE FUNCTION h.locks_row() RETURNS trigger LANGUAGE plpgsql AS
                            $$BEGIN PERFORM pg_advisory_lock(7); RETURN NULL; END$$;
                        CREATE TRIGGER locks AFTER INSERT ON h.plain FOR EACH ROW EXECUTE FUNCTION h.locks_row();
                        ALTER TABLE h.plain DISABLE TRIGGER locks;
                        CREATE TABLE h.triggered (id int);
                        CREATE TRIGGER locks AFTER INSERT ON h.triggered FOR EACH ROW EXECUTE FUNCTION h.locks_row();
                        """,
                        List.of(
                                "BEGIN; ALTER TABLE plain ENABLE TRIGGER locks; INSERT INTO plain VALUES (1); COMMIT",
                                "ALTER TABLE triggered RENAME TO other; INSERT INTO other VALUES (1)")),
                Arguments.of(
                        "keys of partitions",
                        """
                        CREATE TABLE h.parted (id int) PARTITION BY RANGE (h.locks(id));
                        CREATE TABLE h.part PARTITION OF h.parted DEFAULT;
                        """,
                        List.of("INSERT INTO parted VALUES (5)", "INSERT INTO part VALUES (5)")));
    }

    /** Each alone in the database: what a read evaluates only when it is planned first. */
    static Stream<Arguments> whatAPlanEvaluates() {
        return Stream.of(
                Arguments.of(
                        "CREATE TABLE h.data (id int); CREATE INDEX ON h.data (id) WHERE id > h.locks(5)",
                        "SELECT * FROM data WHERE id = 7"),
                Arguments.of(
                        "CREATE TABLE h.data (id int); CREATE INDEX ON h.data ((id + h.locks(5)))",
                        "SELECT * FROM data WHERE id = 7"),
                Arguments.of(
                        "CREATE TABLE h.data (id int); CREATE STATISTICS h.seen ON (id + h.locks(5)) FROM h.data",
                        "SELECT * FROM data WHERE id = 7"),
                Arguments.of(
                        "CREATE TABLE h.data (id int) PARTITION BY RANGE ((id + h.locks(5)))", "SELECT * FROM data"),
                Arguments.of(
                        "CREATE TABLE h.data (id int);"
                                + " CREATE TABLE h.more (CHECK (id > h.locks(5))) INHERITS (h.data)",
                        "SELECT * FROM data WHERE id = 7"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("whatRunsUnnamed")
    void isUndoneBeforeAnybodyElseComes(String what, String definitions, List<String> statements) throws Exception {
        define(definitions);
        try (var client = session();
                var stranger = session()) {
            var before = state(stranger);
            for (String statement : statements) {
                client.rows(statement);
                assertThat(state(stranger)).as(statement).isEqualTo(before);
                if (statement.startsWith("SELECT")) {
                    assertThat(reason(statement)).as(statement).isIn("opaque_relation", "volatile_function");
                }
            }
        }
    }

    @Test
    void isUndoneWhateverItStandsBehind() throws Exception {
        String[] parts = resource("hidden-code.sql").split("-- statements\n", -1);
        define(parts[0]);
        try (var stranger = session()) {
            var before = state(stranger);
            for (String statement : parts[1].strip().split("\n", -1)) {
                try (var client = session()) {
                    client.rows(statement); // some of them keep the server until the client leaves
                }
                assertThat(state(stranger)).as(statement).isEqualTo(before);
            }
        }
    }

    private static String resource(String name) throws IOException {
        try (var stream = HiddenCodeIT.class.getResourceAsStream(name)) {
            return new String(Objects.requireNonNull(stream, name).readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @ParameterizedTest
    @MethodSource("whatAPlanEvaluates")
    void isUndoneWhereAReadIsOnlyPlanned(String definitions, String statement) throws Exception {
        define(definitions);
        try (var client = session();
                var stranger = session()) {
            var before = state(stranger);
            client.rows(statement);
            assertThat(state(stranger)).isEqualTo(before);
            assertThat(reason(statement)).isEqualTo("opaque_relation");
        }
    }

    @ParameterizedTest
    @MethodSource("checkedValues")
    void isUndoneWhereAValueIsOnlyReadOfAParseOrABind(String sql, @Nullable String value) throws Exception {
        define("CREATE DOMAIN h.locked AS int CHECK (h.locks(VALUE) > 0)");
        int type = Integer.parseInt(owner.value("SELECT 'h.locked'::regtype::oid"));
        try (var client = session();
                var stranger = session()) {
            var before = state(stranger);
            if (value == null) {
                client.send(parse("s", sql), sync());
            } else {
                client.send(parse("s", sql, type), bind("", "s", value), sync());
            }
            client.readUntilReady();
            assertThat(state(stranger)).isEqualTo(before);
        }
    }

    static Stream<Arguments> checkedValues() {
        return Stream.of(Arguments.of("SELECT '{5}'::locked[]", null), Arguments.of("SELECT $1", "5"));
    }

    @Test
    void isUndoneWhereItCameAfterTheStatementWasPrepared() throws Exception {
        define("CREATE TABLE h.plain (id int)");
        try (var client = session();
                var stranger = session()) {
            client.send(parse("", "INSERT INTO plain VALUES (1)"), sync());
            client.readUntilReady();
            triggerOnPlain(owner);
            awaitCatalog(console);
            var before = state(stranger);

            client.send(bind("", ""), execute(), sync());

            client.readUntilReady();
            assertThat(state(stranger)).isEqualTo(before);
        }
    }

    @Test
    void isUndoneWhereItCameAfterTheTransactionHadItsServer() throws Exception {
        define("CREATE TABLE h.plain (id int)");
        try (var two = TwoServers.open()) {
            awaitCatalog(two.watch());
            two.client().send(parse("s", "INSERT INTO plain VALUES (1)"), bind("", "s"), execute(), sync());
            two.client().readUntilReady();
            two.client().rows("BEGIN");
            two.client().rows("SELECT 1");
            triggerOnPlain(two.other());
            awaitCatalog(two.watch());

            two.client().send(bind("", "s"), execute(), sync());

            two.client().readUntilReady();
            two.client().rows("COMMIT");
            await(two.direct(), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "0");
        }
    }

    @Test
    void isUndoneWhereAStatementWaitedForWhatMadeIt() throws Exception {
        define("CREATE TABLE h.plain (id int)");
        try (var two = TwoServers.open()) {
            awaitCatalog(two.watch());
            two.other().rows("BEGIN");
            triggerOnPlain(two.other());
            two.client().send(query("INSERT INTO plain VALUES (1)"));
            await(two.direct(), "SELECT count(*) FROM pg_locks WHERE NOT granted", "1");

            two.other().rows("COMMIT");

            two.client().readUntilReady();
            await(two.direct(), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "0");
        }
    }

    /** A scrub would take from the client what it drew. */
    @Test
    void isNotSuspectedWhereTheCatalogueIsOnlyReadAgain() throws Exception {
        define("CREATE SEQUENCE h.counter");
        try (var two = TwoServers.open()) {
            two.other().rows("CREATE TEMP TABLE keeps_its_server ()"); // so that the client always has the other one
            awaitCatalog(two.watch());
            String drawn = two.client().value("SELECT nextval('counter')");
            two.direct().rows("BEGIN");
            // Who reads the catalogue waits for that.
            two.direct().rows("LOCK TABLE pg_catalog.pg_policy IN ACCESS EXCLUSIVE MODE");
            two.other().rows("CREATE TABLE h.another ()");
            two.client().rows("BEGIN");
            two.client().rows("SELECT 1");
            two.direct().rows("COMMIT");
            awaitCatalog(two.watch());

            two.client().rows("COMMIT");

            assertThat(two.client().value("SELECT lastval()")).isEqualTo(drawn);
        }
    }

    private static void await(WireClient watch, String question, String answer) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(5).toNanos();
        while (!answer.equals(watch.value(question))) {
            assertThat(System.nanoTime()).as(question).isLessThan(deadline);
            Thread.sleep(10);
        }
    }

    private static void triggerOnPlain(WireClient definer) throws IOException {
        definer.rows("CREATE FUNCTION h.locks_row() RETURNS trigger LANGUAGE plpgsql AS"
                + " $$BEGIN PERFORM pg_advisory_lock(7); RETURN NULL; END$$;"
                + " CREATE TRIGGER locks AFTER INSERT ON h.plain FOR EACH ROW EXECUTE FUNCTION h.locks_row()");
    }

    @Test
    void costsNothingWhereAllOfItIsHarmless() throws Exception {
        define(tokens("", "") + "CREATE DOMAIN h.small AS int CHECK (h.twice(VALUE) < 10)");
        assertThat(explain("SELECT DISTINCT t FROM tokens WHERE t IN (ROW(1)::token)"))
                .contains("read", "nothing");
    }

    // --- definitions -------------------------------------------------------------------------------------------------

    /** A type whose operators, and what supports their classes, run this first. */
    private static String tokens(String inOperators, String inSupport) {
        var sql = new StringBuilder("CREATE TYPE h.token AS (v int);");
        List<String> signs = List.of("<", "<=", "=", ">=", ">", "<>");
        for (String sign : signs) {
            String function = "h.compares" + signs.indexOf(sign);
            sql.append("CREATE FUNCTION " + function
                    + "(h.token, h.token) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$BEGIN " + inOperators
                    + " RETURN ($1).v " + sign + " ($2).v; END$$;");
            sql.append("CREATE OPERATOR h." + sign + " (LEFTARG = h.token, RIGHTARG = h.token, FUNCTION = " + function
                    + (sign.equals("=") ? ", COMMUTATOR = OPERATOR(h.=), HASHES, MERGES" : "") + ");");
        }
        sql.append("CREATE FUNCTION h.compares(h.token, h.token) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN "
                + inSupport + " RETURN ($1).v - ($2).v; END$$;");
        sql.append("CREATE FUNCTION h.hashes(h.token) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN " + inSupport
                + " RETURN ($1).v; END$$;");
        sql.append("""
            CREATE OPERATOR CLASS h.token_ops DEFAULT FOR TYPE h.token USING btree AS OPERATOR 1 h.<, OPERATOR 2 h.<=,
                OPERATOR 3 h.=, OPERATOR 4 h.>=, OPERATOR 5 h.>, FUNCTION 1 h.compares(h.token, h.token);
            CREATE OPERATOR CLASS h.token_hash DEFAULT FOR TYPE h.token USING hash AS OPERATOR 1 h.=,
                FUNCTION 1 h.hashes(h.token);
            CREATE TABLE h.tokens (t h.token, n int);
            INSERT INTO h.tokens VALUES (ROW(1), 1), (ROW(1), 1), (ROW(2), 2);
            CREATE TABLE h.numbered (t h.token PRIMARY KEY);
            """);
        return sql.toString();
    }

    /** Defines this in the schema {@code h}, and waits until it is known. */
    private static void define(String definitions) throws Exception {
        owner.rows("""
            DROP SCHEMA IF EXISTS h CASCADE; CREATE SCHEMA h;
            CREATE FUNCTION h.locks(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
                $$BEGIN PERFORM pg_advisory_lock($1); RETURN $1; END$$;
            CREATE FUNCTION h.twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2';
            """);
        owner.rows(definitions);
        owner.rows("DISCARD ALL"); // nothing that an earlier case may have left is taken for what was there before
        awaitCatalog(console);
    }

    private static void awaitCatalog(WireClient watch) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (!explain(watch, "SELECT 1").contains("read")
                || explain(watch, "SELECT 1").contains("awaited")) {
            assertThat(System.nanoTime()).as("the catalogue in time").isLessThan(deadline);
            Thread.sleep(10);
        }
    }

    private static String reason(String sql) throws IOException {
        return explain(sql).get(1);
    }

    private static List<String> explain(String sql) throws IOException {
        return explain(console, sql);
    }

    /** Target, reason, what it may leave, and whether the catalogue is read. */
    private static List<String> explain(WireClient watch, String sql) throws IOException {
        List<String> row = new ArrayList<>();
        for (@Nullable
        String value : watch.rows("EXPLAIN ROUTE FOR " + DATABASE + " " + sql)
                .getFirst()
                .subList(1, 5)) {
            row.add(String.valueOf(value));
        }
        return row;
    }

    private static WireClient session() throws IOException {
        return pooler.wire(Map.of("database", DATABASE));
    }

    /** What a session finds that somebody before it may have left, in one statement, for this may be scrubbed itself. */
    private static List<@Nullable String> state(WireClient client) throws IOException {
        return client.rows("""
            SELECT current_setting('work_mem'), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
                (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema())
            """).getFirst();
    }

    /** A pooler of two servers with two clients; the console of it, and a session at PostgreSQL itself. */
    private record TwoServers(
            RunningPooler pooler, WireClient client, WireClient other, WireClient watch, WireClient direct)
            implements AutoCloseable {
        static TwoServers open() throws IOException {
            var pooler = RunningPooler.start(SERVER, "default_pool_size = 2", "admin_users = postgres");
            Map<String, String> database = Map.of("database", DATABASE);
            return new TwoServers(
                    pooler,
                    pooler.wire(database),
                    pooler.wire(database),
                    pooler.wire(Map.of("database", "pgbouncer")),
                    RunningPooler.wire(SERVER.port(), database, null));
        }

        @Override
        public void close() throws IOException {
            direct.close();
            watch.close();
            other.close();
            client.close();
            pooler.close();
        }
    }
}
