package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.net.Outbox;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.server.OutstandingReplies;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.SessionSettings;
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
    private final StatementEffects effects;
    private final Rerun rerun;

    private final Mode mode;
    private @Nullable ServerConnection server;
    private @Nullable Pool pool;

    private long countedBytes;
    private boolean midMessage;
    /** How soon the standby answers is not noted yet. */
    private boolean latencyDue;

    /** The server was lost in the midst of a message to the client. */
    private boolean midReply;

    private boolean heardFatal;

    /** What runs is the end of a transaction, and the Query that it is from goes on elsewhere. */
    private boolean endsInFront;

    private boolean endFailed;
    private boolean serverHeld;
    private long transactionSinceNanos;
    private long querySinceNanos;

    public Link(LinkedClient client, StatementCache cache, Mode mode) {
        this.client = client;
        this.mode = mode;
        boolean session = mode == Mode.SESSION;
        this.names = new StatementNames(client, cache, !session);
        this.settings = new FollowedSettings(client, names, session);
        this.effects = new StatementEffects(this, client, names, settings, session);
        this.rerun = new Rerun(client, effects.pin());
    }

    // --- beginning and end -----------------------------------------------------------------------------------------

    /** Takes the server for the client; {@code read} says that all the client has sent so far are proven reads. */
    public void begin(Pool pool, ServerConnection server, boolean read, long nowNanos) {
        this.pool = pool;
        this.server = server;
        rerun.begin(read);
        latencyDue = read;
        names.limit(mode == Mode.SESSION ? 0 : client.maxPrepared());
        names.begin();
        effects.begin();
        heardFatal = false;
        endsInFront = false;
        midMessage = false;
        transactionSinceNanos = nowNanos;
        querySinceNanos = nowNanos;
        server.attach(this);
        if (!client.isWritable()) {
            holdServer(true); // it still has to take what another server sent
        }
        client.stats().assignments++;
        settings.begin(server);
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
        return effects.pin().reason();
    }

    public long pinnedSinceNanos() {
        return effects.pin().sinceNanos();
    }

    public long querySinceNanos() {
        return querySinceNanos;
    }

    /** Whether the link is one of reads on a standby and the server has not opened a transaction for them. */
    public boolean isRead() {
        return rerun.isRead();
    }

    /** The beginning of the statement that {@link #pin() pinned} the client. */
    public String pinnedBy() {
        return effects.pin().statement();
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
        return linked != null
                && linked.replies().owesClient()
                && !linked.group().isOpen()
                && !linked.isReadingCopy();
    }

    /** Whether the transaction has failed that is open on the server. */
    public boolean hasFailed() {
        ServerConnection linked = server;
        return linked != null && linked.status() == TransactionStatus.FAILED;
    }

    /** Whether the server that the client has is in no transaction. */
    public boolean isBetweenTransactions() {
        ServerConnection linked = server;
        return linked == null
                || (linked.status() == TransactionStatus.IDLE && !linked.group().isOpen());
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
        Refusal refused = rerun.refusal();
        if (refused != null && hasFailed() && linked.replies().isEmpty()) {
            leave();
            names.takeBackGiven();
            client.onRefused(refused);
            return;
        }
        if (!linked.isQuiet() || midMessage || linked.outbox().hasUnsent()) {
            return;
        }
        if (effects.isOpen() && linked.hasCancelsInFlight()) {
            return; // a late cancel would hit the question: onCancelsDone goes on
        }
        if (effects.isOpen() && ask(linked)) {
            linked.outbox().flush();
        } else if (!effects.pin().isSet()) {
            rerun.onReleased();
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

    private boolean ask(ServerConnection linked) {
        names.beforeOwn();
        return effects.trace().ask(linked);
    }

    @Override
    public void onCancelsDone() {
        releaseIfClean();
        client.onProgress();
    }

    private void giveBack(Pool home, ServerConnection linked, boolean unsettled) {
        if (home.settings().resetAlways()) {
            home.releaseWithReset(linked);
        } else if (unsettled || effects.isScrubDue(home)) {
            home.releaseWithScrub(linked, effects.ranHidingCode());
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
                && !linked.group().isSkipped()
                && !linked.isInCopyIn()
                && !linked.isClosed()
                && !linked.outbox().hasUnsent();
        boolean pinned = effects.pin().isSet();
        boolean unsettled = effects.isOpen(); // what its statements changed will not be asked any more
        linked.outbox().discard();
        Pool home = end(linked);
        if (boundary && !pinned && linked.isQuiet()) {
            if (mode == Mode.SESSION) {
                home.releaseWithReset(linked);
            } else {
                giveBack(home, linked, unsettled);
            }
        } else if (boundary && !pinned && mode != Mode.SESSION) {
            home.releaseWithRollback(linked, unsettled || effects.isScrubDue(home), effects.ranHidingCode());
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
        effects.end(home);
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
        if (linked.group().isSkipped() && type != FrontendType.SYNC) {
            linked.outbox().forward(bytes, start, end); // the server drops it, as it would have on its own
            return true;
        }
        OutstandingReplies replies = linked.replies();
        switch (type) {
            case QUERY -> {
                if (!effects.note(linked, reason, traits, bytes, start + Limits.HEADER, whole ? end - 1 : end)) {
                    return false;
                }
                effects.onQuery(linked);
                breakGroup(linked);
                if (whole && (traits != 0 || reason == Reason.SQL_PREPARE)) {
                    NamedStatement named = names.namedBySql(linked, bytes, start + Limits.HEADER, end - 1);
                    if (named != null) {
                        return onNamedBySql(linked, named, bytes, start, end);
                    }
                }
                replies.add(Reply.QUERY, Origin.CLIENT, names.query(linked));
                linked.group().setOpen(false);
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
                effects.onExecute(linked, bytes, start);
                linked.group().setOpen(true);
                replies.add(Reply.EXECUTE, Origin.CLIENT);
                forward(linked, bytes, start, end);
            }
            case CLOSE -> {
                effects.onClose();
                names.close(linked, effects.pin().isSet(), bytes, start, end);
            }
            case SYNC -> {
                linked.group().setSkipped(false);
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
                if (!effects.noteCall(linked, CalledFunction.number(bytes, start, end))) {
                    return false;
                }
                breakGroup(linked);
                linked.group().setOpen(false);
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
                if (end - start > Limits.HEADER && !linked.isReadingCopy()) {
                    onMalformed(type, bytes, start, end);
                } else {
                    forward(linked, bytes, start, end);
                }
            }
            case TERMINATE, PASSWORD -> throw new IllegalStateException("not for a server: " + type);
        }
        return true;
    }

    /**
     * A Query or FunctionCall is sent in an open group: outside a transaction, which a message of that group may have ended,
     * PostgreSQL 17 and 18 mix up their transaction state then, and fail the next statement.
     */
    private static void breakGroup(ServerConnection linked) {
        if (linked.group().isOpen()) {
            linked.setCloseWhenReleased();
        }
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
        if (use == Use.EXECUTE && !effects.noteNamed(linked, named.statement(), null, 0)) {
            return false;
        }
        effects.onQuery(linked);
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
            settings.restartIfDue(linked, effects.traceOrNull());
        }
        boolean waits = (linked.isCopyUnsettled() && !isOfCopy(type))
                || effects.isAskedForResets()
                || effects.channels().isEnding(linked)
                || names.mustWait(linked, type, bytes, start, end);
        if (waits) {
            linked.awaitCopy();
        }
        return waits;
    }

    /** Whether a server that reads a COPY may be waiting for it. */
    private static boolean isOfCopy(FrontendType type) {
        return switch (type) {
            case COPY_DATA, COPY_DONE, COPY_FAIL, SYNC, FLUSH -> true;
            default -> false;
        };
    }

    /** Sends on a whole message whose body is not what its type says: an error is what it will be answered with. */
    public void onMalformed(FrontendType type, ByteBuf bytes, int start, int end) {
        ServerConnection linked = linked();
        linked.replies().add(Reply.toMalformed(type), Origin.CLIENT);
        linked.group().setOpen(true);
        forward(linked, bytes, start, end);
    }

    /** Sends on more of a large message. */
    public void onPiece(ByteBuf bytes, int start, int end, boolean last) {
        midMessage = !last;
        linked().outbox().forward(bytes, start, end);
    }

    /** A transaction begins whose first batch has statements with these traits. */
    void onTransaction(int traits) {
        effects.channels().onStatement(linked(), traits);
    }

    /** Sends the end of a transaction, which the client has said in one Query with what runs elsewhere; nothing else is owed. */
    public void sendEnd(ByteBuf query) {
        onMessage(FrontendType.QUERY, query, 0, query.writerIndex(), true, Reason.TRANSACTION_END, 0);
        flushToServer(); // which the buffer is lent until
        endsInFront = true;
        endFailed = false;
    }

    /** Whether that was answered with an error, behind which nothing of the Query runs. */
    public boolean hasEndFailed() {
        return endFailed;
    }

    /** Puts a transaction that the client has begun before in front of what it says next. */
    void sendHeld(HeldBegin begin) {
        transactionSinceNanos = begin.sinceNanos();
        begin.sendTo(linked());
    }

    /** Another batch begins of a transaction that has only read, nothing being owed: other nodes may run it too. */
    public void onNextRead() {
        rerun.beginNext();
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
        if (!kept) {
            if (!effects.note(linked, reason, traits, bytes, parse.queryStart(), parse.queryEnd())) {
                return false;
            }
            effects.sequences().onParsed();
        }
        if (!linked.group().goesOn()) {
            // As a group of its own, so that the statement sees it.
            effects.channels().onStatement(linked, traits);
        }
        if (kept && names.isTooMuch(end)) {
            client.onTooManyStatements();
            return false;
        }
        if (kept) {
            effects.sequences().onParse(linked, pool(), reason, traits);
        }
        names.parse(linked, bytes, start, end, kept, effects.mayHaveOwnNames(), reason, traits);
        return true;
    }

    private boolean onBind(ServerConnection linked, ByteBuf bytes, int start, int end) {
        NamedStatement named = names.bindAt(bytes, start, end);
        if (!effects.noteBind(linked, named, bytes, start, end)) {
            return false;
        }
        names.bind(linked, named, bytes, start, end);
        return true;
    }

    /** What the unnamed statement of this client is, for a batch that binds it without parsing it. */
    public Reason unnamedReason() {
        return names.unnamedReason();
    }

    // --- from the server -------------------------------------------------------------------------------------------

    @Override
    public boolean mayMove() {
        return rerun.isPossible() && !midMessage;
    }

    @Override
    public void forward(ByteBuf bytes, int start, int end) {
        if (rerun.isRefused()) {
            return;
        }
        if (rerun.hears()) {
            names.answers().giveWithheld();
            noteLatency();
        }
        rerun.onForwarding(bytes, start);
        client.outbox().forward(bytes, start, end);
        if (rerun.endsGroup()) {
            names.onGroupAnswered(linked());
        }
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
        if (rerun.isRefused()) {
            return;
        }
        if (rerun.isPossible()) {
            names.answers().withhold(reply);
        } else {
            rerun.hears();
            names.answers().give(reply);
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
            linked.sequences().doubt();
        } else if (subject == LinkedChannels.SKIPPABLE) {
            effects.trace().doubtHoldings();
        }
    }

    @Override
    public boolean onInjectedError(ErrorResponse error, @Nullable Object subject) {
        if (subject == FollowedSettings.REPLAY) {
            rerun.onOutOfStep();
            client.onOutOfStep(error);
            return false;
        }
        if (subject instanceof SessionTrace asked) {
            effects.onAskedInVain(asked);
            return false;
        }
        if (subject instanceof HeldBegin begin) {
            if (!begin.isWanted(error)) {
                rerun.onOutOfStep();
                client.onBeginFailed(error);
            }
            return false;
        }
        if (subject == OwnStatements.ALONE) {
            effects.onOwnFailed(linked());
            return false;
        }
        if (StatementNames.isAlone(subject)) {
            return false;
        }
        // Our Parse failed in place of the client's message, which is not answered any more.
        return !rerun.refuses(linked(), error);
    }

    @Override
    public boolean onError(ErrorResponse error, @Nullable Object subject, ByteBuf bytes, int start, int end) {
        effects.onError();
        if (error.isFatal()) {
            ServerConnection linked = linked();
            if (!linked.replies().isEmpty() && linked.replies().headSubject() == FollowedSettings.REPLAY) {
                rerun.onReplayLost(); // and so nothing of what the client sent has run
                return false;
            }
            if (linked.isQuiet()
                    && !midMessage
                    && mode != Mode.SESSION
                    && !effects.pin().isSet()) {
                linked.setCloseWhenReleased(); // the client has its whole answer: only the server ends
                return false;
            }
            boolean owing = rerun.isRefused() || linked.replies().owesClient();
            if (!owing && Refusal.isOfNode(error) && client.leaves(hasFailed())) {
                return false;
            }
            rerun.takeBack(outstanding());
            heardFatal = !rerun.isPossible();
            if (heardFatal) {
                effects.channels().dropReady(); // nothing may follow a last word
            }
            return heardFatal;
        }
        if (rerun.refuses(linked(), error)) {
            return false;
        }
        endFailed |= endsInFront;
        boolean renamed = names.onError(linked(), error, subject, bytes, start, end);
        if (renamed) {
            rerun.hears();
        }
        return !renamed;
    }

    /** Whether the server that the client has is to be left for another, which is to run the same. */
    public boolean isRefused() {
        return rerun.isRefused();
    }

    /** What is about to be sent may write although its text does not show it. */
    public void noteHiddenWrite() {
        effects.noteHiddenWrite();
    }

    @Override
    public boolean onParameter(String name, String value) {
        ServerConnection linked = server;
        if (linked == null) {
            return false;
        }
        OutstandingReplies replies = linked.replies();
        if (replies.isEmpty() || replies.headOrigin() == Origin.CLIENT) {
            return follows(linked, name, value) && settings.isNews(name, value);
        }
        if (replies.headSubject() == OwnStatements.ALONE) { // which changes nothing: the client did, before
            String before = settings.told(linked, name);
            if (follows(linked, name, value)) {
                settings.reportLater(name, value, before);
            }
        }
        return false;
    }

    /** Takes note of what the server tells; says whether the client is to hear it. */
    private boolean follows(ServerConnection linked, String name, String value) {
        if (!SessionSettings.isSettable(name)) {
            return true;
        }
        if (!client.speaksUtf8() && !HexText.isAscii(value)) {
            effects.trace().onUnread(name);
            return true;
        }
        return settings.onParameter(linked, name);
    }

    @Override
    public void onTag(@Nullable CommandTag tag) {
        if (tag == CommandTag.RESET) {
            settings.onReset();
        }
        if (tag == CommandTag.DISCARD_ALL && client.listening().isListening()) {
            client.listening().onChannels(List.of(), true);
        }
        if (tag == CommandTag.DEALLOCATE
                && !names.onDeallocated(linked().replies().headSubject())) {
            effects.onDeallocated();
        }
        effects.onTag(tag);
    }

    @Override
    public void onSchemaChange() {
        names.onSchemaChange();
    }

    @Override
    public void onDefinition() {
        effects.onDefinition();
    }

    @Override
    public boolean onNoSuchProcess(int processId) {
        int called = effects.signals();
        boolean terminates = called == Traits.TERMINATES;
        return (terminates || called == Traits.CANCELS) && client.signal(processId, terminates, linked().isSuperuser());
    }

    /** Who shares a listener hears by that. */
    @Override
    public boolean onNotification(ByteBuf bytes, int start, int end) {
        return mode == Mode.SESSION || !effects.channels().areShared();
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
        if (rerun.isRefused()) {
            return false;
        }
        boolean goesOn = endsInFront;
        endsInFront = false;
        long now = System.nanoTime();
        client.stats().queries++; // not for each Execute: PgBouncer counts what clients wait for
        client.stats().queryNanos += now - querySinceNanos;
        querySinceNanos = now;
        settings.onReady(linked(), effects.traceOrNull(), status);
        names.parsing().onReady(linked());
        effects.onReady(status);
        if (status == TransactionStatus.IDLE) {
            effects.tellDefined();
            client.stats().transactions++;
            client.stats().transactionNanos += now - transactionSinceNanos;
            transactionSinceNanos = now;
            if (pool != null) {
                pool.countTransaction(rerun.isRead());
            }
            effects.onTransactionEnd();
            if (!goesOn && effects.mayTell()) {
                return !effects.withholdsReady(linked());
            }
        } else if (mode == Mode.STATEMENT) {
            client.onTransactionInStatementMode();
        }
        rerun.onReady(outstanding());
        return !goesOn;
    }

    @Override
    public void onBatchEnd() {
        Outbox outbox = client.outbox();
        if (!rerun.mayBeTakenBack(outstanding()) || !outbox.hold()) {
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
        boolean replayLost = rerun.isReplayLost();
        boolean again = rerun.onLost();
        effects.onLost();
        ServerConnection linked = linked();
        midReply = linked.isMidMessage();
        linked.outbox().discard();
        Pool home = end(linked);
        home.release(linked);
        if (replayLost && !again && fatal != null) {
            client.onOutOfStep(fatal);
        }
        if (again) {
            names.takeBackGiven();
        } else if (!linked.isEndedOwing()
                && !heardFatal
                && !midReply
                && client.leaves(linked.status() == TransactionStatus.FAILED)) {
            client.onReleased();
            client.onProgress();
            return;
        }
        Refusal refused = rerun.refusal();
        if (again && refused != null) {
            client.onRefused(refused);
        } else {
            client.onServerLost(fatal, heardFatal, again);
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

    @Override
    public void onWritability(boolean writable) {
        client.setReadable(writable);
    }

    Pool pool() {
        Pool home = pool;
        if (home == null) {
            throw new IllegalStateException("not linked");
        }
        return home;
    }

    ServerConnection linked() {
        ServerConnection linked = server;
        if (linked == null) {
            throw new IllegalStateException("not linked");
        }
        return linked;
    }

    @Override
    public String toString() {
        return "Link[client=%d server=%s pin=%s]"
                .formatted(client.id(), server == null ? "-" : server.id(), effects.pin());
    }
}
