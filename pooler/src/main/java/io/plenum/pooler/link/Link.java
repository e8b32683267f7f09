package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.net.Outbox;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.server.OutstandingReplies;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.pooler.server.PreparedStatement;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.routing.HiddenState;
import io.plenum.routing.PreparedName.Use;
import io.plenum.routing.Reason;
import io.plenum.routing.Traits;
import io.plenum.wire.FrontendType;
import io.plenum.wire.Limits;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.backend.CommandTag;
import io.plenum.wire.backend.DataRow;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.frontend.ParseView;
import java.nio.charset.StandardCharsets;
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

    private final LinkedClient client;
    private final StatementNames names;
    private final FollowedSettings settings;
    private final LinkedChannels channels;
    private final LinkedSequences sequences;
    private final Pin pin;

    private final Mode mode;
    private @Nullable ServerConnection server;
    private @Nullable Pool pool;

    private final Definitions definitions = new Definitions();

    private @Nullable SessionTrace trace;
    private boolean ranUnknownCode;
    /** Some of it may have left what a scrub has to look for. */
    private boolean ranHidingCode;

    private final Writes writes = new Writes();
    private long countedBytes;
    private boolean midMessage;
    private boolean read;
    private boolean heardNothing;
    /** What is forwarded next ends the answer to a group, and another is owed. */
    private boolean groupEnds;
    /** Of the group that is answered now nothing is forwarded but what comes before the first row or the end. */
    private boolean prelude;
    /** How soon the standby answers is not noted yet. */
    private boolean latencyDue;
    /** Why the standby does not answer; the rest of what it says is dropped, and another node is asked. */
    private @Nullable Refusal refusal;

    /** How much the client was told, or is to be, from before the group that is answered now. */
    private long appendedBefore;

    private boolean outOfStep;
    /** The server's last word was that the client's settings cannot be had there. */
    private boolean replayLost;
    /** That has happened already to the batch at hand. */
    private boolean replayedAgain;
    /** The server was lost in the midst of a message to the client. */
    private boolean midReply;

    private boolean heardFatal;
    private boolean serverHeld;
    private long linkedSinceNanos;
    private long transactionSinceNanos;
    private long querySinceNanos;

    public Link(LinkedClient client, StatementCache cache, Mode mode) {
        this.client = client;
        this.mode = mode;
        boolean session = mode == Mode.SESSION;
        this.names = new StatementNames(client, cache, !session);
        this.settings = new FollowedSettings(client, names, session);
        this.channels = new LinkedChannels(client.listening(), this::trace);
        this.sequences = new LinkedSequences(client);
        this.pin = new Pin(client);
    }

    // --- beginning and end -----------------------------------------------------------------------------------------

    /** Takes the server for the client; {@code read} says that all the client has sent so far are proven reads. */
    public void begin(Pool pool, ServerConnection server, boolean read, long nowNanos) {
        this.pool = pool;
        this.server = server;
        this.read = read;
        heardNothing = true;
        prelude = true;
        groupEnds = false;
        latencyDue = read;
        refusal = null;
        appendedBefore = client.outbox().appended();
        names.limit(mode == Mode.SESSION ? 0 : client.maxPrepared());
        names.begin();
        sequences.begin();
        channels.begin();
        outOfStep = false;
        replayLost = false;
        heardFatal = false;
        ranUnknownCode = false;
        ranHidingCode = false;
        writes.clear();
        midMessage = false;
        linkedSinceNanos = nowNanos;
        transactionSinceNanos = nowNanos;
        querySinceNanos = nowNanos;
        server.attach(this);
        if (!client.isWritable()) {
            holdServer(true); // it still has to take what another server sent
        }
        client.stats().assignments++;
        settings.begin(server);
    }

    public boolean isOpen() {
        return server != null;
    }

    /** Whether the client's names for statements are its own, and not the server's; it does not change within a link. */
    public boolean isRenaming() {
        return names.isRenaming();
    }

    public @Nullable ServerConnection server() {
        return server;
    }

    /** Why the client keeps its server beyond the transaction; null when it does not. */
    public @Nullable Reason pin() {
        return pin.reason();
    }

    public long pinnedSinceNanos() {
        return pin.sinceNanos();
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
        return pin.statement();
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

    /** Whether answers come although the client says no more: not in a group without its Sync, nor in a COPY without its end. */
    public boolean answersByItself() {
        ServerConnection linked = server;
        return linked != null && linked.replies().owesClient() && !linked.isGroupOpen() && !linked.isInCopyIn();
    }

    /** Whether the transaction has failed that is open on the server. */
    public boolean hasFailed() {
        ServerConnection linked = server;
        return linked != null && linked.status() == TransactionStatus.FAILED;
    }

    /** Whether the server that the client has is in no transaction. */
    public boolean isBetweenTransactions() {
        ServerConnection linked = server;
        return linked == null || (linked.status() == TransactionStatus.IDLE && !linked.isGroupOpen());
    }

    /** Whether the server is at something of ours, which no cancel of the client's must hit. */
    public boolean runsOwn() {
        ServerConnection linked = server;
        if (linked == null || linked.replies().isEmpty()) {
            return false;
        }
        // What of ours is in the client's own group is answered with that, so it counts as the client's.
        Object subject = linked.replies().headSubject();
        return subject == FollowedSettings.REPLAY
                || subject == OwnStatements.ALONE
                || subject instanceof SessionTrace
                || (subject instanceof HeldBegin begin && begin.isAlone());
    }

    private void releaseIfClean() {
        ServerConnection linked = server;
        if (linked == null || mode == Mode.SESSION) {
            return;
        }
        Refusal refused = refusal;
        if (refused != null && hasFailed() && linked.replies().isEmpty()) {
            leave();
            names.takeBackGiven();
            client.onRefused(refused);
            return;
        }
        if (!linked.isQuiet() || midMessage || linked.outbox().hasUnsent()) {
            return;
        }
        SessionTrace open = trace;
        if (open != null && open.isOpen() && linked.hasCancelsInFlight()) {
            return; // a late cancel would hit the question: onCancelsDone goes on
        }
        if (open != null && open.isOpen() && ask(open, linked)) {
            linked.outbox().flush();
        } else if (!pin.isSet()) {
            replayedAgain = false;
            giveBack(end(linked), linked, false);
            if (refused == null) {
                client.onReleased();
            } else {
                names.takeBackGiven();
                client.onRefused(refused);
            }
        } else if (!linked.hasCancelsInFlight()) {
            settings.resumeKept(linked);
        }
    }

    private boolean ask(SessionTrace open, ServerConnection linked) {
        names.beforeOwn();
        return open.ask(linked);
    }

    @Override
    public void onCancelsDone() {
        releaseIfClean();
        client.onProgress();
    }

    private void giveBack(Pool home, ServerConnection linked, boolean unsettled) {
        if (home.settings().resetAlways()) {
            home.releaseWithReset(linked);
        } else if (unsettled || home.settings().scrub().isDue(ranUnknownCode)) {
            home.releaseWithScrub(linked, ranHidingCode);
        } else {
            home.release(linked);
        }
    }

    /** Leaves a server that owes nothing; the transaction that is open there is rolled back, for which nobody waits. */
    public void leave() {
        ServerConnection linked = linked();
        end(linked).releaseWithRollback(linked, false, false);
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
        boolean pinned = pin.isSet();
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
            home.releaseWithRollback(
                    linked, unsettled || home.settings().scrub().isDue(ranUnknownCode), ranHidingCode);
        } else {
            linked.blame("client disconnect while server was not ready").close();
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
        pin.end(home);
        tellDefined();
        return home;
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
                sequences.onQuery(linked);
                channels.onQuery(linked);
                if (whole && (traits != 0 || reason == Reason.SQL_PREPARE)) {
                    NamedStatement named = names.namedBySql(linked, bytes, start + Limits.HEADER, end - 1);
                    if (named != null) {
                        return onNamedBySql(linked, named, bytes, start, end);
                    }
                }
                if (linked.isGroupOpen() && linked.status() == TransactionStatus.IDLE) {
                    // PostgreSQL 17 and 18 mix up their transaction state at the Sync behind this, and fail the next
                    // statement.
                    linked.setCloseWhenReleased();
                }
                replies.add(Reply.QUERY, Origin.CLIENT, names.query(linked));
                linked.setGroupOpen(false);
                forward(linked, bytes, start, end);
            }
            case PARSE -> {
                return onParse(linked, bytes, start, end, whole, reason, traits);
            }
            case BIND -> {
                return onBind(linked, bytes, start, end);
            }
            case DESCRIBE -> names.describe(linked, bytes, start, end);
            case EXECUTE -> {
                sequences.onExecute(linked, bytes, start);
                channels.onExecute(linked);
                linked.setGroupOpen(true);
                replies.add(Reply.EXECUTE, Origin.CLIENT);
                forward(linked, bytes, start, end);
            }
            case CLOSE -> {
                if (pin.mayEnd()) {
                    trace().doubtHoldings(); // it may be of what SQL prepared
                }
                names.close(linked, pin.isSet(), bytes, start, end);
            }
            case SYNC -> {
                linked.setSkippingToSync(false);
                // Manual, "COPY Operations": Sync is ignored during copy-in, which CopyDone or CopyFail ends.
                if (!linked.isInCopyIn() || replies.owesCopyData()) {
                    linked.endGroup();
                    replies.add(Reply.SYNC, Origin.CLIENT);
                } else {
                    linked.ignoreSync();
                }
                forward(linked, bytes, start, end);
                askAboutCopy(linked);
            }
            case FUNCTION_CALL -> {
                if (!noteCall(linked, CalledFunction.number(bytes, start, end))) {
                    return false;
                }
                linked.setGroupOpen(false);
                replies.add(Reply.FUNCTION_CALL, Origin.CLIENT);
                forward(linked, bytes, start, end);
            }
            case COPY_DONE, COPY_FAIL -> {
                if (!replies.isEmpty()) {
                    replies.add(Reply.COPY_END, Origin.CLIENT);
                }
                forward(linked, bytes, start, end);
                askAboutCopy(linked);
            }
            case COPY_DATA -> {
                if (!replies.isEmpty() && replies.tail() != Reply.COPY_DATA) {
                    replies.add(Reply.COPY_DATA, Origin.CLIENT);
                }
                forward(linked, bytes, start, end);
            }
            case FLUSH -> {
                if (end - start > Limits.HEADER && !linked.isInCopyIn()) {
                    onMalformed(type, bytes, start, end);
                } else {
                    forward(linked, bytes, start, end);
                }
            }
            case TERMINATE, PASSWORD -> throw new IllegalStateException("not for a server: " + type);
        }
        return true;
    }

    /** In the midst of a message nothing can be asked, but behind it. */
    private void askAboutCopy(ServerConnection linked) {
        if (linked.isCopyDoubted() && !midMessage) {
            linked.askAboutCopy();
            linked.outbox().flush();
        }
    }

    /** A Query that names a statement of Parse: to run that counts as to bind it. */
    private boolean onNamedBySql(ServerConnection linked, NamedStatement named, ByteBuf bytes, int start, int end) {
        Use use = client.preparedName().use();
        if (use == Use.EXECUTE && !noteNamed(linked, named.statement(), null, 0)) {
            return false;
        }
        sequences.onQuery(linked);
        channels.onQuery(linked);
        names.sendBySql(linked, use, named, bytes, start, end);
        return true;
    }

    /** Whether a message must wait for answers: on them depends what its name means, or with which settings it is to run. */
    public boolean mustWait(FrontendType type, ByteBuf bytes, int start, int end) {
        ServerConnection linked = linked();
        if (linked.replies().isEmpty()) {
            if (linked.hasCancelsInFlight()) {
                return true; // it was for what is over, and must not hit what we put in front of the next message
            }
            settings.restartIfDue(linked, trace);
        }
        return (trace != null && trace.isAskedForResets())
                || channels.isEnding(linked)
                || names.mustWait(linked, type, bytes, start, end);
    }

    /** Sends on a whole message whose body is not what its type says: an error is what it will be answered with. */
    public void onMalformed(FrontendType type, ByteBuf bytes, int start, int end) {
        ServerConnection linked = linked();
        linked.replies().add(Reply.toMalformed(type), Origin.CLIENT);
        linked.setGroupOpen(true);
        forward(linked, bytes, start, end);
    }

    /** Sends on more of a large message. */
    public void onPiece(ByteBuf bytes, int start, int end, boolean last) {
        midMessage = !last;
        linked().outbox().forward(bytes, start, end);
    }

    /** A transaction begins whose first batch has statements with these traits. */
    void onTransaction(int traits) {
        channels.onStatement(linked(), pool(), traits);
    }

    /** Puts a transaction that the client has begun before in front of what it says next. */
    void sendHeld(HeldBegin begin) {
        transactionSinceNanos = begin.sinceNanos();
        begin.sendTo(linked());
    }

    /** Another batch begins of a transaction that has only read, nothing being owed: other nodes may run it too. */
    public void onNextRead() {
        heardNothing = true;
        prelude = true;
        appendedBefore = client.outbox().appended();
        names.begin();
    }

    /** Whether the server reads the data of a COPY, and answers nothing before their end. */
    boolean isCopying() {
        return linked().isInCopyIn();
    }

    /** Whether the message may be a Query that names a statement which Parse has prepared. */
    boolean mayName(ByteBuf bytes, int start, int end) {
        return names.mayName(bytes, start, end);
    }

    /** A batch of the client was answered that no server has seen. */
    public void onAnswered(LeadingCommand said) {
        names.onAnswered(said);
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
        ParseView parse = names.parseAt(bytes, start, end);
        boolean kept = names.keeps(whole, end);
        // What is not kept is not there to be looked at when it is bound.
        if (!kept && !note(linked, reason, traits, bytes, parse.queryStart(), parse.queryEnd())) {
            return false;
        }
        if (!linked.isInGroup()) {
            channels.onStatement(linked, pool(), traits); // as a group of its own, so that the statement sees it
        }
        if (kept && names.isTooMuch(end)) {
            client.onTooManyStatements();
            return false;
        }
        if (kept) {
            sequences.onParse(linked, pool(), reason, traits);
        }
        names.parse(linked, bytes, start, end, kept, reason, traits);
        return true;
    }

    private boolean onBind(ServerConnection linked, ByteBuf bytes, int start, int end) {
        NamedStatement named = names.bindAt(bytes, start, end);
        boolean wasDue = sequences.isDue();
        if (named == null && !names.bindsUnnamed()) {
            writes.note(Reason.NOT_UNDERSTOOD, Traits.RUNS_UNKNOWN_CODE); // prepared in a way that was not followed
            sequences.note(linked, pool(), Reason.NOT_UNDERSTOOD, Traits.RUNS_UNKNOWN_CODE);
        }
        if (named != null
                ? !noteNamed(linked, named.statement(), bytes, end)
                : names.bindsUnnamed() && !noteUnnamed(linked, bytes, end)) {
            return false;
        }
        sequences.onBound(wasDue, bytes, start);
        names.bind(linked, named, bytes, start, end);
        return true;
    }

    /** What the unnamed statement of this client is, for a batch that binds it without parsing it. */
    public Reason unnamedReason() {
        return names.unnamedReason();
    }

    // --- state of the session --------------------------------------------------------------------------------------

    private boolean noteUnnamed(ServerConnection linked, ByteBuf bind, int bindEnd) {
        ByteBuf text = names.unnamedText();
        writes.note(names.unnamedReason(), names.unnamedTraits());
        if (text == null || isPlain(names.unnamedReason(), names.unnamedTraits())) {
            sequences.note(linked, pool(), names.unnamedReason(), 0);
            channels.onStatement(linked, pool(), 0);
            if (text != null
                    && text.writerIndex() > 0
                    && TemporarySchema.mayTake(client, trace, names.unnamedReason(), text.getByte(0))) {
                doubtDefinition(text, 0, text.writerIndex());
            }
            return text == null || keepSequences(names.unnamedReason(), text, 0, text.writerIndex());
        }
        return noteBound(linked, names.unnamedReason(), names.unnamedTraits(), text, bind, bindEnd);
    }

    private boolean noteNamed(
            ServerConnection linked, PreparedStatement statement, @Nullable ByteBuf bind, int bindEnd) {
        writes.note(statement.reason(), statement.traits());
        if (isPlain(statement.reason(), statement.traits())) {
            sequences.note(linked, pool(), statement.reason(), 0);
            channels.onStatement(linked, pool(), 0);
            if (TemporarySchema.mayTake(
                    client, trace, statement.reason(), statement.tail()[0])) {
                doubtDefinition(Unpooled.wrappedBuffer(statement.tail()), 0, statement.textLength());
            }
            return !client.keepsSequences()
                    || keepSequences(
                            statement.reason(), Unpooled.wrappedBuffer(statement.tail()), 0, statement.textLength());
        }
        int end = statement.textLength();
        return noteBound(
                linked,
                statement.reason(),
                statement.traits(),
                Unpooled.wrappedBuffer(statement.tail(), 0, end),
                bind,
                bindEnd);
    }

    /** A statement that is bound need not be executed. */
    private boolean noteBound(
            ServerConnection linked, Reason reason, int traits, ByteBuf text, @Nullable ByteBuf bind, int bindEnd) {
        if (bind != null && (traits & Traits.CHANGES_SESSION) != 0) {
            trace().bound(number -> names.boundText(bind, bindEnd, number));
        }
        boolean sent = note(linked, reason, traits, text, 0, text.writerIndex());
        if (trace != null) {
            trace.bound(null);
            trace.doubtResets();
        }
        return sent;
    }

    private static boolean isPlain(Reason reason, int traits) {
        return traits == 0 && !reason.leavesState();
    }

    /** Keeps the server for a client that is to find later what it draws; false when the client was refused. */
    private boolean keepSequences(Reason reason, ByteBuf bytes, int start, int end) {
        return pin.lasts()
                || mode == Mode.SESSION
                || !client.keepsSequences()
                || (reason != Reason.SEQUENCE && !LinkedSequences.mayDraw(reason))
                || pin(Reason.SEQUENCE, bytes, start, end);
    }

    /**
     * Notes what a statement that is about to be sent may leave in the session, where it would outlive the transaction.
     *
     * @return false when it may not be sent: not yet, or the client was refused
     */
    private boolean note(ServerConnection linked, Reason reason, int traits, ByteBuf bytes, int start, int end) {
        writes.note(reason, traits);
        if ((traits & Traits.LOCKS_TRANSACTION) != 0 && !client.grantLock()) {
            return false;
        }
        if ((traits & Traits.ENDS_STATEMENTS) != 0) {
            names.onEndsAll(linked);
        }
        sequences.note(linked, pool(), reason, traits);
        if (!keepSequences(reason, bytes, start, end)) {
            return false;
        }
        if (mode == Mode.SESSION) {
            return true;
        }
        if (TemporarySchema.mayTake(client, trace, reason, traits, bytes, start, end)) {
            doubtDefinition(bytes, start, end);
        }
        if (isPlain(reason, traits) && !client.listening().isListening()) {
            return true;
        }
        if ((traits & Traits.RUNS_UNKNOWN_CODE) != 0) {
            ranUnknownCode = true;
            ranHidingCode = ranHidingCode || client.mayRunHidingCode() || HiddenState.isIn(bytes, start, end);
        }
        channels.onSent(traits);
        channels.onStatement(linked, pool(), traits);
        if ((traits & Traits.CHANGES_SESSION) == 0) {
            return !reason.pins() || pin(reason, bytes, start, end);
        }
        SessionTrace changed = trace();
        client.readChanges(bytes, start, end, changed);
        List<String> named = changed.takeChannels();
        if (client.listening().isShared()) {
            if (!named.isEmpty() && !client.listening().listenFirst(named)) {
                return false;
            }
            if (changed.takeUnlistens() && client.listening().isListening()) {
                channels.listenHere(linked);
            }
            if (!named.isEmpty()) {
                changed.onListen();
            }
            if (reason == Reason.LISTEN) {
                return true;
            }
        }
        Reason kept = reason.pins() ? reason : changed.takeUnnamed() ? Reason.SESSION_SETTING : null;
        return kept == null || pin(kept, bytes, start, end);
    }

    private boolean noteCall(ServerConnection linked, int function) {
        Reason reason = CalledFunction.reason(function);
        ranUnknownCode = true;
        ranHidingCode |= client.mayRunHidingCode();
        writes.note(reason, Traits.RUNS_UNKNOWN_CODE);
        sequences.note(linked, pool(), reason, CalledFunction.traits(function));
        sequences.onQuery(linked);
        ByteBuf shown = reason.pins()
                ? Unpooled.copiedBuffer("FunctionCall \"" + function + '"', StandardCharsets.US_ASCII)
                : null;
        return shown == null || mode == Mode.SESSION || pin(reason, shown, 0, shown.writerIndex());
    }

    /** State is left in the backend by this statement: the client stays on it until that is gone. */
    private boolean pin(Reason reason, ByteBuf bytes, int start, int end) {
        if (SessionTrace.isTold(reason)) {
            trace().doubtHoldings();
        }
        if (reason == Reason.TEMPORARY_OBJECT) {
            definitions.onTemporary();
        }
        return pin.set(reason, pool(), bytes, start, end);
    }

    /** What this statement defines may be temporary: the server is asked. */
    private void doubtDefinition(ByteBuf bytes, int start, int end) {
        trace().doubtHoldings();
        pin.suspect(Reason.TEMPORARY_OBJECT, bytes, start, end);
    }

    /**
     * What the server still holds of what pinned the client; null for nothing.
     *
     * @param registered what the session is registered for
     * @param exactly whether those are all of the client's channels, and not only what it added
     */
    void onHoldings(@Nullable Reason held, List<String> registered, boolean exactly) {
        if (trace().doubtsHoldings()) {
            return; // more was sent since it was asked: the next answer tells
        }
        Reason kept = held;
        if (client.listening().isShared()) {
            channels.onRegistered(linked(), registered, exactly);
        } else if (held == null && !registered.isEmpty()) {
            kept = Reason.LISTEN;
        }
        channels.releaseReady();
        pin.onTold(kept, pool());
    }

    /** The server said what became of a setting; a null value is that of the session's start. */
    void onSettled(String name, @Nullable String value) {
        SessionSettings before = client.settings();
        client.setSettings(value == null ? before.without(name) : before.with(name, value));
    }

    /** The client's text makes the session forget what it drew. */
    void onSequencesDiscarded() {
        sequences.onDiscarded(linked());
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

    // --- from the server -------------------------------------------------------------------------------------------

    @Override
    public boolean mayMove() {
        return mayRunAgain() && !midMessage;
    }

    @Override
    public void forward(ByteBuf bytes, int start, int end) {
        if (refusal != null) {
            return;
        }
        if (heardNothing) {
            heardNothing = false;
            names.answerWithheld();
            noteLatency();
        }
        prelude = prelude && isPrelude(bytes.getByte(start));
        client.outbox().forward(bytes, start, end);
        if (groupEnds) {
            onGroupEnd();
        }
    }

    /** What PostgreSQL says of a statement before it runs, and sends together with the first row or the error. */
    private static boolean isPrelude(byte type) {
        return switch (type) {
            case '1', '2', '3', 't', 'T', 'n' -> true; // ParseComplete to NoData
            default -> false;
        };
    }

    /** In a pipeline of reads that are kept: from here on the next one stands alone. */
    private void onGroupEnd() {
        groupEnds = false;
        heardNothing = true;
        prelude = true;
        appendedBefore = client.outbox().appended();
        client.onGroupAnswered();
        names.onGroupAnswered(linked());
    }

    private void noteLatency() {
        Pool home = pool;
        if (latencyDue && home != null) {
            latencyDue = false;
            long now = System.nanoTime();
            home.noteLatency(now - querySinceNanos, now);
        }
    }

    @Override
    public void onSynthetic(Reply reply) {
        if (refusal != null) {
            return;
        }
        if (mayRunAgain()) {
            names.withhold(reply);
        } else {
            heardNothing = false;
            names.answer(reply);
        }
    }

    @Override
    public void onUnanswered(Reply reply, @Nullable Object subject, boolean itself) {
        ServerConnection linked = server;
        if (linked == null) {
            return;
        }
        names.onUnanswered(linked, reply, subject, itself);
        if (subject == LinkedSequences.SKIPPABLE || subject == OwnStatements.ALONE) {
            linked.doubtSequences();
        } else if (subject == LinkedChannels.SKIPPABLE) {
            trace().doubtHoldings();
        }
    }

    @Override
    public boolean onInjectedError(ErrorResponse error, @Nullable Object subject) {
        if (subject == FollowedSettings.REPLAY) {
            outOfStep = true;
            client.onOutOfStep(error);
            return false;
        }
        if (subject instanceof SessionTrace asked) {
            asked.onFailed();
            channels.releaseReady();
            pin.onUnknown();
            return false;
        }
        if (subject instanceof HeldBegin begin) {
            outOfStep = !begin.isWanted(error);
            if (outOfStep) {
                client.onBeginFailed(error);
            }
            return false;
        }
        if (subject == OwnStatements.ALONE) {
            linked().doubtSequences();
            trace().doubtHoldings();
            return false;
        }
        if (StatementNames.isAlone(subject)) {
            return false;
        }
        return !isRefused(error); // our Parse failed in place of the client's message, which is not answered any more
    }

    @Override
    public boolean onError(ErrorResponse error, @Nullable Object subject, ByteBuf bytes, int start, int end) {
        if (trace != null) {
            trace.onError();
        }
        if (error.isFatal()) {
            ServerConnection linked = linked();
            if (!linked.replies().isEmpty() && linked.replies().headSubject() == FollowedSettings.REPLAY) {
                replayLost = true; // and so nothing of what the client sent has run
                return false;
            }
            if (linked.isQuiet() && !midMessage && mode != Mode.SESSION && !pin.isSet()) {
                linked.setCloseWhenReleased(); // the client has its whole answer: only the server ends
                return false;
            }
            boolean owing = refusal != null || linked.replies().owesClient();
            if (!owing && Refusal.isOfNode(error) && client.leaves(hasFailed())) {
                return false;
            }
            takeBack();
            heardFatal = !mayRunAgain();
            if (heardFatal) {
                channels.dropReady(); // nothing may follow a last word
            }
            return heardFatal;
        }
        if (isRefused(error)) {
            return false;
        }
        boolean renamed = names.onError(linked(), error, subject, bytes, start, end);
        heardNothing &= !renamed;
        return !renamed;
    }

    /** Whether the client is not to hear of the error, for another node may know better. */
    private boolean isRefused(ErrorResponse error) {
        if (refusal == null && read && linked().isStandby()) {
            Refusal found = Refusal.of(error);
            if (found != null) {
                takeBack();
                refusal = mayRunAgain() ? found : null;
                if (refusal != null && linked().replies().size() > 1) {
                    linked().blame("it refuses a read that has others behind it")
                            .close(); // onLost goes on with all of them
                }
            }
        }
        return refusal != null;
    }

    /** Whether the server that the client has is to be left for another, which is to run the same. */
    public boolean isRefused() {
        return refusal != null;
    }

    /** What is about to be sent may write although its text does not show it. */
    public void noteHiddenWrite() {
        writes.note(Reason.REFUSED_BY_STANDBY, Traits.RUNS_UNKNOWN_CODE);
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
        return settings.onParameter(linked, name);
    }

    /** Something goes back to the server's start, which need not be the client's. */
    void onReset() {
        settings.onReset();
    }

    @Override
    public void onTag(@Nullable CommandTag tag) {
        if (tag == CommandTag.RESET) {
            onReset();
        }
        if (tag == CommandTag.DISCARD_ALL && client.listening().isListening()) {
            client.listening().onChannels(List.of(), true);
        }
        if (tag == CommandTag.DEALLOCATE) {
            names.onDeallocated(linked().replies().headSubject());
        }
        if (trace != null) {
            trace.onTag(tag);
        }
        if (pin.mayEnd() && SessionTrace.mayEndPin(tag)) {
            trace().doubtHoldings();
        }
    }

    @Override
    public void onSchemaChange() {
        names.onSchemaChange();
    }

    @Override
    public void onDefinition() {
        definitions.onAnswered();
    }

    private void tellDefined() {
        if (definitions.take()) {
            client.onDefined();
        }
    }

    /** Who shares a listener hears by that. */
    @Override
    public boolean onNotification(ByteBuf bytes, int start, int end) {
        return mode == Mode.SESSION || !client.listening().isShared();
    }

    @Override
    public void onInjectedRow(DataRow row, @Nullable Object subject) {
        if (subject instanceof SessionTrace asking) {
            asking.onRow(linked(), row);
        }
    }

    @Override
    public void onStatementsForgotten(boolean settingsToo) {
        ServerConnection linked = linked();
        if (settingsToo) {
            settings.onForgotten();
        }
        names.onForgotten(linked);
    }

    @Override
    public boolean onReady(TransactionStatus status) {
        if (refusal != null) {
            return false;
        }
        long now = System.nanoTime();
        client.stats().queries++; // not for each Execute: PgBouncer counts what clients wait for
        client.stats().queryNanos += now - querySinceNanos;
        querySinceNanos = now;
        settings.onReady(linked(), trace, status);
        if (status == TransactionStatus.IDLE) {
            tellDefined();
            client.stats().transactions++;
            client.stats().transactionNanos += now - transactionSinceNanos;
            transactionSinceNanos = now;
            if (pool != null) {
                pool.countTransaction(read);
            }
            noteCommit();
            if (channels.mayTell(trace)) {
                return !channels.withholdReady(linked(), trace);
            }
        } else if (mode == Mode.STATEMENT) {
            client.onTransactionInStatementMode();
        }
        groupEnds = read && !linked().replies().isEmpty() && client.holdsRequest();
        return true;
    }

    /** In a pipeline each end of a transaction may be that of the one that wrote. */
    private void noteCommit() {
        if (writes.isNoted() && !linked().isStandby()) {
            client.onCommit(writes.mayBeUnflushed());
            if (linked().replies().isEmpty()) {
                writes.onEnd();
            }
        }
    }

    @Override
    public void onBatchEnd() {
        Outbox outbox = client.outbox();
        if (!mayBeTakenBack() || !outbox.hold()) {
            outbox.flush();
        }
        client.stats().sentBytes += outbox.bytes() - countedBytes;
        countedBytes = outbox.bytes();
        if (server != null) {
            askAboutCopy(server);
        }
        releaseIfClean();
        client.onProgress();
    }

    @Override
    public void onLost(@Nullable ErrorResponse fatal) {
        boolean again = replayLost && !replayedAgain && heardNothing && client.holdsRequest();
        boolean rerun = again || (!replayLost && mayRunAgain() && !outOfStep);
        boolean replayRefused = replayLost && !again;
        replayedAgain = again;
        replayLost = false;
        if (writes.isNoted()) {
            client.onCommit(true); // perhaps: others are to see it if it was
        }
        channels.releaseReady();
        ServerConnection linked = linked();
        midReply = linked.isMidMessage();
        linked.outbox().discard();
        Pool home = end(linked);
        home.release(linked);
        if (replayRefused && fatal != null) {
            client.onOutOfStep(fatal);
        }
        if (rerun) {
            names.takeBackGiven();
        } else if (!linked.isEndedOwing()
                && !heardFatal
                && !midReply
                && client.leaves(linked.status() == TransactionStatus.FAILED)) {
            client.onReleased();
            client.onProgress();
            return;
        }
        if (rerun && refusal != null) {
            client.onRefused(refusal);
        } else {
            client.onServerLost(fatal, heardFatal, rerun);
        }
    }

    /** Whether the client has heard only a part of the message that it hears: another one in it would be no message. */
    public boolean isMidReply() {
        ServerConnection linked = server;
        return linked == null ? midReply : linked.isMidMessage();
    }

    /** Whether what the client sends stands behind a change of settings that may fail, before anything of it runs. */
    public boolean isReplaying() {
        ServerConnection linked = server;
        return linked != null
                && !linked.replies().isEmpty()
                && linked.replies().headSubject() == FollowedSettings.REPLAY;
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
     * None of that has left us yet, so the client need not hear it.
     */
    private void takeBack() {
        boolean rerunnable = read && !pin.isSet() && client.holdsRequest() && outstanding() > 0;
        if (rerunnable && client.outbox().discardBehind(appendedBefore)) {
            heardNothing = true;
        }
    }

    /** Whether the rest of the answer is on its way, and may be an error for which another node is asked. */
    private boolean mayBeTakenBack() {
        return prelude && read && !pin.isSet() && client.holdsRequest() && outstanding() > 0;
    }

    private boolean mayRunAgain() {
        return read && heardNothing && !pin.isSet() && client.holdsRequest();
    }

    @Override
    public void onWritability(boolean writable) {
        client.setReadable(writable);
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
