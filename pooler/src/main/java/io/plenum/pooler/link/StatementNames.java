package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.link.RenamedMessages.Renamed;
import io.plenum.pooler.link.UnnamedStatement.Brought;
import io.plenum.pooler.link.UnnamedStatement.Ended;
import io.plenum.pooler.link.UnnamedStatement.Version;
import io.plenum.pooler.server.OutstandingReplies;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.pooler.server.PreparedStatement;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.ServerStatements;
import io.plenum.pooler.server.ServerStatements.Holding;
import io.plenum.routing.PreparedName;
import io.plenum.routing.PreparedName.Use;
import io.plenum.routing.Reason;
import io.plenum.routing.Traits;
import io.plenum.wire.FrontendType;
import io.plenum.wire.Limits;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import io.plenum.wire.frontend.BindView;
import io.plenum.wire.frontend.FrontendMessages;
import io.plenum.wire.frontend.ParseView;
import io.plenum.wire.frontend.TargetView;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A client's prepared statements on whatever server it has: sends its messages on under the names that servers hear, with our
 * Parse in front where a server lacks the statement, and takes back what a failed message did to names.
 *
 * <p>A message is sent before it is known whether those before it in the pipeline succeed. So each leaves in the queue of
 * replies what it did to a name, to be undone when it is skipped; and one whose meaning depends on an earlier group that may
 * still fail waits for that ({@link #mustWait}). No text of a client is ever sent under the name of another text. Confined to
 * the event loop of its link.
 */
final class StatementNames {
    /** A statement that is empty, so that its Parse cannot fail: its name is one that is taken. */
    private static final PreparedStatement TAKEN =
            new PreparedStatement(0, new byte[] {0, 0, 0}, "", Reason.EMPTY, 0, 0);

    private static final String GONE = "PLENUM_GONE";

    /** Names are compared so far: those that are longer PostgreSQL cuts (NAMEDATALEN - 1), whatever is in them. */
    private static final int NAME_BYTES = ClientStatements.NAME_BYTES;

    /**
     * A Parse that gave a client's name to a statement: undone when it fails.
     *
     * @param fresh whether the server surely lacked the statement, so that it has it only if this succeeds
     */
    private record SentParse(NamedStatement named, boolean fresh) implements ServerConnection.Preparing {
        @Override
        public PreparedStatement statement() {
            return named.statement();
        }
    }

    /** A Parse that is answered in the server's place, which holds the statement already. */
    private record SavedParse(NamedStatement named) {}

    /** A Close that took a client's name from a statement: undone when the server never comes to it. */
    private record NamedClose(NamedStatement named) {}

    /** Our Parse in a group of its own, in front of a Query: where it fails, the Query does. */
    private record ParseAlone(PreparedStatement statement) implements ServerConnection.Preparing {}

    /** A Query that names a statement; {@code version} is what else it does, if it may be skipped. */
    private record NamingQuery(
            Use use, NamedStatement named, @Nullable Version version) {}

    private final LinkedClient client;
    private final StatementCache cache;
    private int maxPrepared;
    private final boolean keepsUnnamed;
    private final ParseView parse = new ParseView();
    private final BindView bind = new BindView();
    private final TargetView target = new TargetView();

    private final ParsingSettings parsing;
    private final UnnamedStatement unnamed;
    private final OwnAnswers answers;

    /** Parse or Close of a name stands in the pipeline and is not answered. */
    private boolean namesInFlight;

    /** What ends all statements stands in the pipeline and is not answered; and in which group. */
    private boolean endsAll;

    private long endsAllInGroup;

    /** What is not answered may make the server read a COPY, which any other message breaks: then it must be sent one. */
    private boolean mayCopy;

    /** A server was sent a Parse in this link whose literals run what is not known: a type reads them there and then. */
    private boolean parsedUnknownCode;

    /** What is not answered gave names to, while it may be run again elsewhere. */
    private final List<NamedStatement> given = new ArrayList<>();

    StatementNames(LinkedClient client, StatementCache cache, boolean keepsUnnamed) {
        this.client = client;
        this.cache = cache;
        this.keepsUnnamed = keepsUnnamed;
        this.parsing = new ParsingSettings(client, cache);
        this.unnamed = new UnnamedStatement(client);
        this.answers = new OwnAnswers(client);
    }

    /** So many statements are kept on a server in the links that begin from now on; 0 leaves names as they are. */
    void limit(int maxPrepared) {
        this.maxPrepared = maxPrepared;
    }

    /** Whether the client's names for statements are its own, and not the server's. */
    boolean isRenaming() {
        return maxPrepared > 0;
    }

    /** A link begins: nothing is in flight. */
    void begin() {
        parsing.begin();
        settle();
        given.clear();
        answers.begin();
    }

    /** What the client is answered in the server's place. */
    OwnAnswers answers() {
        return answers;
    }

    /** By which settings its texts are parsed. */
    ParsingSettings parsing() {
        return parsing;
    }

    /** Whether a Parse may have left something in the session, in this link. */
    boolean parsedUnknownCode() {
        return parsedUnknownCode;
    }

    void forgetParsed() {
        parsedUnknownCode = false;
    }

    private void noteParsed(int traits) {
        parsedUnknownCode |= (traits & Traits.RUNS_UNKNOWN_CODE) != 0;
    }

    private void settle() {
        namesInFlight = false;
        endsAll = false;
        mayCopy = false;
        parsing.settle();
        unnamed.settle();
    }

    /** What is not answered is run again elsewhere, and gives its names again. */
    void takeBackGiven() {
        for (NamedStatement named : given) {
            byte[] name = named.name();
            if (client.statements().get(Unpooled.wrappedBuffer(name), 0, name.length) == named) {
                client.statements().remove(name); // else it was undone, and the name means what it did before
            }
        }
        given.clear();
        answers.forgetWithheld();
    }

    /** The first of several groups is answered: the names that it gave stay. */
    void onGroupAnswered(ServerConnection linked) {
        answers.onGroupAnswered();
        given.removeIf(named -> !isGiving(linked.replies(), named));
    }

    private static boolean isGiving(OutstandingReplies replies, NamedStatement named) {
        for (int i = 0; i < replies.size(); i++) {
            NamedStatement one = switch (replies.subjectAt(i)) {
                case SentParse sent -> sent.named();
                case SavedParse saved -> saved.named();
                case null, default -> null;
            };
            if (one == named) {
                return true;
            }
        }
        return false;
    }

    Reason unnamedReason() {
        return unnamed.reason();
    }

    // --- from the client -------------------------------------------------------------------------------------------

    /**
     * Shows the Parse to the methods that follow.
     *
     * @throws ProtocolException when PostgreSQL would refuse the name, which it will not see
     */
    ParseView parseAt(ByteBuf bytes, int start, int end) {
        parse.at(bytes, start, end);
        for (int i = parse.nameStart(); i < parse.nameEnd(); i++) {
            if (bytes.getByte(i) < 0) {
                checkEncoding(copy(bytes, parse.nameStart(), parse.nameEnd()));
                break;
            }
        }
        return parse;
    }

    private void checkEncoding(byte[] name) {
        try {
            if (client.speaksUtf8()) {
                StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(name));
            }
        } catch (CharacterCodingException invalid) {
            throw new ProtocolException("invalid byte sequence in the name of a statement");
        }
    }

    /** Whether the text of the Parse shown is kept, and so can be looked at when it is bound. */
    boolean keeps(boolean whole, int end) {
        return isNamed(parse) ? maxPrepared > 0 : whole && keepsUnnamed && unnamed.keeps(end - parse.queryStart());
    }

    /** Whether the Parse shown gives a name to more text than may be kept for one client. */
    boolean isTooMuch(int end) {
        return isNamed(parse) && client.statements().isFullFor(end - parse.queryStart());
    }

    /**
     * Sends on the Parse shown.
     *
     * @param kept whether it {@linkplain #keeps is kept}
     * @param alone whether its text may mean what only the client's session has
     */
    void parse(
            ServerConnection linked,
            ByteBuf bytes,
            int start,
            int end,
            boolean kept,
            boolean alone,
            Reason reason,
            int traits) {
        linked.group().setOpen(true);
        client.stats().clientParses++;
        noteParsed(traits);
        if (!isNamed(parse)) {
            Version version = kept
                    ? unnamed.parse(linked, bytes, parse.queryStart(), end, reason, traits)
                    : unnamed.parseUnkept(linked);
            client.stats().serverParses++;
            linked.replies().add(Reply.PARSE, Origin.CLIENT, version);
            linked.outbox().forward(bytes, start, end);
        } else if (!kept) {
            client.stats().serverParses++;
            linked.replies().add(Reply.PARSE, Origin.CLIENT);
            linked.outbox().forward(bytes, start, end);
        } else {
            parseNamed(linked, bytes, start, end, alone, reason, traits);
        }
    }

    private static boolean isNamed(ParseView parse) {
        return parse.nameStart() != parse.nameEnd();
    }

    private void parseNamed(
            ServerConnection linked, ByteBuf bytes, int start, int end, boolean alone, Reason reason, int traits) {
        byte[] name = copy(bytes, parse.nameStart(), parse.nameEnd());
        if (client.statements().get(bytes, parse.nameStart(), parse.nameEnd()) != null) {
            // The name is taken: PostgreSQL itself shall say so, in its own words and at its own place.
            ensurePrepared(linked, TAKEN);
            linked.replies().add(Reply.PARSE, Origin.CLIENT, new Renamed(TAKEN.name(), name));
            RenamedMessages.forward(linked, bytes, start, parse.nameStart(), parse.nameEnd(), end, TAKEN);
            return;
        }
        byte[] tail = copy(bytes, parse.queryStart(), end);
        PreparedStatement statement = alone
                ? cache.unshared(tail, reason, traits, client.judgedBy())
                : parsing.statement(tail, reason, traits, client.judgedBy());
        var named = new NamedStatement(name, statement);
        client.statements().put(named);
        if (client.holdsRequest()) {
            given.add(named);
        }
        Holding holding = linked.statements()
                .use(statement, linked.links(), linked.group().number(), ServerStatements.ANYBODY);
        if (holding == Holding.HELD && !mayRefuse(linked) && !mayCopy) {
            namesInFlight |= synthesize(linked, Reply.PARSE, new SavedParse(named));
            return;
        }
        if (holding != Holding.MISSING) {
            closeOnServer(linked, statement);
        }
        makeRoom(linked);
        boolean fresh = linked.statements().inFlight(statement) == 0;
        parseOnServer(linked, statement);
        namesInFlight = true;
        linked.replies().add(Reply.PARSE, Origin.CLIENT, new SentParse(named, fresh));
    }

    /** What the name stands for: if the text has to be parsed anew, by other settings than before, it is another one from now on. */
    private NamedStatement asParsedNow(ServerConnection linked, NamedStatement named) {
        PreparedStatement before = named.statement();
        if (parsing.isAsBefore(before)
                || linked.statements()
                                .use(before, linked.links(), linked.group().number(), client.id())
                        == Holding.HELD) {
            return named;
        }
        var now = new NamedStatement(
                named.name(), parsing.statement(before.tail(), before.reason(), before.traits(), before.catalog()));
        client.statements().put(now);
        return now;
    }

    /** Whether the server may be in a failed transaction when it comes to the next message, and refuse what we would grant. */
    private static boolean mayRefuse(ServerConnection linked) {
        return linked.status() == TransactionStatus.FAILED || linked.replies().owesReady();
    }

    /** Shows the Bind to the methods that follow; what it names, null for the unnamed and for a name that is not known. */
    @Nullable
    NamedStatement bindAt(ByteBuf bytes, int start, int end) {
        bind.at(bytes, start, end);
        return bindsUnnamed() || maxPrepared == 0
                ? null
                : client.statements().get(bytes, bind.statementStart(), bind.statementEnd());
    }

    /** Whether the Bind shown is of the unnamed statement. */
    boolean bindsUnnamed() {
        return bind.statementStart() == bind.statementEnd();
    }

    /** The value of a parameter in the Bind shown, counted from 1, as text; null when there is none such. */
    @Nullable
    String boundText(ByteBuf bytes, int end, int number) {
        return bind.findValue(bytes, end, number)
                ? bytes.toString(bind.valueStart(), bind.valueEnd() - bind.valueStart(), StandardCharsets.UTF_8)
                : null;
    }

    void bind(ServerConnection linked, @Nullable NamedStatement named, ByteBuf bytes, int start, int end) {
        linked.group().setOpen(true);
        client.stats().binds++;
        send(linked, Reply.BIND, named, bytes, start, bind.statementStart(), bind.statementEnd(), end);
    }

    void describe(ServerConnection linked, ByteBuf bytes, int start, int end) {
        target.at(bytes, start, end);
        linked.group().setOpen(true);
        if (!target.isStatement()) {
            linked.replies().add(Reply.DESCRIBE_PORTAL, Origin.CLIENT);
            linked.outbox().forward(bytes, start, end);
            return;
        }
        int nameStart = target.nameStart();
        int nameEnd = target.nameEnd();
        NamedStatement named = nameStart == nameEnd || maxPrepared == 0
                ? null
                : client.statements().get(bytes, nameStart, nameEnd);
        send(linked, Reply.DESCRIBE_STATEMENT, named, bytes, start, nameStart, nameEnd, end);
    }

    /** Sends on a message that names a statement. */
    private void send(
            ServerConnection linked,
            Reply reply,
            @Nullable NamedStatement named,
            ByteBuf bytes,
            int start,
            int nameStart,
            int nameEnd,
            int end) {
        if (named != null) {
            NamedStatement there = named;
            if (!isOnItsWay(linked, named)) {
                there = asParsedNow(linked, named);
                ensurePrepared(linked, there.statement());
                parsing.noteUse(linked, there.statement());
            }
            linked.replies().add(reply, Origin.CLIENT, asGiven(there, bytes, nameStart, nameEnd));
            RenamedMessages.forward(linked, bytes, start, nameStart, nameEnd, end, there.statement());
        } else if (nameStart == nameEnd || maxPrepared == 0) {
            if (nameStart == nameEnd && keepsUnnamed) {
                bringUnnamed(linked);
            }
            linked.replies().add(reply, Origin.CLIENT);
            linked.outbox().forward(bytes, start, end);
        } else {
            RenamedMessages.forwardUnknown(linked, reply, bytes, start, nameStart, nameEnd, end);
        }
    }

    /** An error is to name what the client named, of which only the first bytes tell names apart. */
    private static NamedStatement asGiven(NamedStatement named, ByteBuf bytes, int nameStart, int nameEnd) {
        return nameEnd - nameStart <= NAME_BYTES
                ? named
                : new NamedStatement(copy(bytes, nameStart, nameEnd), named.statement());
    }

    /** {@code pinned} says that the server may hold statements that SQL prepared for the client. */
    void close(ServerConnection linked, boolean pinned, ByteBuf bytes, int start, int end) {
        target.at(bytes, start, end);
        linked.group().setOpen(true);
        boolean unnamedStatement = target.isStatement() && target.isUnnamed();
        if (target.isStatement() && !unnamedStatement && maxPrepared > 0 && !linked.isReadingCopy()) {
            // The statement stays on the server for others; only this client's name for it goes.
            NamedStatement named = client.statements().get(bytes, target.nameStart(), target.nameEnd());
            if (named == null && pinned) {
                RenamedMessages.forwardUnknown(
                        linked, Reply.CLOSE, bytes, start, target.nameStart(), target.nameEnd(), end);
                return;
            }
            if (named != null) {
                client.statements().remove(named.name());
            }
            @Nullable NamedClose closing = named == null ? null : new NamedClose(named);
            if (mayCopy) {
                FrontendMessages.closeStatement(linked.outbox().writer(), GONE);
                linked.replies().add(Reply.CLOSE, Origin.CLIENT, closing);
                namesInFlight = true;
            } else {
                namesInFlight |= synthesize(linked, Reply.CLOSE, closing);
            }
            return;
        }
        linked.replies().add(Reply.CLOSE, Origin.CLIENT, unnamedStatement ? unnamed.close(linked) : null);
        linked.outbox().forward(bytes, start, end);
    }

    /**
     * A simple Query is about to be sent, which ends the unnamed statement before it runs.
     *
     * @return its subject in the queue of replies
     */
    @Nullable
    Object query(ServerConnection linked) {
        return linked.group().goesOn() ? unnamed.close(linked) : unnamed.end(linked);
    }

    /** The batch was answered that no server has seen, nothing being owed. */
    void onAnswered(LeadingCommand said) {
        settle();
        if (said.isQuery()) {
            unnamed.endUnsent();
        } else if (said.parses()) {
            said.keepIn(unnamed);
        }
    }

    // --- names of Parse in texts of SQL ----------------------------------------------------------------------------

    /** The statement that a Query prepares, runs or deallocates, if Parse gave it its name; null for any other Query. */
    @Nullable
    NamedStatement namedBySql(ServerConnection linked, ByteBuf bytes, int start, int end) {
        if (client.statements().size() == 0 || maxPrepared == 0 || linked.isReadingCopy()) {
            return null;
        }
        PreparedName prepared = client.preparedName();
        if (prepared.read(bytes, start, end) == Use.NONE) {
            return null;
        }
        byte[] name = prepared.name();
        return client.statements().get(Unpooled.wrappedBuffer(name), 0, name.length);
    }

    /**
     * Sends on a Query that does something to the statement which {@link #namedBySql} has just found in it. The server knows
     * it by another name, and it is there for others too: so DEALLOCATE takes one away that is made for that.
     */
    void sendBySql(ServerConnection linked, Use use, NamedStatement named, ByteBuf bytes, int start, int end) {
        OutstandingReplies replies = linked.replies();
        int nameStart = client.preparedName().nameStart();
        int nameEnd = client.preparedName().nameEnd();
        Version version = query(linked) instanceof Version made ? made : null;
        if (use == Use.DEALLOCATE) {
            onEndsAll(linked);
            ByteBuf out = linked.outbox().writer();
            FrontendMessages.closeStatement(out, GONE);
            FrontendMessages.parse(out, GONE, "");
            replies.add(Reply.CLOSE, Origin.INJECTED);
            replies.add(Reply.PARSE, Origin.INJECTED);
            endOwn(linked);
            FrontendMessages.query(out, "DEALLOCATE \"" + GONE + "\"");
            replies.add(Reply.QUERY, Origin.CLIENT, new NamingQuery(use, named, version));
            linked.group().setOpen(false);
            return;
        }
        PreparedStatement statement =
                use == Use.PREPARE ? TAKEN : asParsedNow(linked, named).statement();
        if (!linked.group().goesOn()) {
            ensurePreparedAlone(linked, statement);
        } else if (linked.status() != TransactionStatus.FAILED) {
            ensurePrepared(linked, statement);
        }
        parsing.noteUse(linked, statement);
        replies.add(
                Reply.QUERY, Origin.CLIENT, new NamingQuery(use, new NamedStatement(named.name(), statement), version));
        byte[] theirs = statement.name();
        ByteBuf out = linked.outbox().writer();
        out.writeByte('Q').writeInt(bytes.getInt(start + 1) + theirs.length + 2 - (nameEnd - nameStart));
        out.writeBytes(bytes, start + 5, nameStart - start - 5)
                .writeByte('"')
                .writeBytes(theirs)
                .writeByte('"');
        linked.outbox().forward(bytes, nameEnd, end);
        linked.group().setOpen(false);
    }

    private void ensurePreparedAlone(ServerConnection linked, PreparedStatement statement) {
        if (linked.statements().use(statement, linked.links(), linked.group().number(), client.id()) == Holding.HELD) {
            return;
        }
        closeOnServer(linked, statement);
        makeRoom(linked);
        parseOnServer(linked, statement);
        linked.replies().add(Reply.PARSE, Origin.INJECTED, new ParseAlone(statement));
        endOwn(linked);
        linked.group().setOpen(false);
    }

    /** A Sync behind messages of ours that stand in no group of the client's. */
    private static void endOwn(ServerConnection linked) {
        if (!linked.group().goesOn()) {
            FrontendMessages.sync(linked.outbox().writer());
            linked.replies().add(Reply.SYNC, Origin.INJECTED);
        }
    }

    /** The server has deallocated a statement; whether it is one that Parse gave its name, and so none of those that are shared. */
    boolean onDeallocated(@Nullable Object subject) {
        if (subject instanceof NamingQuery naming && naming.use() == Use.DEALLOCATE) {
            client.statements().remove(naming.named().name());
            return true;
        }
        return false;
    }

    /** Whether what failed of ours is followed by a Query that fails for it. */
    static boolean isAlone(@Nullable Object subject) {
        return subject instanceof ParseAlone;
    }

    /** A statement is about to be sent that ends all that are prepared, if it succeeds. */
    void onEndsAll(ServerConnection linked) {
        endsAll = true;
        endsAllInGroup = linked.group().number();
    }

    /** What is about to be sent runs what is not known, a COPY perhaps. */
    void onUnknownCode() {
        mayCopy = true;
    }

    /** Something of ours may be sent, nothing being owed: it would take the server's unnamed statement. */
    void beforeOwn() {
        settle();
    }

    /**
     * Whether a message must wait until what was sent before it is answered: what it names was given or taken by an earlier
     * group of the pipeline, and whether that group comes so far is not known yet.
     */
    boolean mustWait(ServerConnection linked, FrontendType type, ByteBuf bytes, int start, int end) {
        OutstandingReplies replies = linked.replies();
        if (replies.isEmpty()) {
            settle();
            return false;
        }
        if (linked.awaitsMoreOfCopy()) {
            return false; // and all that was sent before the COPY is answered
        }
        try {
            return switch (type) {
                case PARSE -> {
                    parse.at(bytes, start, end);
                    yield isNamed(parse) && isNameInFlight(linked, true, bytes, parse.nameStart(), parse.nameEnd());
                }
                case BIND -> {
                    bind.at(bytes, start, end);
                    yield isInFlight(linked, bytes, bind.statementStart(), bind.statementEnd());
                }
                case DESCRIBE -> {
                    target.at(bytes, start, end);
                    yield target.isStatement() && isInFlight(linked, bytes, target.nameStart(), target.nameEnd());
                }
                case CLOSE -> {
                    target.at(bytes, start, end);
                    yield target.isStatement()
                            && !target.isUnnamed()
                            && isNameInFlight(linked, true, bytes, target.nameStart(), target.nameEnd());
                }
                case QUERY ->
                    (namesInFlight || endsAll)
                            && linked.replies().owesReady()
                            && mayBeginWithName(bytes, start + Limits.HEADER, end);
                default -> false;
            };
        } catch (ProtocolException malformed) {
            return false; // PostgreSQL will say so
        }
    }

    /** Whether the message may be a Query that names a statement which Parse has prepared. */
    boolean mayName(ByteBuf bytes, int start, int end) {
        return bytes.getByte(start) == 'Q'
                && client.statements().size() > 0
                && maxPrepared > 0
                && mayBeginWithName(bytes, start + Limits.HEADER, end);
    }

    /** Whether a text of SQL may begin with DEALLOCATE, EXECUTE or PREPARE. */
    private static boolean mayBeginWithName(ByteBuf bytes, int start, int end) {
        int first = start < end ? bytes.getByte(start) | 0x20 : 's'; // in lower case, if it is a letter
        return first < 'a' || first > 'z' || first == 'd' || first == 'e' || first == 'p';
    }

    private boolean isInFlight(ServerConnection linked, ByteBuf bytes, int nameStart, int nameEnd) {
        return nameStart == nameEnd
                ? keepsUnnamed && unnamed.isInFlight(linked)
                : isNameInFlight(linked, false, bytes, nameStart, nameEnd);
    }

    /**
     * Whether an earlier group gives or takes the name, or an earlier message takes all. A message that only uses the name may
     * go behind a Parse that was sent, where it fails if that does; one that {@code changes} it may not.
     */
    private boolean isNameInFlight(
            ServerConnection linked, boolean changes, ByteBuf bytes, int nameStart, int nameEnd) {
        if (maxPrepared == 0) {
            return false;
        }
        if (endsAll) {
            boolean sameGroup =
                    linked.group().isOpen() && endsAllInGroup == linked.group().number();
            if (sameGroup) {
                FrontendMessages.flush(linked.outbox().writer()); // it is answered before its Sync then
                linked.outbox().flush();
            }
            endsAll = sameGroup || linked.replies().owesReady();
            if (endsAll) {
                return true;
            }
        }
        OutstandingReplies replies = linked.replies();
        boolean earlier = false;
        for (int i = replies.size() - 1; namesInFlight && i >= 0; i--) {
            earlier |= replies.replyAt(i).endsWithReady();
            if (!earlier) {
                continue;
            }
            NamedStatement named = switch (replies.subjectAt(i)) {
                case NamedClose closing -> closing.named();
                case SavedParse saved -> saved.named();
                case SentParse sent when changes || !isAlone(linked, sent) -> sent.named();
                case null, default -> null;
            };
            if (named != null && isName(named.name(), bytes, nameStart, nameEnd)) {
                return true;
            }
        }
        return false;
    }

    /** Whether the server has the statement if, and only if, this succeeds. */
    private static boolean isAlone(ServerConnection linked, SentParse sent) {
        return sent.fresh() && linked.statements().inFlight(sent.statement()) == 1;
    }

    /** Whether the server has the statement if, and only if, the client's own Parse of this name succeeds, which is on its way. */
    private boolean isOnItsWay(ServerConnection linked, NamedStatement named) {
        OutstandingReplies replies = linked.replies();
        for (int i = replies.size() - 1; namesInFlight && i >= 0; i--) {
            if (replies.subjectAt(i) instanceof SentParse sent && sent.named() == named) {
                return isAlone(linked, sent);
            }
        }
        return false;
    }

    private static boolean isName(byte[] name, ByteBuf bytes, int start, int end) {
        int length = Math.min(end - start, NAME_BYTES);
        return length == Math.min(name.length, NAME_BYTES)
                && ByteBufUtil.equals(bytes, start, Unpooled.wrappedBuffer(name), 0, length);
    }

    // --- names -----------------------------------------------------------------------------------------------------

    /** Puts our Parse in front of a message that names a statement which this server does not hold for certain. */
    private void ensurePrepared(ServerConnection linked, PreparedStatement statement) {
        Holding holding = linked.statements()
                .use(statement, linked.links(), linked.group().number(), client.id());
        if (holding == Holding.HELD) {
            return;
        }
        if (holding == Holding.DOUBTFUL) {
            closeOnServer(linked, statement); // no error where there is none
        }
        makeRoom(linked);
        noteParsed(statement.traits());
        parseOnServer(linked, statement);
        linked.replies().add(Reply.PARSE, Origin.INJECTED, statement);
    }

    private void parseOnServer(ServerConnection linked, PreparedStatement statement) {
        statement.writeParse(linked.outbox().writer());
        linked.statements()
                .onParseSent(statement, linked.links(), linked.group().number());
        client.stats().serverParses++;
        parsing.onParseSent(linked, statement);
    }

    /** Closes what was used longest ago, in order in the same pipeline, before one more is parsed. */
    private void makeRoom(ServerConnection linked) {
        // More than one where a transaction needed more than there may be.
        PreparedStatement out = linked.statements().eldestAbove(maxPrepared - 1, linked.links());
        while (out != null) {
            closeOnServer(linked, out);
            out = linked.statements().eldestAbove(maxPrepared - 1, linked.links());
        }
    }

    private static void closeOnServer(ServerConnection linked, PreparedStatement statement) {
        statement.writeClose(linked.outbox().writer());
        linked.statements()
                .onCloseSent(statement, linked.links(), linked.group().number());
        linked.replies().add(Reply.CLOSE, Origin.INJECTED, statement);
    }

    /** Whether the reply has to wait for its turn. */
    private boolean synthesize(ServerConnection linked, Reply reply, @Nullable Object subject) {
        if (linked.replies().isEmpty()) {
            answers.onTurn(reply);
            return false;
        }
        linked.replies().add(reply, Origin.SYNTHETIC, subject);
        return true;
    }

    private static byte[] copy(ByteBuf bytes, int start, int end) {
        byte[] copy = new byte[end - start];
        bytes.getBytes(start, copy);
        return copy;
    }

    // --- the unnamed statement -------------------------------------------------------------------------------------

    /** The text of the unnamed statement, to be looked at; null when it is not kept. */
    @Nullable
    ByteBuf unnamedText() {
        return unnamed.text();
    }

    int unnamedTraits() {
        return unnamed.traits();
    }

    /** The unnamed statement lives on the server that parsed it; on another one it is parsed again first. */
    private void bringUnnamed(ServerConnection linked) {
        Brought brought = unnamed.bring(linked);
        if (brought != null) {
            boolean parsed = unnamed.text() != null;
            noteParsed(unnamed.traits());
            linked.replies().add(parsed ? Reply.PARSE : Reply.CLOSE, Origin.INJECTED, brought);
            client.stats().serverParses += parsed ? 1 : 0;
        }
    }

    // --- from the server -------------------------------------------------------------------------------------------

    /** A message will not be answered: what it did to names is undone. */
    void onUnanswered(ServerConnection linked, Reply reply, @Nullable Object subject, boolean itself) {
        switch (subject) {
            case SentParse sent -> {
                client.statements().remove(sent.named().name());
                linked.statements().onUnanswered(sent.statement());
            }
            case SavedParse saved -> client.statements().remove(saved.named().name());
            case NamedClose closed -> client.statements().put(closed.named());
            case PreparedStatement statement -> linked.statements().onUnanswered(statement);
            case ParseAlone alone -> linked.statements().onUnanswered(alone.statement());
            case NamingQuery naming
            when naming.version() != null -> unnamed.onUnanswered(linked, naming.version(), false);
            case Version version -> unnamed.onUnanswered(linked, version, itself && reply == Reply.PARSE);
            case Ended ended -> unnamed.onNotEnded(linked, ended);
            case Brought brought -> unnamed.onNotBrought(linked, brought);
            case null, default -> {}
        }
    }

    /** The client changed the schema. */
    void onSchemaChange() {
        cache.onSchemaChange();
    }

    /** The server forgot all statements; a name that is given behind that in the same pipeline stays. */
    void onForgotten(ServerConnection linked) {
        client.statements().clear();
        OutstandingReplies replies = linked.replies();
        for (int i = 1; i < replies.size(); i++) {
            if (replies.subjectAt(i) instanceof SentParse sent) {
                client.statements().put(sent.named());
            }
        }
    }

    /** Sends on an error about a message that went out under another name; false when it may go as it is. */
    boolean onError(
            ServerConnection linked, ErrorResponse error, @Nullable Object subject, ByteBuf bytes, int start, int end) {
        return switch (subject) {
            case NamedStatement(byte[] name, PreparedStatement statement) -> {
                if (isStalePlan(error)) {
                    cache.outdate(statement);
                } else if (error.is(SqlState.INVALID_SQL_STATEMENT_NAME)) {
                    linked.statements().onMissing(statement); // a function, say, has deallocated it
                }
                yield forwardRenamed(bytes, start, end, statement.name(), name);
            }
            case NamingQuery(var _, NamedStatement(byte[] name, PreparedStatement statement), var _) ->
                forwardRenamed(bytes, start, end, statement.name(), name);
            case Renamed(byte[] ours, byte[] theirs) -> forwardRenamed(bytes, start, end, ours, theirs);
            case null, default -> false;
        };
    }

    /** Not the 0A000 of a standby: the routine tells them apart, for messages are translated. */
    private static boolean isStalePlan(ErrorResponse error) {
        return error.is(SqlState.FEATURE_NOT_SUPPORTED) && "RevalidateCachedQuery".equals(error.routine());
    }

    /** Sends an error that names our name for a statement with the client's in its place; false when it names none. */
    private boolean forwardRenamed(ByteBuf bytes, int start, int end, byte[] ours, byte[] theirs) {
        int at = RenamedMessages.find(bytes, start, end, ours);
        if (at < 0) {
            return false;
        }
        answers.giveWithheld();
        RenamedMessages.writeError(client.outbox().writer(), bytes, start, end, at, ours.length, theirs);
        return true;
    }
}
