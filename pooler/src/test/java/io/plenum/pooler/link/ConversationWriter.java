package io.plenum.pooler.link;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Makes up conversations from a seed: the same seed, the same conversation.
 *
 * <p>They use the tables {@code work (id int primary key, v text)} and {@code seen}, the sequences {@code counter} and
 * {@code untouched}, the function {@code shout} and the role {@code app}, and put every answer of more than one row in order.
 * Names are few, so that they meet again. What the answers of two servers may not differ in is left out: process numbers,
 * times, what is random.
 */
final class ConversationWriter {
    private static final boolean JUMBLES = Boolean.getBoolean("conversations.jumbles");
    private static final int MOST_TURNS = 14;
    private static final int MOST_GROUPS = 64;

    private static final List<String> READS = List.of(
            "SELECT 1",
            "SELECT id, v FROM work ORDER BY id",
            "SELECT count(*) FROM work",
            "SELECT 1/0",
            "SELEC 1",
            "",
            ";",
            "-- nothing",
            "SELECT nothing",
            "SELECT * FROM nowhere",
            "VALUES (1), (2), (3)",
            "SELECT generate_series(1, 7)",
            "SELECT id, v FROM seen ORDER BY id LIMIT 4",
            "SELECT 'a' AS a, NULL, 'ä€' AS b",
            "SELECT shout('x')",
            "SELECT 1; SELECT 2",
            "SELECT 1; SELECT 1/0; SELECT 2",
            "SELECT current_user, session_user",
            "SELECT date '2026-11-23', interval '1 day 2 hours'",
            "SELECT timestamptz '2026-11-23 12:00+00'",
            "SELECT 'a\\b', E'a\\\\b'",
            "EXPLAIN (COSTS OFF) SELECT 1",
            "SELECT currval('untouched')",
            "SELECT id FROM work WHERE id < 4 ORDER BY id FOR UPDATE");

    /** With one parameter. */
    private static final List<String> ASKED = List.of(
            "SELECT $1::int",
            "SELECT $1::text, 7",
            "SELECT 10 / $1::int",
            "SELECT id, v FROM work WHERE id >= $1 ORDER BY id",
            "SELECT g FROM generate_series(1, $1::int) g",
            "INSERT INTO work VALUES ($1, 'asked')",
            "DELETE FROM work WHERE id = $1 RETURNING id, v",
            "SELECT set_config('application_name', $1, false)",
            "SELECT set_config('work_mem', $1 || 'MB', false)",
            "SELECT set_config($1, '3', false)");

    private static final List<String> WRITES = List.of(
            "INSERT INTO work VALUES (1, 'a')",
            "INSERT INTO work VALUES (2, 'b'), (3, 'c') RETURNING id",
            "INSERT INTO work SELECT g, 'n' FROM generate_series(4, 9) g ON CONFLICT DO NOTHING",
            "INSERT INTO work VALUES (nextval('counter') + 20, 'n') RETURNING id",
            "UPDATE work SET v = 'u' WHERE id = 1",
            "DELETE FROM work WHERE id > 2",
            "WITH gone AS (DELETE FROM work WHERE id = 3 RETURNING id) SELECT count(*) FROM gone",
            "SELECT nextval('counter'); SELECT currval('counter')",
            "INSERT INTO work VALUES (5, 'x'); SELECT 1/0",
            "TRUNCATE work",
            "LOCK TABLE work IN SHARE MODE",
            "DO $$BEGIN INSERT INTO work VALUES (8, 'do'); END$$");

    private static final List<String> BEGINS = List.of(
            "BEGIN",
            "BEGIN",
            "START TRANSACTION",
            "BEGIN READ ONLY",
            "BEGIN ISOLATION LEVEL REPEATABLE READ",
            "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE",
            "BEGIN; INSERT INTO work VALUES (6, 't')",
            "BEGIN; SELECT 1/0",
            "BEGIN; SET application_name = 'undone'; ROLLBACK",
            "BEGIN; SET work_mem = '11MB'; COMMIT");

    private static final List<String> ENDS = List.of(
            "COMMIT",
            "COMMIT",
            "ROLLBACK",
            "ROLLBACK",
            "END",
            "ABORT",
            "COMMIT AND CHAIN",
            "ROLLBACK AND CHAIN",
            "COMMIT; SELECT 1",
            "ROLLBACK; BEGIN");

    private static final List<String> INSIDE = List.of(
            "SAVEPOINT a",
            "SAVEPOINT b",
            "ROLLBACK TO a",
            "ROLLBACK TO SAVEPOINT b",
            "RELEASE a",
            "RELEASE SAVEPOINT b",
            "SET TRANSACTION READ ONLY",
            "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            "SET LOCAL work_mem = '9MB'",
            "SET LOCAL application_name = 'local'",
            "SET LOCAL TimeZone = 'Asia/Tokyo'",
            "SELECT set_config('work_mem', '8MB', true)",
            "SET CONSTRAINTS ALL DEFERRED");

    private static final List<String> SETTINGS = List.of(
            "SET application_name = 'one'",
            "SET application_name TO 'two'",
            "SET application_name = ''",
            "SET SESSION application_name = 'three'",
            "SET application_name TO DEFAULT",
            "RESET application_name",
            "SHOW application_name",
            "SET work_mem = '5MB'",
            "SET work_mem = 6144",
            "SET SESSION work_mem TO '7MB'",
            "SET work_mem TO DEFAULT",
            "RESET work_mem",
            "SHOW work_mem",
            "SET DateStyle = 'sql, dmy'",
            "SET DateStyle = german",
            "RESET DateStyle",
            "SHOW DateStyle",
            "SET TimeZone = 'Europe/Paris'",
            "SET TIME ZONE 3",
            "SET TIME ZONE LOCAL",
            "RESET TIME ZONE",
            "SHOW TIME ZONE",
            "SET IntervalStyle = iso_8601",
            "SET search_path = pg_catalog; SHOW search_path; SET search_path = public, pg_catalog",
            "SET search_path = public, pg_catalog",
            "SET SCHEMA 'public'",
            "RESET search_path",
            "SHOW search_path",
            "SET statement_timeout = '50s'",
            "SHOW statement_timeout",
            "SET NAMES 'LATIN1'",
            "SET client_encoding = 'UTF8'",
            "SHOW client_encoding",
            "SET standard_conforming_strings = off",
            "RESET standard_conforming_strings",
            "SET ROLE app",
            "SET ROLE NONE",
            "RESET ROLE",
            "SHOW role",
            "SET SESSION AUTHORIZATION app",
            "SET SESSION AUTHORIZATION DEFAULT",
            "RESET SESSION AUTHORIZATION",
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
            "SET default_transaction_isolation = 'repeatable read'",
            "SHOW transaction_isolation",
            "SHOW transaction_read_only",
            "SET app.x = 'mine'",
            // null where it was never set, empty where another client once did
            "SELECT coalesce(current_setting('app.x', true), '')",
            "SET nonsense = 1",
            "SET work_mem = 'nonsense'",
            "SET TimeZone = 'nowhere'",
            "SELECT set_config('application_name', 'by function', false)",
            "SELECT set_config('work_mem', '12MB', false)",
            "SELECT set_config('search_path', 'public, pg_temp', false)",
            "SELECT current_setting('work_mem'), current_setting('application_name')",
            "SET work_mem = '13MB'; SHOW work_mem",
            "SET work_mem = '14MB'; SELECT 1/0",
            "SET application_name = 'fourth'; SELECT 1/0",
            "RESET ALL",
            "RESET ALL; SELECT 1",
            "DISCARD PLANS",
            "DISCARD TEMP",
            "DISCARD SEQUENCES");

    private static final List<String> OBJECTS = List.of(
            "PREPARE q1 AS SELECT $1::int + 1",
            "PREPARE q2 AS SELECT id FROM work ORDER BY id",
            "PREPARE q1 AS SELECT 'another'",
            "EXECUTE q1(1)",
            "EXECUTE q1",
            "EXECUTE q2",
            "DEALLOCATE q1",
            "DEALLOCATE q2",
            "DECLARE c1 CURSOR FOR SELECT id FROM seen ORDER BY id",
            "DECLARE c1 CURSOR WITH HOLD FOR SELECT id FROM seen ORDER BY id",
            "DECLARE c2 SCROLL CURSOR WITH HOLD FOR SELECT generate_series(1, 9)",
            "FETCH 2 FROM c1",
            "FETCH ALL FROM c2",
            "FETCH BACKWARD 1 FROM c2",
            "MOVE 2 FROM c1",
            "CLOSE c1",
            "CLOSE ALL",
            "CREATE TEMP TABLE t1 (id int)",
            "CREATE TEMP TABLE t1 (id int) ON COMMIT DROP",
            "CREATE TEMP TABLE IF NOT EXISTS t1 (id int) ON COMMIT DELETE ROWS",
            "CREATE TEMP TABLE t2 AS SELECT 5 AS id",
            "SELECT 6 AS id INTO TEMP t2",
            "CREATE TEMP VIEW t2 AS SELECT 7 AS id",
            "CREATE TEMP SEQUENCE ts",
            "SELECT nextval('ts')",
            "INSERT INTO t1 VALUES (1), (2)",
            "SELECT id FROM t1 ORDER BY id",
            "SELECT id FROM t2",
            "DROP TABLE t1",
            "DROP TABLE IF EXISTS t2",
            "DROP SEQUENCE ts",
            "SELECT pg_advisory_lock(21)",
            "SELECT pg_try_advisory_lock(22)",
            "SELECT pg_advisory_lock_shared(23)",
            "SELECT pg_advisory_xact_lock(24)",
            "SELECT pg_advisory_unlock(21)",
            "SELECT pg_advisory_unlock(22)",
            "SELECT pg_advisory_unlock_all()",
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
            "SELECT count(*) FROM pg_cursors WHERE name LIKE 'c%'",
            "SELECT name FROM pg_prepared_statements WHERE from_sql ORDER BY 1",
            "LISTEN heard",
            "UNLISTEN *",
            "SELECT count(*) FROM pg_listening_channels()",
            "DISCARD ALL",
            "DEALLOCATE ALL");

    /** By Query: a name of Parse in a text that is parsed itself is not followed. */
    private static final List<String> FORGETTING =
            List.of("DISCARD ALL", "DEALLOCATE ALL", "DEALLOCATE s1", "DEALLOCATE PREPARE s2", "DEALLOCATE \"s3\"");

    private static final List<String> COPIES_IN = List.of(
            "COPY work FROM STDIN",
            "COPY work FROM STDIN",
            "COPY work (id, v) FROM STDIN",
            "COPY nowhere FROM STDIN",
            "SELECT 1; COPY work FROM STDIN; SELECT 2",
            "COPY work FROM STDIN; COPY work FROM STDIN");

    private static final List<String> COPIES_OUT = List.of(
            "COPY seen TO STDOUT",
            "COPY (SELECT id, v FROM work ORDER BY id) TO STDOUT",
            "COPY (SELECT generate_series(1, 20)) TO STDOUT",
            "COPY (SELECT 1 / (g - 5) FROM generate_series(1, 9) g) TO STDOUT",
            "COPY nowhere TO STDOUT");

    /** What all settings are, for a client that has them. */
    private static final String LOOK = "SELECT current_user, session_user, current_setting('role'),"
            + " current_setting('application_name'), current_setting('work_mem'), current_setting('search_path'),"
            + " current_setting('DateStyle'), current_setting('TimeZone'), current_setting('IntervalStyle'),"
            + " current_setting('statement_timeout'), current_setting('client_encoding'),"
            + " current_setting('standard_conforming_strings'), current_setting('default_transaction_read_only'),"
            + " current_setting('default_transaction_isolation'), coalesce(current_setting('app.x', true), '')";

    private static final List<List<String>> TEXTS =
            List.of(READS, WRITES, BEGINS, ENDS, INSIDE, SETTINGS, OBJECTS, COPIES_OUT, List.of(LOOK));

    /** What a conversation is about: how often each of {@link #TEXTS} has its turn, in percent. */
    private record Theme(List<Integer> weights) {
        static final Theme ANYTHING = new Theme(List.of(18, 12, 12, 12, 8, 17, 17, 3, 1));
        static final Theme OF_SETTINGS = new Theme(List.of(5, 3, 12, 14, 16, 42, 0, 0, 8));
        static final Theme OF_OBJECTS = new Theme(List.of(5, 5, 12, 14, 8, 6, 50, 0, 0));
        static final List<Theme> ALL = List.of(ANYTHING, OF_SETTINGS, OF_OBJECTS);
    }

    private static final List<String> STATEMENTS = List.of("", "", "s1", "s2", "s3");
    private static final List<String> PORTALS = List.of("", "", "", "p1", "p2");
    private static final List<@Nullable String> VALUES =
            Arrays.asList("1", "2", "3", "7", "21", "0", "x", "work_mem", null);

    private final Random random;
    private final Theme theme;

    /** Whether what no driver mixes meets in one write. */
    private final boolean jumbles;

    private final int[] functions;
    private final Map<String, Integer> parameters = new HashMap<>();

    /** {@code functions} are the numbers of functions that take one text and give one. */
    ConversationWriter(long seed, int[] functions) {
        this.random = new Random(seed);
        this.theme = Theme.ALL.get(random.nextInt(Theme.ALL.size()));
        this.jumbles = JUMBLES && random.nextInt(3) == 0;
        this.functions = functions;
    }

    /** Turns, each of messages that go out together. */
    List<List<Utterance>> conversation() {
        List<List<Utterance>> turns = new ArrayList<>();
        int count = 2 + random.nextInt(MOST_TURNS);
        while (turns.size() < count) {
            turns.addAll(turns());
        }
        for (int i = 0; i < 2; i++) {
            turns.add(List.of(Utterance.query(LOOK)));
        }
        return turns;
    }

    private List<List<Utterance>> turns() {
        if (jumbles && random.nextBoolean()) {
            return List.of(jumble());
        }
        int kind = random.nextInt(100);
        if (kind < 4) {
            return List.of(List.of(Utterance.query(any(FORGETTING))));
        }
        if (kind < 40 || (!theme.equals(Theme.ANYTHING) && random.nextBoolean())) {
            return List.of(List.of(Utterance.query(text())));
        }
        if (kind < 68) {
            return List.of(group());
        }
        if (kind < 76) {
            return List.of(pipeline());
        }
        if (kind < 84) {
            return copyIn();
        }
        if (kind < 88) {
            return List.of(List.of(functionCall()));
        }
        if (kind < 94) {
            return List.of(mixed());
        }
        return unfinished();
    }

    /** A text of SQL without parameters. */
    private String text() {
        int left = random.nextInt(100);
        int list = 0;
        while (left >= theme.weights().get(list)) {
            left -= theme.weights().get(list);
            list++;
        }
        return any(TEXTS.get(list));
    }

    /** Extended messages and their Sync. */
    private List<Utterance> group() {
        List<Utterance> messages = new ArrayList<>();
        int count = random.nextInt(10) < 7 ? 1 : 1 + random.nextInt(4);
        for (int i = 0; i < count; i++) {
            messages.addAll(random.nextInt(4) == 0 ? List.of(anything()) : inOrder());
        }
        messages.add(Utterance.sync());
        return messages;
    }

    /** A statement as a driver would run it, with something left out now and then. */
    private List<Utterance> inOrder() {
        List<Utterance> messages = new ArrayList<>();
        String statement = any(STATEMENTS);
        String portal = any(PORTALS);
        if (random.nextInt(5) > 0) {
            messages.add(parse(statement));
        }
        if (random.nextInt(8) == 0) {
            messages.add(Utterance.describeStatement(statement));
        }
        if (random.nextInt(12) > 0) {
            messages.add(bind(portal, statement));
        }
        if (random.nextInt(3) == 0) {
            messages.add(Utterance.describePortal(portal));
        }
        if (random.nextInt(12) > 0) {
            messages.add(execute(portal));
        }
        if (random.nextInt(6) == 0) {
            messages.add(execute(portal));
        }
        if (random.nextInt(8) == 0) {
            messages.add(Utterance.closeStatement(statement));
        }
        return messages;
    }

    private Utterance anything() {
        return switch (random.nextInt(10)) {
            case 0, 1 -> parse(any(STATEMENTS));
            case 2, 3 -> bind(any(PORTALS), any(STATEMENTS));
            case 4 -> Utterance.describeStatement(any(STATEMENTS));
            case 5 -> Utterance.describePortal(any(PORTALS));
            case 6 -> execute(any(PORTALS));
            case 7 -> Utterance.closeStatement(any(STATEMENTS));
            case 8 -> Utterance.closePortal(any(PORTALS));
            default -> Utterance.flush();
        };
    }

    private Utterance parse(String name) {
        boolean asked = random.nextInt(3) == 0;
        parameters.put(name, asked ? 1 : 0);
        String sql = asked ? any(ASKED) : text();
        // A statement is parsed anew on another server, with the settings of then: what means something else by them is
        // not for Parse. The same holds for what SQL has prepared under a name.
        boolean plain = sql.chars().allMatch(c -> c < 128 && c != '\\') && !sql.startsWith("EXECUTE");
        return Utterance.parse(name, plain ? sql : "SELECT 1");
    }

    private Utterance bind(String portal, String statement) {
        int count = random.nextInt(15) == 0 ? random.nextInt(3) : parameters.getOrDefault(statement, 0);
        @Nullable String[] values = new @Nullable String[count];
        for (int i = 0; i < count; i++) {
            values[i] = any(VALUES);
        }
        return Utterance.bind(portal, statement, values);
    }

    private Utterance execute(String portal) {
        return Utterance.execute(portal, random.nextInt(3) == 0 ? 1 + random.nextInt(3) : 0);
    }

    private Utterance functionCall() {
        int function = random.nextInt(5) == 0 ? 0 : functions[random.nextInt(functions.length)];
        return Utterance.functionCall(function, random.nextInt(6) == 0 ? new String[0] : new String[] {"heard"});
    }

    /** Groups and queries in one write. */
    private List<Utterance> pipeline() {
        List<Utterance> messages = new ArrayList<>();
        int count = random.nextInt(6) == 0 ? 1 + random.nextInt(MOST_GROUPS) : 2 + random.nextInt(5);
        for (int i = 0; i < count; i++) {
            switch (random.nextInt(10)) {
                case 0, 1, 2, 3 -> messages.add(Utterance.query(random.nextInt(12) == 0 ? any(FORGETTING) : text()));
                case 4 -> messages.add(functionCall());
                case 5 -> messages.addAll(copyAtOnce());
                default -> messages.addAll(group());
            }
        }
        return messages;
    }

    /** Extended messages with a Query or a FunctionCall among them. */
    private List<Utterance> mixed() {
        List<Utterance> messages = group();
        messages.add(
                random.nextInt(messages.size()), random.nextInt(5) == 0 ? functionCall() : Utterance.query(text()));
        return messages;
    }

    /** Parts of groups, queries, calls and COPY in one write, with messages astray between any two but within a COPY. */
    private List<Utterance> jumble() {
        List<List<Utterance>> parts = new ArrayList<>();
        int count = 1 + random.nextInt(4);
        for (int i = 0; i < count; i++) {
            switch (random.nextInt(5)) {
                case 0 -> parts.add(copyAtOnce());
                case 1 -> parts.add(withoutSync(copyAtOnce()));
                case 2 -> inOrder().forEach(message -> parts.add(List.of(message)));
                default -> group().forEach(message -> parts.add(List.of(message)));
            }
        }
        int astray = 1 + random.nextInt(4);
        for (int i = 0; i < astray; i++) {
            parts.add(random.nextInt(parts.size() + 1), List.of(stray()));
        }
        parts.add(List.of(Utterance.sync()));
        return parts.stream().flatMap(List::stream).toList();
    }

    private static List<Utterance> withoutSync(List<Utterance> messages) {
        return messages.getLast().type() == 'S' ? messages.subList(0, messages.size() - 1) : messages;
    }

    private Utterance stray() {
        return switch (random.nextInt(8)) {
            case 0, 1 -> Utterance.query(any(FORGETTING));
            case 2 -> Utterance.query(text());
            case 3 -> functionCall();
            case 4 -> Utterance.sync();
            default -> anything();
        };
    }

    /** Messages up to Flush, more of them, and in the end Sync or a Query. */
    private List<List<Utterance>> unfinished() {
        List<List<Utterance>> turns = new ArrayList<>();
        int count = 1 + random.nextInt(3);
        for (int i = 0; i < count; i++) {
            List<Utterance> messages = new ArrayList<>(random.nextBoolean() ? inOrder() : List.of(anything()));
            messages.add(Utterance.flush());
            turns.add(messages);
        }
        turns.add(List.of(random.nextInt(6) == 0 ? Utterance.query(text()) : Utterance.sync()));
        return turns;
    }

    private List<List<Utterance>> copyIn() {
        if (random.nextInt(4) == 0) {
            return List.of(copyAtOnce());
        }
        List<List<Utterance>> turns = new ArrayList<>();
        boolean extended = random.nextInt(3) == 0;
        turns.add(copyBegins(extended));
        int pieces = random.nextInt(3);
        for (int i = 0; i < pieces; i++) {
            turns.add(rows(extended));
        }
        turns.add(copyEnds(extended));
        return turns;
    }

    private List<Utterance> copyAtOnce() {
        boolean extended = random.nextInt(3) == 0;
        List<Utterance> messages = new ArrayList<>(copyBegins(extended));
        messages.addAll(rows(extended));
        messages.addAll(copyEnds(extended));
        return messages;
    }

    private List<Utterance> copyBegins(boolean extended) {
        if (!extended) {
            return List.of(Utterance.query(any(COPIES_IN)));
        }
        List<Utterance> messages = new ArrayList<>(List.of(
                Utterance.parse("", any(COPIES_IN.subList(0, 4))), Utterance.bind("", ""), Utterance.execute("", 0)));
        messages.add(random.nextBoolean() ? Utterance.sync() : Utterance.flush());
        return messages;
    }

    private List<Utterance> rows(boolean extended) {
        List<Utterance> messages = new ArrayList<>();
        int count = random.nextInt(4);
        for (int i = 0; i < count; i++) {
            int kind = random.nextInt(12);
            if (kind < 2) {
                messages.add(Utterance.badRow(kind == 0 ? "x\tbad" : "1"));
            } else if (kind == 2) {
                messages.add(extended ? Utterance.sync() : Utterance.flush());
            } else {
                messages.add(Utterance.row(10 + random.nextInt(20) + "\tcopied"));
            }
        }
        return messages;
    }

    private List<Utterance> copyEnds(boolean extended) {
        List<Utterance> messages = new ArrayList<>();
        messages.add(
                switch (random.nextInt(8)) {
                    case 0, 1 -> Utterance.copyFail();
                    case 2 -> Utterance.row("9\tlast");
                    default -> Utterance.copyDone();
                });
        if (messages.getFirst().type() == 'd') {
            messages.add(Utterance.copyDone());
        }
        if (extended) {
            messages.add(Utterance.sync());
        }
        return messages;
    }

    private <T extends @Nullable Object> T any(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }
}
