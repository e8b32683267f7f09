package io.plenum.pooler.client;

import static io.plenum.pooler.fuzz.Execution.demand;
import static io.plenum.pooler.fuzz.Execution.demandSame;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.fuzz.Execution;
import io.plenum.pooler.fuzz.Splits;
import io.plenum.pooler.link.ClientStatements;
import io.plenum.pooler.link.HeldBegin;
import io.plenum.routing.Catalog;
import io.plenum.routing.HintPolicy;
import io.plenum.routing.Reason;
import io.plenum.routing.RoutingHint;
import io.plenum.routing.RoutingPolicy;
import io.plenum.wire.FrameCutter;
import io.plenum.wire.FrameCutter.Side;
import io.plenum.wire.FrameCutter.Step;
import io.plenum.wire.FrontendType;
import io.plenum.wire.Limits;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.frontend.BindView;
import io.plenum.wire.frontend.ExecuteView;
import io.plenum.wire.frontend.ParseView;
import io.plenum.wire.frontend.PasswordMessage;
import io.plenum.wire.frontend.QueryView;
import io.plenum.wire.frontend.SaslInitialResponse;
import io.plenum.wire.frontend.TargetView;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What a client sends once it is logged in: cut into messages, each looked into, and judged as batches. */
public final class FrontendFuzz {
    private static final BatchReader BATCHES = new BatchReader();

    /** A client that nothing is known of. */
    private static final BatchReader.Session SESSION = new BatchReader.Session() {
        private final ClientStatements statements = new ClientStatements();
        private final HeldBegin begin = new HeldBegin();

        @Override
        public RoutingPolicy routing() {
            return RoutingPolicy.AUTO;
        }

        @Override
        public boolean isReadOnlyByDefault() {
            return false;
        }

        @Override
        public boolean isTextSafe() {
            return true;
        }

        @Override
        public Catalog catalog() {
            return Catalog.OFF;
        }

        @Override
        public HintPolicy hints() {
            return HintPolicy.ON;
        }

        @Override
        public RoutingHint hint() {
            return RoutingHint.AUTO;
        }

        @Override
        public boolean isSerializableByDefault() {
            return false;
        }

        @Override
        public ClientStatements statements() {
            return statements;
        }

        @Override
        public Reason unnamedReason() {
            return Reason.READ;
        }

        @Override
        public HeldBegin begin() {
            return begin;
        }

        @Override
        public boolean mayHoldBegin() {
            return true;
        }

        @Override
        public boolean mayBeTentative() {
            return true;
        }
    };

    private FrontendFuzz() {}

    /** Called by the fuzzer; the first byte says how the rest arrives. */
    public static void fuzzerTestOneInput(byte[] input) {
        if (input.length > 1) {
            byte[] stream = Arrays.copyOfRange(input, 1, input.length);
            Execution.of(input, () -> {
                List<String> whole = cut(stream, new int[0]);
                demandSame(whole, cut(stream, Splits.of(stream.length, input[0])), "it matters how the bytes arrive");
                batches(stream, input[0] & 0xff);
            });
        }
    }

    /** The messages of a stream that arrives in parts, with what is read in them, and how it ends. */
    private static List<String> cut(byte[] stream, int[] ends) {
        FrameCutter cutter = new FrameCutter(Side.FRONTEND);
        List<String> messages = new ArrayList<>();
        StringBuilder pieces = new StringBuilder();
        byte[] kept = new byte[0];
        int from = 0;
        try {
            for (int i = 0; i <= ends.length; i++) {
                int to = i == ends.length ? stream.length : ends[i];
                byte[] shown = Arrays.copyOf(kept, kept.length + to - from);
                System.arraycopy(stream, from, shown, kept.length, to - from);
                from = to;
                ByteBuf bytes = Unpooled.wrappedBuffer(shown);
                cutter.show(bytes);
                for (Step step = cutter.next(); step != Step.NONE; step = cutter.next()) {
                    demand(cutter.end() > cutter.start() && cutter.end() <= shown.length, "a message beyond the bytes");
                    if (step != Step.PIECE) {
                        pieces.append(step == Step.WHOLE ? look(shown, cutter.start(), cutter.end()) : "");
                    }
                    pieces.append(ByteBufUtil.hexDump(bytes, cutter.start(), cutter.end() - cutter.start()));
                    if (cutter.remaining() == 0) {
                        messages.add(pieces.toString());
                        pieces.setLength(0);
                    }
                }
                kept = Arrays.copyOfRange(shown, cutter.position(), shown.length);
                demand(kept.length < Limits.LOOKED_AT, "%d bytes of one message are kept", kept.length);
                Arrays.fill(shown, (byte) 0x7e);
            }
            messages.add(pieces + " and then " + ByteBufUtil.hexDump(kept));
        } catch (ProtocolException violation) {
            messages.add(violation.sqlState() + " " + violation.getMessage() + " " + violation.isSilent());
        }
        return messages;
    }

    /** What is read in a whole message: the same wherever it stands, and whatever stands behind it. */
    private static String look(byte[] shown, int start, int end) {
        String alone = look(Unpooled.wrappedBuffer(Arrays.copyOfRange(shown, start, end)), 0, end - start);
        ByteBuf amid = Execution.amidOthers(Arrays.copyOfRange(shown, start, end), 5);
        try {
            demandSame(alone, look(amid, 5, 5 + end - start), "where the message stands makes a difference");
        } finally {
            amid.release();
        }
        return alone;
    }

    private static String look(ByteBuf bytes, int start, int end) {
        FrontendType type = FrontendType.of(bytes.getByte(start));
        int body = start + Limits.HEADER;
        try {
            return switch (type) {
                case QUERY -> {
                    var view = new QueryView().at(bytes, start, end);
                    yield span(start, end, view.textStart(), view.textEnd());
                }
                case PARSE -> {
                    var view = new ParseView().at(bytes, start, end);
                    yield span(start, end, view.nameStart(), view.nameEnd(), view.queryStart(), view.queryEnd())
                            + span(start, end, view.typesStart(), view.typesEnd());
                }
                case BIND -> {
                    var view = new BindView().at(bytes, start, end);
                    StringBuilder found = new StringBuilder(span(
                            start,
                            end,
                            view.portalStart(),
                            view.portalEnd(),
                            view.statementStart(),
                            view.statementEnd()));
                    for (int number : new int[] {1, 2, 65_535}) {
                        if (view.findValue(bytes, end, number)) {
                            found.append(span(start, end, view.valueStart(), view.valueEnd()));
                        }
                    }
                    yield found.toString();
                }
                case DESCRIBE, CLOSE -> {
                    var view = new TargetView().at(bytes, start, end);
                    yield view.isStatement() + span(start, end, view.nameStart(), view.nameEnd());
                }
                case EXECUTE -> {
                    var view = new ExecuteView().at(bytes, start, end);
                    yield view.maxRows() + span(start, end, view.portalStart(), view.portalEnd());
                }
                case PASSWORD -> password(bytes, body, end);
                case null, default -> "";
            };
        } catch (ProtocolException malformed) {
            return malformed.getMessage() + " ";
        }
    }

    private static String password(ByteBuf bytes, int body, int end) {
        String all = "";
        try {
            all += PasswordMessage.parse(bytes, body, end).length;
        } catch (ProtocolException malformed) {
            all += malformed.getMessage();
        }
        try {
            all += PasswordMessage.parseSasl(bytes, body, end).length;
        } catch (ProtocolException malformed) {
            all += malformed.getMessage();
        }
        byte[] data = SaslInitialResponse.parse(bytes, body, end).data();
        return all + (data == null ? "none" : data.length);
    }

    /** Where fields stand, which must be inside the message. */
    private static String span(int start, int end, int... places) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < places.length; i += 2) {
            demand(
                    places[i] > start && places[i] <= places[i + 1] && places[i + 1] <= end,
                    "a field outside its message");
            text.append(places[i] - start)
                    .append('-')
                    .append(places[i + 1] - start)
                    .append(' ');
        }
        return text.toString();
    }

    /** A batch of which more is to come is no proven read, unless all of it is. */
    private static void batches(byte[] stream, int cut) {
        ByteBuf bytes = Unpooled.wrappedBuffer(stream);
        BATCHES.forget();
        Reason whole = BATCHES.decide(SESSION, bytes, 0);
        if (whole == Reason.READ) {
            BATCHES.fingerprint(SESSION, bytes);
        }
        int end = BATCHES.endOfBatch(bytes, 0);
        demand(end >= -1 && end <= stream.length, "a batch that ends beyond the bytes");
        demand(whole != Reason.READ || end > 0, "a batch without an end is taken for a read");
        ByteBuf part = Unpooled.wrappedBuffer(stream, 0, stream.length * cut / 256);
        BATCHES.forget();
        Reason sooner = BATCHES.decide(SESSION, part, 0);
        BATCHES.forget();
        demand(sooner != Reason.READ || whole == Reason.READ, "taken for a read before all of it was there");
    }
}
