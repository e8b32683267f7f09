package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.net.Outbox;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.server.OutstandingReplies;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.pooler.server.PreparedStatement;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.routing.Reason;
import io.plenum.routing.Target;
import io.plenum.routing.Traits;
import io.plenum.wire.FrontendType;
import io.plenum.wire.Limits;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.backend.BackendMessages;
import io.plenum.wire.backend.CommandTag;
import io.plenum.wire.backend.DataRow;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import io.plenum.wire.frontend.BindView;
import io.plenum.wire.frontend.CloseView;
import io.plenum.wire.frontend.DescribeView;
import io.plenum.wire.frontend.FrontendMessages;
import io.plenum.wire.frontend.ParseView;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One client on one server, from the first message of a transaction to the ReadyForQuery that ends it.
 *
 * <p>Made once per client and used for every link of it. The way in: {@link #onMessage} for each of the client's
 * messages; the way back: the methods of {@link ServerConnection.Reader}. The server is given back only when it is provably
 * clean ({@link #releaseIfClean}). Confined to the event loop that client and server share.
 */
public final class Link implements ServerConnection.Reader {
    /** When the server goes back. */
    public enum Mode {
        SESSION,
        TRANSACTION,
        STATEMENT
    }

    private static final byte[] FOREIGN_NAME = "PLENUM_".getBytes(StandardCharsets.US_ASCII);
    private static final int MOST_FORMER_NAMES = 64;
    private static final int KEPT_UNNAMED_BYTES = 64 * 1024;
    private static final Object SETTINGS = "settings";
    private static final String OWN_NAME = "PLENUM_";

    /** Marks a group of ours that has its own Sync: its failure is no answer to the client. */
    private static final Object ALONE = "alone";

    /** As many bytes of the statement that pinned a client are kept for SHOW PINS. */
    private static final int MOST_SHOWN_BYTES = 200;

    /** Marks a Parse of the client's own unnamed statement. */
    private static final Object UNNAMED = "unnamed";

    /** Marks what we put in front of a message that names the unnamed statement. */
    private static final Object FOR_UNNAMED = "for unnamed";

    /** A Parse that gave a client's name to a statement: undone when it fails. */
    private record NamedParse(byte[] name, PreparedStatement statement, boolean sent) {}

    /** A Close that took a client's name from a statement: undone when the server never comes to it. */
    private record NamedClose(byte[] name, PreparedStatement statement) {}

    /** A message went out under another name than the client gave: an error must say the client's. */
    private record Renamed(byte[] ours, byte[] theirs) {}

    private final LinkedClient client;
    private final StatementCache cache;
    private final int maxPrepared;
    private final ParseView parse = new ParseView();
    private final BindView bind = new BindView();
    private final DescribeView describe = new DescribeView();
    private final CloseView close = new CloseView();

    private Mode mode;
    private @Nullable ServerConnection server;
    private @Nullable Pool pool;
    private @Nullable Reason pin;
    /** The pin ends with the client, for nothing tells when what it stands for is gone. */
    private boolean pinLasts;

    private @Nullable SessionTrace trace;
    private boolean ranUnknownCode;
    private boolean mayHaveNotified;
    private boolean readyWithheld;
    private long pinnedSinceNanos;
    private String pinnedBy = "";
    private long countedBytes;
    private boolean midMessage;
    private boolean read;
    private boolean heardNothing;
    private long clientBytesBefore;
    private boolean namedParse;
    private boolean closedInPipeline;
    private boolean outOfStep;
    private boolean heardFatal;
    private boolean resetting;
    private @Nullable SessionSettings discarded;
    private @Nullable List<Renamed> formerNames;
    private boolean serverHeld;
    private long linkedSinceNanos;
    private long transactionSinceNanos;
    private long querySinceNanos;

    private byte @Nullable [] unnamed;
    private int unnamedLength;
    private Reason unnamedReason = Reason.EMPTY;
    private int unnamedTraits;

    /** {@code maxPrepared} statements are kept on a server; 0 leaves names as the client chose them. */
    public Link(LinkedClient client, StatementCache cache, int maxPrepared, Mode mode) {
        this.client = client;
        this.cache = cache;
        this.maxPrepared = mode == Mode.SESSION ? 0 : maxPrepared;
        this.mode = mode;
    }

    // --- beginning and end -----------------------------------------------------------------------------------------

    /** Takes the server for the client; {@code read} says that all the client has sent so far are proven reads. */
    public void begin(Pool pool, ServerConnection server, boolean read, long nowNanos) {
        this.pool = pool;
        this.server = server;
        this.read = read;
        heardNothing = true;
        clientBytesBefore = client.outbox().hasUnsent() ? -1 : client.outbox().bytes();
        namedParse = false;
        closedInPipeline = false;
        outOfStep = false;
        heardFatal = false;
        resetting = false;
        ranUnknownCode = false;
        discarded = null;
        formerNames = null;
        midMessage = false;
        linkedSinceNanos = nowNanos;
        transactionSinceNanos = nowNanos;
        querySinceNanos = nowNanos;
        server.attach(this);
        if (!client.isWritable()) {
            holdServer(true); // it still has to take what another server sent
        }
        client.stats().assignments++;
        SessionSettings wanted = client.settings();
        SessionSettings actual = server.settings();
        if (actual != wanted) {
            if (actual.equals(wanted)) {
                server.assumeSettings(wanted); // the next comparison is one of references
            } else {
                bringSettingsInStep(server, actual, wanted);
            }
        }
    }

    public boolean isOpen() {
        return server != null;
    }

    public @Nullable ServerConnection server() {
        return server;
    }

    /** Why the client keeps its server beyond the transaction; null when it does not. */
    public @Nullable Reason pin() {
        return pin;
    }

    public long pinnedSinceNanos() {
        return pinnedSinceNanos;
    }

    public long linkedSinceNanos() {
        return linkedSinceNanos;
    }

    public long querySinceNanos() {
        return querySinceNanos;
    }

    /** Whether the link is one of reads on a standby and the server has not opened a transaction for them. */
    public boolean isRead() {
        return read;
    }

    /** The beginning of the statement that {@link #pin() pinned} the client. */
    public String pinnedBy() {
        return pinnedBy;
    }

    /** Replies that are still owed. */
    public int outstanding() {
        ServerConnection linked = server;
        return linked == null ? 0 : linked.replies().size();
    }

    /** Whether the client waits for an answer; what we ask for ourselves does not count. */
    public boolean runsForClient() {
        ServerConnection linked = server;
        return linked != null && linked.replies().owesClient();
    }

    /** Whether the server that the client has is in no transaction. */
    public boolean isBetweenTransactions() {
        ServerConnection linked = server;
        return linked == null || (linked.status() == TransactionStatus.IDLE && !linked.isGroupOpen());
    }

    /** Whether the server is at something of ours, which no cancel of the client's must hit. */
    public boolean runsOwn() {
        ServerConnection linked = server;
        return linked != null && !linked.replies().isEmpty() && linked.replies().headOrigin() == Origin.INJECTED;
    }

    private void releaseIfClean() {
        ServerConnection linked = server;
        if (linked == null || mode == Mode.SESSION) {
            return;
        }
        if (!linked.isQuiet() || midMessage || linked.outbox().hasUnsent()) {
            return;
        }
        SessionTrace open = trace;
        if (open != null && open.isOpen() && open.ask(linked)) {
            linked.outbox().flush();
        } else if (pin == null) {
            giveBack(end(linked), linked, false);
            client.onReleased();
        } else {
            resumeKept(linked);
        }
    }

    /** A client that keeps its server finds there what a session of its own would have gone back to. */
    private void resumeKept(ServerConnection linked) {
        SessionSettings wanted = client.settings();
        if (!linked.settings().equals(wanted)) {
            bringSettingsInStep(linked, linked.settings(), wanted);
            linked.outbox().flush();
        }
    }

    private void giveBack(Pool home, ServerConnection linked, boolean unsettled) {
        if (home.settings().resetAlways()) {
            home.releaseWithReset(linked);
        } else if (unsettled || home.settings().scrub().isDue(ranUnknownCode)) {
            home.releaseWithScrub(linked);
        } else {
            home.release(linked);
        }
    }

    /** The client is gone or is closed by us: what becomes of its server depends on where the server stands. */
    public void onClientGone() {
        ServerConnection linked = server;
        if (linked == null) {
            return;
        }
        boolean boundary = !midMessage
                && linked.replies().isEmpty()
                && !linked.isSkippingToSync()
                && !linked.isInCopyIn()
                && !linked.isClosed()
                && !linked.outbox().hasUnsent();
        boolean pinned = pin != null;
        boolean unsettled = trace != null && trace.isOpen(); // what its statements changed will not be asked any more
        linked.outbox().discard();
        Pool home = end(linked);
        if (boundary && !pinned && linked.isQuiet()) {
            if (mode == Mode.SESSION) {
                home.releaseWithReset(linked);
            } else {
                giveBack(home, linked, unsettled);
            }
        } else if (boundary && !pinned && mode != Mode.SESSION) {
            home.releaseWithRollback(linked);
        } else {
            linked.close();
            home.release(linked);
        }
    }

    private Pool end(ServerConnection linked) {
        Pool home = pool();
        holdServer(false);
        client.setReadable(true);
        linked.detach();
        server = null;
        pool = null;
        if (trace != null) {
            trace.forget();
        }
        unpin(home);
        return home;
    }

    private void unpin(Pool home) {
        if (pin != null) {
            pin = null;
            pinLasts = false;
            home.unpin();
        }
    }

    // --- from the client -------------------------------------------------------------------------------------------

    /**
     * Sends one message of the client on, renamed where names are ours, and notes the reply that it is owed.
     *
     * @param end behind the last byte that is present; {@code whole} is false for the head of a large message, whose rest
     *     comes by {@link #onPiece}
     * @param reason what the statement of a Query or Parse is
     * @param traits what more there is to it
     * @return false when nothing was sent: the message is to be shown again when the client's channels are there, or the client
     *     was refused and is gone
     */
    public boolean onMessage(
            FrontendType type, ByteBuf bytes, int start, int end, boolean whole, Reason reason, int traits) {
        ServerConnection linked = linked();
        midMessage = !whole;
        if (linked.isSkippingToSync() && type != FrontendType.SYNC) {
            linked.outbox().forward(bytes, start, end); // the server drops it, as it would have on its own
            return true;
        }
        OutstandingReplies replies = linked.replies();
        switch (type) {
            case QUERY -> {
                if (!note(linked, reason, traits, bytes, start + Limits.HEADER, whole ? end - 1 : end)) {
                    return false;
                }
                if (linked.isGroupOpen() && linked.status() == TransactionStatus.IDLE) {
                    // PostgreSQL 17 and 18 mix up their transaction state at the Sync behind this, and fail the next
                    // statement.
                    linked.setCloseWhenReleased();
                }
                linked.setGroupOpen(false);
                forgetUnnamed(linked); // PostgreSQL does, before it runs the text
                replies.add(Reply.QUERY, Origin.CLIENT);
                client.stats().queries++;
                forward(linked, bytes, start, end);
            }
            case PARSE -> {
                return onParse(linked, bytes, start, end, whole, reason, traits);
            }
            case BIND -> {
                return onBind(linked, bytes, start, end);
            }
            case DESCRIBE -> onDescribe(linked, bytes, start, end);
            case EXECUTE -> {
                linked.setGroupOpen(true);
                replies.add(Reply.EXECUTE, Origin.CLIENT);
                client.stats().queries++;
                forward(linked, bytes, start, end);
            }
            case CLOSE -> onClose(linked, bytes, start, end);
            case SYNC -> {
                linked.setSkippingToSync(false);
                // Manual, "COPY Operations": Sync is ignored during copy-in, which CopyDone or CopyFail ends.
                if (!linked.isInCopyIn() || replies.indexOf(Reply.COPY_END) < replies.size()) {
                    linked.setGroupOpen(false);
                    replies.add(Reply.SYNC, Origin.CLIENT);
                }
                forward(linked, bytes, start, end);
            }
            case FUNCTION_CALL -> {
                ranUnknownCode = true;
                linked.noteSequencesOf(client);
                linked.setGroupOpen(false);
                replies.add(Reply.FUNCTION_CALL, Origin.CLIENT);
                forward(linked, bytes, start, end);
            }
            case COPY_DONE, COPY_FAIL -> {
                if (!replies.isEmpty()) {
                    replies.add(Reply.COPY_END, Origin.CLIENT);
                }
                forward(linked, bytes, start, end);
            }
            case COPY_DATA, FLUSH -> forward(linked, bytes, start, end);
            case TERMINATE, PASSWORD -> throw new IllegalStateException("not for a server: " + type);
        }
        return true;
    }

    /**
     * Whether a message must wait for what was sent before: it names a statement whose Close stands in an earlier group of
     * the pipeline, and whether that runs or is skipped is not known yet.
     */
    public boolean mustWait(FrontendType type, ByteBuf bytes, int start, int end) {
        if (!closedInPipeline) {
            return false;
        }
        OutstandingReplies replies = linked().replies();
        closedInPipeline = !replies.isEmpty();
        boolean ready = false;
        for (int i = replies.size() - 1; i >= 0; i--) {
            ready |= replies.replyAt(i).endsWithReady();
            if (ready
                    && replies.subjectAt(i) instanceof NamedClose closing
                    && isNamed(closing.name(), type, bytes, start, end)) {
                return true;
            }
        }
        return false;
    }

    private boolean isNamed(byte[] name, FrontendType type, ByteBuf bytes, int start, int end) {
        try {
            return isNamedInWellFormed(name, type, bytes, start, end);
        } catch (ProtocolException malformed) {
            return false;
        }
    }

    private boolean isNamedInWellFormed(byte[] name, FrontendType type, ByteBuf bytes, int start, int end) {
        return switch (type) {
            case PARSE -> {
                parse.at(bytes, start, end);
                yield equal(name, bytes, parse.nameStart(), parse.nameEnd());
            }
            case BIND -> {
                bind.at(bytes, start, end);
                yield equal(name, bytes, bind.statementStart(), bind.statementEnd());
            }
            case DESCRIBE -> {
                describe.at(bytes, start, end);
                yield describe.isStatement() && equal(name, bytes, describe.nameStart(), describe.nameEnd());
            }
            default -> false;
        };
    }

    private static boolean equal(byte[] name, ByteBuf bytes, int start, int end) {
        return end - start == name.length
                && ByteBufUtil.equals(bytes, start, Unpooled.wrappedBuffer(name), 0, name.length);
    }

    /** Sends on a whole message whose body is not what its type says: an error is what it will be answered with. */
    public void onMalformed(FrontendType type, ByteBuf bytes, int start, int end) {
        ServerConnection linked = linked();
        linked.replies()
                .add(
                        switch (type) {
                            case PARSE -> Reply.PARSE;
                            case BIND -> Reply.BIND;
                            case DESCRIBE -> Reply.DESCRIBE_STATEMENT;
                            case CLOSE -> Reply.CLOSE;
                            default -> throw new IllegalStateException("not looked into: " + type);
                        },
                        Origin.CLIENT);
        linked.setGroupOpen(true);
        forward(linked, bytes, start, end);
    }

    /** Sends on more of a large message. */
    public void onPiece(ByteBuf bytes, int start, int end, boolean last) {
        midMessage = !last;
        linked().outbox().forward(bytes, start, end);
    }

    /** Sends what was given since the last call. */
    public void flushToServer() {
        ServerConnection linked = server;
        if (linked != null) {
            linked.outbox().flush();
        }
    }

    /** Stops reading the server while the client takes nothing, or goes on. */
    public void holdServer(boolean hold) {
        ServerConnection linked = server;
        if (linked != null && hold != serverHeld) {
            serverHeld = hold;
            linked.channel().config().setAutoRead(!hold);
        }
    }

    private static void forward(ServerConnection linked, ByteBuf bytes, int start, int end) {
        linked.outbox().forward(bytes, start, end);
    }

    private boolean onParse(
            ServerConnection linked, ByteBuf bytes, int start, int end, boolean whole, Reason reason, int traits) {
        parse.at(bytes, start, end);
        boolean named = parse.nameStart() != parse.nameEnd();
        boolean kept = named ? maxPrepared > 0 : whole && mayKeepUnnamed(end - parse.queryStart());
        // What is not kept is not there to be looked at when it is bound.
        if (!kept && !note(linked, reason, traits, bytes, parse.queryStart(), parse.queryEnd())) {
            return false;
        }
        if (client.isListening() && reason == Reason.NODE_LOCAL && !linked.isGroupOpen()) {
            listenHere(linked); // as a group of its own, so that the statement sees it
        }
        linked.setGroupOpen(true);
        client.stats().clientParses++;
        if (!named) {
            if (kept) {
                rememberUnnamed(linked, bytes, parse.queryStart(), end, reason, traits);
            } else {
                forgetUnnamed(linked);
            }
            client.stats().serverParses++;
            linked.replies().add(Reply.PARSE, Origin.CLIENT, UNNAMED);
            forward(linked, bytes, start, end);
            return true;
        }
        if (!kept) {
            client.stats().serverParses++;
            linked.replies().add(Reply.PARSE, Origin.CLIENT);
            forward(linked, bytes, start, end);
            return true;
        }
        namedParse = true;
        byte[] name = copy(bytes, parse.nameStart(), parse.nameEnd());
        PreparedStatement before = client.statements().get(bytes, parse.nameStart(), parse.nameEnd());
        if (before != null) {
            // The name is taken: PostgreSQL itself shall say so, in its own words and at its own place.
            ensurePrepared(linked, before);
            linked.replies().add(Reply.PARSE, Origin.CLIENT, new Renamed(before.name(), name));
            rename(linked, bytes, start, parse.nameStart(), parse.nameEnd(), end, before);
            return true;
        }
        PreparedStatement statement = cache.intern(copy(bytes, parse.queryStart(), end), reason, traits);
        client.statements().put(name, statement);
        if (linked.statements().use(statement, linked.links())) {
            if (!mayRefuse(linked)) {
                synthesize(linked, Reply.PARSE, new NamedParse(name, statement, false));
                return true;
            }
            closeOnServer(linked, statement);
        }
        makeRoom(linked);
        statement.writeParse(linked.outbox().writer());
        linked.statements().add(statement, linked.links());
        client.stats().serverParses++;
        linked.replies().add(Reply.PARSE, Origin.CLIENT, new NamedParse(name, statement, true));
        return true;
    }

    /** Whether the server may be in a failed transaction when it comes to the next message, and refuse what we would grant. */
    private static boolean mayRefuse(ServerConnection linked) {
        return linked.status() == TransactionStatus.FAILED || linked.replies().owesReady();
    }

    private boolean onBind(ServerConnection linked, ByteBuf bytes, int start, int end) {
        bind.at(bytes, start, end);
        int nameStart = bind.statementStart();
        int nameEnd = bind.statementEnd();
        boolean unnamed = nameStart == nameEnd;
        boolean known = !unnamed && maxPrepared > 0;
        PreparedStatement statement = known ? client.statements().get(bytes, nameStart, nameEnd) : null;
        if (unnamed ? !noteUnnamed(linked) : statement != null && !noteNamed(linked, statement)) {
            return false;
        }
        linked.setGroupOpen(true);
        client.stats().binds++;
        if (!known) {
            if (unnamed) {
                ensureUnnamed(linked);
            }
            linked.replies().add(Reply.BIND, Origin.CLIENT);
            forward(linked, bytes, start, end);
        } else if (statement == null) {
            renameUnknown(linked, Reply.BIND, bytes, start, nameStart, nameEnd, end);
        } else {
            ensurePrepared(linked, statement);
            linked.replies().add(Reply.BIND, Origin.CLIENT, statement);
            rename(linked, bytes, start, nameStart, nameEnd, end, statement);
        }
        return true;
    }

    private void onDescribe(ServerConnection linked, ByteBuf bytes, int start, int end) {
        describe.at(bytes, start, end);
        linked.setGroupOpen(true);
        if (!describe.isStatement()) {
            linked.replies().add(Reply.DESCRIBE_PORTAL, Origin.CLIENT);
            forward(linked, bytes, start, end);
            return;
        }
        int nameStart = describe.nameStart();
        int nameEnd = describe.nameEnd();
        if (maxPrepared == 0 || nameStart == nameEnd) {
            if (nameStart == nameEnd) {
                ensureUnnamed(linked);
            }
            linked.replies().add(Reply.DESCRIBE_STATEMENT, Origin.CLIENT);
            forward(linked, bytes, start, end);
            return;
        }
        PreparedStatement statement = client.statements().get(bytes, nameStart, nameEnd);
        if (statement == null) {
            renameUnknown(linked, Reply.DESCRIBE_STATEMENT, bytes, start, nameStart, nameEnd, end);
            return;
        }
        ensurePrepared(linked, statement);
        linked.replies().add(Reply.DESCRIBE_STATEMENT, Origin.CLIENT, statement);
        rename(linked, bytes, start, nameStart, nameEnd, end, statement);
    }

    private void onClose(ServerConnection linked, ByteBuf bytes, int start, int end) {
        close.at(bytes, start, end);
        linked.setGroupOpen(true);
        boolean named = close.nameStart() != close.nameEnd();
        if (close.isStatement() && named && maxPrepared > 0) {
            // The statement stays on the server for others; only this client's name for it goes.
            PreparedStatement statement = client.statements().get(bytes, close.nameStart(), close.nameEnd());
            NamedClose undo = null;
            if (statement != null) {
                undo = new NamedClose(copy(bytes, close.nameStart(), close.nameEnd()), statement);
                client.statements().remove(undo.name());
                if (!linked.replies().isEmpty()) {
                    closedInPipeline = true;
                    remember(undo.name(), statement); // an error that is on its way may name it
                }
            }
            synthesize(linked, Reply.CLOSE, undo);
            return;
        }
        if (close.isStatement() && !named) {
            forgetUnnamed(linked);
        }
        linked.replies().add(Reply.CLOSE, Origin.CLIENT);
        forward(linked, bytes, start, end);
    }

    // --- names -----------------------------------------------------------------------------------------------------

    /** Puts our Parse in front of a message that names a statement which this server does not hold. */
    private void ensurePrepared(ServerConnection linked, PreparedStatement statement) {
        if (linked.statements().use(statement, linked.links())) {
            return;
        }
        makeRoom(linked);
        statement.writeParse(linked.outbox().writer());
        linked.statements().add(statement, linked.links());
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
            forward(linked, bytes, start, end);
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

    private boolean mayKeepUnnamed(int length) {
        return length <= KEPT_UNNAMED_BYTES && mode != Mode.SESSION;
    }

    private void rememberUnnamed(
            ServerConnection linked, ByteBuf bytes, int tailStart, int end, Reason reason, int traits) {
        int length = end - tailStart;
        byte[] kept = unnamed;
        if (kept == null || kept.length < length) {
            kept = new byte[Math.max(64, length + length / 2)];
            unnamed = kept;
        }
        bytes.getBytes(tailStart, kept, 0, length);
        unnamedLength = length;
        unnamedReason = reason;
        unnamedTraits = traits;
        linked.setUnnamedOwner(client);
    }

    private void forgetUnnamed(ServerConnection linked) {
        unnamedLength = 0;
        unnamedReason = Reason.NOT_UNDERSTOOD;
        unnamedTraits = 0; // noted when it was parsed
        linked.setUnnamedOwner(client);
    }

    /** What the unnamed statement of this client is, for a batch that binds it without parsing it. */
    public Reason unnamedReason() {
        return unnamedReason;
    }

    /**
     * The unnamed statement lives on the server that parsed it; on another one it is parsed again first. A client that has
     * none must not find another's: that is closed first.
     */
    private void ensureUnnamed(ServerConnection linked) {
        if (linked.unnamedOwner() == client) {
            return;
        }
        linked.setUnnamedOwner(client);
        byte[] kept = unnamed;
        if (kept == null || unnamedLength == 0) {
            linked.outbox()
                    .writer()
                    .writeByte('C')
                    .writeInt(4 + 2)
                    .writeByte('S')
                    .writeByte(0);
            linked.replies().add(Reply.CLOSE, Origin.INJECTED, FOR_UNNAMED);
            return;
        }
        linked.outbox()
                .writer()
                .writeByte('P')
                .writeInt(4 + 1 + unnamedLength)
                .writeByte(0)
                .writeBytes(kept, 0, unnamedLength);
        linked.replies().add(Reply.PARSE, Origin.INJECTED, FOR_UNNAMED);
        client.stats().serverParses++;
    }

    private void synthesize(ServerConnection linked, Reply reply, @Nullable Object subject) {
        if (linked.replies().isEmpty()) {
            onSynthetic(reply);
        } else {
            linked.replies().add(reply, Origin.SYNTHETIC, subject);
        }
    }

    private static byte[] copy(ByteBuf bytes, int start, int end) {
        byte[] copy = new byte[end - start];
        bytes.getBytes(start, copy);
        return copy;
    }

    // --- state of the session --------------------------------------------------------------------------------------

    private boolean noteUnnamed(ServerConnection linked) {
        byte[] kept = unnamed;
        if (kept == null || isPlain(unnamedReason, unnamedTraits)) {
            noteSequences(linked, unnamedReason);
            return true;
        }
        int end = 0;
        while (end < unnamedLength && kept[end] != 0) {
            end++;
        }
        return note(linked, unnamedReason, unnamedTraits, Unpooled.wrappedBuffer(kept, 0, end), 0, end);
    }

    private boolean noteNamed(ServerConnection linked, PreparedStatement statement) {
        if (isPlain(statement.reason(), statement.traits())) {
            noteSequences(linked, statement.reason());
            return true;
        }
        int end = statement.textLength();
        return note(
                linked,
                statement.reason(),
                statement.traits(),
                Unpooled.wrappedBuffer(statement.tail(), 0, end),
                0,
                end);
    }

    private static boolean isPlain(Reason reason, int traits) {
        return traits == 0 && !reason.leavesState();
    }

    private void noteSequences(ServerConnection linked, Reason reason) {
        if (reason.target() == Target.PRIMARY) {
            linked.noteSequencesOf(client);
        }
    }

    /**
     * Notes what a statement that is about to be sent may leave in the session, where it would outlive the transaction.
     *
     * @return false when it may not be sent: not yet, or the client was refused
     */
    private boolean note(ServerConnection linked, Reason reason, int traits, ByteBuf bytes, int start, int end) {
        if ((traits & Traits.ASKS_SEQUENCE_MEMORY) != 0 && linked.remembersSequencesBeside(client)) {
            discardSequences(linked);
        }
        noteSequences(linked, reason);
        if (mode == Mode.SESSION || (isPlain(reason, traits) && !client.isListening())) {
            return true;
        }
        ranUnknownCode |= (traits & Traits.RUNS_UNKNOWN_CODE) != 0;
        mayHaveNotified |= (traits & (Traits.RUNS_UNKNOWN_CODE | Traits.NOTIFIES)) != 0;
        if (client.isListening() && reason == Reason.NODE_LOCAL) {
            listenHere(linked); // it may ask for its channels
        }
        if ((traits & Traits.CHANGES_SESSION) == 0) {
            return !reason.pins() || pin(reason, bytes, start, end);
        }
        SessionTrace changed = trace();
        client.readChanges(bytes, start, end, changed);
        List<String> channels = changed.takeChannels();
        if (client.sharesListener()) {
            if (!channels.isEmpty() && !client.listenFirst(channels)) {
                return false;
            }
            if (changed.takeUnlistens() && client.isListening()) {
                listenHere(linked);
            }
            if (!channels.isEmpty()) {
                changed.onListen();
            }
            if (reason == Reason.LISTEN) {
                return true;
            }
        }
        Reason kept = reason.pins() ? reason : changed.takeUnnamed() ? Reason.SESSION_SETTING : null;
        return kept == null || pin(kept, bytes, start, end);
    }

    /**
     * Registers the server's session for the channels that the client listens to elsewhere, in front of a statement that
     * takes some away or asks for them: then PostgreSQL itself says what is left of them. A setting of ours, which goes
     * where the transaction goes, tells afterwards whether that holds.
     */
    private void listenHere(ServerConnection linked) {
        if (linked.status() == TransactionStatus.FAILED || linked.isStandby() || trace().isListeningHere()) {
            return;
        }
        trace().onListeningHere();
        sendOwn(linked, ChannelRegistration.begin(client.channels()));
    }

    /** Sends statements of our own in front of the client's message: in its open group, or as a group of their own. */
    private static void sendOwn(ServerConnection linked, List<String> statements) {
        OutstandingReplies replies = linked.replies();
        boolean alone = !linked.isGroupOpen();
        Object subject = alone ? ALONE : null;
        ByteBuf out = linked.outbox().writer();
        for (String sql : statements) {
            FrontendMessages.parse(out, OWN_NAME, sql);
            FrontendMessages.bind(out, OWN_NAME, OWN_NAME, List.of());
            FrontendMessages.execute(out, OWN_NAME, 0);
            FrontendMessages.closePortal(out, OWN_NAME);
            FrontendMessages.closeStatement(out, OWN_NAME);
            replies.add(Reply.PARSE, Origin.INJECTED, subject);
            replies.add(Reply.BIND, Origin.INJECTED, subject);
            replies.add(Reply.EXECUTE, Origin.INJECTED, subject);
            replies.add(Reply.CLOSE, Origin.INJECTED, subject);
            replies.add(Reply.CLOSE, Origin.INJECTED, subject);
        }
        if (alone) {
            FrontendMessages.sync(out);
            replies.add(Reply.SYNC, Origin.INJECTED, subject);
        }
    }

    /** State is left in the backend by this statement: the client stays on it until that is gone. */
    private boolean pin(Reason reason, ByteBuf bytes, int start, int end) {
        if (SessionTrace.isTold(reason)) {
            trace().doubtHoldings();
        }
        pinLasts |= !SessionTrace.isTold(reason);
        if (pin != null) {
            return true;
        }
        if (!client.grantPin(reason, pool())) {
            return false;
        }
        pin = reason;
        pinnedSinceNanos = System.nanoTime();
        pinnedBy = bytes.toString(start, Math.min(end - start, MOST_SHOWN_BYTES), StandardCharsets.UTF_8);
        return true;
    }

    /**
     * What the server still holds of what pinned the client; null for nothing.
     *
     * @param channels what the session is registered for
     * @param exactly whether those are all of the client's channels, and not only what it added
     */
    void onHoldings(@Nullable Reason held, List<String> channels, boolean exactly) {
        Reason kept = held;
        if (client.sharesListener()) {
            client.onChannels(channels, exactly);
            if (!channels.isEmpty() || exactly) {
                ServerConnection linked = linked();
                sendOwn(linked, ChannelRegistration.END);
                linked.outbox().flush();
            }
        } else if (held == null && !channels.isEmpty()) {
            kept = Reason.LISTEN;
        }
        releaseReady();
        if (pin != null && !pinLasts) {
            if (kept == null) {
                unpin(pool());
            } else {
                pin = kept;
            }
        }
    }

    /** The server said what became of a setting; a null value is that of the session's start. */
    void onSettled(String name, @Nullable String value) {
        SessionSettings before = client.settings();
        client.setSettings(value == null ? before.without(name) : before.with(name, value));
    }

    boolean isReported(String setting) {
        return linked().reports(setting);
    }

    SessionSettings clientSettings() {
        return client.settings();
    }

    SessionSettings startSettings() {
        return client.startSettings();
    }

    private SessionTrace trace() {
        SessionTrace made = trace;
        if (made == null) {
            made = new SessionTrace(this);
            trace = made;
        }
        return made;
    }

    /** What other clients drew from sequences must not be told to this one. It is no matter of transactions. */
    private static void discardSequences(ServerConnection linked) {
        if (linked.status() != TransactionStatus.FAILED) { // where nothing is told
            linked.forgetSequences();
            sendOwn(linked, List.of("DISCARD SEQUENCES"));
        }
    }

    // --- settings --------------------------------------------------------------------------------------------------

    /**
     * Tells the server, in front of the client's first message and in the same write, what the client's session differs in.
     *
     * <p>Values travel as parameters, never as text of a statement, and in a transaction of their own, so that a rollback
     * by the client cannot undo them.
     */
    private void bringSettingsInStep(ServerConnection linked, SessionSettings actual, SessionSettings wanted) {
        SettingsReplay.write(linked.outbox().writer(), actual, wanted);
        oweReplay(linked);
        linked.assumeSettings(wanted);
    }

    private static void oweReplay(ServerConnection linked) {
        OutstandingReplies replies = linked.replies();
        replies.add(Reply.PARSE, Origin.INJECTED, SETTINGS);
        replies.add(Reply.BIND, Origin.INJECTED, SETTINGS);
        replies.add(Reply.EXECUTE, Origin.INJECTED, SETTINGS);
        replies.add(Reply.SYNC, Origin.INJECTED, SETTINGS);
        linked.setUnnamedOwner(null);
    }

    // --- from the server -------------------------------------------------------------------------------------------

    @Override
    public void forward(ByteBuf bytes, int start, int end) {
        heardNothing = false;
        client.outbox().forward(bytes, start, end);
    }

    @Override
    public void onSynthetic(Reply reply) {
        heardNothing = false;
        client.outbox()
                .writer()
                .writeByte(reply == Reply.PARSE ? '1' : '3') // ParseComplete, CloseComplete
                .writeInt(4);
    }

    @Override
    public void onUnanswered(Reply reply, @Nullable Object subject) {
        ServerConnection linked = server;
        if (linked == null) {
            return;
        }
        switch (subject) {
            case NamedParse parsed -> {
                client.statements().remove(parsed.name());
                if (parsed.sent()) {
                    linked.statements().remove(parsed.statement());
                }
                remember(parsed.name(), parsed.statement());
            }
            case NamedClose(byte[] name, PreparedStatement statement) ->
                client.statements().put(name, statement);
            case PreparedStatement statement
            when reply == Reply.PARSE -> linked.statements().remove(statement);
            case PreparedStatement statement
            when reply == Reply.CLOSE -> linked.statements().add(statement, linked.links());
            case null, default -> {
                if (subject == UNNAMED) {
                    forgetUnnamed(linked);
                }
                if (subject == UNNAMED || subject == FOR_UNNAMED || reply == Reply.QUERY) {
                    linked.setUnnamedOwner(null); // whose it holds now is not known
                }
            }
        }
    }

    @Override
    public boolean onInjectedError(ErrorResponse error, @Nullable Object subject) {
        if (subject == SETTINGS) {
            outOfStep = true;
            client.onOutOfStep(error);
            return false;
        }
        if (subject instanceof SessionTrace asked) {
            asked.onFailed();
            releaseReady();
            pinLasts = true; // what the session holds is not known: nobody else shall have it
            pin = pin == null ? Reason.SESSION_DOUBT : pin;
            return false;
        }
        return subject != ALONE; // our Parse failed in place of the client's message, which is not answered any more
    }

    @Override
    public boolean onError(ErrorResponse error, @Nullable Object subject, ByteBuf bytes, int start, int end) {
        if (trace != null) {
            trace.onError();
        }
        if (error.isFatal()) {
            ServerConnection linked = linked();
            if (linked.isQuiet() && !midMessage && mode != Mode.SESSION && pin == null) {
                linked.setCloseWhenReleased(); // the client has its whole answer: only the server ends
                return false;
            }
            takeBack();
            heardFatal = !mayRunAgain();
            return heardFatal;
        }
        switch (subject) {
            case PreparedStatement statement -> {
                if (isStalePlan(error)) {
                    cache.outdate(statement);
                }
                byte[] name = client.statements().nameOf(statement);
                if (name == null) {
                    name = formerNameOf(
                            statement); // its Parse failed, or it was closed, when this was on its way already
                }
                return name == null || !forwardRenamed(bytes, start, end, statement.name(), name);
            }
            case Renamed(byte[] ours, byte[] theirs) -> {
                return !forwardRenamed(bytes, start, end, ours, theirs);
            }
            case null, default -> {
                return true;
            }
        }
    }

    /** Keeps a name that the client's statement had, for errors that come when it has it no more. */
    private void remember(byte[] name, PreparedStatement statement) {
        List<Renamed> all = formerNames;
        if (all == null) {
            all = new ArrayList<>();
            formerNames = all;
        }
        if (all.size() < MOST_FORMER_NAMES) {
            all.add(new Renamed(statement.name(), name));
        }
    }

    private byte @Nullable [] formerNameOf(PreparedStatement statement) {
        if (formerNames != null) {
            for (Renamed former : formerNames.reversed()) {
                if (former.ours() == statement.name()) {
                    return former.theirs();
                }
            }
        }
        return null;
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
        heardNothing = false;
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

    /** Not the 0A000 of a standby: the routine tells them apart, for messages are translated. */
    private static boolean isStalePlan(ErrorResponse error) {
        return error.is(SqlState.FEATURE_NOT_SUPPORTED) && "RevalidateCachedQuery".equals(error.routine());
    }

    @Override
    public boolean onParameter(String name, String value) {
        ServerConnection linked = server;
        if (linked == null || (!linked.replies().isEmpty() && linked.replies().headOrigin() != Origin.CLIENT)) {
            return false;
        }
        if (!ServerConnection.isSettable(name)) {
            return true;
        }
        SessionSettings before = client.settings();
        String now = linked.settings().get(name);
        String start = client.startSettings().get(name);
        if (resetting && now == null && start != null) { // the server's start is not the client's
            client.setSettings(before.with(name, start));
            if (!start.equals(before.get(name))) {
                report(name, start);
            }
            return false;
        }
        client.setSettings(now == null ? before.without(name) : before.with(name, now));
        return true;
    }

    private void report(String name, String value) {
        heardNothing = false;
        BackendMessages.parameterStatus(client.outbox().writer(), name, value);
    }

    /** Something goes back to the server's start, which need not be the client's. */
    void onReset() {
        resetting = true;
    }

    @Override
    public void onTag(@Nullable CommandTag tag) {
        if (tag == CommandTag.RESET) {
            onReset();
        }
        if (tag == CommandTag.DISCARD_ALL && client.isListening()) {
            client.onChannels(List.of(), true);
        }
        if (trace != null) {
            trace.onTag(tag);
        }
        if (pin != null && !pinLasts && mayEndPin(tag)) {
            trace().doubtHoldings();
        }
    }

    private static boolean mayEndPin(@Nullable CommandTag tag) {
        return switch (tag) {
            case DELETE, DECLARE_CURSOR, DO, RESET, RELEASE -> false;
            case null, default -> true; // DROP, DEALLOCATE, CLOSE, DISCARD, UNLISTEN, ROLLBACK
        };
    }

    /** Who shares a listener hears by that. */
    @Override
    public boolean onNotification(ByteBuf bytes, int start, int end) {
        return mode == Mode.SESSION || !client.sharesListener();
    }

    @Override
    public void onInjectedRow(DataRow row, @Nullable Object subject) {
        if (subject instanceof SessionTrace asking) {
            asking.onRow(linked(), row);
        }
    }

    /** DISCARD ALL ran: the client is back at its own start, and hears of what that changed, just before ReadyForQuery. */
    private void onSettingsForgotten() {
        resetting = true;
        discarded = client.settings();
        client.setSettings(client.startSettings());
    }

    private void reportDiscarded(SessionSettings before) {
        SessionSettings.difference(before, client.startSettings(), (name, value) -> {
            for (String reported : linked().startValues().keySet()) {
                if (value != null && reported.equalsIgnoreCase(name)) {
                    report(reported, value);
                }
            }
        });
    }

    @Override
    public void onStatementsForgotten(boolean settingsToo) {
        ServerConnection linked = linked();
        if (settingsToo) {
            onSettingsForgotten();
        }
        client.statements().clear();
        OutstandingReplies replies = linked.replies();
        for (int i = 1; i < replies.size(); i++) { // what was parsed behind it in the same pipeline stays
            if (replies.replyAt(i) != Reply.PARSE) {
                continue;
            }
            if (replies.subjectAt(i) instanceof NamedParse parsed) {
                client.statements().put(parsed.name(), parsed.statement());
                linked.statements().add(parsed.statement(), linked.links());
            } else if (replies.subjectAt(i) instanceof PreparedStatement statement) {
                linked.statements().add(statement, linked.links());
            }
        }
    }

    @Override
    public boolean onReady(TransactionStatus status) {
        long now = System.nanoTime();
        client.stats().queryNanos += now - querySinceNanos;
        querySinceNanos = now;
        if (resetting) {
            resetting = trace != null && trace.hasResets();
            if (discarded != null) {
                reportDiscarded(discarded);
                discarded = null;
            }
            resume(status);
        }
        if (status == TransactionStatus.IDLE) {
            client.stats().transactions++;
            client.stats().transactionNanos += now - transactionSinceNanos;
            transactionSinceNanos = now;
            if (pool != null) {
                pool.countTransaction(read);
            }
            if (mayTellOfChannels()) {
                return !withholdReady();
            }
        } else if (mode == Mode.STATEMENT) {
            client.onTransactionInStatementMode();
        }
        return true;
    }

    /** Where something went back to the server's start, the client finds its own instead, as on a session of its own. */
    private void resume(TransactionStatus status) {
        ServerConnection linked = linked();
        if (!linked.replies().isEmpty()) {
            return; // what stands behind it in the pipeline was sent already
        }
        if (status == TransactionStatus.IN_TRANSACTION) {
            restart(linked, client.startSettings());
        } else if (status == TransactionStatus.IDLE && mode == Mode.SESSION) {
            resumeKept(linked);
        }
    }

    /** Within the client's transaction, which may take it back: so nothing is assumed of it. */
    private void restart(ServerConnection linked, SessionSettings start) {
        var replay = new SettingsReplay();
        List<String> names = trace == null ? List.of() : trace.resetTo(start);
        for (String name : names) {
            replay.set(name, start.get(name));
        }
        if (!names.isEmpty()) {
            replay.write(linked.outbox().writer());
            oweReplay(linked);
            trace().onRestarted(names);
            linked.outbox().flush();
        }
    }

    @Override
    public void onBatchEnd() {
        Outbox outbox = client.outbox();
        outbox.flush();
        client.stats().sentBytes += outbox.bytes() - countedBytes;
        countedBytes = outbox.bytes();
        releaseIfClean();
        client.onProgress();
    }

    @Override
    public void onLost(@Nullable ErrorResponse fatal) {
        boolean rerun = mayRunAgain() && !outOfStep;
        releaseReady();
        ServerConnection linked = linked();
        linked.outbox().discard();
        Pool home = end(linked);
        home.release(linked);
        client.onServerLost(fatal, heardFatal, rerun);
    }

    /** The client's next message begins a transaction: after a pause on a server that it keeps. */
    public void onRequest(long nowNanos) {
        ServerConnection linked = linked();
        if (linked.replies().isEmpty()) {
            querySinceNanos = nowNanos;
            if (linked.status() == TransactionStatus.IDLE) {
                transactionSinceNanos = nowNanos;
            }
        }
    }

    public long transactionSinceNanos() {
        return transactionSinceNanos;
    }

    /**
     * A server that is stopped sends what it had of an answer (ParseComplete, BindComplete) together with its last word.
     * None of that has left us yet, so the client need not hear it; but a name that was taken would be taken twice.
     */
    private void takeBack() {
        boolean rerunnable = read && pin == null && client.holdsRequest() && outstanding() > 0;
        if (rerunnable && !namedParse && clientBytesBefore == client.outbox().bytes()) {
            client.outbox().discard();
            heardNothing = true;
        }
    }

    private boolean mayRunAgain() {
        return read && heardNothing && pin == null && client.holdsRequest();
    }

    @Override
    public void onWritability(boolean writable) {
        client.setReadable(writable);
    }

    private boolean mayTellOfChannels() {
        return client.isListening() || (trace != null && trace.changesChannels() && client.sharesListener());
    }

    /**
     * What a client notified itself it hears before ReadyForQuery, on channels too that it listens to since this transaction:
     * so that waits until the server has told of the channels and the shared connection has been heard. Not where the client
     * sent more already: then notifications come later.
     */
    private boolean withholdReady() {
        boolean last = linked().replies().isEmpty();
        if (last && trace != null && trace.changesChannels()) {
            client.withholdReady();
            readyWithheld = true;
            return true;
        }
        boolean heardFirst = last && mayHaveNotified;
        mayHaveNotified = false;
        if (heardFirst) {
            client.withholdReady();
        }
        client.tellNotifications(heardFirst);
        return heardFirst;
    }

    /** The channels are told, or nobody will tell them: ReadyForQuery may follow. */
    private void releaseReady() {
        if (readyWithheld) {
            readyWithheld = false;
            client.tellNotifications(true);
            mayHaveNotified = false;
        }
    }

    private Pool pool() {
        Pool home = pool;
        if (home == null) {
            throw new IllegalStateException("not linked");
        }
        return home;
    }

    private ServerConnection linked() {
        ServerConnection linked = server;
        if (linked == null) {
            throw new IllegalStateException("not linked");
        }
        return linked;
    }

    @Override
    public String toString() {
        return "Link[client=%d server=%s pin=%s]".formatted(client.id(), server == null ? "-" : server.id(), pin);
    }
}
