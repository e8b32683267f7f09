package io.plenum.routing;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.plenum.routing.Corpus.Labelled;
import java.lang.management.ManagementFactory;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class StatementClassifierTest {
    /** The pieces of a text without comments of the nested kind: literals, names, line comments, single bytes. */
    private static final Pattern PIECE = Pattern.compile(
            "[eE]'(?:[^'\\\\]|\\\\.|'')*'|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\\$((?:[^\\W\\d]\\w*)?)\\$.*?\\$\\1\\$"
                    + "|\\$\\d+|[^\\W\\d][\\w$]*|--[^\n\r]*|.",
            Pattern.DOTALL | Pattern.UNICODE_CHARACTER_CLASS);

    /** An open literal swallows what follows; a line end between two strings joins them. */
    private static final Pattern PECULIAR = Pattern.compile("/\\*|'\\s+('|--)");

    private final StatementClassifier classifier = new StatementClassifier();

    @ParameterizedTest(name = "{0}")
    @MethodSource("corpus")
    void eachStatementOfTheCorpusHasTheReasonItIsLabelledWith(Labelled labelled) {
        assertThat(classify(labelled.sql())).isEqualTo(labelled.reason());
    }

    static Stream<Labelled> corpus() {
        return Corpus.statements().stream();
    }

    @Test
    void anEmptyTextIsEmpty() {
        assertThat(classify("")).isEqualTo(Reason.EMPTY);
        assertThat(classify(" ")).isEqualTo(Reason.EMPTY);
    }

    @Test
    void everyReasonOfTheClassifierStandsInTheCorpus() {
        List<Reason> others = List.of(
                Reason.READ_SO_FAR,
                Reason.HINTED_REPLICA,
                Reason.ROUTING_OFF,
                Reason.NOT_DECLARED,
                Reason.HINTED_PRIMARY,
                Reason.NO_REPLICA,
                Reason.NO_CATALOG,
                Reason.VOLATILE_FUNCTION,
                Reason.OPAQUE_RELATION,
                Reason.UNLOGGED_TABLE,
                Reason.NOT_CAUGHT_UP,
                Reason.REFUSED_BY_STANDBY,
                Reason.TOO_LONG,
                Reason.UNSAFE_TEXT,
                Reason.INCOMPLETE_BATCH,
                Reason.FUNCTION_CALL);

        assertThat(Corpus.statements().stream().map(Labelled::reason).distinct())
                .containsExactlyInAnyOrderElementsOf(Stream.of(Reason.values())
                        .filter(reason -> !others.contains(reason))
                        .toList());
    }

    @Test
    void whatStandsAroundTheRangeIsNotRead() {
        ByteBuf text = bytes("DELETE SELECT 1 FOR UPDATE; DROP TABLE x");
        int start = "DELETE ".length();
        int end = "DELETE SELECT 1".length();

        assertThat(classifier.classify(text, start, end)).isEqualTo(Reason.READ);
        assertThat(text.readerIndex()).isZero();
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', delimiter = '|', textBlock = """
        COMMIT; SELECT 1                     | COMMIT;
        ; ;/* a; */ rollback work ;SELECT 1  | rollback work ;
        END TRANSACTION;COMMIT               | END TRANSACTION;
        COMMIT                               |
        COMMIT;                              |
        COMMIT AND CHAIN; SELECT 1           |
        ROLLBACK TO a; SELECT 1              |
        COMMIT PREPARED 'a'; SELECT 1        |
        SELECT 1; COMMIT; SELECT 1           |
        EXPLAIN COMMIT; SELECT 1             |
        """)
    void theEndOfATransactionInFrontOfAllElseIsFound(String sql, String end) {
        ByteBuf text = bytes("?" + sql);

        classifier.classify(text, 1, 1 + sql.length());

        String found = classifier.endBehind() < 0 ? null : sql.substring(classifier.endBegin(), classifier.endBehind());
        assertThat(found).isEqualTo(end);
    }

    @Test
    void aBufferWithoutAnArrayIsReadTheSame() {
        for (Labelled labelled : Corpus.statements()) {
            byte[] sql = labelled.sql().getBytes(StandardCharsets.UTF_8);
            ByteBuf direct = Unpooled.directBuffer(sql.length + 8)
                    .writeInt(0x27272727)
                    .writeBytes(sql)
                    .writeInt(0);
            try {
                assertThat(classifier.classify(direct, 4, 4 + sql.length))
                        .as(labelled.sql())
                        .isEqualTo(labelled.reason());
            } finally {
                direct.release();
            }
        }
    }

    @Test
    void theClassifierKeepsNothingFromTheTextBefore() {
        Random random = new Random(7);
        List<Labelled> statements = Corpus.statements();
        for (int i = 0; i < 20_000; i++) {
            Labelled labelled = statements.get(random.nextInt(statements.size()));
            assertThat(classify(labelled.sql())).as(labelled.sql()).isEqualTo(labelled.reason());
        }
    }

    @Test
    void commentsAndWhiteSpaceBetweenTokensChangeNothing() {
        Random random = new Random(11);
        for (Labelled labelled : Corpus.statements()) {
            if (labelled.reason() == Reason.NOT_UNDERSTOOD
                    || PECULIAR.matcher(labelled.sql()).find()) {
                continue;
            }
            for (int i = 0; i < 20; i++) {
                String spaced = withNoiseBetweenTokens(labelled.sql(), random);
                assertThat(classify(spaced)).as(spaced).isEqualTo(labelled.reason());
            }
        }
    }

    @Test
    void upperAndLowerCaseOfWordsChangeNothing() {
        for (Labelled labelled : Corpus.statements()) {
            if (labelled.sql().matches("(?s).*[\"$'].*")) {
                continue; // quotes and tags are what they are
            }
            assertThat(classify(swapCase(labelled.sql())))
                    .as(swapCase(labelled.sql()))
                    .isEqualTo(labelled.reason());
        }
    }

    @Test
    void randomBytesNeverThrow() {
        Random random = new Random(13);
        byte[] alphabet = "SELECT FROM set_config(pg_catalog.x) '\"$a$ E'\\ U&\" /* */ -- ; :: ,1.\n\t as with é[]"
                .getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 100_000; i++) {
            byte[] sql = new byte[random.nextInt(64)];
            random.nextBytes(sql);
            if (i % 2 == 0) {
                for (int at = 0; at < sql.length; at++) {
                    sql[at] = alphabet[(sql[at] & 0xFF) % alphabet.length];
                }
            }
            Reason reason = classifier.classify(Unpooled.wrappedBuffer(sql), 0, sql.length, i % 3 != 0, Catalog.OFF);
            assertThat(reason).isNotNull();
        }
    }

    @Test
    void everyPrefixAndSuffixOfTheCorpusIsAnswered() {
        for (Labelled labelled : Corpus.statements()) {
            ByteBuf text = bytes(labelled.sql());
            for (int at = 0; at <= text.readableBytes(); at++) {
                assertThat(classifier.classify(text, 0, at)).isNotNull();
                assertThat(classifier.classify(text, at, text.readableBytes())).isNotNull();
            }
        }
    }

    @Test
    void aMebibyteOfParenthesesIsRefusedInTime() {
        assertThat(classifyInTime("(".repeat(1 << 20))).isEqualTo(Reason.TOO_LONG);
        assertThat(classifyInTime("SELECT " + "(".repeat(100_000) + "1" + ")".repeat(100_000)))
                .isEqualTo(Reason.NOT_UNDERSTOOD);
    }

    @Test
    void nestingIsUnderstoodToADepthThatPeopleUse() {
        String nested = "SELECT " + "(".repeat(500) + "1" + ")".repeat(500);

        assertThat(classify(nested)).isEqualTo(Reason.READ);
        assertThat(classify(nested + ", touch()")).isEqualTo(Reason.UNKNOWN_FUNCTION);
    }

    @Test
    void aFunctionDeepInsideIsSeenThoughTheDepthIsNotUnderstood() {
        String deep = "SELECT " + "(".repeat(5_000) + "pg_advisory_lock(1)" + ")".repeat(5_000);

        assertThat(classify(deep).pins()).isTrue();
    }

    @Test
    void anInListOfTenMebibytesIsRefusedInTime() {
        String list = "SELECT * FROM users WHERE id IN (" + "1234567, ".repeat(1_170_000) + "1)";

        assertThat(list.length()).isGreaterThan(10 << 20);
        assertThat(classifyInTime(list)).isEqualTo(Reason.TOO_LONG);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(", "/*", "'' ", "E'' ", "\"\"", "$a", "$$ ", "$a$ $a", "x ", "x.", ";", "- ", "--\n", "\\", "E'\\",
                "é", "("
            })
    void timeIsLinearInTheText(String piece) {
        String half = "SELECT " + piece.repeat(120_000 / piece.length());
        String whole = "SELECT " + piece.repeat(240_000 / piece.length());
        long shortest = Long.MAX_VALUE;
        long longest = Long.MAX_VALUE;
        for (int i = 0; i < 20; i++) {
            shortest = Math.min(shortest, nanosFor(half));
            longest = Math.min(longest, nanosFor(whole));
        }
        // Twice the text, twice the time; a quadratic scan of 240 kB would take seconds.
        assertThat(longest).isLessThan(Math.max(4 * shortest, TimeUnit.MILLISECONDS.toNanos(20)));
    }

    @Test
    void aTextOfTheLimitIsReadAndALongerOneIsNot() {
        String head = "SELECT '";
        String filler = "x".repeat(StatementClassifier.LIMIT - head.length() - 1) + "'";

        assertThat(classify(head + filler)).isEqualTo(Reason.READ);
        assertThat(classify(head + filler + " ")).isEqualTo(Reason.TOO_LONG);
        assertThat(classify("SET x = 1; " + head + filler)).isEqualTo(Reason.SESSION_SETTING);
    }

    @Test
    void textThatCannotBeTrustedIsNoReadAndHidesNoStateOfTheSession() {
        assertThat(unsafe("SELECT 1")).isEqualTo(Reason.UNSAFE_TEXT);
        assertThat(unsafe("UPDATE users SET name = 'x'")).isEqualTo(Reason.UNSAFE_TEXT);
        assertThat(unsafe("SET work_mem = 1")).isEqualTo(Reason.SESSION_SETTING);
        assertThat(unsafe("/* SELECT */ SET work_mem = 1")).isEqualTo(Reason.SESSION_SETTING);
        assertThat(unsafe("SELECT pg_advisory_lock(1)")).isEqualTo(Reason.SESSION_LOCK);
        // With backslashes that escape, the first string goes on to the second quote.
        assertThat(unsafe("SELECT 'a\\', '; SET work_mem = 1; --'")).isEqualTo(Reason.SESSION_DOUBT);
        assertThat(unsafe("SELECT 'a\\', ' || pg_advisory_lock(1) || '")).isEqualTo(Reason.SESSION_DOUBT);
        assertThat(unsafe("SET x = 'a\\', '; LISTEN y; --'")).isEqualTo(Reason.SESSION_DOUBT);
        assertThat(unsafe("SET ROLE 'a\\', '; SELECT pg_advisory_lock(1); --'")).isEqualTo(Reason.SESSION_DOUBT);
    }

    @Test
    void aCommentBehindASemicolonHidesNoStatementInTextThatCannotBeTrusted() {
        assertThat(unsafe("SELECT 1; -- x\n SET work_mem = 1")).isEqualTo(Reason.SESSION_DOUBT);
        assertThat(unsafe("SELECT 'a\\', '; /* it''s */ LISTEN y; --'")).isEqualTo(Reason.SESSION_DOUBT);
        assertThat(unsafe("SELECT 1; /* a */ SELECT 2; UPDATE users SET name = 'x'"))
                .isEqualTo(Reason.UNSAFE_TEXT);
    }

    @Test
    void aSecondByteThatLooksLikeABackslashHidesNothing() {
        // In SJIS the character 表 ends in the byte of a backslash.
        byte[] sql = "SELECT E'表'; SET work_mem = 1; --'".getBytes(Charset.forName("Shift_JIS"));

        assertThat(classifier.classify(Unpooled.wrappedBuffer(sql), 0, sql.length, false, Catalog.OFF))
                .isEqualTo(Reason.SESSION_DOUBT);
    }

    @Test
    void nothingIsAllocated() {
        List<Labelled> statements = Corpus.statements();
        ByteBuf[] texts = new ByteBuf[statements.size()];
        ByteBufAllocator memory = new UnpooledByteBufAllocator(true, true); // the leak detector allocates too
        for (int i = 0; i < texts.length; i++) {
            byte[] sql = statements.get(i).sql().getBytes(StandardCharsets.UTF_8);
            texts[i] = (i % 2 == 0 ? memory.heapBuffer(sql.length) : memory.directBuffer(sql.length)).writeBytes(sql);
        }
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long self = Thread.currentThread().threadId();
        long allocated = Long.MAX_VALUE;
        // The first rounds are the warm-up: what is not compiled yet may allocate.
        for (int round = 0; round < 10 && allocated > 0; round++) {
            long before = threads.getThreadAllocatedBytes(self);
            classifyAll(texts, 100_000);
            allocated = threads.getThreadAllocatedBytes(self) - before;
        }

        assertThat(allocated).isZero();
        for (ByteBuf text : texts) {
            text.release();
        }
    }

    private int classifyAll(ByteBuf[] texts, int times) {
        int replicas = 0;
        for (int i = 0; i < times; i++) {
            ByteBuf text = texts[i % texts.length];
            if (classifier.classify(text, 0, text.writerIndex()).target() == Target.REPLICA) {
                replicas++;
            }
        }
        return replicas;
    }

    private Reason classify(String sql) {
        ByteBuf text = bytes(sql);
        return classifier.classify(text, 0, text.readableBytes());
    }

    private Reason unsafe(String sql) {
        ByteBuf text = bytes(sql);
        return classifier.classify(text, 0, text.readableBytes(), false, Catalog.OFF);
    }

    private Reason classifyInTime(String sql) {
        classify(sql);
        long began = System.nanoTime();
        Reason reason = classify(sql);
        assertThat(System.nanoTime() - began).isLessThan(TimeUnit.SECONDS.toNanos(1));
        return reason;
    }

    private long nanosFor(String sql) {
        ByteBuf text = bytes(sql);
        long began = System.nanoTime();
        classifier.classify(text, 0, text.readableBytes());
        return System.nanoTime() - began;
    }

    private static ByteBuf bytes(String sql) {
        return Unpooled.wrappedBuffer(sql.getBytes(StandardCharsets.UTF_8));
    }

    private static String swapCase(String sql) {
        StringBuilder swapped = new StringBuilder(sql);
        for (int i = 0; i < sql.length(); i++) {
            char c = sql.charAt(i);
            if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
                swapped.setCharAt(i, (char) (c ^ 0x20));
            }
        }
        return swapped.toString();
    }

    /** Adds comments and white space to each single space between two tokens. */
    private static String withNoiseBetweenTokens(String sql, Random random) {
        String[] noises = {" ", "\n", "\t ", "/**/", "/* ' */", "/* \" /* $$ */ */ ", "-- '\n", "--\r", "\f"};
        StringBuilder noisy = new StringBuilder();
        Matcher piece = PIECE.matcher(sql);
        while (piece.find()) {
            noisy.append(piece.group());
            if (piece.group().equals(" ")) {
                noisy.append(noises[random.nextInt(noises.length)]);
            }
        }
        return noisy.toString();
    }
}
