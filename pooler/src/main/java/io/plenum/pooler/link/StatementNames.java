package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.net.Outbox;
import io.plenum.pooler.server.OutstandingReplies;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.pooler.server.PreparedStatement;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.ServerStatements.Holding;
import io.plenum.routing.Reason;
import io.plenum.wire.FrontendType;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import io.plenum.wire.frontend.BindView;
import io.plenum.wire.frontend.CloseView;
import io.plenum.wire.frontend.DescribeView;
import io.plenum.wire.frontend.ParseView;
import java.nio.charset.StandardCharsets;
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
    private static final byte[] FOREIGN_NAME = "PLENUM_".getBytes(StandardCharsets.US_ASCII);

    /** A statement that is empty, so that its Parse cannot fail: its name is one that is taken. */
    private static final PreparedStatement TAKEN = new PreparedStatement(0, new byte[] {0, 0, 0}, Reason.EMPTY, 0, 0);

    private static final int KEPT_UNNAMED_BYTES = 64 * 1024;

    /** So many changes of the unnamed statement in one pipeline can be undone; a power of two. */
    private static final int MOST_VERSIONS = 4;

    /** Marks a Parse or Close of the client's own unnamed statement. */
    private static final Object UNNAMED = "unnamed";

    /** Marks what we put in front of a message that names the unnamed statement. */
    private static final Object FOR_UNNAMED = "for unnamed";

    /** A Parse that gave a client's name to a statement: undone when it fails. */
    private record NamedParse(NamedStatement named, boolean sent) implements ServerConnection.Preparing {
        @Override
        public PreparedStatement statement() {
            return named.statement();
        }
    }

    /** A Close that took a client's name from a statement: undone when the server never comes to it. */
    private record NamedClose(NamedStatement named) {}

    /** A message went out under another name than the client gave: an error must say the client's. */
    private record Renamed(byte[] ours, byte[] theirs) {}

    /** The text, NUL and parameter types of the unnamed statement, to be parsed again on another server. */
    private static final class Unnamed {
        private byte[] tail = new byte[0];
        private int length;
        private Reason reason = Reason.EMPTY;
        private int traits;
        /** Counts the unnamed statements of the client: another server may still hold an older one. */
        private long stamp;
        /** Whether the server that the client has holds it, or will. */
        private boolean here;

        boolean isKept() {
            return length > 0;
        }

        int textLength() {
            int end = 0;
            while (end < length && tail[end] != 0) {
                end++;
            }
            return end;
        }

        void keep(ByteBuf bytes, int start, int end, Reason reason, int traits) {
            if (tail.length < end - start) {
                tail = new byte[Math.max(64, (end - start) + (end - start) / 2)];
            }
            length = end - start;
            bytes.getBytes(start, tail, 0, length);
            this.reason = reason;
            this.traits = traits;
        }

        void forget() {
            length = 0;
            reason = Reason.NOT_UNDERSTOOD;
            traits = 0;
        }
    }

    private final LinkedClient client;
    private final StatementCache cache;
    private final int maxPrepared;
    private final boolean keepsUnnamed;
    private final ParseView parse = new ParseView();
    private final BindView bind = new BindView();
    private final DescribeView describe = new DescribeView();
    private final CloseView close = new CloseView();

    /** Parse or Close of a name stands in the pipeline and is not answered. */
    private boolean namesInFlight;

    private boolean namedParse;

    /** The unnamed statement, and what it was before the changes of it that are not answered: a ring. */
    private final @Nullable Unnamed[] versions = new Unnamed[MOST_VERSIONS];

    private int version;
    private Unnamed unnamed = version(0);
    /** Changes of the unnamed statement that are not answered; 0 when all are, as far as was looked. */
    private int unnamedInFlight;
    /** We put in front of a message what makes it the client's. */
    private boolean unnamedBrought;

    private long stamp;
    /** The group that parsed it, and so does not depend on others. */
    private long unnamedGroup = -1;

    StatementNames(LinkedClient client, StatementCache cache, int maxPrepared, boolean keepsUnnamed) {
        this.client = client;
        this.cache = cache;
        this.maxPrepared = maxPrepared;
        this.keepsUnnamed = keepsUnnamed;
    }

    /** A link begins: nothing is in flight. */
    void begin() {
        namesInFlight = false;
        namedParse = false;
        unnamedInFlight = 0;
        unnamedBrought = false;
        unnamedGroup = -1;
    }

    /** Whether the client gave a name to a statement in this link. */
    boolean hasNamed() {
        return namedParse;
    }

    Reason unnamedReason() {
        return unnamed.reason;
    }

    // --- from the client -------------------------------------------------------------------------------------------

    /** Shows the Parse to the methods that follow. */
    ParseView parseAt(ByteBuf bytes, int start, int end) {
        parse.at(bytes, start, end);
        return parse;
    }

    /** Whether the text of the Parse shown is kept, and so can be looked at when it is bound. */
    boolean keeps(boolean whole, int end) {
        return isNamed(parse)
                ? maxPrepared > 0
                : whole && keepsUnnamed && end - parse.queryStart() <= KEPT_UNNAMED_BYTES;
    }

    void parse(ServerConnection linked, ByteBuf bytes, int start, int end, boolean kept, Reason reason, int traits) {
        linked.setGroupOpen(true);
        client.stats().clientParses++;
        if (!isNamed(parse)) {
            beforeUnnamedChange(linked);
            if (kept) {
                unnamed.keep(bytes, parse.queryStart(), end, reason, traits);
            } else {
                unnamed.forget();
            }
            unnamedGroup = linked.group();
            client.stats().serverParses++;
            linked.replies().add(Reply.PARSE, Origin.CLIENT, UNNAMED);
            linked.outbox().forward(bytes, start, end);
        } else if (!kept) {
            client.stats().serverParses++;
            linked.replies().add(Reply.PARSE, Origin.CLIENT);
            linked.outbox().forward(bytes, start, end);
        } else {
            parseNamed(linked, bytes, start, end, reason, traits);
        }
    }

    private static boolean isNamed(ParseView parse) {
        return parse.nameStart() != parse.nameEnd();
    }

    private void parseNamed(ServerConnection linked, ByteBuf bytes, int start, int end, Reason reason, int traits) {
        namedParse = true;
        byte[] name = copy(bytes, parse.nameStart(), parse.nameEnd());
        if (client.statements().get(bytes, parse.nameStart(), parse.nameEnd()) != null) {
            // The name is taken: PostgreSQL itself shall say so, in its own words and at its own place.
            ensurePrepared(linked, TAKEN);
            linked.replies().add(Reply.PARSE, Origin.CLIENT, new Renamed(TAKEN.name(), name));
            rename(linked, bytes, start, parse.nameStart(), parse.nameEnd(), end, TAKEN);
            return;
        }
        PreparedStatement statement = cache.intern(
                copy(bytes, parse.queryStart(), end),
                client.database(),
                client.searchPath(),
                reason,
                traits,
                client.judgedBy());
        var named = new NamedStatement(name, statement);
        client.statements().put(named);
        Holding holding = linked.statements().use(statement, linked.links(), linked.group());
        if (holding == Holding.HELD && !mayRefuse(linked)) {
            namesInFlight |= synthesize(linked, Reply.PARSE, new NamedParse(named, false));
            return;
        }
        if (holding != Holding.MISSING) {
            closeOnServer(linked, statement);
        }
        makeRoom(linked);
        statement.writeParse(linked.outbox().writer());
        linked.statements().addByClient(statement, linked.links());
        client.stats().serverParses++;
        namesInFlight = true;
        linked.replies().add(Reply.PARSE, Origin.CLIENT, new NamedParse(named, true));
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

    void bind(ServerConnection linked, @Nullable NamedStatement named, ByteBuf bytes, int start, int end) {
        linked.setGroupOpen(true);
        client.stats().binds++;
        send(linked, Reply.BIND, named, bytes, start, bind.statementStart(), bind.statementEnd(), end);
    }

    void describe(ServerConnection linked, ByteBuf bytes, int start, int end) {
        describe.at(bytes, start, end);
        linked.setGroupOpen(true);
        if (!describe.isStatement()) {
            linked.replies().add(Reply.DESCRIBE_PORTAL, Origin.CLIENT);
            linked.outbox().forward(bytes, start, end);
            return;
        }
        int nameStart = describe.nameStart();
        int nameEnd = describe.nameEnd();
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
            ensurePrepared(linked, named.statement());
            linked.replies().add(reply, Origin.CLIENT, named);
            rename(linked, bytes, start, nameStart, nameEnd, end, named.statement());
        } else if (nameStart == nameEnd || maxPrepared == 0) {
            if (nameStart == nameEnd) {
                ensureUnnamed(linked);
            }
            linked.replies().add(reply, Origin.CLIENT);
            linked.outbox().forward(bytes, start, end);
        } else {
            renameUnknown(linked, reply, bytes, start, nameStart, nameEnd, end);
        }
    }

    void close(ServerConnection linked, ByteBuf bytes, int start, int end) {
        close.at(bytes, start, end);
        linked.setGroupOpen(true);
        boolean unnamedStatement = close.isStatement() && close.nameStart() == close.nameEnd();
        if (close.isStatement() && !unnamedStatement && maxPrepared > 0 && !linked.isInCopyIn()) {
            // The statement stays on the server for others; only this client's name for it goes.
            NamedStatement named = client.statements().get(bytes, close.nameStart(), close.nameEnd());
            if (named != null) {
                client.statements().remove(named.name());
            }
            namesInFlight |= synthesize(linked, Reply.CLOSE, named == null ? null : new NamedClose(named));
            return;
        }
        if (unnamedStatement) {
            forgetUnnamed(linked);
        }
        linked.replies().add(Reply.CLOSE, Origin.CLIENT, unnamedStatement ? UNNAMED : null);
        linked.outbox().forward(bytes, start, end);
    }

    /** A simple Query is about to be sent, which ends the unnamed statement before it runs. */
    void query(ServerConnection linked) {
        forgetUnnamed(linked);
    }

    /**
     * Whether a message must wait until what was sent before it is answered: what it names was given or taken by an earlier
     * group of the pipeline, and whether that group comes so far is not known yet.
     */
    boolean mustWait(ServerConnection linked, FrontendType type, ByteBuf bytes, int start, int end) {
        OutstandingReplies replies = linked.replies();
        if (replies.isEmpty()) {
            namesInFlight = false;
            unnamedInFlight = 0;
            unnamedBrought = false;
            return false;
        }
        if (!namesInFlight && unnamedInFlight == 0 && !unnamedBrought) {
            return false;
        }
        try {
            return switch (type) {
                case PARSE -> {
                    parse.at(bytes, start, end);
                    yield isNamed(parse) && isNameInFlight(replies, true, bytes, parse.nameStart(), parse.nameEnd());
                }
                case BIND -> {
                    bind.at(bytes, start, end);
                    yield isInFlight(linked, bytes, bind.statementStart(), bind.statementEnd());
                }
                case DESCRIBE -> {
                    describe.at(bytes, start, end);
                    yield describe.isStatement() && isInFlight(linked, bytes, describe.nameStart(), describe.nameEnd());
                }
                case CLOSE -> {
                    close.at(bytes, start, end);
                    yield close.isStatement()
                            && close.nameStart() != close.nameEnd()
                            && isNameInFlight(replies, true, bytes, close.nameStart(), close.nameEnd());
                }
                default -> false;
            };
        } catch (ProtocolException malformed) {
            return false; // PostgreSQL will say so
        }
    }

    private boolean isInFlight(ServerConnection linked, ByteBuf bytes, int nameStart, int nameEnd) {
        if (nameStart != nameEnd) {
            return isNameInFlight(linked.replies(), false, bytes, nameStart, nameEnd);
        }
        return keepsUnnamed
                && (unnamedInFlight > 0 || unnamedBrought)
                && unnamedGroup != linked.group()
                && linked.replies().owesReady();
    }

    /**
     * Whether an earlier group gives or takes the name. A message that only uses it may go behind a Parse that was sent, for
     * where that fails it fails too; one that {@code changes} it may not.
     */
    private boolean isNameInFlight(
            OutstandingReplies replies, boolean changes, ByteBuf bytes, int nameStart, int nameEnd) {
        boolean earlier = false;
        for (int i = replies.size() - 1; namesInFlight && i >= 0; i--) {
            earlier |= replies.replyAt(i).endsWithReady();
            if (!earlier) {
                continue;
            }
            NamedStatement named = switch (replies.subjectAt(i)) {
                case NamedClose closing -> closing.named();
                case NamedParse parsing when changes || !parsing.sent() -> parsing.named();
                case null, default -> null;
            };
            if (named != null && isName(named.name(), bytes, nameStart, nameEnd)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isName(byte[] name, ByteBuf bytes, int start, int end) {
        return end - start == name.length
                && ByteBufUtil.equals(bytes, start, Unpooled.wrappedBuffer(name), 0, name.length);
    }

    // --- names -----------------------------------------------------------------------------------------------------

    /** Puts our Parse in front of a message that names a statement which this server does not hold for certain. */
    private void ensurePrepared(ServerConnection linked, PreparedStatement statement) {
        Holding holding = linked.statements().use(statement, linked.links(), linked.group());
        if (holding == Holding.HELD) {
            return;
        }
        if (holding == Holding.DOUBTFUL) {
            closeOnServer(linked, statement); // no error where there is none
        }
        makeRoom(linked);
        statement.writeParse(linked.outbox().writer());
        linked.statements().add(statement, linked.links(), linked.group());
        linked.replies().add(Reply.PARSE, Origin.INJECTED, statement);
        client.stats().serverParses++;
    }

    /** Closes what was used longest ago, in order in the same pipeline, before one more is parsed. */
    private void makeRoom(ServerConnection linked) {
        PreparedStatement out = linked.statements().eldestAbove(maxPrepared - 1, linked.links());
        if (out != null) {
            closeOnServer(linked, out);
        }
    }

    private static void closeOnServer(ServerConnection linked, PreparedStatement statement) {
        statement.writeClose(linked.outbox().writer());
        linked.statements().remove(statement);
        linked.replies().add(Reply.CLOSE, Origin.INJECTED, statement);
    }

    private static void rename(
            ServerConnection linked,
            ByteBuf bytes,
            int start,
            int nameStart,
            int nameEnd,
            int end,
            PreparedStatement statement) {
        Outbox outbox = linked.outbox();
        int grown = statement.nameLength() - (nameEnd - nameStart);
        ByteBuf out = outbox.writer();
        out.writeByte(bytes.getByte(start)).writeInt(bytes.getInt(start + 1) + grown);
        out.writeBytes(bytes, start + 5, nameStart - start - 5); // the portal's name, or the S of Describe
        statement.writeName(out);
        if (nameEnd + 1 < end) {
            outbox.forward(bytes, nameEnd + 1, end);
        }
    }

    /** A name the client never prepared goes as it is, unless it looks like one of ours: those it must not reach. */
    private static void renameUnknown(
            ServerConnection linked, Reply reply, ByteBuf bytes, int start, int nameStart, int nameEnd, int end) {
        boolean ours = nameEnd - nameStart >= FOREIGN_NAME.length;
        for (int i = 0; ours && i < FOREIGN_NAME.length; i++) {
            ours = bytes.getByte(nameStart + i) == FOREIGN_NAME[i];
        }
        if (!ours) {
            linked.replies().add(reply, Origin.CLIENT);
            linked.outbox().forward(bytes, start, end);
            return;
        }
        byte[] theirs = copy(bytes, nameStart, nameEnd);
        byte[] sent = new byte[theirs.length + 1];
        sent[0] = '_';
        System.arraycopy(theirs, 0, sent, 1, theirs.length);
        linked.replies().add(reply, Origin.CLIENT, new Renamed(sent, theirs));
        ByteBuf out = linked.outbox().writer();
        out.writeByte(bytes.getByte(start)).writeInt(bytes.getInt(start + 1) + 1);
        out.writeBytes(bytes, start + 5, nameStart - start - 5).writeByte('_');
        linked.outbox().forward(bytes, nameStart, end);
    }

    /** Whether the reply has to wait for its turn. */
    private boolean synthesize(ServerConnection linked, Reply reply, @Nullable Object subject) {
        if (linked.replies().isEmpty()) {
            answer(reply);
            return false;
        }
        linked.replies().add(reply, Origin.SYNTHETIC, subject);
        return true;
    }

    /** Answers in the server's place. */
    void answer(Reply reply) {
        client.outbox()
                .writer()
                .writeByte(reply == Reply.PARSE ? '1' : '3') // ParseComplete, CloseComplete
                .writeInt(4);
    }

    private static byte[] copy(ByteBuf bytes, int start, int end) {
        byte[] copy = new byte[end - start];
        bytes.getBytes(start, copy);
        return copy;
    }

    // --- the unnamed statement -------------------------------------------------------------------------------------

    private Unnamed version(int at) {
        Unnamed made = versions[at & (MOST_VERSIONS - 1)];
        if (made == null) {
            made = new Unnamed();
            versions[at & (MOST_VERSIONS - 1)] = made;
        }
        return made;
    }

    private void beforeUnnamedChange(ServerConnection linked) {
        if (unnamedInFlight == 0 || linked.replies().isEmpty()) {
            unnamed.here = linked.holdsUnnamed(client, unnamed.stamp);
            unnamedInFlight = 0;
        }
        unnamedInFlight++;
        version++;
        stamp++;
        unnamed = version(version);
        unnamed.stamp = stamp;
        unnamed.here = true;
        linked.setUnnamed(client, stamp);
    }

    private void forgetUnnamed(ServerConnection linked) {
        beforeUnnamedChange(linked);
        unnamed.forget();
    }

    /** A change of it was skipped; or failed, and then PostgreSQL has none. */
    private void undoUnnamedChange(ServerConnection linked, boolean failed) {
        if (isChangedBehind(linked.replies())) {
            unnamedInFlight =
                    MOST_VERSIONS; // it is what the younger one makes it; if that is skipped too, nobody knows
            return;
        }
        if (failed || unnamedInFlight == 0 || unnamedInFlight >= MOST_VERSIONS) {
            unnamed.forget();
            linked.forgetUnnamed();
            return;
        }
        unnamedInFlight--;
        version--;
        unnamed = version(version);
        if (unnamed.here) {
            linked.setUnnamed(client, unnamed.stamp);
        } else {
            linked.forgetUnnamed();
        }
    }

    /** Whether a younger group of the pipeline, which is not skipped, changes the unnamed statement. */
    private static boolean isChangedBehind(OutstandingReplies replies) {
        for (int i = replies.indexOf(Reply.SYNC); i < replies.size(); i++) {
            if (replies.replyAt(i) == Reply.QUERY || replies.subjectAt(i) == UNNAMED) {
                return true;
            }
        }
        return false;
    }

    /** The text of the unnamed statement, to be looked at; null when it is not kept. */
    @Nullable
    ByteBuf unnamedText() {
        return unnamed.isKept() ? Unpooled.wrappedBuffer(unnamed.tail, 0, unnamed.textLength()) : null;
    }

    int unnamedTraits() {
        return unnamed.traits;
    }

    /**
     * The unnamed statement lives on the server that parsed it; on another one it is parsed again first. A client that has
     * none must not find another's, or one of ours: that is closed first.
     */
    private void ensureUnnamed(ServerConnection linked) {
        if (linked.holdsUnnamed(client, unnamed.stamp) || !keepsUnnamed) {
            return;
        }
        unnamedBrought = true; // what is behind its group must wait for it
        unnamedGroup = linked.group();
        linked.setUnnamed(client, unnamed.stamp);
        ByteBuf out = linked.outbox().writer();
        if (unnamed.isKept()) {
            out.writeByte('P')
                    .writeInt(4 + 1 + unnamed.length)
                    .writeByte(0)
                    .writeBytes(unnamed.tail, 0, unnamed.length);
            linked.replies().add(Reply.PARSE, Origin.INJECTED, FOR_UNNAMED);
            client.stats().serverParses++;
        } else {
            out.writeByte('C').writeInt(4 + 2).writeByte('S').writeByte(0);
            linked.replies().add(Reply.CLOSE, Origin.INJECTED, FOR_UNNAMED);
        }
    }

    // --- from the server -------------------------------------------------------------------------------------------

    /** A message will not be answered: what it did to names is undone. */
    void onUnanswered(ServerConnection linked, Reply reply, @Nullable Object subject, boolean itself) {
        switch (subject) {
            case NamedParse parsed -> {
                client.statements().remove(parsed.named().name());
                if (parsed.sent()) {
                    linked.statements().remove(parsed.statement());
                }
            }
            case NamedClose closed -> client.statements().put(closed.named());
            case PreparedStatement statement
            when reply == Reply.PARSE -> linked.statements().remove(statement);
            case PreparedStatement statement
            when reply == Reply.CLOSE -> linked.statements().addAgain(statement, linked.links());
            case null, default -> {
                if (subject == UNNAMED || reply == Reply.QUERY) {
                    undoUnnamedChange(linked, itself && reply == Reply.PARSE);
                } else if (subject == FOR_UNNAMED) {
                    linked.forgetUnnamed();
                }
            }
        }
    }

    /** The client changed the schema. */
    void onSchemaChange() {
        cache.onSchemaChange();
    }

    /** The server forgot all statements; what was parsed behind that in the same pipeline stays. */
    void onForgotten(ServerConnection linked) {
        client.statements().clear();
        OutstandingReplies replies = linked.replies();
        for (int i = 1; i < replies.size(); i++) {
            if (replies.replyAt(i) != Reply.PARSE) {
                continue;
            }
            if (replies.subjectAt(i) instanceof NamedParse parsed) {
                client.statements().put(parsed.named());
                linked.statements().addByClient(parsed.statement(), linked.links());
            } else if (replies.subjectAt(i) instanceof PreparedStatement statement) {
                linked.statements().add(statement, linked.links(), linked.group());
            }
        }
    }

    /** Sends on an error about a message that went out under another name; false when it may go as it is. */
    boolean onError(ErrorResponse error, @Nullable Object subject, ByteBuf bytes, int start, int end) {
        return switch (subject) {
            case NamedStatement(byte[] name, PreparedStatement statement) -> {
                if (isStalePlan(error)) {
                    cache.outdate(statement);
                }
                yield forwardRenamed(bytes, start, end, statement.name(), name);
            }
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
        int last = end - ours.length - 1;
        int at = start + 5;
        while (at <= last && !isAt(bytes, at, ours)) {
            at++;
        }
        if (at > last || bytes.getInt(start + 1) != end - start - 1) {
            return false; // also when only the first part of a very long error is at hand
        }
        ByteBuf out = client.outbox().writer();
        out.writeByte(bytes.getByte(start)).writeInt(bytes.getInt(start + 1) + theirs.length - ours.length);
        out.writeBytes(bytes, start + 5, at - start - 5).writeBytes(theirs);
        out.writeBytes(bytes, at + ours.length, end - at - ours.length);
        return true;
    }

    /** Whether the name stands here, and not as the beginning of a longer one. */
    private static boolean isAt(ByteBuf bytes, int at, byte[] name) {
        for (int i = 0; i < name.length; i++) {
            if (bytes.getByte(at + i) != name[i]) {
                return false;
            }
        }
        byte next = bytes.getByte(at + name.length);
        return next < '0' || next > '9';
    }
}
