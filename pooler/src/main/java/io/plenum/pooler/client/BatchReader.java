package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.link.ClientStatements;
import io.plenum.pooler.link.HeldBegin;
import io.plenum.pooler.link.LeadingCommand;
import io.plenum.pooler.link.NamedStatement;
import io.plenum.pooler.server.PreparedStatement;
import io.plenum.routing.Catalog;
import io.plenum.routing.GlobalChanges;
import io.plenum.routing.HintPolicy;
import io.plenum.routing.KeyHint;
import io.plenum.routing.PreparedName;
import io.plenum.routing.Reason;
import io.plenum.routing.Router;
import io.plenum.routing.RoutingHint;
import io.plenum.routing.RoutingPolicy;
import io.plenum.routing.SessionChanges;
import io.plenum.routing.StatementClassifier;
import io.plenum.routing.Target;
import io.plenum.routing.TransactionCommand;
import io.plenum.routing.sql.Fingerprint;
import io.plenum.wire.Limits;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.frontend.BindView;
import io.plenum.wire.frontend.ParseView;
import io.plenum.wire.frontend.TargetView;
import org.jspecify.annotations.Nullable;

/**
 * Looks ahead at the batch at hand, in place and without consuming it: one simple Query, or the messages up to Sync.
 *
 * <p>One serves all clients of a loop. Confined to its event loop.
 */
final class BatchReader {
    /** What of a client bears on where its batches may go. */
    interface Session {
        RoutingPolicy routing();

        /** Whether its transactions are read-only unless they say otherwise. */
        boolean isReadOnlyByDefault();

        /** Whether its texts mean what their bytes look like. */
        boolean isTextSafe();

        /** What names mean in its database. */
        Catalog catalog();

        /** What hints of its may do. */
        HintPolicy hints();

        /** Where it asks to be sent. */
        RoutingHint hint();

        /** Whether its transactions are serializable unless they say otherwise. */
        boolean isSerializableByDefault();

        ClientStatements statements();

        /** What the unnamed statement is that it parsed last. */
        Reason unnamedReason();

        /** The transaction that it is in and of which no server has heard, if there is one. */
        HeldBegin begin();

        /** Whether a BEGIN of its may wait for the statement behind it. */
        boolean mayHoldBegin();

        /** Whether a transaction of its that may write may read on a standby first. */
        boolean mayBeTentative();
    }

    private final Router router = new Router();
    private final StatementClassifier classifier = new StatementClassifier();
    private final ParseView parse = new ParseView();
    private final BindView bind = new BindView();
    private final TargetView target = new TargetView();
    private final SessionChanges changes = new SessionChanges();
    private final GlobalChanges globals = new GlobalChanges();
    private final PreparedName preparedName = new PreparedName();

    /** What the batch begins with that was looked at last. */
    private final LeadingCommand leading = new LeadingCommand();

    private final OwnPortals portals = new OwnPortals();

    /** The traits of all that the batch has which is looked at. */
    private int ahead;

    /** What is still to come of the batch that was decided last may change where it goes, and nobody waits for an answer before. */
    private boolean cut;

    // The text that was looked at last, and what it is.
    private @Nullable ByteBuf seen;
    private int seenStart;
    private int seenEnd;
    private Reason reason = Reason.EMPTY;
    private int traits;
    private TransactionCommand command = TransactionCommand.NONE;
    private int endBegin;
    private int endBehind;
    private long judgedBy;

    /**
     * What the whole batch that begins at {@code start} is. One that is not complete is no proven read, for nobody knows
     * what is still to come.
     */
    Reason decide(Session session, ByteBuf bytes, int start) {
        ahead = 0;
        cut = false;
        Reason decided;
        try {
            decided = decideWellFormed(session, bytes, start);
        } catch (ProtocolException malformed) {
            leading.skip();
            decided = Reason.NOT_UNDERSTOOD; // the primary will say what is wrong with it
        }
        session.begin().onBatch(ahead);
        return decided;
    }

    private Reason decideWellFormed(Session session, ByteBuf bytes, int start) {
        router.begin(session.routing(), session.isReadOnlyByDefault(), session.isTextSafe());
        router.hint(session.hints(), session.hint());
        if (session.isSerializableByDefault()) {
            router.serializable();
        }
        HeldBegin begin = session.begin();
        if (begin.isHeld() || begin.isTentative()) {
            begun(session, begin.reason(), begin.isDeclared(), begin.mayBeTentative());
        }
        int limit = bytes.writerIndex();
        boolean parsesUnnamed = false;
        leading.begin(bytes, start);
        portals.begin();
        boolean awaited = false; // an answer, before the end of the batch
        int at = start;
        while (true) {
            int end = endOfMessage(bytes, at);
            if (end < 0) {
                leading.skip();
                cut = at < limit
                        ? isCut(bytes, start, at)
                        : !awaited
                                && at - start < Limits.LOOKED_AT
                                && router.decide().target() == Target.REPLICA;
                router.doubt(Reason.INCOMPLETE_BATCH);
                if (limit - at > Limits.HEADER && bytes.getByte(at) == 'Q') {
                    add(classify(session, bytes, at + Limits.HEADER, limit), traits);
                }
                return router.decide();
            }
            switch (bytes.getByte(at)) {
                case 'Q' -> {
                    Reason query = classify(session, bytes, at + Limits.HEADER, end - 1);
                    add(query, traits);
                    leading.onQuery(query, traits, command, end);
                    if (at > start) {
                        router.bound(); // in a group, which it does not end
                    }
                    if (at > start || !looksBehind(session, query, bytes, end)) {
                        return router.decide();
                    }
                }
                case 'P' -> {
                    parse.at(bytes, at, end);
                    Reason parsed = classify(session, bytes, parse.queryStart(), parse.queryEnd());
                    add(parsed, traits);
                    leading.onParse(parse, parsed, traits, command, end);
                    parsesUnnamed |= parse.isUnnamed();
                }
                case 'B' -> {
                    bind.at(bytes, at, end);
                    PreparedStatement named =
                            addNamed(session, bytes, bind.statementStart(), bind.statementEnd(), parsesUnnamed);
                    portals.onBind(bind);
                    leading.onBind(bind, named, commandOf(named), end);
                }
                case 'D' -> {
                    target.at(bytes, at, end);
                    if (target.isStatement()) {
                        addNamed(session, bytes, target.nameStart(), target.nameEnd(), parsesUnnamed);
                    } else {
                        portals.onUse();
                    }
                    leading.onDescribe(target);
                }
                case 'E' -> {
                    portals.onExecute(bytes, at, end);
                    boolean begins =
                            leading.onExecute(at, end) && leading.command().opens();
                    if (begins && !begin.isHeld() && !begin.isTentative()) {
                        begun(session, leading.reason(), isReadOnly(leading.reason()), leading.mayBeTentative());
                    }
                }
                case 'C' -> {
                    if (end - at > Limits.HEADER && bytes.getByte(at + Limits.HEADER) == 'P') {
                        portals.onUse();
                    }
                    leading.onClose(at, end);
                }
                case 'S' -> {
                    if (!portals.areOwn()) {
                        router.bound();
                    }
                    if (!leading.onSync(at, end) || !looksBehind(session, leading.reason(), bytes, end)) {
                        return router.decide();
                    }
                }
                case 'F' -> {
                    leading.skip();
                    router.doubt(Reason.FUNCTION_CALL);
                    return router.decide();
                }
                default -> { // Flush, for one
                    awaited = true;
                    leading.skip();
                }
            }
            at = end;
        }
    }

    private void add(Reason statement, int traits) {
        router.statement(statement, traits);
        ahead |= traits;
    }

    /**
     * Drivers send BEGIN as a batch of its own, and in the same breath what the transaction begins with: says whether that is
     * to be looked at too, for one of READ ONLY that goes to a server at once. What is held waits for it anyway.
     */
    private boolean looksBehind(Session session, Reason begin, ByteBuf bytes, int end) {
        boolean held = session.begin().isHeld() || (leading.command().opens() && session.mayHoldBegin());
        boolean begins = begin == Reason.TRANSACTION || begin == Reason.READ_ONLY_TRANSACTION;
        boolean readOnly = isReadOnly(begin) || session.isReadOnlyByDefault();
        if (held || !begins || !readOnly || endOfBatch(bytes, end) < 0) {
            return false;
        }
        begun(session, begin, true, false);
        leading.skip();
        return true;
    }

    /** What follows in the batch stands in a transaction, whose BEGIN itself says READ ONLY where it is {@code declared}. */
    private void begun(Session session, Reason begin, boolean declared, boolean tentative) {
        router.begun(begin, declared || session.isReadOnlyByDefault());
        if (tentative && session.mayBeTentative()) {
            router.tentative();
        }
    }

    private static boolean isReadOnly(Reason begin) {
        return begin == Reason.READ_ONLY_TRANSACTION;
    }

    /** What a statement that was prepared before is about a transaction, if a batch may begin with it here. */
    private TransactionCommand commandOf(@Nullable PreparedStatement statement) {
        if (statement == null || !leading.isAwaited() || !TransactionCommand.mayBe(statement.reason())) {
            return TransactionCommand.NONE;
        }
        TransactionCommand known = statement.command();
        if (known == null) {
            int length = statement.textLength();
            classifier.classify(Unpooled.wrappedBuffer(statement.tail(), 0, length), 0, length);
            known = classifier.command();
            statement.setCommand(known);
        }
        return known;
    }

    /**
     * A Bind or Describe counts as the statement that it names, unless the batch parses that itself.
     *
     * @return the statement, if it has a name that was given before
     */
    private @Nullable PreparedStatement addNamed(
            Session session, ByteBuf bytes, int nameStart, int nameEnd, boolean parsesUnnamed) {
        if (nameStart == nameEnd) {
            if (!parsesUnnamed) {
                add(session.unnamedReason(), 0);
            }
            return null;
        }
        NamedStatement named = session.statements().get(bytes, nameStart, nameEnd);
        if (named == null) {
            return null;
        }
        PreparedStatement statement = named.statement();
        judge(session, statement);
        add(statement.reason(), statement.traits());
        return statement;
    }

    /** Again, if what it names has another meaning than when that was done, or another is as near as that was. */
    void judge(Session session, PreparedStatement statement) {
        Catalog now = session.catalog();
        if (statement.catalog() == now.version()) {
            return;
        }
        int end = statement.textLength();
        Reason judged = classifier.classify(
                Unpooled.wrappedBuffer(statement.tail(), 0, end), 0, end, session.isTextSafe(), now);
        statement.judge(judged, classifier.traits(), now.version());
    }

    /**
     * What a Close or Describe is about; good until the next message is looked at.
     *
     * @throws ProtocolException when PostgreSQL would refuse the message
     */
    TargetView targetOf(ByteBuf bytes, int start, int end) {
        return target.at(bytes, start, end);
    }

    /** Whether the Parse, of which the bytes before {@code end} are present, gives its statement a name. */
    boolean parsesNamed(ByteBuf bytes, int start, int end) {
        return !parse.at(bytes, start, end).isUnnamed();
    }

    /**
     * Whether a whole Query ends a transaction on a standby, and goes on with what is not for a standby. Where PostgreSQL may
     * refuse the text as a whole it stays whole, for then the transaction does not end.
     */
    boolean endsInFront(Session session, ByteBuf bytes, int start, int end) {
        if (bytes.getByte(start) != 'Q' || endOfMessage(bytes, start) != end) {
            return false;
        }
        Reason whole = classify(session, bytes, start + Limits.HEADER, end - 1);
        return endBehind > start + Limits.HEADER
                && whole.target() == Target.PRIMARY
                && whole != Reason.TRANSACTION_END
                && whole != Reason.NOT_UNDERSTOOD
                && whole != Reason.SESSION_DOUBT;
    }

    /**
     * Takes what ends the transaction out of the Query at {@code start}, of which {@link #endsInFront} was said: blanks are in its
     * place, so that an error that the rest may have is found where the client looks for it.
     *
     * @return a Query of it alone
     */
    ByteBuf takeEnd(ByteBuf bytes, int start) {
        int text = start + Limits.HEADER;
        int length = endBehind - text;
        ByteBuf query = Unpooled.buffer(Limits.HEADER + length + 1)
                .writeByte('Q')
                .writeInt(4 + length + 1)
                .writeBytes(bytes, text, length)
                .writeByte(0);
        for (int at = endBegin; at < endBehind; at++) {
            bytes.setByte(at, ' ');
        }
        forget();
        return query;
    }

    /** What the statement of a Query or Parse is; {@code end} is behind what is present of it. */
    Reason reasonOf(Session session, byte code, ByteBuf bytes, int start, int end) {
        if (code == 'Q') {
            return classify(session, bytes, start + Limits.HEADER, end - 1);
        }
        parse.at(bytes, start, end);
        return classify(session, bytes, parse.queryStart(), parse.queryEnd());
    }

    /**
     * Whether the batch that was decided last is to be decided again when more of it is there: the network has cut it, in the midst
     * of a message, or between two of them where it may still turn out to be for a standby. PostgreSQL promises no answer before
     * Sync or Flush, so nobody waits for one; what goes to the primary anyway is not kept waiting.
     */
    boolean isCut() {
        return cut;
    }

    /** The {@link io.plenum.routing.Traits} of the text that was asked about last. */
    int traits() {
        return traits;
    }

    /** The command that the batch begins with which was decided last. */
    LeadingCommand leading() {
        return leading;
    }

    /** The {@link Catalog#version} by which the text was judged that was asked about last. */
    long judgedBy() {
        return judgedBy;
    }

    /** What a text changes in the session. */
    void readChanges(ByteBuf sql, int start, int end, SessionChanges.Sink sink) {
        changes.read(sql, start, end, sink);
    }

    /** What a text does to databases and roles. */
    void readGlobals(ByteBuf sql, int start, int end, GlobalChanges.Sink sink) {
        globals.read(sql, start, end, sink);
    }

    /** What a text does to one prepared statement that it names; good until the next text is read. */
    PreparedName preparedName() {
        return preparedName;
    }

    private interface OfText {
        long of(ByteBuf sql, int start, int end);
    }

    /**
     * The {@link Fingerprint} of the first statement of the batch that was decided last, behind the BEGIN of its group; 0 when
     * it begins with something else.
     */
    long fingerprint(Session session, ByteBuf bytes) {
        int at = leading.behind();
        return ofText(session, bytes, at, endOfMessage(bytes, at), Fingerprint::of);
    }

    /** The {@link KeyHint} of the first text of the batch that has one; 0 when none has. */
    long key(Session session, ByteBuf bytes, int start) {
        int at = start;
        while (true) {
            int end = endOfMessage(bytes, at);
            if (end < 0) {
                return 0;
            }
            byte code = bytes.getByte(at);
            long key = ofText(session, bytes, at, end, KeyHint::of);
            if (key != 0 || code == 'S' || code == 'Q' || code == 'F') {
                return key;
            }
            at = end;
        }
    }

    /** Something of the text of the statement that the message at {@code start} has or names; 0 when there is none. */
    private long ofText(Session session, ByteBuf bytes, int start, int end, OfText question) {
        switch (end < 0 ? 0 : bytes.getByte(start)) {
            case 'Q' -> {
                return question.of(bytes, start + Limits.HEADER, end - 1);
            }
            case 'P' -> {
                parse.at(bytes, start, end);
                return question.of(bytes, parse.queryStart(), parse.queryEnd());
            }
            case 'B' -> {
                bind.at(bytes, start, end);
                NamedStatement named = session.statements().get(bytes, bind.statementStart(), bind.statementEnd());
                if (named == null) {
                    return 0;
                }
                int length = named.statement().textLength();
                return question.of(Unpooled.wrappedBuffer(named.statement().tail(), 0, length), 0, length);
            }
            default -> {
                return 0;
            }
        }
    }

    /** Nothing of what clients said lately is left here. */
    void wipe() {
        seen = null;
        classifier.wipe();
    }

    /** The bytes that were looked at may be others from now on. */
    void forget() {
        seen = null;
    }

    private Reason classify(Session session, ByteBuf bytes, int start, int end) {
        Catalog catalog = session.catalog();
        boolean known = bytes == seen && start == seenStart && end == seenEnd && judgedBy == catalog.version();
        if (!known) { // the first of a batch is asked about twice, and may have waited between
            seen = bytes;
            seenStart = start;
            seenEnd = end;
            reason = classifier.classify(bytes, start, end, session.isTextSafe(), catalog);
            traits = classifier.traits();
            command = classifier.command();
            endBegin = start + classifier.endBegin();
            endBehind = start + classifier.endBehind();
            judgedBy = catalog.version();
        }
        return reason;
    }

    /** Whether the message at {@code at} is only cut by the network, and not one that is too large to be waited for. */
    private static boolean isCut(ByteBuf bytes, int start, int at) {
        int present = bytes.writerIndex() - at;
        int length = present < Limits.HEADER ? Limits.HEADER : bytes.getInt(at + 1);
        return length >= 4 && length < Limits.LOOKED_AT && at - start + length < Limits.LOOKED_AT;
    }

    /** Behind the Sync, Query or FunctionCall that ends the batch; -1 when it is not complete. */
    int endOfBatch(ByteBuf bytes, int start) {
        int at = start;
        while (true) {
            int end = endOfMessage(bytes, at);
            if (end < 0) {
                return -1;
            }
            byte code = bytes.getByte(at);
            at = end;
            if (code == 'S' || code == 'Q' || code == 'F') {
                return at;
            }
        }
    }

    /**
     * The same for a batch that can be run again: -1 also where a Query stands in a group, for of that nothing is answered
     * behind an error before a Sync that is still to come.
     */
    int endOfRepeatable(ByteBuf bytes, int start) {
        int end = endOfBatch(bytes, start);
        byte first = bytes.getByte(start);
        boolean whole = first == 'Q' || first == 'F' || (end > 0 && bytes.getInt(end - 4) == 4); // the length of Sync
        return whole ? end : -1;
    }

    /** Behind the message at {@code at}; -1 when it is not all there. */
    private static int endOfMessage(ByteBuf bytes, int at) {
        int available = bytes.writerIndex() - at;
        if (available < Limits.HEADER) {
            return -1;
        }
        int length = bytes.getInt(at + 1);
        return length < 4 || length >= available ? -1 : at + 1 + length;
    }
}
