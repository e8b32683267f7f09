package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.catalog.DatabaseCatalog;
import io.plenum.pooler.client.ClientConnection.State;
import io.plenum.pooler.config.SequenceMemory;
import io.plenum.pooler.error.PoolerErrors;
import io.plenum.pooler.link.ClientStatements;
import io.plenum.pooler.link.HeldBegin;
import io.plenum.pooler.link.LeadingCommand;
import io.plenum.pooler.link.Link;
import io.plenum.pooler.link.LinkedClient;
import io.plenum.pooler.link.Refusal;
import io.plenum.pooler.net.Outbox;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.pool.PoolGroup;
import io.plenum.pooler.pool.PoolStats;
import io.plenum.pooler.server.PreparedStatement;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.routing.Catalog;
import io.plenum.routing.GlobalChanges;
import io.plenum.routing.PreparedName;
import io.plenum.routing.Reason;
import io.plenum.routing.SessionChanges;
import io.plenum.routing.Target;
import io.plenum.routing.topology.Node;
import io.plenum.wire.FrameCutter;
import io.plenum.wire.FrameCutter.Step;
import io.plenum.wire.FrontendType;
import io.plenum.wire.Limits;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.backend.BackendMessages;
import io.plenum.wire.error.ErrorResponse;
import org.jspecify.annotations.Nullable;

/**
 * The batches of a client that has logged in to a database, one after the other: a batch is one simple Query, or the messages up
 * to Sync.
 *
 * <pre>
 * IDLE     the batch at hand is decided as a whole, and answered at once or given a server ({@link ServerSeeker})
 * WAITING  it stands unread
 * LINKED   each of its messages goes to {@link Link#onMessage}, and so do the batches behind it, until the server is given
 *          back ({@link #onReleased}), is lost ({@link #onServerLost}) or has refused a read ({@link #onRefused})
 * </pre>
 *
 * <p>Linked to a standby, only proven reads follow: what is none is <em>held</em> until the link is over, or leaves. What the
 * client has heard nothing of is kept, and runs again elsewhere where its server is lost or refuses it; so nothing of a batch is
 * sent twice that a client may know to have run.
 *
 * <p>The bytes are the {@link ClientInput}'s, and what is kept of them the {@link KeptRequest}'s. Made once per client and used
 * for every batch of it; allocates nothing per message. Confined to the client's event loop.
 */
final class BatchRelay implements LinkedClient {
    /** More replies than this are never owed to a client: it is not read until some have come. */
    private static final int MAX_OUTSTANDING = 4096;

    /** Largest named Parse; its text is kept for all servers. */
    private static final int MAX_NAMED_PARSE = 16 * 1024 * 1024;

    private final ClientConnection client;
    private final LoopClients clients;
    private final ClientListening listening;
    private final Link link;
    private final ClientSession session;
    private final ClientReads reads;
    private final ServerSeeker seeker;
    private final HeldBegin begin = new HeldBegin();
    private final KeptRequest request = new KeptRequest();
    private final PendingCancel pendingCancel;

    /** Where the server is from that the client has, or had last. */
    private @Nullable Pool linkedPool;

    private boolean onReplica;

    /** A batch of the link was begun. */
    private boolean requestBegun;

    /** What is handled next while linked is the first message of a batch. */
    private boolean batchBegins = true;

    /** The batch at hand may not go to the server that the client has; it waits for the link to end. */
    private boolean held;

    /** It is what stands behind the end of the transaction in a Query, of which the client has the first answer. */
    private boolean heldRest;

    /** The message at hand waits for answers: on them depends what its name means, or it ends the session. */
    private boolean awaitsAnswers;

    /** A batch that was refused is dropped up to its end. */
    private boolean skipping;

    /** Its end is its Sync. */
    private boolean skippingGroup;

    /** The session begins; {@code names} are what names mean in the database, and are entered already. */
    BatchRelay(
            ClientConnection client,
            LoopClients clients,
            PoolGroup group,
            ClientSettings limits,
            SessionProfile profile,
            @Nullable DatabaseCatalog names) {
        this.client = client;
        this.clients = clients;
        this.listening = new ClientListening(client, this, clients);
        this.link = new Link(this, clients.shared().statements(), limits.mode());
        this.pendingCancel = new PendingCancel(client, clients, link);
        this.session = new ClientSession(profile, limits, link, begin, names);
        this.reads = new ClientReads(group, limits.consistency());
        this.seeker = new ServerSeeker(client, this, group, reads);
        reads.onSettings(session.traits());
    }

    Link link() {
        return link;
    }

    ClientSession session() {
        return session;
    }

    ClientSettings limits() {
        return session.limits();
    }

    ServerSeeker seeker() {
        return seeker;
    }

    /** The transaction that the client was told has begun and of which no server has heard, if there is one. */
    HeldBegin begin() {
        return begin;
    }

    /** The standby that has refused the batch at hand, where another may do; null for none. */
    @Nullable
    Pool refusedBy() {
        return request.refusedBy();
    }

    private BatchReader reader() {
        return clients.batchReader();
    }

    private FrameCutter cutter() {
        return client.input().cutter();
    }

    // --- idle: a batch begins --------------------------------------------------------------------------------------

    /** Handles the next message of a client without a server; says whether there may be more to handle. */
    boolean stepIdle(ByteBuf bytes) {
        FrameCutter cutter = cutter();
        if (skipping) {
            skip(bytes, cutter);
            return !skipping;
        }
        Step step = cutter.next();
        if (step == Step.NONE) {
            return false;
        }
        if (step == Step.PIECE) {
            return true; // the rest of a large CopyData that nobody wants any more
        }
        FrontendType type = client.input().type();
        switch (type) {
            case SYNC -> {
                if (cutter.end() - cutter.start() > Limits.HEADER) {
                    return beginBatch(bytes); // malformed, and PostgreSQL says so
                }
                BackendMessages.readyForQuery(outbox().writer(), begin.status());
            }
            case FLUSH -> {
                if (cutter.end() - cutter.start() > Limits.HEADER) {
                    return beginBatch(bytes); // malformed too
                }
            }
            case COPY_DATA, COPY_DONE, COPY_FAIL -> {} // manual: ignored outside COPY
            case TERMINATE -> {
                client.quit();
                return false;
            }
            case PASSWORD -> throw new ProtocolException("invalid frontend message type " + type.code());
            case CLOSE -> {
                return session.closes(reader(), bytes, cutter.start(), cutter.end(), outbox()) || beginBatch(bytes);
            }
            case QUERY, PARSE, BIND, DESCRIBE, EXECUTE, FUNCTION_CALL -> {
                return maySend(type, bytes) && beginBatch(bytes);
            }
        }
        return true;
    }

    /** Whether the settings let the message pass: max_packet_size, disable_pqexec. Else the client is closed. */
    private boolean maySend(FrontendType type, ByteBuf bytes) {
        ErrorResponse refusal = limits().refusedMessage(type, bytes.getInt(cutter().start() + 1));
        if (refusal != null) {
            client.fail(refusal);
        }
        return refusal == null;
    }

    /** Decides where the messages at hand go and gets a server there; says whether one was had at once. */
    private boolean beginBatch(ByteBuf bytes) {
        int start = cutter().start();
        cutter().rewind(start);
        if (clients.shared().admission().isClosing() && !begin.isHeld()) {
            client.fail(PoolerErrors.shuttingDown());
            return false;
        }
        Reason reason = reader().decide(session, bytes, start);
        if (reader().isCut() && (reason == Reason.INCOMPLETE_BATCH || reason.target() == Target.REPLICA)) {
            return false; // what is still to come decides where it goes
        }
        long now = System.nanoTime();
        LeadingCommand said = reader().leading();
        if (begin.answers(said, session.mayHoldBegin(), this, now)) {
            return onAnswered(said, now);
        }
        boolean read = reason == Reason.READ || reason == Reason.READ_SO_FAR;
        if (request.isForPrimary() || (read && reads.wereRefused(reader(), session, bytes, now))) {
            reason = Reason.REFUSED_BY_STANDBY;
        }
        if (reason == Reason.READ_SO_FAR) {
            begin.onReadSoFar(said, now);
        }
        if (reason.target() == Target.REPLICA) {
            reads.onBatch(reader(), session, bytes, start);
        }
        return seeker.seek(reason, now);
    }

    /** The batch at hand was answered without a server. */
    private boolean onAnswered(LeadingCommand said, long nowNanos) {
        cutter().rewind(said.batchEnd());
        session.onAnswered(said, reader().judgedBy());
        seeker.onAnswered(nowNanos);
        return begin.isHeld() || client.goesOnIdle(nowNanos);
    }

    /** The server for the batch at hand, which goes there for this reason. */
    void onServer(Pool pool, ServerConnection server, Reason reason, boolean forRead, long nowNanos) {
        stats().countRoute(reason);
        client.become(State.LINKED);
        batchBegins = true;
        held = false;
        requestBegun = false;
        link.begin(pool, server, forRead && isProvenRead(reason), nowNanos);
        onReplica = forRead;
        linkedPool = pool;
        if (!onReplica) {
            begin.onPrimary();
        }
        if (reason == Reason.REFUSED_BY_STANDBY) {
            link.noteHiddenWrite();
        }
    }

    /** What a hint alone sent to a standby may have done anything there before it failed: it is not run twice. */
    private static boolean isProvenRead(Reason reason) {
        return reason != Reason.READ_ONLY_TRANSACTION && reason != Reason.HINTED_REPLICA;
    }

    // --- idle: a batch is refused ------------------------------------------------------------------------------------

    /** The batch at hand is answered with the error and dropped up to its end, of which more may have to come. */
    void refuse(ErrorResponse error) {
        ByteBuf bytes = client.input().bytes();
        if (bytes != null) {
            error.writeTo(outbox().writer());
            byte first = bytes.getByte(cutter().position());
            skipping = true;
            skippingGroup = first != 'Q' && first != 'F';
            begin.onRefused();
        }
    }

    private void skip(ByteBuf bytes, FrameCutter cutter) {
        while (skipping) {
            Step step = cutter.next();
            if (step == Step.NONE) {
                return;
            }
            if (step == Step.PIECE) {
                continue;
            }
            // Manual, "Message Flow", Extended Query: up to Sync, a Query or FunctionCall in between is skipped too.
            if (bytes.getByte(cutter.start()) == 'S' || !skippingGroup) {
                skipping = false;
                BackendMessages.readyForQuery(outbox().writer(), begin.status());
            }
        }
    }

    // --- linked: what the client sends -------------------------------------------------------------------------------

    /** Handles the next message of a client that has a server; says whether there may be more to handle. */
    boolean stepLinked(ByteBuf bytes) {
        if (link.outstanding() >= MAX_OUTSTANDING) {
            return false;
        }
        FrameCutter cutter = cutter();
        Step step = cutter.next();
        if (step == Step.NONE) {
            return false;
        }
        int start = cutter.start();
        if (step == Step.PIECE) {
            link.onPiece(bytes, start, cutter.end(), cutter.remaining() == 0);
            return true;
        }
        FrontendType type = client.input().type();
        if (type == FrontendType.TERMINATE) {
            if (link.answersByItself()) {
                cutter.rewind(start); // PostgreSQL comes to it when all before it is answered
                awaitsAnswers = true;
                client.outlastInput();
            } else {
                client.quit();
            }
            return false;
        }
        if (type == FrontendType.PASSWORD) {
            throw new ProtocolException("invalid frontend message type " + type.code());
        }
        if (!maySend(type, bytes) || (step == Step.HEAD && type == FrontendType.PARSE && needsWhole(bytes))) {
            return false;
        }
        if (link.mustWait(type, bytes, start, cutter.end())) {
            cutter.rewind(start);
            awaitsAnswers = true;
            return false;
        }
        if (batchBegins && !mayBegin(bytes, start)) {
            return client.state() == State.IDLE; // it has left its server
        }
        try {
            if (!send(type, bytes, start, cutter.end(), step)) {
                cutter.rewind(start);
                return false;
            }
        } catch (ProtocolException malformed) {
            if (step != Step.WHOLE) {
                throw malformed;
            }
            link.onMalformed(type, bytes, start, cutter.end()); // PostgreSQL says what is wrong with it, and goes on
        }
        batchBegins = type == FrontendType.SYNC || type == FrontendType.QUERY || type == FrontendType.FUNCTION_CALL;
        return true;
    }

    private boolean send(FrontendType type, ByteBuf bytes, int start, int end, Step step) {
        Reason reason = Reason.EMPTY;
        int traits = 0;
        if (type == FrontendType.QUERY || type == FrontendType.PARSE) {
            reason = reader().reasonOf(session, type.code(), bytes, start, end);
            traits = reader().traits();
            if (type == FrontendType.PARSE && bytes.getByte(start + Limits.HEADER) == 0) {
                session.onUnnamedParse(reader().judgedBy());
            }
        }
        if (reason == Reason.NODE_LOCAL && LsnQuestion.isAsked(type, bytes, start, end, step)) {
            new LsnQuestion(bytes, start, end).sendTo(link);
            return true;
        }
        return link.onMessage(type, bytes, start, end, step == Step.WHOLE, reason, traits);
    }

    /** A named statement is kept whole, for every server may need it: the bytes are collected up to a bound. */
    private boolean needsWhole(ByteBuf bytes) {
        int start = cutter().start();
        if (!reader().parsesNamed(bytes, start, cutter().end()) || (maxPrepared() == 0 && !link.isRenaming())) {
            return false;
        }
        int length = bytes.getInt(start + 1);
        if (length > MAX_NAMED_PARSE) {
            client.fail(PoolerErrors.statementTooLarge(MAX_NAMED_PARSE));
        } else {
            client.input().awaitWhole(1 + length);
        }
        return true;
    }

    /**
     * Whether the batch that begins here may go to the server that the client has: on a standby, outside a transaction,
     * only another proven read may; anything else waits until the link is over.
     */
    private boolean mayBegin(ByteBuf bytes, int start) {
        FrameCutter cutter = cutter();
        if (link.outstanding() == 0) {
            link.onRequest(System.nanoTime());
        }
        boolean first = !requestBegun;
        if (begin.mustWait(link, bytes, start, cutter.end())) {
            cutter.rewind(start);
            awaitsAnswers = true;
            return false;
        }
        if (!onReplica) {
            requestBegun = true;
            if (first && link.isReplaying()) {
                keepRequest(bytes, start); // another server may take the settings
            } else if (!first) {
                request.drop();
            }
            return true;
        }
        if (link.isRefused()) {
            cutter.rewind(start); // it comes behind what is to be run again
            held = true;
            return false;
        }
        if (!first) {
            if (link.outstanding() == 0) {
                request.drop();
                // Inside a READ ONLY transaction, or the link would be over.
                return begin.isTentative() ? readsOn(bytes, start) : !endsInFront(bytes, start);
            }
            if (reader().decide(session, bytes, start) != Reason.READ
                    || reads.wereRefused(reader(), session, bytes, System.nanoTime())) {
                cutter.rewind(start);
                held = true;
                return false;
            }
            request.keepBehind(bytes, start, reader().endOfBatch(bytes, start));
            return true;
        }
        requestBegun = true;
        if (link.isRead()) {
            keepRequest(bytes, start);
        }
        return true;
    }

    /**
     * Whether the Query ends the transaction here and goes on with what is not for a standby. Then only the end is sent, and of its
     * answer all but ReadyForQuery is for the client; the rest is held until the link is over, and then a batch of its own.
     */
    private boolean endsInFront(ByteBuf bytes, int start) {
        if (link.pin() != null
                || link.isBetweenTransactions()
                || !reader().endsInFront(session, bytes, start, cutter().end())) {
            return false;
        }
        link.sendEnd(reader().takeEnd(bytes, start));
        cutter().rewind(start);
        held = true;
        heldRest = true;
        return true;
    }

    /** Whether the batch goes on on the standby where its transaction has only read; else it goes on on the primary. */
    private boolean readsOn(ByteBuf bytes, int start) {
        Reason next = reader().decide(session, bytes, start);
        boolean mayStay =
                next == Reason.READ_SO_FAR && (link.hasFailed() || reads.mayGoOn(reader(), session, bytes, linkedPool));
        if (mayStay || reader().leading().setsModes()) { // which behind a statement are refused everywhere
            keepRequest(bytes, start);
            link.onNextRead();
            return true;
        }
        cutter().rewind(start);
        if (next != Reason.INCOMPLETE_BATCH || !reader().isCut()) {
            begin.leaves(link.hasFailed());
            link.leave();
            onReleased();
        }
        return false;
    }

    private void keepRequest(ByteBuf bytes, int start) {
        request.keep(
                bytes,
                start,
                reader().endOfRepeatable(bytes, start),
                client.channel().alloc());
    }

    /** What was given to the link goes to the server. */
    void flush() {
        link.flushToServer();
    }

    /** Whether what the client has sent waits for answers to what it sent before. */
    boolean isHeldBack() {
        return listening.isAwaited()
                || (client.state() == State.LINKED && (held || awaitsAnswers || link.outstanding() >= MAX_OUTSTANDING));
    }

    // --- linked: what becomes of it ----------------------------------------------------------------------------------

    @Override
    public boolean holdsRequest() {
        return request.isKept();
    }

    @Override
    public void onHeard() {
        request.drop();
    }

    @Override
    public void onGroupAnswered() {
        request.dropFirst(reader());
    }

    @Override
    public void onCommit(boolean mayBeUnflushed) {
        reads.onCommit(mayBeUnflushed);
    }

    @Override
    public void onProgress() {
        cancelWhenDue();
        if (client.input().bytes() != null && !client.input().isInHand()) {
            awaitsAnswers = false;
            if (held && link.outstanding() == 0) {
                held = false;
            }
            client.pump();
        }
    }

    @Override
    public void onReleased() {
        request.onAnswered();
        reads.onAnswered(linkedPool, onReplica);
        if (heldRest && link.hasEndFailed()) {
            skipping = true; // PostgreSQL runs nothing behind an error of the same Query
            skippingGroup = false;
        }
        heldRest = false;
        held = false;
        awaitsAnswers = false;
        onReplica = false;
        long now = System.nanoTime();
        begin.onReleased(now);
        if (client.state() == State.LINKED) {
            client.become(State.IDLE);
            if (!begin.isHeld()) {
                client.goesOnIdle(now);
            }
        }
    }

    @Override
    public boolean leaves(boolean failed) {
        return client.state() == State.LINKED && begin.leaves(failed);
    }

    @Override
    public void onRefused(Refusal why) {
        Pool pool = linkedPool;
        ByteBuf again = client.state() == State.LINKED && pool != null ? request.take() : null;
        if (again == null || pool == null) {
            return; // it is leaving
        }
        onReplica = false;
        if (why.isOfStatement()) {
            reads.onRefused(reader(), session, again);
        }
        request.onRefused(why, pool);
        runAgain(again);
    }

    @Override
    public void onServerLost(@Nullable ErrorResponse fatal, boolean heard, boolean rerun) {
        if (client.state() != State.LINKED) {
            return;
        }
        ByteBuf again = client.channel().isActive() && rerun ? request.take() : null;
        if (again != null) {
            runAgain(again);
            return;
        }
        request.drop();
        client.become(State.IDLE);
        if (heard) {
            client.leaveUntold();
        } else {
            client.fail(fatal == null ? PoolerErrors.serverLost() : fatal);
        }
    }

    /** Puts the reads that died with their server in front of what the client sent since. */
    private void runAgain(ByteBuf again) {
        ByteBuf rest = client.input().shown();
        if (rest != null) {
            int from = cutter().position();
            int end = batchBegins ? -1 : reader().endOfBatch(rest, from);
            if (end > 0) { // the rest of the last batch, which waits to be sent, was kept with it
                again.writerIndex(again.writerIndex() - (end - from));
            }
        }
        client.input().putInFront(again);
        begin.onTakenBack();
        client.become(State.IDLE);
        held = false;
        awaitsAnswers = false;
        stats().reruns++;
        client.pump();
    }

    /** The client is gone or is closed: it waits for no server, keeps none, and what it has sent is not run again. */
    void giveUp() {
        seeker.giveUp();
        link.onClientGone();
        request.drop();
        listening.close();
    }

    /** Whether it is between two transactions and its socket takes bytes. */
    boolean isFreeToHear() {
        boolean between = switch (client.state()) {
            case IDLE -> !begin.isHeld();
            case LINKED -> !link.runsForClient() && link.isBetweenTransactions();
            case LOGIN, WAITING, CONSOLE, REPLICATION, LEAVING, GONE -> false;
        };
        return between && isWritable();
    }

    // --- cancel ----------------------------------------------------------------------------------------------------

    /**
     * A cancel request with the right key. One that waits is taken out of the queue; one whose statement runs has the
     * request passed on to its server, which nobody else gets before that is over: then {@code done} is run.
     */
    void cancel(Runnable done) {
        if (client.state() == State.WAITING) {
            seeker.refuse(PoolerErrors.canceledWhileWaiting());
            done.run();
        } else {
            pendingCancel.begin(done);
        }
    }

    /** A cancel must not hit what we run in front of the client's statement, so it waits for that to be over. */
    void cancelWhenDue() {
        pendingCancel.sendWhenDue();
    }

    // --- what is granted to the link, and what ends the client -------------------------------------------------------

    @Override
    public boolean grantPin(Reason reason, Pool pool, boolean counts) {
        ErrorResponse refusal = onReplica
                ? PoolerErrors.sessionStateOnStandby(reason.label())
                : limits().refusedPin(reason.label(), pool, counts);
        if (refusal != null) {
            client.fail(refusal);
        }
        return refusal == null;
    }

    @Override
    public boolean grantLock() {
        if (onReplica) {
            client.fail(PoolerErrors.lockOnStandby());
        }
        return !onReplica;
    }

    @Override
    public boolean signal(int processId, boolean terminates, boolean anybody) {
        ClientConnection meant = clients.shared().cancelKeys().holder(processId);
        if (meant == null || !(anybody || meant.user().equals(client.user()))) {
            return false;
        }
        meant.execute(() -> meant.onSignal(terminates));
        return true;
    }

    @Override
    public void onOutOfStep(ErrorResponse error) {
        client.fail(PoolerErrors.settingsReplayFailed(error));
    }

    @Override
    public void onTooManyStatements() {
        client.fail(PoolerErrors.tooManyStatements(ClientStatements.MOST_BYTES));
    }

    @Override
    public void onBeginFailed(ErrorResponse error) {
        client.fail(PoolerErrors.heldBeginFailed(error));
    }

    @Override
    public void onTransactionInStatementMode() {
        client.fail(PoolerErrors.transactionInStatementMode());
    }

    // --- what the link asks ------------------------------------------------------------------------------------------

    @Override
    public SessionSettings settings() {
        return session.settings();
    }

    @Override
    public void setSettings(SessionSettings settings) {
        session.set(settings);
        reads.onSettings(session.traits());
    }

    @Override
    public SessionSettings startSettings() {
        return session.startSettings();
    }

    @Override
    public ClientStatements statements() {
        return session.statements();
    }

    @Override
    public int maxPrepared() {
        return limits().maxPrepared();
    }

    @Override
    public boolean keepsSequences() {
        return limits().sequenceMemory() == SequenceMemory.SESSION;
    }

    @Override
    public long certainCatalog() {
        Catalog now = session.catalog();
        return now.isFresh() ? now.version() : 0;
    }

    @Override
    public void judge(PreparedStatement statement) {
        reader().judge(session, statement);
    }

    @Override
    public boolean isUnnamedJudgedNow() {
        return session.isUnnamedJudgedNow();
    }

    @Override
    public boolean mayRunHidingCode() {
        return session.catalog().mayHide();
    }

    @Override
    public void onDefined() {
        session.onDefined();
    }

    @Override
    public boolean isTextSafe() {
        return session.isTextSafe();
    }

    @Override
    public boolean speaksUtf8() {
        return "UTF8".equals(session.value("client_encoding"));
    }

    @Override
    public void readChanges(ByteBuf sql, int start, int end, SessionChanges.Sink sink) {
        reader().readChanges(sql, start, end, sink);
    }

    @Override
    public void readGlobals(ByteBuf sql, int start, int end, GlobalChanges.Sink sink) {
        reader().readGlobals(sql, start, end, sink);
    }

    @Override
    public void claim(Node node, String database) {
        clients.shared().renewal().claim(client.database(), node, database);
    }

    @Override
    public void onGlobalChange(@Nullable String role, @Nullable String database) {
        clients.shared().renewal().renew(client.database(), role, database);
    }

    @Override
    public PreparedName preparedName() {
        return reader().preparedName();
    }

    @Override
    public long judgedBy() {
        return reader().judgedBy();
    }

    @Override
    public ClientListening listening() {
        return listening;
    }

    @Override
    public PoolStats stats() {
        return client.stats();
    }

    @Override
    public Outbox outbox() {
        return client.outbox();
    }

    @Override
    public boolean isWritable() {
        return client.isWritable();
    }

    @Override
    public void setReadable(boolean readable) {
        client.setReadable(readable);
    }

    @Override
    public long id() {
        return client.id();
    }

    @Override
    public String database() {
        return client.database();
    }

    @Override
    public String toString() {
        return "BatchRelay[client=%d %s]".formatted(client.id(), client.state());
    }
}
