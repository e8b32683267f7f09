package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.closePortal;
import static io.plenum.testbed.Frames.closeStatement;
import static io.plenum.testbed.Frames.copyData;
import static io.plenum.testbed.Frames.copyDone;
import static io.plenum.testbed.Frames.copyFail;
import static io.plenum.testbed.Frames.describePortal;
import static io.plenum.testbed.Frames.describeStatement;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.flush;
import static io.plenum.testbed.Frames.frame;
import static io.plenum.testbed.Frames.functionCall;
import static io.plenum.testbed.Frames.join;
import static io.plenum.testbed.Frames.parse;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.link.ScriptPlayer.Segments;
import io.plenum.pooler.link.ScriptPlayer.Strangers;
import io.plenum.testbed.Frames;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A client cannot tell the pooler from the server: every script gets the same bytes through the pooler as without it, in
 * every segmentation, with strangers on the same servers between any two of its transactions.
 */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TransparencyIT {
    /** One conversation; run on a fresh session each time. */
    interface Script {
        void play(ScriptPlayer player) throws Exception;
    }

    private final PostgresServer server = RunningPooler.sharedServer();
    private final Map<String, List<String>> direct = new LinkedHashMap<>();
    private RunningPooler one;
    private RunningPooler two;
    private WireClient control;

    @BeforeAll
    void start() throws Exception {
        one = RunningPooler.start(server, "default_pool_size = 1");
        two = RunningPooler.start(server, "default_pool_size = 2", "max_prepared_statements = 2", PoolView.ALLOWED);
        control = RunningPooler.wire(server.port(), Map.of(), null);
        control.rows("DROP TABLE IF EXISTS work, seen");
        control.rows("CREATE TABLE work (id int PRIMARY KEY, v text)");
        control.rows("CREATE TABLE seen AS SELECT g AS id, 'v' || g AS v FROM generate_series(1, 50) g");
        control.rows("CREATE OR REPLACE FUNCTION shout(text) RETURNS text LANGUAGE plpgsql AS"
                + " $$BEGIN RAISE NOTICE 'heard %', $1; RETURN upper($1); END$$");
    }

    @AfterAll
    void stop() throws Exception {
        control.close();
        one.close();
        two.close();
    }

    @TestFactory
    Stream<DynamicNode> sameBytes() {
        return scripts().entrySet().stream()
                .map(script -> dynamicContainer(script.getKey(), variants(script.getKey(), script.getValue())));
    }

    private List<DynamicNode> variants(String name, Script script) {
        List<DynamicNode> tests = new ArrayList<>();
        for (Segments segments : Segments.values()) {
            tests.add(dynamicTest("one server, " + segments, () -> {
                try (var strangers = new Passers(one)) {
                    compare(name, script, one, segments, name.startsWith("kept: ") ? () -> {} : strangers);
                }
            }));
            tests.add(dynamicTest("another server each time, " + segments, () -> {
                try (var strangers = new Swappers(two)) {
                    compare(name, script, two, segments, strangers);
                }
            }));
        }
        return tests;
    }

    private void compare(String name, Script script, RunningPooler pooler, Segments segments, Strangers strangers)
            throws Exception {
        List<String> expected = direct.get(name);
        if (expected == null) {
            expected = play(script, server.port(), Segments.WHOLE, () -> {});
            direct.put(name, expected);
        }
        assertThat(play(script, pooler.port(), segments, strangers)).containsExactlyElementsOf(expected);
    }

    private List<String> play(Script script, int port, Segments segments, Strangers strangers) throws Exception {
        control.rows("TRUNCATE work");
        try (var client = RunningPooler.wire(port, Map.of(), null)) {
            client.timeout(Duration.ofSeconds(5));
            var player = new ScriptPlayer(client, segments, strangers);
            try {
                script.play(player);
            } catch (IOException stuck) {
                player.transcript().add("!! " + stuck);
            }
            return player.transcript();
        }
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    // --- scripts ---------------------------------------------------------------------------------------------------

    private static Map<String, Script> scripts() {
        Map<String, Script> all = new LinkedHashMap<>();
        simple(all);
        extended(all);
        names(all);
        errors(all);
        copy(all);
        session(all);
        ends(all);
        return all;
    }

    private static void simple(Map<String, Script> all) {
        all.put(
                "simple queries",
                p -> p.query("SELECT 1").query("SELECT * FROM seen LIMIT 3").query("VALUES (NULL)"));
        all.put("several statements", p -> p.query("SELECT 1; SELECT 2; INSERT INTO work VALUES (1, 'a'); SELECT 3"));
        all.put(
                "error in the middle of several",
                p -> p.query("SELECT 1; SELECT 1/0; SELECT 2").query("SELECT 5"));
        all.put("empty queries", p -> p.query("").query(";").query("-- nothing").query(" ; ;"));
        all.put("syntax errors", p -> p.query("SELEC 1").query("SELECT (").query("SELECT 'open"));
        all.put(
                "transaction",
                p -> p.query("BEGIN")
                        .query("INSERT INTO work VALUES (1, 'a')")
                        .query("SELECT * FROM work")
                        .query("COMMIT")
                        .query("SELECT * FROM work"));
        all.put(
                "failed transaction",
                p -> p.query("BEGIN")
                        .query("SELECT 1/0")
                        .query("SELECT 1")
                        .query("ROLLBACK")
                        .query("SELECT 2"));
        all.put(
                "commit of a failed transaction",
                p -> p.query("BEGIN").query("SELECT 1/0").query("COMMIT"));
        all.put(
                "savepoints",
                p -> p.query("BEGIN")
                        .query("SAVEPOINT a")
                        .query("SELECT 1/0")
                        .query("ROLLBACK TO a")
                        .query("SELECT 1")
                        .query("END"));
        all.put(
                "warnings",
                p -> p.query("COMMIT").query("ROLLBACK").query("BEGIN; BEGIN").query("COMMIT"));
        all.put("notices", p -> p.query("SELECT shout('a')").query("SELECT shout('b') FROM seen LIMIT 3"));
        all.put("a long truncated name", p -> p.query("SELECT 1 AS " + "x".repeat(100)));
        all.put(
                "pipelined queries",
                p -> p.send(query("SELECT 1"), query("SELECT 1/0"), query("SELECT 2"))
                        .ready(3));
        all.put(
                "pipelined transaction",
                p -> p.send(
                                query("BEGIN"),
                                query("INSERT INTO work VALUES (1, 'a')"),
                                query("COMMIT"),
                                query("SELECT 4"))
                        .ready(4));
        all.put("large statement", p -> p.query("SELECT length('" + "y".repeat(300_000) + "')"));
        all.put("large result", p -> p.query("SELECT g, repeat('z', 1000) FROM generate_series(1, 700) g"));
        all.put("one large value", p -> p.query("SELECT repeat('z', 3000000)").query("SELECT 1"));
        all.put("wide error", p -> p.query("SELECT * FROM " + "w".repeat(60) + "." + "u".repeat(2000)));
        all.put(
                "FunctionCall",
                p -> p.send(functionCall(1765, "1", "2"))
                        .ready()
                        .send(functionCall(870, "LOUD"))
                        .ready());
        all.put(
                "FunctionCall of what is not there",
                p -> p.send(functionCall(99_999_999)).ready().query("SELECT 1"));
        all.put(
                "FunctionCall in a failed transaction",
                p -> p.query("BEGIN")
                        .query("SELECT 1/0")
                        .send(functionCall(870, "x"))
                        .ready()
                        .query("ROLLBACK"));
        all.put(
                "FunctionCall pipelined",
                p -> p.send(functionCall(870, "A"), query("SELECT 1"), functionCall(99_999_999), functionCall(870, "B"))
                        .ready(4));
    }

    private static void extended(Map<String, Script> all) {
        all.put(
                "unnamed",
                p -> p.send(parse("", "SELECT $1::int + 1"), bind("", "", "41"), execute(), sync())
                        .ready());
        all.put(
                "all of it",
                p -> p.send(
                                parse("", "SELECT $1::int AS a, $2::text AS b"),
                                describeStatement(""),
                                bind("", "", "1", "x"),
                                describePortal(""),
                                execute(),
                                closePortal(""),
                                closeStatement(""),
                                sync())
                        .ready());
        all.put(
                "Parse and Describe first, as drivers do",
                p -> p.send(parse("", "SELECT $1 || 'x'"), describeStatement(""), sync())
                        .ready()
                        .send(bind("", "", "a"), execute(), sync())
                        .ready());
        all.put("Sync alone", p -> p.send(sync()).ready().send(sync(), sync()).ready(2));
        all.put(
                "Flush alone",
                p -> p.send(flush(), sync()).ready().send(flush()).query("SELECT 1"));
        all.put(
                "empty statement",
                p -> p.send(parse("", ""), describeStatement(""), bind("", ""), describePortal(""), execute(), sync())
                        .ready()
                        .send(parse("", ";"), bind("", ""), execute(), sync())
                        .ready());
        all.put(
                "statement without rows",
                p -> p.send(
                                parse("", "INSERT INTO work VALUES ($1::int, $2)"),
                                describeStatement(""),
                                bind("", "", "7", "seven"),
                                describePortal(""),
                                execute(),
                                sync())
                        .ready()
                        .query("SELECT * FROM work"));
        all.put(
                "Flush after each message",
                p -> p.send(parse("", "SELECT 1"), flush())
                        .until('1')
                        .send(bind("", ""), flush())
                        .until('2')
                        .send(describePortal(""), flush())
                        .until('T')
                        .send(execute(), flush())
                        .until('C')
                        .send(sync())
                        .ready());
        all.put(
                "rows in portions with Flush",
                p -> p.send(parse("", "SELECT id FROM seen ORDER BY 1"), bind("", ""), execute("", 3), flush())
                        .until('s')
                        .send(execute("", 3), flush())
                        .until('s')
                        .send(execute("", 0), flush())
                        .until('C')
                        .send(sync())
                        .ready());
        all.put(
                "rows in portions of a named portal",
                p -> p.query("BEGIN")
                        .send(parse("", "SELECT id FROM seen ORDER BY 1"), bind("cur", ""), execute("cur", 20), sync())
                        .ready()
                        .send(execute("cur", 20), sync())
                        .ready()
                        .send(execute("cur", 20), sync())
                        .ready()
                        .send(closePortal("cur"), sync())
                        .ready()
                        .query("COMMIT"));
        all.put(
                "portal dies with its transaction",
                p -> p.send(parse("", "SELECT id FROM seen"), bind("cur", ""), execute("cur", 2), sync())
                        .ready()
                        .send(execute("cur", 2), sync())
                        .ready());
        all.put(
                "write in portions is not visible before Sync",
                p -> p.send(
                                parse("", "INSERT INTO work SELECT g, 'x' FROM generate_series(1,3) g RETURNING id"),
                                bind("", ""),
                                execute("", 2),
                                flush())
                        .until('s')
                        .send(sync())
                        .ready()
                        .query("SELECT count(*) FROM work"));
        for (int groups : new int[] {1, 2, 5, 16, 64}) {
            all.put("pipeline of " + groups + " groups", p -> {
                var frames = new ArrayList<byte[]>();
                for (int i = 0; i < groups; i++) {
                    frames.add(parse("", "SELECT " + i + ", $1::text"));
                    frames.add(bind("", "", "token " + i));
                    frames.add(execute());
                    frames.add(sync());
                }
                p.send(frames.toArray(byte[][]::new)).ready(groups);
            });
        }
        all.put(
                "large parameter",
                p -> p.send(
                                parse("", "SELECT length($1), $2::text"),
                                bind("", "", "p".repeat(400_000), "t"),
                                execute(),
                                sync())
                        .ready());
        all.put(
                "Query ends an extended batch",
                p -> p.send(parse("", "SELECT 1"), bind("", ""), execute(), query("SELECT 2"), query("SELECT 3"))
                        .ready(2));
        all.put(
                "Query between Bind and Execute",
                p -> p.send(parse("", "SELECT 1"), bind("", ""), query("SELECT 2"), execute(), sync())
                        .ready(2));
        all.put(
                "binary and text",
                p -> p.send(
                                parse("", "SELECT $1::int4, $1::int4 + 1", 23),
                                bind("", "", new int[] {1}, List.of(new byte[] {0, 0, 1, 0}), 1, 0),
                                describePortal(""),
                                execute(),
                                sync())
                        .ready());
        all.put(
                "explicit transaction",
                p -> p.send(parse("", "BEGIN"), bind("", ""), execute(), sync())
                        .ready()
                        .send(parse("", "INSERT INTO work VALUES (3, 'c')"), bind("", ""), execute(), sync())
                        .ready()
                        .send(parse("", "ROLLBACK"), bind("", ""), execute(), sync())
                        .ready()
                        .query("SELECT count(*) FROM work"));
    }

    private static void names(Map<String, Script> all) {
        all.put(
                "named statement used later",
                p -> p.send(parse("s1", "SELECT $1::int * 2"), sync())
                        .ready()
                        .send(bind("", "s1", "4"), execute(), sync())
                        .ready()
                        .send(bind("", "s1", "5"), describePortal(""), execute(), sync())
                        .ready());
        all.put(
                "Describe where the statement never was",
                p -> p.send(parse("s1", "SELECT $1::int AS a, id FROM seen"), sync())
                        .ready()
                        .send(describeStatement("s1"), sync())
                        .ready()
                        .send(describeStatement("s1"), bind("", "s1", "1"), execute("", 1), sync())
                        .ready());
        all.put(
                "Close where the statement never was",
                p -> p.send(parse("s1", "SELECT 1"), sync())
                        .ready()
                        .send(closeStatement("s1"), sync())
                        .ready()
                        .send(bind("", "s1"), execute(), sync())
                        .ready()
                        .send(parse("s1", "SELECT 2"), bind("", "s1"), execute(), sync())
                        .ready());
        all.put(
                "Close of what is unknown",
                p -> p.send(closeStatement("nobody"), closePortal("nobody"), sync())
                        .ready()
                        .send(parse("", "SELECT 1"), closeStatement("nobody"), bind("", ""), execute(), sync())
                        .ready());
        all.put(
                "unknown statement",
                p -> p.send(bind("", "nobody"), execute(), sync())
                        .ready()
                        .send(describeStatement("nobody"), sync())
                        .ready()
                        .send(bind("", "PLENUM_1"), execute(), sync())
                        .ready()
                        .query("SELECT 1"));
        all.put(
                "unknown portal",
                p -> p.send(execute("nobody", 0), sync())
                        .ready()
                        .send(describePortal("nobody"), sync())
                        .ready());
        all.put(
                "unnamed statement that was never parsed",
                p -> p.send(bind("", ""), execute(), sync())
                        .ready()
                        .send(describeStatement(""), sync())
                        .ready());
        all.put(
                "unnamed statement lives on",
                p -> p.send(parse("", "SELECT 'mine'"), sync())
                        .ready()
                        .send(bind("", ""), execute(), sync())
                        .ready()
                        .send(describeStatement(""), sync())
                        .ready()
                        .send(bind("", ""), execute(), sync())
                        .ready());
        all.put(
                "simple Query ends the unnamed statement",
                p -> p.send(parse("", "SELECT 'mine'"), sync())
                        .ready()
                        .query("SELECT 1")
                        .send(bind("", ""), execute(), sync())
                        .ready());
        all.put(
                "Close ends the unnamed statement",
                p -> p.send(parse("", "SELECT 'mine'"), sync())
                        .ready()
                        .send(closeStatement(""), sync())
                        .ready()
                        .send(bind("", ""), execute(), sync())
                        .ready());
        all.put(
                "failed Parse ends the unnamed statement",
                p -> p.send(parse("", "SELECT 'mine'"), sync())
                        .ready()
                        .send(parse("", "SELEC"), sync())
                        .ready()
                        .send(bind("", ""), execute(), sync())
                        .ready());
        all.put(
                "failed Parse leaves no name",
                p -> p.send(parse("s1", "SELECT nothing"), sync())
                        .ready()
                        .send(bind("", "s1"), execute(), sync())
                        .ready()
                        .send(parse("s1", "SELECT 'right'"), bind("", "s1"), execute(), sync())
                        .ready());
        all.put(
                "duplicate name",
                p -> p.send(parse("s1", "SELECT 1"), sync())
                        .ready()
                        .send(parse("s1", "SELECT 2"), bind("", "s1"), execute(), sync())
                        .ready()
                        .send(parse("s1", "SELEC"), sync())
                        .ready()
                        .send(bind("", "s1"), execute(), sync())
                        .ready());
        all.put(
                "same text, two names",
                p -> p.send(parse("s1", "SELECT 9"), parse("s2", "SELECT 9"), sync())
                        .ready()
                        .send(closeStatement("s1"), bind("", "s2"), execute(), sync())
                        .ready()
                        .send(bind("", "s1"), sync())
                        .ready());
        all.put(
                "same text, other types",
                p -> p.send(parse("s1", "SELECT pg_typeof($1)", 23), parse("s2", "SELECT pg_typeof($1)", 25), sync())
                        .ready()
                        .send(bind("", "s1", "1"), execute(), bind("", "s2", "1"), execute(), sync())
                        .ready());
        all.put(
                "portal and statement of one name",
                p -> p.send(parse("n", "SELECT 6"), sync())
                        .ready()
                        .send(bind("n", "n"), execute("n", 0), closePortal("n"), sync())
                        .ready()
                        .send(bind("n", "n"), execute("n", 0), sync())
                        .ready());
        all.put("more statements than a server keeps", p -> {
            for (int i = 0; i < 5; i++) {
                p.send(parse("s" + i, "SELECT " + i + " AS c" + i), sync()).ready();
            }
            for (int i = 0; i < 5; i++) {
                p.send(bind("", "s" + i), describePortal(""), execute(), sync()).ready();
            }
            var frames = new ArrayList<byte[]>();
            for (int i = 4; i >= 0; i--) {
                frames.add(bind("", "s" + i));
                frames.add(execute());
            }
            frames.add(sync());
            p.send(frames.toArray(byte[][]::new)).ready();
        });
        all.put(
                "wrong number of parameters",
                p -> p.send(parse("s1", "SELECT $1::int"), sync())
                        .ready()
                        .send(bind("", "s1"), execute(), sync())
                        .ready()
                        .send(bind("", "s1", "1", "2"), execute(), sync())
                        .ready()
                        .send(bind("", "s1", "no number"), execute(), sync())
                        .ready()
                        .send(bind("", "s1", "8"), execute(), sync())
                        .ready());
        all.put(
                "several commands in one Parse",
                p -> p.send(parse("s1", "SELECT 1; SELECT 2"), sync())
                        .ready()
                        .send(parse("", "SELECT 1; SELECT 2"), sync())
                        .ready());
        all.put(
                "DEALLOCATE ALL",
                p -> p.send(parse("s1", "SELECT 1"), sync())
                        .ready()
                        .query("DEALLOCATE ALL")
                        .send(bind("", "s1"), execute(), sync())
                        .ready()
                        .send(parse("s1", "SELECT 3"), bind("", "s1"), execute(), sync())
                        .ready());
        all.put(
                "DISCARD ALL",
                p -> p.send(parse("s1", "SELECT 1"), sync())
                        .ready()
                        .query("DISCARD ALL")
                        .send(bind("", "s1"), execute(), sync())
                        .ready()
                        .send(parse("s1", "SELECT 3"), bind("", "s1"), execute(), sync())
                        .ready());
        all.put(
                "DEALLOCATE ALL in the extended protocol",
                p -> p.send(parse("s1", "SELECT 1"), sync())
                        .ready()
                        .send(parse("", "DEALLOCATE ALL"), bind("", ""), execute(), sync())
                        .ready()
                        .send(bind("", "s1"), execute(), sync())
                        .ready());
        all.put(
                "named transaction statements",
                p -> p.send(parse("b", "BEGIN"), parse("c", "COMMIT"), parse("r", "ROLLBACK"), sync())
                        .ready()
                        .send(bind("", "b"), execute(), sync())
                        .ready()
                        .query("SELECT 1/0")
                        .send(bind("", "r"), execute(), sync())
                        .ready()
                        .send(bind("", "b"), execute(), bind("", "c"), execute(), sync())
                        .ready());
        all.put(
                "Parse in a failed transaction",
                p -> p.send(parse("s1", "SELECT 'known'"), sync())
                        .ready()
                        .send(closeStatement("s1"), sync())
                        .ready()
                        .query("BEGIN")
                        .send(parse("s2", "SELECT 'known'"), closeStatement("s2"), sync())
                        .ready()
                        .query("SELECT 1/0")
                        .send(parse("s1", "SELECT 'known'"), sync())
                        .ready()
                        .send(parse("s3", "ROLLBACK"), bind("", "s3"), execute(), sync())
                        .ready()
                        .send(bind("", "s1"), execute(), sync())
                        .ready());
        all.put(
                "Parse pipelined behind a failure",
                p -> p.query("BEGIN")
                        .send(parse("s0", "SELECT 'known'"), closeStatement("s0"), sync())
                        .ready()
                        .send(
                                query("SELECT 1/0"),
                                join(parse("s1", "SELECT 'known'"), sync()),
                                join(parse("s2", "SELECT 'other'"), bind("", "s2"), execute(), sync()),
                                query("ROLLBACK"),
                                join(bind("", "s1"), execute(), sync()))
                        .ready(5));
    }

    private static void errors(Map<String, Script> all) {
        for (int position = 0; position < 6; position++) {
            int bad = position;
            all.put("error in group " + position + " of 6", p -> {
                var frames = new ArrayList<byte[]>();
                for (int i = 0; i < 6; i++) {
                    frames.add(parse("g" + i, i == bad ? "SELECT 1/0" : "SELECT " + i));
                    frames.add(bind("", "g" + i));
                    frames.add(execute());
                    frames.add(sync());
                }
                p.send(frames.toArray(byte[][]::new)).ready(6);
                p.send(bind("", "g5"), execute(), sync()).ready();
            });
        }
        for (int position = 0; position < 9; position++) {
            int bad = position;
            for (boolean mixed : new boolean[] {false, true}) {
                all.put("error at message " + position + (mixed ? " with a Query behind" : ""), p -> {
                    List<byte[]> frames = new ArrayList<>(List.of(
                            parse("e1", bad == 0 ? "SELECT FROM nowhere" : "SELECT 1"),
                            bind("", bad == 1 ? "nobody" : "e1"),
                            bad == 2 ? describePortal("nobody") : describePortal(""),
                            execute(bad == 3 ? "nobody" : "", 0),
                            closeStatement("e1"),
                            bad == 5 ? describeStatement("nobody") : parse("e2", "SELECT $1::int"),
                            bind("", "e2", bad == 6 ? "x" : "1"),
                            bad == 7 ? execute("nobody", 0) : execute(),
                            parse("", bad == 8 ? "SELEC" : "SELECT 4")));
                    if (mixed) {
                        frames.add(query("SELECT 'mixed'"));
                        frames.add(closePortal(""));
                    }
                    frames.add(sync());
                    int readies = mixed && (bad == 4) ? 2 : 1;
                    p.send(frames.toArray(byte[][]::new)).ready(readies);
                    p.send(bind("", "e1"), execute(), sync()).ready();
                    p.send(bind("", "e2", "3"), execute(), sync()).ready();
                });
            }
        }
        all.put(
                "savepoint batch of Postgrex",
                p -> p.query("BEGIN")
                        .send(
                                query("SAVEPOINT a"),
                                parse("", "SELECT 1/0"),
                                bind("", ""),
                                execute(),
                                query("RELEASE a"),
                                sync())
                        .ready(2)
                        .send(query("ROLLBACK TO a"), query("RELEASE a"))
                        .ready(2)
                        .query("COMMIT"));
        all.put(
                "Close behind an error does not close",
                p -> p.send(parse("s1", "SELECT 'stays'"), sync())
                        .ready()
                        .send(parse("", "SELEC"), closeStatement("s1"), sync())
                        .ready()
                        .send(bind("", "s1"), execute(), sync())
                        .ready());
        all.put(
                "Close and Parse again behind an error",
                p -> p.send(parse("s1", "SELECT 'old'"), sync())
                        .ready()
                        .send(parse("", "SELEC"), closeStatement("s1"), parse("s1", "SELECT 'new'"), sync())
                        .ready()
                        .send(bind("", "s1"), execute(), sync())
                        .ready());
        all.put(
                "Flush behind an error",
                p -> p.send(parse("", "SELEC"), flush())
                        .until('E')
                        .send(bind("", ""), execute(), query("SELECT 1"), flush(), sync())
                        .ready()
                        .query("SELECT 2"));
        all.put(
                "error, then Sync much later",
                p -> p.send(parse("", "SELEC"), flush()).until('E').send(sync()).ready());
        all.put(
                "implicit transaction of one group",
                p -> p.send(
                                parse("", "INSERT INTO work VALUES (1, 'a')"),
                                bind("", ""),
                                execute(),
                                parse("", "SELECT 1/0"),
                                bind("", ""),
                                execute(),
                                sync())
                        .ready()
                        .query("SELECT count(*) FROM work"));
        all.put(
                "error at COMMIT",
                p -> p.query("CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
                        .query("BEGIN")
                        .query("INSERT INTO late VALUES (1), (1)")
                        .query("COMMIT")
                        .query("DROP TABLE late"));
    }

    private static void copy(Map<String, Script> all) {
        all.put("COPY out", p -> p.query("COPY seen TO STDOUT").query("SELECT 1"));
        all.put(
                "COPY out of many rows",
                p -> p.query("COPY (SELECT g, repeat('c', 500) FROM generate_series(1, 2000) g) TO STDOUT"));
        all.put(
                "COPY out that fails half-way",
                p -> p.query("COPY (SELECT 100 / (50 - g) FROM generate_series(1, 60) g) TO STDOUT")
                        .query("SELECT 1"));
        all.put(
                "COPY out, extended",
                p -> p.send(parse("", "COPY seen TO STDOUT"), bind("", ""), execute(), sync())
                        .ready());
        all.put(
                "COPY in",
                p -> p.send(query("COPY work FROM STDIN"))
                        .until('G')
                        .send(copyData(text("1\ta\n2\t")), copyData(text("b\n")), copyDone())
                        .ready()
                        .query("SELECT * FROM work"));
        all.put(
                "COPY in, no rows",
                p -> p.send(query("COPY work FROM STDIN"))
                        .until('G')
                        .send(copyDone())
                        .ready());
        all.put(
                "COPY in given up",
                p -> p.send(query("COPY work FROM STDIN"))
                        .until('G')
                        .send(copyData(text("1\ta\n")), copyFail("changed my mind"))
                        .ready()
                        .query("SELECT count(*) FROM work"));
        all.put(
                "COPY in of a bad row",
                p -> p.send(query("COPY work FROM STDIN"))
                        .until('G')
                        .send(copyData(text("x\ta\n")), copyData(text("2\tb\n")), copyDone())
                        .ready()
                        .query("SELECT count(*) FROM work"));
        all.put(
                "COPY in of a bad row, the rest late",
                p -> p.send(query("COPY work FROM STDIN"))
                        .until('G')
                        .send(copyData(text("x\ta\n")))
                        .until('E')
                        .ready()
                        .send(copyData(text("2\tb\n")), copyData(text("3\tb\n")), copyDone())
                        .query("SELECT count(*) FROM work"));
        all.put(
                "COPY in pipelined",
                p -> p.send(
                                query("COPY work FROM STDIN"),
                                copyData(text("1\ta\n")),
                                copyDone(),
                                query("SELECT * FROM work"))
                        .ready(2));
        all.put(
                "COPY in pipelined that is refused",
                p -> p.send(query("COPY nowhere FROM STDIN"), copyData(text("1\ta\n")), copyDone(), query("SELECT 1"))
                        .ready(2));
        all.put(
                "COPY in, Query instead of data",
                p -> p.send(query("COPY work FROM STDIN"))
                        .until('G')
                        .send(query("SELECT 1"))
                        .ready()
                        .query("SELECT 2"));
        all.put(
                "COPY in with others in one text",
                p -> p.send(query("SELECT 1; COPY work FROM STDIN; SELECT 2"))
                        .until('G')
                        .send(copyData(text("1\ta\n")), copyDone())
                        .ready());
        all.put(
                "two COPY in one text",
                p -> p.send(query("COPY work FROM STDIN; COPY work FROM STDIN"))
                        .until('G')
                        .send(copyData(text("1\ta\n")), copyDone())
                        .until('G')
                        .send(copyData(text("2\ta\n")), copyDone())
                        .ready());
        all.put(
                "COPY in, extended",
                p -> p.send(parse("", "COPY work FROM STDIN"), bind("", ""), execute(), flush())
                        .until('G')
                        .send(copyData(text("1\ta\n")), copyDone(), sync())
                        .ready()
                        .query("SELECT count(*) FROM work"));
        all.put(
                "COPY in, extended, with Sync at once as libpq does",
                p -> p.send(parse("", "COPY work FROM STDIN"), bind("", ""), describePortal(""), execute(), sync())
                        .until('G')
                        .send(copyData(text("1\ta\n")))
                        .send(copyDone(), sync())
                        .ready()
                        .query("SELECT count(*) FROM work"));
        all.put(
                "COPY in, extended, Sync and Flush in the data",
                p -> p.send(parse("", "COPY work FROM STDIN"), bind("", ""), execute(), sync())
                        .until('G')
                        .send(
                                copyData(text("1\ta\n")),
                                sync(),
                                copyData(text("2\ta\n")),
                                flush(),
                                sync(),
                                copyDone(),
                                sync())
                        .ready()
                        .query("SELECT count(*) FROM work"));
        all.put(
                "COPY in, extended, all in one pipeline",
                p -> p.send(
                                parse("", "COPY work FROM STDIN"),
                                bind("", ""),
                                execute(),
                                copyData(text("1\ta\n")),
                                copyDone(),
                                sync(),
                                query("SELECT count(*) FROM work"))
                        .ready(2));
        all.put(
                "COPY in, extended, bad row",
                p -> p.send(parse("", "COPY work FROM STDIN"), bind("", ""), execute(), sync())
                        .until('G')
                        .send(copyData(text("x\ta\n")), copyDone(), sync())
                        .ready()
                        .query("SELECT 1"));
        all.put(
                "COPY in, extended, given up",
                p -> p.send(parse("", "COPY work FROM STDIN"), bind("", ""), execute(), sync())
                        .until('G')
                        .send(copyFail("no"), sync())
                        .ready()
                        .query("SELECT 1"));
        all.put(
                "COPY in, extended, refused",
                p -> p.send(parse("", "COPY nowhere FROM STDIN"), bind("", ""), execute(), sync())
                        .ready()
                        .send(copyData(text("x")), copyDone(), sync())
                        .ready()
                        .query("SELECT 1"));
        all.put(
                "COPY in, extended, Sync only after the end",
                p -> p.send(parse("", "COPY work FROM STDIN"), bind("", ""), execute(), sync())
                        .until('G')
                        .send(copyData(text("1\ta\n")), copyDone(), flush())
                        .until('C')
                        .send(sync())
                        .ready()
                        .query("SELECT count(*) FROM work"));
        all.put(
                "COPY data outside of COPY",
                p -> p.send(copyData(text("1")), copyDone(), copyFail("x")).query("SELECT 1"));
        all.put(
                "COPY in of large pieces",
                p -> p.send(query("COPY work FROM STDIN"))
                        .until('G')
                        .send(copyData(text("1\t" + "d".repeat(500_000) + "\n")), copyDone())
                        .ready()
                        .query("SELECT length(v) FROM work"));
    }

    /** Those that leave something in the server, which the client therefore keeps, begin with "kept". */
    private static void session(Map<String, Script> all) {
        all.put(
                "settings that are followed",
                p -> p.query("SET application_name = 'mine'")
                        .query("SHOW application_name")
                        .query("SET DateStyle = 'sql, dmy'")
                        .query("SELECT date '2026-11-23'")
                        .query("SET TimeZone = 'Europe/Paris'; SELECT 1")
                        .query("SHOW TimeZone")
                        .query("RESET application_name")
                        .query("SHOW application_name")
                        .query("BEGIN")
                        .query("RESET timezone")
                        .query("COMMIT")
                        .query("SHOW TimeZone"));
        all.put(
                "reported settings",
                p -> p.query("SET application_name = 'mine'")
                        .query("SHOW application_name")
                        .query("SET DateStyle = 'sql, dmy'")
                        .query("SELECT date '2026-11-23'")
                        .query("SET TimeZone = 'Europe/Paris'; SELECT 1")
                        .query("SHOW TimeZone")
                        .query("SET search_path = public, pg_catalog")
                        .query("SHOW search_path")
                        .query("RESET application_name")
                        .query("SHOW application_name"));
        all.put(
                "setting undone by rollback",
                p -> p.query("BEGIN")
                        .query("SET application_name = 'gone'")
                        .query("ROLLBACK")
                        .query("SHOW application_name")
                        .query("BEGIN; SET application_name = 'a'; ROLLBACK")
                        .query("SHOW application_name"));
        all.put(
                "SET LOCAL",
                p -> p.query("BEGIN")
                        .query("SET LOCAL application_name = 'here'")
                        .query("SET LOCAL work_mem = '9MB'")
                        .query("SHOW work_mem")
                        .query("COMMIT")
                        .query("SHOW application_name")
                        .query("SHOW work_mem"));
        all.put(
                "set_config",
                p -> p.query("SELECT set_config('application_name', 'by function', false)")
                        .query("SHOW application_name")
                        .query("SELECT set_config('work_mem', '7MB', false)")
                        .query("SHOW work_mem"));
        all.put(
                "unreported settings",
                p -> p.query("SET work_mem = '5MB'")
                        .query("SHOW work_mem")
                        .query("SELECT 1")
                        .query("RESET work_mem")
                        .query("SHOW work_mem"));
        all.put(
                "settings by the extended protocol",
                p -> p.send(parse("", "SET application_name = 'ext'"), bind("", ""), execute(), sync())
                        .ready()
                        .send(parse("", "SET work_mem = '6MB'"), bind("", ""), execute(), sync())
                        .ready()
                        .query("SHOW application_name")
                        .query("SHOW work_mem"));
        all.put(
                "kept: temporary table",
                p -> p.query("CREATE TEMP TABLE mine (id int)")
                        .query("INSERT INTO mine VALUES (1)")
                        .query("SELECT count(*) FROM mine")
                        .query("DROP TABLE mine"));
        all.put(
                "kept: SQL PREPARE",
                p -> p.query("PREPARE q AS SELECT $1::int + 1")
                        .query("EXECUTE q(1)")
                        .query("EXECUTE q(2)")
                        .query("DEALLOCATE q")
                        .query("EXECUTE q(3)"));
        all.put(
                "role",
                p -> p.query("SET ROLE app")
                        .query("SELECT current_user")
                        .query("RESET ROLE")
                        .query("SELECT current_user"));
        all.put(
                "kept: cursor WITH HOLD",
                p -> p.query("BEGIN")
                        .query("DECLARE h CURSOR WITH HOLD FOR SELECT id FROM seen ORDER BY 1")
                        .query("COMMIT")
                        .query("FETCH 2 FROM h")
                        .query("CLOSE h"));
        all.put(
                "kept: session lock",
                p -> p.query("SELECT pg_advisory_lock(4711)")
                        .query("SELECT pg_advisory_unlock(4711)")
                        .query("SELECT pg_advisory_unlock(4711)"));
        all.put(
                "unknown setting",
                p -> p.query("SET nonsense = 1").query("SET a.b = '1'").query("SHOW a.b"));
    }

    private static void ends(Map<String, Script> all) {
        all.put("Terminate", p -> p.query("SELECT 1").send(Frames.terminate()).end());
        all.put(
                "Terminate behind work",
                p -> p.send(query("SELECT 1")).ready().send(Frames.terminate()).end());
        all.put(
                "unknown message type",
                p -> p.query("SELECT 1").send(frame('q', text("x"))).end());
        all.put(
                "unknown message type in a transaction",
                p -> p.query("BEGIN").send(frame('z', text("x"))).end());
        all.put("password out of place", p -> p.send(frame('p', text("x\0"))).end());
        all.put(
                "length below four",
                p -> p.send(new byte[] {'Q', 0, 0, 0, 3, 0}).end());
        all.put(
                "negative length",
                p -> p.send(new byte[] {'P', -1, -1, -1, -1, 0}).end());
        all.put(
                "length beyond what is allowed",
                p -> p.send(new byte[] {'S', 0, 0, 0x27, 0x14}).end());
        all.put("huge length", p -> p.send(new byte[] {'Q', 0x7f, -1, -1, -1}).end());
        all.put(
                "Query without its zero",
                p -> p.send(frame('Q', text("SELECT 1"))).ready().query("SELECT 2"));
        all.put(
                "Query with bytes behind its zero",
                p -> p.send(frame('Q', text("SELECT 1\0x"))).ready().query("SELECT 2"));
        all.put(
                "Parse without a text",
                p -> p.send(frame('P', text("s1")), sync()).ready().query("SELECT 2"));
        all.put(
                "Parse that is too short",
                p -> p.send(frame('P', text("s1\0SELECT 1\0")), sync()).ready().query("SELECT 2"));
        all.put(
                "Bind that is too short",
                p -> p.send(parse("", "SELECT 1"), frame('B', text("\0\0")), sync())
                        .ready()
                        .query("SELECT 2"));
        all.put(
                "Describe of neither",
                p -> p.send(frame('D', text("Xs1\0")), sync()).ready().query("SELECT 2"));
        all.put(
                "Close of neither",
                p -> p.send(frame('C', text("Xs1\0")), sync()).ready().query("SELECT 2"));
        all.put(
                "Execute that is too short",
                p -> p.send(frame('E', text("\0")), sync()).ready().query("SELECT 2"));
        all.put("Sync with a body", p -> p.send(frame('S', text("x"))).ready().query("SELECT 2"));
        all.put(
                "invalid UTF-8",
                p -> p.send(frame('Q', new byte[] {'S', 'E', 'L', 'E', 'C', 'T', ' ', '\'', -1, '\'', 0}))
                        .ready()
                        .query("SELECT 2"));
    }
}
