package io.plenum.wire.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.recording.Recording;
import io.plenum.wire.recording.Recording.Message;
import io.plenum.wire.recording.Recording.Sender;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ViewsTest {
    /** Bytes in front of each message, so that an index that starts at 0 by mistake shows. */
    private static final int OFFSET = 3;

    private final ParseView parse = new ParseView();
    private final BindView bind = new BindView();
    private final TargetView target = new TargetView();
    private final ExecuteView execute = new ExecuteView();
    private final QueryView query = new QueryView();

    @Test
    void recordedMessagesOfLibpqAreSeenAsTheyAre() {
        List<String> seen = Recording.ofServer(18).stream()
                .filter(recording -> recording.name().endsWith("libpq-bench-prepared.hex"))
                .flatMap(recording -> recording.typed(Sender.FRONTEND).stream())
                .map(message -> seen(Unpooled.wrappedBuffer(message.bytes()), 0, message.bytes().length))
                .distinct()
                .toList();

        assertThat(seen)
                .contains(
                        "Parse P_0 'SELECT abalance FROM pgbench_accounts WHERE aid = $1;' types 0000",
                        "Bind '' P_0",
                        "Describe portal ''",
                        "Execute '' 0",
                        "S");
    }

    @Test
    void everyRecordedMessageIsRecognisedAndWrittenAgainTheSame() {
        for (Recording recording : Recording.all()) {
            for (Message message : recording.typed(Sender.FRONTEND)) {
                ByteBuf bytes = Unpooled.wrappedBuffer(message.bytes());
                ByteBuf again = Unpooled.buffer();
                writeAgain(bytes, again);

                if (again.isReadable()) {
                    assertThat(ByteBufUtil.hexDump(again))
                            .as(recording + " " + message)
                            .isEqualTo(ByteBufUtil.hexDump(bytes));
                }
            }
        }
    }

    @Test
    void messagesAreSeenInTheMiddleOfABufferAndNothingIsKeptOfTheLast() {
        assertThat(seenOf(out -> FrontendMessages.parse(out, "name", "select $1", 23, 25)))
                .isEqualTo("Parse name 'select $1' types 00020000001700000019");
        assertThat(seenOf(out -> FrontendMessages.parse(out, "", ""))).isEqualTo("Parse  '' types 0000");
        assertThat(parse.isUnnamed()).isTrue();
        assertThat(seenOf(out -> FrontendMessages.bind(out, "p", "s", List.of(new byte[] {1, 2}))))
                .isEqualTo("Bind 'p' s");
        assertThat(bind.isStatementUnnamed() || bind.isPortalUnnamed()).isFalse();
        assertThat(seenOf(out -> FrontendMessages.describeStatement(out, "s"))).isEqualTo("Describe statement 's'");
        assertThat(seenOf(out -> FrontendMessages.describePortal(out, "p"))).isEqualTo("Describe portal 'p'");
        assertThat(seenOf(out -> FrontendMessages.closeStatement(out, "s"))).isEqualTo("Close statement 's'");
        assertThat(seenOf(out -> FrontendMessages.closePortal(out, ""))).isEqualTo("Close portal ''");
        assertThat(target.isUnnamed()).isTrue();
        assertThat(seenOf(out -> FrontendMessages.execute(out, "p", 100))).isEqualTo("Execute 'p' 100");
        assertThat(seenOf(out -> FrontendMessages.query(out, "select 'ä'"))).isEqualTo("Query 'select 'ä''");
        assertThat(seenOf(out -> FrontendMessages.query(out, ""))).isEqualTo("Query ''");
    }

    @Test
    void firstPartOfALargeStatementShowsItsNameAndTheTextThatIsThere() {
        ByteBuf bytes = message(out -> FrontendMessages.parse(out, "name", "select 'a long text'", 23));
        int nameEnd = OFFSET + 5 + 5;

        for (int end = nameEnd; end < bytes.writerIndex(); end++) {
            parse.at(bytes, OFFSET, end);

            assertThat(parse.isWhole()).isFalse();
            assertThat(text(bytes, parse.nameStart(), parse.nameEnd())).isEqualTo("name");
            assertThat("select 'a long text'").startsWith(text(bytes, parse.queryStart(), parse.queryEnd()));
            assertThat(parse.queryEnd()).isBetween(parse.queryStart(), end);
            assertThat(parse.typesStart()).isBetween(parse.queryEnd(), end);
            assertThat(parse.typesEnd()).isEqualTo(end);
        }
        for (int end = OFFSET + 5; end < nameEnd; end++) {
            int cut = end;
            assertThatExceptionOfType(ProtocolException.class)
                    .isThrownBy(() -> parse.at(bytes, OFFSET, cut))
                    .satisfies(e -> assertThat(e.sqlState().code()).isEqualTo("54000"));
        }
        assertThat(parse.at(bytes, OFFSET, bytes.writerIndex()).isWhole()).isTrue();
    }

    @Test
    void firstPartOfALargeBindShowsItsNames() {
        ByteBuf bytes = message(out -> FrontendMessages.bind(out, "portal", "statement", List.of(new byte[100])));

        for (int end = OFFSET + 5 + 17; end <= bytes.writerIndex(); end++) {
            bind.at(bytes, OFFSET, end);
            assertThat(text(bytes, bind.portalStart(), bind.portalEnd())).isEqualTo("portal");
            assertThat(text(bytes, bind.statementStart(), bind.statementEnd())).isEqualTo("statement");
        }
    }

    @Test
    void firstPartOfALargeQueryShowsTheTextThatIsThere() {
        ByteBuf bytes = message(out -> FrontendMessages.query(out, "select 1"));

        query.at(bytes, OFFSET, OFFSET + 5 + 3);

        assertThat(query.isWhole()).isFalse();
        assertThat(text(bytes, query.textStart(), query.textEnd())).isEqualTo("sel");
    }

    @Test
    void malformedMessagesAreRefusedInThePlaceAndWordsOfPostgres() {
        // The words are those of a PostgreSQL 18, asked with the same bytes.
        refused("Q", "", "invalid string in message");
        refused("Q", "53", "invalid string in message");
        refused("Q", "530053", "invalid message format");
        refused("Q", "5300" + "00", "invalid message format");
        refused("P", "", "invalid string in message");
        refused("P", "00", "invalid string in message");
        refused("P", "0053", "invalid string in message");
        refused("P", "005300", "insufficient data left in message");
        refused("P", "00530000", "insufficient data left in message");
        refused("P", "0053000001", "insufficient data left in message");
        refused("P", "0053000001000000", "insufficient data left in message");
        refused("P", "005300ffff00000017", "insufficient data left in message");
        refused("P", "005300000000", "invalid message format");
        refused("B", "", "invalid string in message");
        refused("B", "00", "invalid string in message");
        refused("B", "0053", "invalid string in message");
        refused("D", "", "no data left in message");
        refused("C", "", "no data left in message");
        refused("D", "53", "invalid string in message");
        refused("D", "5353", "invalid string in message");
        refused("D", "530000", "invalid message format");
        refused("D", "5800", "invalid DESCRIBE message subtype 88");
        refused("C", "5800", "invalid CLOSE message subtype 88");
        refused("C", "53", "invalid string in message");
        refused("C", "500000", "invalid message format");
        refused("E", "", "invalid string in message");
        refused("E", "00", "insufficient data left in message");
        refused("E", "00000000", "insufficient data left in message");
        refused("E", "000000000000", "invalid message format");
    }

    private void refused(String type, String body, String words) {
        byte[] bytes = HexFormat.of().parseHex(body);
        ByteBuf message = Unpooled.buffer();
        message.writeByte(type.charAt(0)).writeInt(4 + bytes.length).writeBytes(bytes);

        assertThatExceptionOfType(ProtocolException.class)
                .as(type + " " + body)
                .isThrownBy(() -> seen(message, 0, message.writerIndex()))
                .withMessage(words)
                .satisfies(e -> assertThat(e.sqlState().code()).isEqualTo("08P01"));
    }

    @Test
    void anyBytesGiveAViewWithinThemOrOneProtocolException() {
        Random random = new Random(1234);
        List<ByteBuf> messages = Stream.<Consumer<ByteBuf>>of(
                        out -> FrontendMessages.parse(out, "name", "select $1", 23, 25),
                        out -> FrontendMessages.bind(out, "p", "s", List.of(new byte[] {1, 2})),
                        out -> FrontendMessages.describeStatement(out, "s"),
                        out -> FrontendMessages.closePortal(out, "p"),
                        out -> FrontendMessages.execute(out, "p", 100),
                        out -> FrontendMessages.query(out, "select 1"))
                .map(ViewsTest::message)
                .toList();
        for (int round = 0; round < 50_000; round++) {
            ByteBuf bytes = messages.get(random.nextInt(messages.size())).copy();
            for (int damage = random.nextInt(4); damage >= 0; damage--) {
                bytes.setByte(OFFSET + 1 + random.nextInt(bytes.writerIndex() - OFFSET - 1), random.nextInt(4) * 85);
            }
            int end = bytes.writerIndex() - random.nextInt(bytes.writerIndex() - OFFSET - 5);
            try {
                seen(bytes, OFFSET, end);
            } catch (ProtocolException e) {
                assertThat(e.sqlState().code()).isIn("08P01", "54000");
            }
        }
    }

    private String seenOf(Consumer<ByteBuf> writer) {
        ByteBuf bytes = message(writer);
        int end = bytes.writerIndex();
        bytes.writeZero(7); // what follows is not the message's
        return seen(bytes, OFFSET, end);
    }

    /** What the view of a message shows, each index checked to lie within the message. */
    private String seen(ByteBuf bytes, int start, int end) {
        return switch (bytes.getByte(start)) {
            case 'P' -> {
                parse.at(bytes, start, end);
                ordered(
                        start,
                        parse.nameStart(),
                        parse.nameEnd(),
                        parse.queryStart(),
                        parse.queryEnd(),
                        parse.typesStart(),
                        parse.typesEnd(),
                        end);
                yield "Parse " + text(bytes, parse.nameStart(), parse.nameEnd()) + " '"
                        + text(bytes, parse.queryStart(), parse.queryEnd()) + "' types "
                        + ByteBufUtil.hexDump(bytes, parse.typesStart(), parse.typesEnd() - parse.typesStart());
            }
            case 'B' -> {
                bind.at(bytes, start, end);
                ordered(start, bind.portalStart(), bind.portalEnd(), bind.statementStart(), bind.statementEnd(), end);
                yield "Bind '" + text(bytes, bind.portalStart(), bind.portalEnd()) + "' "
                        + text(bytes, bind.statementStart(), bind.statementEnd());
            }
            case 'D' -> {
                target.at(bytes, start, end);
                ordered(start, target.nameStart(), target.nameEnd(), end);
                yield "Describe " + (target.isStatement() ? "statement '" : "portal '")
                        + text(bytes, target.nameStart(), target.nameEnd()) + "'";
            }
            case 'C' -> {
                target.at(bytes, start, end);
                ordered(start, target.nameStart(), target.nameEnd(), end);
                yield "Close " + (target.isStatement() ? "statement '" : "portal '")
                        + text(bytes, target.nameStart(), target.nameEnd()) + "'";
            }
            case 'E' -> {
                execute.at(bytes, start, end);
                ordered(start, execute.portalStart(), execute.portalEnd(), end);
                yield "Execute '" + text(bytes, execute.portalStart(), execute.portalEnd()) + "' " + execute.maxRows();
            }
            case 'Q' -> {
                query.at(bytes, start, end);
                ordered(start, query.textStart(), query.textEnd(), end);
                yield "Query '" + text(bytes, query.textStart(), query.textEnd()) + "'";
            }
            default -> Character.toString(bytes.getByte(start));
        };
    }

    private static void ordered(int... indexes) {
        assertThat(indexes).isSorted();
    }

    /**
     * Writes the message from what the views show of it; nothing for those that libpq writes in another, equal, form.
     */
    private void writeAgain(ByteBuf bytes, ByteBuf out) {
        int end = bytes.writerIndex();
        switch (bytes.getByte(0)) {
            case 'P' -> {
                parse.at(bytes, 0, end);
                int[] types = new int[bytes.getUnsignedShort(parse.typesStart())];
                for (int i = 0; i < types.length; i++) {
                    types[i] = bytes.getInt(parse.typesStart() + 2 + 4 * i);
                }
                FrontendMessages.parse(
                        out,
                        text(bytes, parse.nameStart(), parse.nameEnd()),
                        text(bytes, parse.queryStart(), parse.queryEnd()),
                        types);
            }
            case 'D' -> {
                target.at(bytes, 0, end);
                String name = text(bytes, target.nameStart(), target.nameEnd());
                if (target.isStatement()) {
                    FrontendMessages.describeStatement(out, name);
                } else {
                    FrontendMessages.describePortal(out, name);
                }
            }
            case 'C' -> {
                target.at(bytes, 0, end);
                String name = text(bytes, target.nameStart(), target.nameEnd());
                if (target.isStatement()) {
                    FrontendMessages.closeStatement(out, name);
                } else {
                    FrontendMessages.closePortal(out, name);
                }
            }
            case 'E' -> {
                execute.at(bytes, 0, end);
                FrontendMessages.execute(
                        out, text(bytes, execute.portalStart(), execute.portalEnd()), execute.maxRows());
            }
            case 'Q' -> {
                query.at(bytes, 0, end);
                FrontendMessages.query(out, text(bytes, query.textStart(), query.textEnd()));
            }
            case 'S' -> FrontendMessages.sync(out);
            case 'H' -> FrontendMessages.flush(out);
            case 'X' -> FrontendMessages.terminate(out);
            case 'c' -> FrontendMessages.copyDone(out);
            case 'd' -> FrontendMessages.copyData(out, ByteBufUtil.getBytes(bytes, 5, end - 5));
            case 'f' -> FrontendMessages.copyFail(out, text(bytes, 5, end - 1));
            default -> {}
        }
    }

    private static ByteBuf message(Consumer<ByteBuf> writer) {
        ByteBuf bytes = Unpooled.buffer();
        bytes.writeBytes(new byte[] {'Z', 'Z', 'Z'});
        writer.accept(bytes);
        return bytes;
    }

    private static String text(ByteBuf bytes, int start, int end) {
        return bytes.toString(start, end - start, StandardCharsets.UTF_8);
    }
}
