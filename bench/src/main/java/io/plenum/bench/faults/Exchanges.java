package io.plenum.bench.faults;

import io.plenum.bench.faults.Exchange.Step;
import io.plenum.testbed.Frames;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * Makes the exchanges of one connection. Each reply carries the connection's token, a number that never comes twice, and PostgreSQL's own
 * checksum over both; so whatever comes back tells whose it is.
 *
 * <p>Confined to the client's thread.
 */
final class Exchanges {
    static final String TABLE = "bench_faults";
    static final String SETUP =
            "CREATE UNLOGGED TABLE IF NOT EXISTS %1$s (token text, seq int, line int);".formatted(TABLE)
                    + " CREATE INDEX IF NOT EXISTS %1$s_key ON %1$s (token, seq)".formatted(TABLE);

    private static final String SHARED_SQL = "SELECT $1::text, $2::int, md5($1 || $2), repeat($1, $3::int)";
    private static final int MD5_FUNCTION = 2311;
    private static final String DIVISION_BY_ZERO = "22012";
    private static final String INVALID_TEXT = "22P02";
    /** More texts than a server connection keeps statements, so that some are evicted and prepared again. */
    private static final int STATEMENT_TEXTS = 300;

    private final String token;
    private final RandomGenerator random;
    private final Duration queryTimeout;
    private final Set<String> prepared = new HashSet<>();
    private int sequence;
    private int statements;

    Exchanges(String token, RandomGenerator random, Duration queryTimeout) {
        this.token = token;
        this.random = random;
        this.queryTimeout = queryTimeout;
    }

    Exchange next() {
        return switch (random.nextInt(20)) {
            case 0, 1, 2 -> simple();
            case 3 -> simpleBatch();
            case 4, 5, 6 -> extended();
            case 7, 8, 9, 10 -> prepared();
            case 11, 12, 13 -> pipeline();
            case 14 -> copyOut();
            case 15 -> copyIn(random.nextBoolean());
            case 16 -> random.nextBoolean() ? copyInOfBadData() : error();
            case 17 -> transaction();
            case 18 -> random.nextBoolean() ? cursor() : flush();
            default -> functionCall();
        };
    }

    /** The session has no prepared statements any more. */
    void forgetStatements() {
        prepared.clear();
    }

    /** A query that runs out of time: the pooler's, or the server's where the pooler has none. */
    Exchange tooLong() {
        if (queryTimeout.isZero()) {
            return Exchange.tooLong(
                    Step.of(
                            Frames.query("BEGIN"),
                            Group.of(Expected.complete("BEGIN")).inTransaction()),
                    Step.of(
                            Frames.query("SET LOCAL statement_timeout = '20ms'"),
                            Group.of(Expected.complete("SET")).inTransaction()),
                    Step.of(
                            Frames.query("SELECT pg_sleep(20)"),
                            Group.failing("57014", Expected.type('T')).inTransaction()),
                    Step.of(Frames.query("ROLLBACK"), Group.of(Expected.complete("ROLLBACK"))));
        }
        return Exchange.tooLong(Step.of(
                Frames.query("SELECT pg_sleep(%d)".formatted(queryTimeout.toSeconds() + 20)),
                Group.failing("57014", Expected.type('T'))));
    }

    private Exchange simple() {
        int number = ++sequence;
        int times = size();
        return Exchange.of(
                "simple",
                Step.of(
                        Frames.query("SELECT '%1$s', %2$d, md5('%1$s' || %2$d), repeat('%1$s', %3$d)"
                                .formatted(token, number, times)),
                        Group.of(Expected.type('T'), row(number, times), Expected.complete("SELECT 1"))));
    }

    private Exchange simpleBatch() {
        int first = ++sequence;
        int second = ++sequence;
        return Exchange.of(
                "simple batch",
                Step.of(
                        Frames.query("SELECT '%1$s', %2$d; ; SELECT '%1$s', %3$d".formatted(token, first, second)),
                        Group.of(
                                Expected.type('T'),
                                Expected.row(token, Integer.toString(first)),
                                Expected.complete("SELECT 1"),
                                Expected.type('T'),
                                Expected.row(token, Integer.toString(second)),
                                Expected.complete("SELECT 1"))));
    }

    private Exchange error() {
        return Exchange.of(
                "error",
                Step.of(
                        Frames.query("SELECT '%s', %d / 0".formatted(token, ++sequence)),
                        Group.failing(DIVISION_BY_ZERO)));
    }

    private Exchange extended() {
        int number = ++sequence;
        int times = size();
        return Exchange.of(
                "extended",
                Step.of(
                        Frames.join(Frames.parse("", SHARED_SQL), execution("", number, times), Frames.sync()),
                        Group.of(
                                Expected.type('1'),
                                Expected.type('2'),
                                Expected.type('T'),
                                row(number, times),
                                Expected.complete("SELECT 1"))));
    }

    /** A statement prepared once on this connection and executed on whatever server comes. */
    private Exchange prepared() {
        int number = ++sequence;
        int times = size();
        List<Expected> executed =
                List.of(Expected.type('2'), Expected.type('T'), row(number, times), Expected.complete("SELECT 1"));
        if (!prepared.isEmpty() && random.nextInt(4) != 0) {
            var name = prepared.stream()
                    .skip(random.nextInt(prepared.size()))
                    .findFirst()
                    .orElseThrow();
            if (random.nextInt(8) == 0) {
                prepared.remove(name);
                return Exchange.of(
                        "close",
                        Step.of(Frames.join(Frames.closeStatement(name), Frames.sync()), Group.of(Expected.type('3'))));
            }
            return Exchange.of(
                    "prepared",
                    Step.of(Frames.join(execution(name, number, times), Frames.sync()), Group.of(executed)));
        }
        var name = "s" + ++statements;
        var sql = random.nextBoolean() ? SHARED_SQL : SHARED_SQL + " /* " + random.nextInt(STATEMENT_TEXTS) + " */";
        var all = new ArrayList<>(List.of(Expected.type('1')));
        all.addAll(executed);
        return Exchange.of(
                        "prepare",
                        Step.of(
                                Frames.join(Frames.parse(name, sql), execution(name, number, times), Frames.sync()),
                                Group.of(all)))
                .then(() -> prepared.add(name));
    }

    /** 1 to 64 groups in one write, some of them with an error in the middle after which the server skips. */
    private Exchange pipeline() {
        int count = 1 << random.nextInt(7);
        List<byte[]> frames = new ArrayList<>();
        List<Group> groups = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int number = ++sequence;
            switch (random.nextInt(6)) {
                case 0 -> { // fails when Bind plans it, and what follows is skipped
                    frames.add(Frames.parse("", "SELECT 1 / ($1::int - $1::int)"));
                    frames.add(Frames.bind("", "", Integer.toString(number)));
                    frames.add(Frames.execute());
                    frames.add(execution("", number, 1));
                    frames.add(Frames.sync());
                    groups.add(Group.failing(DIVISION_BY_ZERO, Expected.type('1')));
                }
                case 1 -> {
                    frames.add(Frames.query("SELECT '%s', %d".formatted(token, number)));
                    groups.add(Group.of(
                            Expected.type('T'),
                            Expected.row(token, Integer.toString(number)),
                            Expected.complete("SELECT 1")));
                }
                case 2 -> { // two executions under one Sync
                    int second = ++sequence;
                    frames.add(Frames.parse("", SHARED_SQL));
                    frames.add(execution("", number, 1));
                    frames.add(execution("", second, 2));
                    frames.add(Frames.sync());
                    groups.add(Group.of(
                            Expected.type('1'),
                            Expected.type('2'),
                            Expected.type('T'),
                            row(number, 1),
                            Expected.complete("SELECT 1"),
                            Expected.type('2'),
                            Expected.type('T'),
                            row(second, 2),
                            Expected.complete("SELECT 1")));
                }
                case 3 -> { // a Sync that answers nothing
                    frames.add(Frames.sync());
                    groups.add(Group.of());
                }
                default -> {
                    frames.add(Frames.parse("", SHARED_SQL));
                    frames.add(execution("", number, 1));
                    frames.add(Frames.sync());
                    groups.add(Group.of(
                            Expected.type('1'),
                            Expected.type('2'),
                            Expected.type('T'),
                            row(number, 1),
                            Expected.complete("SELECT 1")));
                }
            }
        }
        return Exchange.of("pipeline", new Step(Frames.join(frames.toArray(byte[][]::new)), groups));
    }

    /** Row-limited executions of one portal. */
    private Exchange cursor() {
        int number = ++sequence;
        return Exchange.of(
                "row limit",
                Step.of(
                        Frames.join(
                                Frames.parse("", "SELECT $1::text, $2::int, g FROM generate_series(1, 5) AS g"),
                                Frames.bind("", "", token, Integer.toString(number)),
                                Frames.execute("", 2),
                                Frames.execute("", 2),
                                Frames.execute("", 2),
                                Frames.sync()),
                        Group.of(
                                Expected.type('1'),
                                Expected.type('2'),
                                line(number, 1),
                                line(number, 2),
                                Expected.type('s'),
                                line(number, 3),
                                line(number, 4),
                                Expected.type('s'),
                                line(number, 5),
                                Expected.complete("SELECT 1"))));
    }

    /** Replies asked for by Flush; the transaction ends with the Sync that comes later. */
    private Exchange flush() {
        int number = ++sequence;
        return Exchange.of(
                "flush",
                Step.of(
                        Frames.join(Frames.parse("", SHARED_SQL), execution("", number, 1), Frames.flush()),
                        Group.waiting(
                                Group.End.WAITS_FOR_SYNC,
                                Expected.type('1'),
                                Expected.type('2'),
                                Expected.type('T'),
                                row(number, 1),
                                Expected.complete("SELECT 1"))),
                Step.of(Frames.sync(), Group.of()));
    }

    private Exchange copyOut() {
        int number = ++sequence;
        int lines = random.nextInt(1, 200);
        List<Expected> expected = new ArrayList<>(List.of(Expected.type('H')));
        for (int line = 1; line <= lines; line++) {
            expected.add(Expected.body('d', bytes("%s\t%d\t%d\n".formatted(token, number, line))));
        }
        expected.add(Expected.type('c'));
        expected.add(Expected.complete("COPY " + lines));
        return Exchange.of(
                "copy out",
                Step.of(
                        Frames.query("COPY (SELECT '%s', %d, g FROM generate_series(1, %d) AS g) TO STDOUT"
                                .formatted(token, number, lines)),
                        Group.of(expected)));
    }

    /** @param atOnce whether the data is sent behind the command, without waiting for the server to ask */
    private Exchange copyIn(boolean atOnce) {
        int number = ++sequence;
        int lines = random.nextInt(1, 50);
        List<byte[]> data = new ArrayList<>();
        for (int line = 1; line <= lines; line++) {
            data.add(Frames.copyData(bytes("%s\t%d\t%d\n".formatted(token, number, line))));
        }
        data.add(Frames.copyDone());
        var rows = Frames.join(data.toArray(byte[][]::new));
        var command = Frames.query("COPY " + TABLE + " FROM STDIN");
        var complete = Expected.complete("COPY " + lines);
        var key = "WHERE token = '%s' AND seq = %d".formatted(token, number);
        List<Step> steps = new ArrayList<>();
        if (atOnce) {
            steps.add(Step.of(Frames.join(command, rows), Group.of(Expected.type('G'), complete)));
        } else {
            steps.add(Step.of(command, Group.waiting(Group.End.WAITS_AND_IS_READY_AFTER_ERROR, Expected.type('G'))));
            steps.add(Step.of(rows, Group.of(complete)));
        }
        // What was acknowledged is there, and once.
        steps.add(Step.of(
                Frames.query("SELECT count(*), sum(line) FROM %s %s".formatted(TABLE, key)),
                Group.of(
                        Expected.type('T'),
                        Expected.row(Integer.toString(lines), Integer.toString(lines * (lines + 1) / 2)),
                        Expected.complete("SELECT 1"))));
        steps.add(Step.of(
                Frames.query("DELETE FROM %s %s".formatted(TABLE, key)),
                Group.of(Expected.complete("DELETE " + lines))));
        return Exchange.of("copy in", steps);
    }

    /** The server gives up at the first row, while more rows are on their way. */
    private Exchange copyInOfBadData() {
        List<byte[]> frames = new ArrayList<>(List.of(Frames.query("COPY " + TABLE + " FROM STDIN")));
        frames.add(Frames.copyData(bytes("%s\tnot a number\t1\n".formatted(token))));
        int more = random.nextInt(100);
        for (int line = 0; line < more; line++) {
            frames.add(Frames.copyData(bytes("%s\t%d\t%d\n".formatted(token, ++sequence, line))));
        }
        frames.add(Frames.copyDone());
        return Exchange.of(
                "copy in of bad data",
                Step.of(Frames.join(frames.toArray(byte[][]::new)), Group.failing(INVALID_TEXT, Expected.type('G'))));
    }

    /** A transaction of several queries, which must stay on one server and be gone from it afterwards. */
    private Exchange transaction() {
        int number = ++sequence;
        var value = token + "." + number;
        return Exchange.of(
                "transaction",
                Step.of(
                        Frames.query("SELECT coalesce(current_setting('plenum.token', true), '')"),
                        Group.of(Expected.type('T'), Expected.row(""), Expected.complete("SELECT 1"))),
                Step.of(
                        Frames.query("BEGIN"),
                        Group.of(Expected.complete("BEGIN")).inTransaction()),
                Step.of(
                        Frames.query("SET LOCAL plenum.token = '" + value + "'"),
                        Group.of(Expected.complete("SET")).inTransaction()),
                Step.of(
                        Frames.join(
                                Frames.parse("", "SELECT current_setting('plenum.token'), $1::text"),
                                Frames.bind("", "", token),
                                Frames.execute(),
                                Frames.sync()),
                        Group.of(
                                        Expected.type('1'),
                                        Expected.type('2'),
                                        Expected.row(value, token),
                                        Expected.complete("SELECT 1"))
                                .inTransaction()),
                Step.of(Frames.query("COMMIT"), Group.of(Expected.complete("COMMIT"))));
    }

    private Exchange functionCall() {
        var text = token + ++sequence;
        var sum = bytes(md5(text));
        return Exchange.of(
                "function call",
                Step.of(
                        Frames.functionCall(MD5_FUNCTION, text),
                        Group.of(Expected.body(
                                'V',
                                ByteBuffer.allocate(4 + sum.length)
                                        .putInt(sum.length)
                                        .put(sum)
                                        .array()))));
    }

    private byte[] execution(String statement, int number, int times) {
        return Frames.join(
                Frames.bind("", statement, token, Integer.toString(number), Integer.toString(times)),
                Frames.describePortal(""),
                Frames.execute());
    }

    private Expected row(int number, int times) {
        return Expected.row(token, Integer.toString(number), md5(token + number), token.repeat(times));
    }

    private Expected line(int number, int line) {
        return Expected.row(token, Integer.toString(number), Integer.toString(line));
    }

    /** How often a token is repeated: mostly little, at times more than the buffers of all on the way hold. */
    private int size() {
        return switch (random.nextInt(50)) {
            case 0 -> random.nextInt(20_000);
            case 1, 2, 3 -> random.nextInt(1_000);
            default -> random.nextInt(10);
        };
    }

    private static String md5(String text) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(bytes(text)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has MD5", e);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
