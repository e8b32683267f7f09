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
import io.plenum.routing.Reason;
import io.plenum.routing.Target;
import io.plenum.routing.Traits;
import io.plenum.wire.FrontendType;
import io.plenum.wire.Limits;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.backend.BackendMessages;
import io.plenum.wire.backend.CommandTag;
import io.plenum.wire.backend.DataRow;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.frontend.FrontendMessages;
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

    private static final Object SETTINGS = "settings";
    /** Marks a DISCARD SEQUENCES in a group of the client's, with which it may be skipped. */
    private static final Object SEQUENCES = "sequences";

    /** Marks the end of a registration in a group of the client's, with which it may be skipped. */
    private static final Object CHANNELS = "channels";

    private static final String OWN_NAME = "PLENUM_";

    /** Marks a group of ours that has its own Sync: its failure is no answer to the client. */
    private static final Object ALONE = "alone";

    /** As many bytes of the statement that pinned a client are kept for SHOW PINS. */
    private static final int MOST_SHOWN_BYTES = 200;

    private final LinkedClient client;
    private final StatementNames names;

    private final Mode mode;
    private @Nullable ServerConnection server;
    private @Nullable Pool pool;
    private @Nullable Reason pin;

    /** Statements that define something temporary and are not answered, and whether something else was defined. */
    private int temporaries;

    private boolean defined;
    /** The pin ends with the client, for nothing tells when what it stands for is gone. */
    private boolean pinLasts;
    /** The pin has its place in the pool's share. */
    private boolean pinCounts;

    private @Nullable SessionTrace trace;
    private boolean ranUnknownCode;

    private final Writes writes = new Writes();
    private boolean mayHaveNotified;
    private boolean readyWithheld;
    private long pinnedSinceNanos;
    private String pinnedBy = "";
    private long countedBytes;
    private boolean midMessage;
    private boolean read;
    private boolean heardNothing;
    private long clientBytesBefore;
    private boolean outOfStep;
    private boolean heardFatal;
    private boolean resetting;
    private @Nullable SessionSettings discarded;
    private boolean serverHeld;
    private long linkedSinceNanos;
    private long transactionSinceNanos;
    private long querySinceNanos;

    /** {@code maxPrepared} statements are kept on a server; 0 leaves names as the client chose them. */
    public Link(LinkedClient client, StatementCache cache, int maxPrepared, Mode mode) {
        this.client = client;
        this.mode = mode;
        boolean session = mode == Mode.SESSION;
        this.names = new StatementNames(client, cache, session ? 0 : maxPrepared, !session);
    }

    // --- beginning and end -----------------------------------------------------------------------------------------

    /** Takes the server for the client; {@code read} says that all the client has sent so far are proven reads. */
    public void begin(Pool pool, ServerConnection server, boolean read, long nowNanos) {
        this.pool = pool;
        this.server = server;
        this.read = read;
        heardNothing = true;
        clientBytesBefore = client.outbox().hasUnsent() ? -1 : client.outbox().bytes();
        names.begin();
        outOfStep = false;
        heardFatal = false;
        resetting = false;
        ranUnknownCode = false;
        writes.clear();
        discarded = null;
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

    /** Whether answers come although the client says no more: not in a group without its Sync, nor in a COPY without its end. */
    public boolean answersByItself() {
        ServerConnection linked = server;
        return linked != null && linked.replies().owesClient() && !linked.isGroupOpen() && !linked.isInCopyIn();
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
        // A Parse of ours in the client's own group is answered with it, so it counts as the client's.
        Object subject = linked.replies().headSubject();
        return subject == SETTINGS || subject == ALONE || subject instanceof SessionTrace;
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
        if (open != null && open.isOpen() && linked.hasCancelsInFlight()) {
            return; // a late cancel would hit the question: onCancelsDone goes on
        }
        if (open != null && open.isOpen() && open.ask(linked)) {
            linked.outbox().flush();
        } else if (pin == null) {
            giveBack(end(linked), linked, false);
            client.onReleased();
        } else {
            resumeKept(linked);
        }
    }

    @Override
    public void onCancelsDone() {
        releaseIfClean();
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
            home.releaseWithRollback(
                    linked, unsettled || home.settings().scrub().isDue(ranUnknownCode));
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
        unpin(home);
        tellDefined();
        return home;
    }

    private void unpin(Pool home) {
        if (pin != null) {
            pin = null;
            pinLasts = false;
            if (pinCounts) {
                pinCounts = false;
                home.unpin();
            }
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
                names.query(linked);
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
            case DESCRIBE -> names.describe(linked, bytes, start, end);
            case EXECUTE -> {
                linked.setGroupOpen(true);
                replies.add(Reply.EXECUTE, Origin.CLIENT);
                client.stats().queries++;
                forward(linked, bytes, start, end);
            }
            case CLOSE -> names.close(linked, bytes, start, end);
            case SYNC -> {
                linked.setSkippingToSync(false);
                // Manual, "COPY Operations": Sync is ignored during copy-in, which CopyDone or CopyFail ends.
                if (!linked.isInCopyIn() || hasCopyData(replies)) {
                    linked.setGroupOpen(false);
                    replies.add(Reply.SYNC, Origin.CLIENT);
                }
                forward(linked, bytes, start, end);
            }
            case FUNCTION_CALL -> {
                ranUnknownCode = true;
                writes.note(Reason.FUNCTION_CALL, Traits.RUNS_UNKNOWN_CODE);
                noteSequences(linked, Reason.FUNCTION_CALL);
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
            case COPY_DATA -> {
                if (!replies.isEmpty() && replies.tail() != Reply.COPY_DATA) {
                    replies.add(Reply.COPY_DATA, Origin.CLIENT);
                }
                forward(linked, bytes, start, end);
            }
            case FLUSH -> forward(linked, bytes, start, end);
            case TERMINATE, PASSWORD -> throw new IllegalStateException("not for a server: " + type);
        }
        return true;
    }

    /** Whether a Sync may be answered during copy-in: when data before it are refused, or behind their end. */
    private static boolean hasCopyData(OutstandingReplies replies) {
        return replies.indexOf(Reply.COPY_DATA) < replies.size() || replies.indexOf(Reply.COPY_END) < replies.size();
    }

    /** Whether a message must wait for answers: on them depends what its name means, or with which settings it is to run. */
    public boolean mustWait(FrontendType type, ByteBuf bytes, int start, int end) {
        return (trace != null && trace.isAskedForResets()) || names.mustWait(linked(), type, bytes, start, end);
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
        ParseView parse = names.parseAt(bytes, start, end);
        boolean kept = names.keeps(whole, end);
        // What is not kept is not there to be looked at when it is bound.
        if (!kept && !note(linked, reason, traits, bytes, parse.queryStart(), parse.queryEnd())) {
            return false;
        }
        if (client.isListening() && reason == Reason.NODE_LOCAL && !linked.isGroupOpen()) {
            listenHere(linked); // as a group of its own, so that the statement sees it
        }
        names.parse(linked, bytes, start, end, kept, reason, traits);
        return true;
    }

    private boolean onBind(ServerConnection linked, ByteBuf bytes, int start, int end) {
        NamedStatement named = names.bindAt(bytes, start, end);
        if (named == null && !names.bindsUnnamed()) {
            writes.note(Reason.NOT_UNDERSTOOD, Traits.RUNS_UNKNOWN_CODE); // prepared in a way that was not followed
        }
        if (named != null ? !noteNamed(linked, named.statement()) : names.bindsUnnamed() && !noteUnnamed(linked)) {
            return false;
        }
        names.bind(linked, named, bytes, start, end);
        return true;
    }

    /** What the unnamed statement of this client is, for a batch that binds it without parsing it. */
    public Reason unnamedReason() {
        return names.unnamedReason();
    }

    // --- state of the session --------------------------------------------------------------------------------------

    private boolean noteUnnamed(ServerConnection linked) {
        ByteBuf text = names.unnamedText();
        writes.note(names.unnamedReason(), names.unnamedTraits());
        if (text == null || isPlain(names.unnamedReason(), names.unnamedTraits())) {
            noteSequences(linked, names.unnamedReason());
            return true;
        }
        return noteBound(linked, names.unnamedReason(), names.unnamedTraits(), text, text.writerIndex());
    }

    private boolean noteNamed(ServerConnection linked, PreparedStatement statement) {
        writes.note(statement.reason(), statement.traits());
        if (isPlain(statement.reason(), statement.traits())) {
            noteSequences(linked, statement.reason());
            return true;
        }
        int end = statement.textLength();
        return noteBound(
                linked, statement.reason(), statement.traits(), Unpooled.wrappedBuffer(statement.tail(), 0, end), end);
    }

    /** A statement that is bound need not be executed. */
    private boolean noteBound(ServerConnection linked, Reason reason, int traits, ByteBuf text, int end) {
        boolean sent = note(linked, reason, traits, text, 0, end);
        if (trace != null) {
            trace.doubtResets();
        }
        return sent;
    }

    private static boolean isPlain(Reason reason, int traits) {
        return traits == 0 && !reason.leavesState();
    }

    private void noteSequences(ServerConnection linked, Reason reason) {
        if (reason.target() != Target.PRIMARY) {
            return;
        }
        // Once somebody asks what was drawn last, each client finds in its transaction what it drew itself, and no
        // more.
        boolean careful =
                reason == Reason.SEQUENCE || (pool().areSequencesAsked() && mayDraw(reason) && !linked.isGroupOpen());
        if (careful && linked.remembersSequencesBeside(client)) {
            discardSequences(linked);
        }
        linked.noteSequencesOf(client);
    }

    /** Whether the statement may draw from a sequence although it does not say so. */
    private static boolean mayDraw(Reason reason) {
        return switch (reason) {
            case WRITE, COPY, UNKNOWN_FUNCTION, VOLATILE_FUNCTION, OPAQUE_RELATION, NO_CATALOG -> true;
            default -> false;
        };
    }

    /**
     * Notes what a statement that is about to be sent may leave in the session, where it would outlive the transaction.
     *
     * @return false when it may not be sent: not yet, or the client was refused
     */
    private boolean note(ServerConnection linked, Reason reason, int traits, ByteBuf bytes, int start, int end) {
        writes.note(reason, traits);
        if ((traits & Traits.ASKS_SEQUENCE_MEMORY) != 0) {
            pool().setSequencesAsked();
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
        sendOwn(linked, ChannelRegistration.begin(client.channels()), null);
    }

    /**
     * Sends statements of our own in front of the client's message: as a group of their own, or in the client's open group, where
     * they are {@code skippable}'s.
     */
    private static void sendOwn(ServerConnection linked, List<String> statements, @Nullable Object skippable) {
        OutstandingReplies replies = linked.replies();
        boolean alone = !linked.isGroupOpen();
        Object subject = alone ? ALONE : skippable;
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
        temporaries += reason == Reason.TEMPORARY_OBJECT ? 1 : 0;
        if (pin != null) {
            return true;
        }
        // An attempt to lock may fail, and one that does keeps nothing: it counts when the server says that it holds.
        if (!client.grantPin(reason, pool(), reason != Reason.SESSION_LOCK)) {
            return false;
        }
        pinCounts = reason != Reason.SESSION_LOCK;
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
        if (trace().doubtsHoldings()) {
            return; // more was sent since it was asked: the next answer tells
        }
        Reason kept = held;
        if (client.sharesListener()) {
            client.onChannels(channels, exactly);
            if (!channels.isEmpty() || exactly) {
                ServerConnection linked = linked();
                sendOwn(linked, ChannelRegistration.END, CHANNELS);
                linked.outbox().flush();
            }
        } else if (held == null && !channels.isEmpty()) {
            kept = Reason.LISTEN;
        }
        releaseReady();
        if (pinLasts) {
            return;
        }
        if (kept == null) {
            unpin(pool());
            return;
        }
        if (pin == null) {
            pinnedSinceNanos = System.nanoTime();
            pinnedBy = "";
        }
        pin = kept;
        pinCounts = pinCounts || client.grantPin(kept, pool(), true);
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
            sendOwn(linked, List.of("DISCARD SEQUENCES"), SEQUENCES);
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
        linked.forgetUnnamed();
    }

    // --- from the server -------------------------------------------------------------------------------------------

    @Override
    public boolean mayMove() {
        return mayRunAgain() && !midMessage;
    }

    @Override
    public void forward(ByteBuf bytes, int start, int end) {
        if (heardNothing) {
            heardNothing = false;
            noteLatency();
        }
        client.outbox().forward(bytes, start, end);
    }

    private void noteLatency() {
        Pool home = pool;
        if (read && home != null) {
            long now = System.nanoTime();
            home.noteLatency(now - querySinceNanos, now);
        }
    }

    @Override
    public void onSynthetic(Reply reply) {
        heardNothing = false;
        names.answer(reply);
    }

    @Override
    public void onUnanswered(Reply reply, @Nullable Object subject, boolean itself) {
        ServerConnection linked = server;
        if (linked == null) {
            return;
        }
        names.onUnanswered(linked, reply, subject, itself);
        if (subject == SEQUENCES) {
            linked.doubtSequences();
        } else if (subject == CHANNELS) {
            trace().doubtHoldings();
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
        if (subject == ALONE) {
            linked().doubtSequences();
            trace().doubtHoldings();
            return false;
        }
        return true; // our Parse failed in place of the client's message, which is not answered any more
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
            if (heardFatal) {
                readyWithheld = false;
                client.dropReady(); // nothing may follow a last word
            }
            return heardFatal;
        }
        boolean renamed = names.onError(error, subject, bytes, start, end);
        heardNothing &= !renamed;
        return !renamed;
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

    @Override
    public void onSchemaChange() {
        names.onSchemaChange();
    }

    /** What is temporary, only its own client sees. */
    @Override
    public void onDefinition() {
        if (temporaries > 0) {
            temporaries--;
        } else {
            defined = true;
        }
    }

    private void tellDefined() {
        temporaries = 0;
        if (defined) {
            defined = false;
            client.onDefined();
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
        names.onForgotten(linked);
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
            tellDefined();
            client.stats().transactions++;
            client.stats().transactionNanos += now - transactionSinceNanos;
            transactionSinceNanos = now;
            if (pool != null) {
                pool.countTransaction(read);
            }
            noteCommit();
            if (mayTellOfChannels()) {
                return !withholdReady();
            }
        } else if (mode == Mode.STATEMENT) {
            client.onTransactionInStatementMode();
        }
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
        if (writes.isNoted()) {
            client.onCommit(true); // perhaps: others are to see it if it was
        }
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
        if (rerunnable
                && !names.hasNamed()
                && clientBytesBefore == client.outbox().bytes()) {
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
