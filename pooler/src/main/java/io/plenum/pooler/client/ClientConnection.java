package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.plenum.pooler.catalog.DatabaseCatalog;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.SequenceMemory;
import io.plenum.pooler.error.PoolerErrors;
import io.plenum.pooler.link.ClientStatements;
import io.plenum.pooler.link.HeldBegin;
import io.plenum.pooler.link.LeadingCommand;
import io.plenum.pooler.link.Link;
import io.plenum.pooler.link.LinkedClient;
import io.plenum.pooler.link.Refusal;
import io.plenum.pooler.net.Outbox;
import io.plenum.pooler.net.TlsFailure;
import io.plenum.pooler.pool.LoginRetry;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.pool.PoolGroup;
import io.plenum.pooler.pool.PoolStats;
import io.plenum.pooler.pool.WaitQueue;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.routing.PreparedName;
import io.plenum.routing.Reason;
import io.plenum.routing.SessionChanges;
import io.plenum.routing.Target;
import io.plenum.wire.FrameCutter;
import io.plenum.wire.FrameCutter.Step;
import io.plenum.wire.FrontendType;
import io.plenum.wire.Limits;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.backend.BackendMessages;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.frontend.ParseView;
import io.plenum.wire.startup.CancelKey;
import io.plenum.wire.startup.StartupParameters.Replication;
import java.io.IOException;
import java.net.SocketAddress;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One client, from its first byte to its last.
 *
 * <pre>
 * LOGIN -> IDLE <-> WAITING -> LINKED -> IDLE      any -> LEAVING -> GONE
 *       -> CONSOLE
 *       -> REPLICATION
 * </pre>
 *
 * <p>While idle, the messages at hand up to Sync are one batch: {@link #beginBatch} decides where it goes. While linked, every
 * message goes to {@link Link#onMessage}. While waiting, nothing is read. Confined to its event loop.
 */
public final class ClientConnection extends ChannelInboundHandlerAdapter implements LinkedClient, WaitQueue.Waiter {
    /** More replies than this are never owed to a client: it is not read until some have come. */
    private static final int MAX_OUTSTANDING = 4096;

    /** Largest named Parse; its text is kept for all servers. */
    private static final int MAX_NAMED_PARSE = 16 * 1024 * 1024;

    /**
     * So much is taken from a client that waits before it is no longer read: to stop and start reading costs system calls,
     * and most clients say nothing more until they are answered.
     */
    private static final int READ_AHEAD = 64 * 1024;

    /** A client that does not close after our last word is closed then. */
    private static final long LINGER_MILLIS = 1_000;

    /** Where a client stands. */
    public enum State {
        LOGIN,
        IDLE,
        WAITING,
        LINKED,
        CONSOLE,
        /** Everything is passed on to a WAL sender of its own. */
        REPLICATION,
        /** Our last word is sent; what the client still says is dropped, so that no reset overtakes that word. */
        LEAVING,
        GONE
    }

    private final LoopClients clients;
    private final long id;
    private final ClientLog log;
    private final FrameCutter cutter = new FrameCutter(FrameCutter.Side.FRONTEND);
    private final KeptRequest request = new KeptRequest();
    private final WaitQueue.Place place = new WaitQueue.Place(this);
    private final ClientListening listening;
    private final HeldBegin begin = new HeldBegin();
    private final long connectedNanos = System.nanoTime();
    private final long connectedAtMillis = System.currentTimeMillis();

    private State state = State.LOGIN;
    private @Nullable ClientLogin login;
    private @Nullable Channel channel;
    private @Nullable Outbox outbox;
    private @Nullable ClientTransport transport;
    private @Nullable ConsoleSession console;
    private @Nullable ReplicationRelay replication;
    private @Nullable CancelKey cancelKey;
    private Headcount.@Nullable Seat seat;
    private @Nullable PoolGroup group;
    private @Nullable Pool awaited;
    private @Nullable Pool linkedPool;
    private @Nullable Link link;
    private @Nullable ClientReads reads;
    private @Nullable ClientSession session;
    private String database = "";
    private String user = "";

    /** Bytes that are not cut yet: owned. */
    private @Nullable ByteBuf input;

    /** The input is a buffer of our own, which more can be appended to. */
    private boolean inputKept;

    /** So many bytes the input must have before it is looked at again: those of a message that is taken whole. */
    private int collected;

    private boolean pumping;
    private boolean readPaused;
    /** The server takes no more bytes. */
    private boolean writeBlocked;

    /** The batch at hand may not go to the server that the client has; it waits for the link to end. */
    private boolean held;

    /** The message at hand waits for answers: on them depends what its name means, or it ends the session. */
    private boolean awaitsAnswers;

    /** A cancelled batch is dropped up to its Sync. */
    private boolean skipping;

    private boolean skippingGroup;

    private boolean batchBegins = true;
    private boolean onReplica;
    private boolean waitsForRead;
    private Reason batchReason = Reason.EMPTY;

    /** A cancel request that waits for its moment: to be run when it is over. */
    private @Nullable Runnable pendingCancel;

    /** A batch of the link was begun. */
    private boolean requestBegun;

    private int position;
    private long requestNanos;
    /** Since when the wait lasts, or lasted, that the client was last told of. */
    private long notifiedWait;

    private long idleSinceNanos = connectedNanos;
    private @Nullable ErrorResponse verdict;

    private final ParseView parse = new ParseView();

    public ClientConnection(LoopClients clients) {
        this.clients = clients;
        this.id = clients.shared().ids().getAsLong();
        clients.shared().admission().enter();
        this.log = new ClientLog(id, clients.shared().config(), this::remoteAddress);
        this.listening = new ClientListening(this, clients);
    }

    // --- socket events ---------------------------------------------------------------------------------------------

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        channel = context.channel();
        outbox = new Outbox(context.channel());
        transport = new ClientTransport(context.channel());
        clients.enter(this);
        login = new ClientLogin(this, clients);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        if (state == State.LEAVING || state == State.GONE) {
            bytes.release();
            return;
        }
        if (group != null) {
            group.stats().receivedBytes += bytes.readableBytes();
        }
        ByteBuf before = input;
        if (before != null) {
            before.writeBytes(bytes);
            bytes.release();
        } else {
            input = bytes;
            inputKept = false;
        }
        pump();
        if (login != null) {
            transport().handOver();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof SslHandshakeCompletionEvent shaken) {
            transport().onHandshake(shaken, id);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (link != null) {
            link.holdServer(!context.channel().isWritable());
        }
        if (replication != null) {
            replication.holdServer(!context.channel().isWritable());
        }
        if (readPaused && context.channel().isWritable()) {
            // Not from in here: it may be a flush of our own that tells, in the midst of what is at hand.
            context.channel().eventLoop().execute(this::onWritableAgain);
        }
    }

    private void onWritableAgain() {
        if (state != State.GONE && isWritable()) {
            pauseReading(false);
            pump();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        onGone();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!(cause instanceof IOException || TlsFailure.isCauseOf(cause))) {
            log.onFailure(cause);
        }
        context.close();
    }

    private void onGone() {
        if (state == State.GONE) {
            return;
        }
        if (console != null) {
            clients.shared().admission().leaveConsole();
        }
        State before = state;
        become(State.GONE);
        leaveWork(before);
        if (login != null) {
            login.stop();
            login = null;
        }
        if (console != null) {
            console.onClosed();
        }
        if (outbox != null) {
            outbox.discard();
        }
        transport().discard();
        if (cancelKey != null) {
            clients.shared().cancelKeys().withdraw(cancelKey);
        }
        if (group != null) {
            group.removeClient();
        }
        if (session != null) {
            session.close();
        }
        clients.leave(this);
        if (seat != null) {
            seat.leave();
        }
        clients.shared().admission().leave();
        log.onClosing("client unexpected eof");
    }

    ClientLog log() {
        return log;
    }

    /** Whatever the client had in hand is given up. */
    private void leaveWork(State before) {
        place.leave();
        if (before == State.LINKED && link != null) {
            link.onClientGone();
        }
        cancelWhenDue();
        if (replication != null) {
            replication.stop();
        }
        request.drop();
        listening.close();
        if (input != null) {
            input.release();
            input = null;
        }
    }

    private void become(State next) {
        state = next;
    }

    // --- reading ---------------------------------------------------------------------------------------------------

    /** Cuts and handles what is at hand, as far as the state allows. */
    void pump() {
        if (pumping) {
            return; // a reply that comes at once calls back into here; the outer call goes on
        }
        ByteBuf bytes = input;
        if (bytes == null || bytes.readableBytes() < collected) {
            return;
        }
        collected = 0;
        pumping = true;
        clients.batches().forget();
        try {
            cutter.show(bytes);
            boolean more = !listening.isAwaited();
            while (more) {
                more = switch (state) {
                    // What stands behind the end of the login is the session's.
                    case LOGIN -> login != null && (login.step(bytes) || state != State.LOGIN);
                    case IDLE -> stepIdle(bytes);
                    case LINKED -> stepLinked(bytes);
                    case CONSOLE -> stepConsole(bytes);
                    case REPLICATION -> relayAll(bytes);
                    case WAITING, LEAVING, GONE -> false;
                };
            }
            if (link != null) {
                link.flushToServer();
            }
        } catch (ProtocolException violation) {
            if (link != null) {
                link.flushToServer(); // what was sent on refers to the bytes at hand
            }
            onViolation(violation);
        } finally {
            pumping = false;
        }
        if (outbox != null && state != State.GONE) {
            outbox.flush();
        }
        keepRest();
    }

    private void onViolation(ProtocolException violation) {
        if (violation.isSilent() && login == null) {
            log.onClosing(String.valueOf(violation.getMessage()));
            leave(null);
        } else {
            fail(ErrorResponse.fatal(violation.sqlState(), String.valueOf(violation.getMessage())));
        }
    }

    FrameCutter cutter() {
        return cutter;
    }

    /** Keeps what is not handled in a buffer of its own, and lets the receive buffer go. */
    private void keepRest() {
        ByteBuf bytes = input;
        if (bytes == null) {
            return;
        }
        int from = cutter.position();
        int rest = bytes.writerIndex() - from;
        if (rest == 0) {
            bytes.release();
            input = null;
        } else if (!inputKept || from > bytes.readerIndex()) {
            ByteBuf kept = channel().alloc().directBuffer(Math.max(256, rest + rest / 2));
            kept.writeBytes(bytes, from, rest);
            bytes.release();
            input = kept;
            inputKept = true;
        }
        boolean waits = state == State.WAITING
                || listening.isAwaited()
                || isHeldBack()
                || (console != null && console.isBusy());
        pauseReading((waits && rest >= READ_AHEAD) || !isWritable()); // who does not read its answers is not read
    }

    private void pauseReading(boolean pause) {
        if (pause != readPaused && channel != null) {
            readPaused = pause;
            readIfAllowed();
        }
    }

    /** Lets the socket be read unless there is a reason not to; to be called when such a reason comes or goes. */
    void readIfAllowed() {
        boolean suspended =
                clients.shared().admission().isSuspended() && state != State.LOGIN && state != State.CONSOLE;
        channel().config().setAutoRead(!readPaused && !writeBlocked && !suspended);
    }

    /** Whether the kernel has all that the client was sent; the console's own answer does not count. */
    boolean isFlushed() {
        ChannelOutboundBuffer unsent = channel == null ? null : channel.unsafe().outboundBuffer();
        return state == State.CONSOLE || unsent == null || unsent.totalPendingWriteBytes() == 0;
    }

    private boolean isHeldBack() {
        return state == State.LINKED
                && (held || awaitsAnswers || (link != null && link.outstanding() >= MAX_OUTSTANDING));
    }

    // --- idle: a batch begins --------------------------------------------------------------------------------------

    private boolean stepIdle(ByteBuf bytes) {
        if (skipping) {
            skipToSync();
            return !skipping;
        }
        Step step = cutter.next();
        if (step == Step.NONE) {
            return false;
        }
        if (step == Step.PIECE) {
            return true; // the rest of a large CopyData that nobody wants any more
        }
        FrontendType type = type(bytes);
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
                quit();
                return false;
            }
            case PASSWORD -> throw new ProtocolException("invalid frontend message type " + type.code());
            case CLOSE -> {
                return session().closes(bytes, cutter.start(), cutter.end(), outbox()) || beginBatch(bytes);
            }
            case QUERY, PARSE, BIND, DESCRIBE, EXECUTE, FUNCTION_CALL -> {
                return maySend(type, bytes) && beginBatch(bytes);
            }
        }
        return true;
    }

    /** Whether the settings let the message pass: max_packet_size, disable_pqexec. Else the client is closed. */
    private boolean maySend(FrontendType type, ByteBuf bytes) {
        ErrorResponse refusal = limits().refusedMessage(type, bytes.getInt(cutter.start() + 1));
        if (refusal != null) {
            fail(refusal);
        }
        return refusal == null;
    }

    /** Decides where the messages at hand go and gets a server there; says whether one was had at once. */
    private boolean beginBatch(ByteBuf bytes) {
        int start = cutter.start();
        cutter.rewind(start);
        if (clients.shared().admission().isClosing() && !begin.isHeld()) {
            fail(PoolerErrors.shuttingDown());
            return false;
        }
        batchReason = clients.batches().decide(session(), bytes, start);
        if (batchReason == Reason.INCOMPLETE_BATCH && clients.batches().isCut(bytes, start)) {
            return false; // the network has cut it: what is still to come decides where it goes
        }
        long now = System.nanoTime();
        LeadingCommand said = clients.batches().leading();
        if (begin.answers(said, session().mayHoldBegin(), this, now)) {
            return onAnswered(said, now);
        }
        boolean read = batchReason == Reason.READ || batchReason == Reason.READ_SO_FAR;
        if (request.isForPrimary() || (read && reads().wereRefused(clients.batches(), session(), bytes, now))) {
            batchReason = Reason.REFUSED_BY_STANDBY;
        }
        if (batchReason == Reason.READ_SO_FAR) {
            begin.onReadSoFar(said, now);
        }
        if (batchReason.target() == Target.REPLICA) {
            reads().onBatch(clients.batches(), session(), bytes, start);
        }
        return seekServer(now);
    }

    /** The batch at hand was answered without a server. */
    private boolean onAnswered(LeadingCommand said, long nowNanos) {
        cutter.rewind(said.batchEnd());
        session().onAnswered(said, clients.batches().judgedBy());
        requestNanos = nowNanos;
        return begin.isHeld() || goesOnIdle(nowNanos);
    }

    private boolean seekServer(long nowNanos) {
        requestNanos = nowNanos;
        boolean read = batchReason.target() == Target.REPLICA;
        Pool pool = read ? reads().preferred(request.refusedBy(), session(), user) : null;
        if (pool != null && batchReason != Reason.EMPTY) {
            pool = reads().choose(pool);
            if (pool == null && reads().await(place, nowNanos, limits().patience())) {
                become(State.WAITING);
                return false;
            }
            batchReason = pool == null ? Reason.NOT_CAUGHT_UP : batchReason;
        }
        waitsForRead = pool != null;
        if (read && pool == null && batchReason.target() == Target.REPLICA && batchReason != Reason.EMPTY) {
            batchReason = Reason.NO_REPLICA;
        }
        if (pool == null) {
            pool = group().forWrite();
        }
        awaited = pool;
        if (pool == null) {
            return !hold(nowNanos);
        }
        ServerConnection server = pool.take(nowNanos);
        if (server == null) {
            become(State.WAITING);
            pool.await(place, nowNanos);
            return false;
        }
        linkTo(pool, server, nowNanos);
        return true;
    }

    /** Waits until there is a primary; false when the batch may not and was refused. */
    private boolean hold(long sinceNanos) {
        ByteBuf bytes = input;
        if (bytes != null && !pumping) {
            cutter.show(bytes); // it waited before, and what it had sent was put elsewhere since
        }
        int size = bytes == null ? 0 : bytes.writerIndex() - cutter.position();
        ErrorResponse refusal = group().hold(place, sinceNanos, size);
        if (refusal == null) {
            become(State.WAITING);
        } else {
            become(State.IDLE);
            refuseBatch(refusal);
        }
        return refusal == null;
    }

    private void linkTo(Pool pool, ServerConnection server, long nowNanos) {
        stats().countRoute(batchReason);
        become(State.LINKED);
        batchBegins = true;
        held = false;
        requestBegun = false;
        link().begin(pool, server, waitsForRead && isProvenRead(batchReason), nowNanos);
        onReplica = waitsForRead;
        linkedPool = pool;
        if (!onReplica) {
            begin.onPrimary();
        }
        if (batchReason == Reason.REFUSED_BY_STANDBY) {
            link().noteHiddenWrite();
        }
    }

    /** What a hint alone sent to a standby may have done anything there before it failed: it is not run twice. */
    private static boolean isProvenRead(Reason reason) {
        return reason != Reason.READ_ONLY_TRANSACTION && reason != Reason.HINTED_REPLICA;
    }

    @Override
    public void onCommit(boolean mayBeUnflushed) {
        reads().onCommit(mayBeUnflushed);
    }

    // --- waiting ---------------------------------------------------------------------------------------------------

    @Override
    public void onServer(ServerConnection server) {
        Pool pool = awaited;
        if (pool == null) {
            throw new IllegalStateException("a server from nowhere");
        }
        awaited = null;
        long now = System.nanoTime();
        stats().waitNanos += now - requestNanos;
        linkTo(pool, server, now);
        pump();
    }

    @Override
    public void onTrouble(@Nullable ErrorResponse refusal) {
        long since = place.sinceNanos();
        place.leave();
        awaited = null;
        if (refusal != null && refusal.isFatal() && LoginRetry.isLasting(refusal) && !waitsForRead) {
            fail(refusal);
            return;
        }
        if (seekServer(since)) {
            pump();
        }
    }

    @Override
    public void onRefused(ErrorResponse error) {
        execute(() -> {
            if (state == State.WAITING && !place.isWaiting()) { // else it was cancelled meanwhile, or is gone
                refuseWaiting(error);
            }
        });
    }

    // --- linked ----------------------------------------------------------------------------------------------------

    private boolean stepLinked(ByteBuf bytes) {
        Link link = link();
        if (link.outstanding() >= MAX_OUTSTANDING) {
            return false;
        }
        Step step = cutter.next();
        if (step == Step.NONE) {
            return false;
        }
        int start = cutter.start();
        if (step == Step.PIECE) {
            link.onPiece(bytes, start, cutter.end(), cutter.remaining() == 0);
            return true;
        }
        FrontendType type = type(bytes);
        if (type == FrontendType.TERMINATE) {
            if (link.answersByItself()) {
                cutter.rewind(start); // PostgreSQL comes to it when all before it is answered
                awaitsAnswers = true;
            } else {
                quit();
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
        if (batchBegins && !mayBegin(link, bytes, start)) {
            return state == State.IDLE; // it has left its server
        }
        try {
            Reason reason = Reason.EMPTY;
            int traits = 0;
            if (type == FrontendType.QUERY || type == FrontendType.PARSE) {
                reason = clients.batches().reasonOf(session(), type.code(), bytes, start, cutter.end());
                traits = clients.batches().traits();
                if (type == FrontendType.PARSE && bytes.getByte(start + Limits.HEADER) == 0) {
                    session().onUnnamedParse(clients.batches().judgedBy());
                }
            }
            if (reason == Reason.NODE_LOCAL && LsnQuestion.isAsked(type, bytes, start, cutter.end(), step)) {
                new LsnQuestion(bytes, start, cutter.end()).sendTo(link);
            } else if (!link.onMessage(type, bytes, start, cutter.end(), step == Step.WHOLE, reason, traits)) {
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

    /** A named statement is kept whole, for every server may need it: the bytes are collected up to a bound. */
    private boolean needsWhole(ByteBuf bytes) {
        parse.at(bytes, cutter.start(), cutter.end());
        if (parse.nameStart() == parse.nameEnd() || (maxPrepared() == 0 && (link == null || !link.isRenaming()))) {
            return false;
        }
        if (bytes.getInt(cutter.start() + 1) > MAX_NAMED_PARSE) {
            fail(PoolerErrors.statementTooLarge(MAX_NAMED_PARSE));
        } else {
            collected = 1 + bytes.getInt(cutter.start() + 1);
            cutter.rewind(cutter.start());
        }
        return true;
    }

    /**
     * Whether the batch that begins here may go to the server that the client has: on a standby, outside a transaction,
     * only another proven read may; anything else waits until the link is over.
     */
    private boolean mayBegin(Link link, ByteBuf bytes, int start) {
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
                return !begin.isTentative() || readsOn(link, bytes, start);
            }
            if (clients.batches().decide(session(), bytes, start) != Reason.READ
                    || reads().wereRefused(clients.batches(), session(), bytes, System.nanoTime())) {
                cutter.rewind(start);
                held = true;
                return false;
            }
            request.keepBehind(bytes, start, clients.batches().endOfBatch(bytes, start));
            return true;
        }
        requestBegun = true;
        if (link.isRead()) {
            keepRequest(bytes, start);
        }
        return true;
    }

    /** Whether the batch goes on on the standby where its transaction has only read; else it goes on on the primary. */
    private boolean readsOn(Link link, ByteBuf bytes, int start) {
        Reason next = clients.batches().decide(session(), bytes, start);
        boolean reads = next == Reason.READ_SO_FAR
                && (link.hasFailed() || reads().mayGoOn(clients.batches(), session(), bytes, linkedPool));
        if (reads || clients.batches().leading().setsModes()) { // which behind a statement are refused everywhere
            keepRequest(bytes, start);
            link.onNextRead();
            return true;
        }
        cutter.rewind(start);
        if (next != Reason.INCOMPLETE_BATCH || !clients.batches().isCut(bytes, start)) {
            begin.leaves(link.hasFailed());
            link.leave();
            onReleased();
        }
        return false;
    }

    @Override
    public boolean leaves(boolean failed) {
        return state == State.LINKED && begin.leaves(failed);
    }

    private void keepRequest(ByteBuf bytes, int start) {
        request.keep(
                bytes,
                start,
                clients.batches().endOfRepeatable(bytes, start),
                channel().alloc());
    }

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
        request.dropFirst(clients.batches());
    }

    @Override
    public void onRefused(Refusal why) {
        Pool pool = linkedPool;
        ByteBuf again = state == State.LINKED && pool != null ? request.take() : null;
        if (again == null || pool == null) {
            return; // it is leaving
        }
        onReplica = false;
        if (why.isOfStatement()) {
            reads().onRefused(clients.batches(), session(), again);
        }
        request.onRefused(why, pool);
        runAgain(again);
    }

    @Override
    public void onReleased() {
        request.onAnswered();
        reads().onAnswered(linkedPool, onReplica);
        held = false;
        awaitsAnswers = false;
        onReplica = false;
        long now = System.nanoTime();
        begin.onReleased(now);
        if (state == State.LINKED) {
            become(State.IDLE);
            if (!begin.isHeld()) {
                goesOnIdle(now);
            }
        }
    }

    /** A transaction is over; whether the client may begin another. */
    private boolean goesOnIdle(long nowNanos) {
        idleSinceNanos = nowNanos;
        if (clients.shared().admission().isClosing()) {
            fail(PoolerErrors.shuttingDown());
        } else if (verdict != null) {
            fail(verdict);
        }
        return state == State.IDLE;
    }

    @Override
    public void onProgress() {
        if (pendingCancel != null) {
            cancelWhenDue();
        }
        if (input != null && !pumping) {
            awaitsAnswers = false;
            if (held && link().outstanding() == 0) {
                held = false;
            }
            pump();
        }
    }

    @Override
    public void onServerLost(@Nullable ErrorResponse fatal, boolean heard, boolean rerun) {
        if (state != State.LINKED) {
            return;
        }
        ByteBuf again = channel().isActive() && rerun ? request.take() : null;
        if (again != null) {
            runAgain(again);
            return;
        }
        request.drop();
        become(State.IDLE);
        if (heard) {
            log.onClosing("server conn crashed?");
            leave(null);
        } else {
            fail(fatal == null ? PoolerErrors.serverLost() : fatal);
        }
    }

    /** Puts the reads that died with their server in front of what the client sent since. */
    private void runAgain(ByteBuf again) {
        ByteBuf rest = input;
        if (rest != null) {
            if (!pumping) {
                cutter.show(rest); // which may have been put elsewhere since it was looked at
            }
            int end = batchBegins ? -1 : clients.batches().endOfBatch(rest, cutter.position());
            if (end > 0) { // the rest of the last batch, which waits to be sent, was kept with it
                again.writerIndex(again.writerIndex() - (end - cutter.position()));
            }
            again.writeBytes(rest, cutter.position(), rest.writerIndex() - cutter.position());
            rest.release();
        }
        input = again;
        inputKept = false;
        collected = 0;
        begin.onTakenBack();
        become(State.IDLE);
        held = false;
        awaitsAnswers = false;
        stats().reruns++;
        pump();
    }

    @Override
    public void readChanges(ByteBuf sql, int start, int end, SessionChanges.Sink sink) {
        clients.batches().readChanges(sql, start, end, sink);
    }

    @Override
    public PreparedName preparedName() {
        return clients.batches().preparedName();
    }

    @Override
    public boolean grantPin(Reason reason, Pool pool, boolean counts) {
        ErrorResponse refusal = onReplica
                ? PoolerErrors.sessionStateOnStandby(reason.label())
                : limits().refusedPin(reason.label(), pool, counts);
        if (refusal != null) {
            fail(refusal);
        }
        return refusal == null;
    }

    @Override
    public boolean grantLock() {
        if (onReplica) {
            fail(PoolerErrors.lockOnStandby());
        }
        return !onReplica;
    }

    @Override
    public boolean keepsSequences() {
        return limits().sequenceMemory() == SequenceMemory.SESSION;
    }

    @Override
    public void onOutOfStep(ErrorResponse error) {
        fail(PoolerErrors.settingsReplayFailed(error));
    }

    @Override
    public boolean mayRunHidingCode() {
        return session().catalog().mayHide();
    }

    @Override
    public void onTooManyStatements() {
        fail(PoolerErrors.tooManyStatements(ClientStatements.MOST_BYTES));
    }

    @Override
    public void onBeginFailed(ErrorResponse error) {
        fail(PoolerErrors.heldBeginFailed(error));
    }

    @Override
    public void onTransactionInStatementMode() {
        fail(PoolerErrors.transactionInStatementMode());
    }

    // --- channels --------------------------------------------------------------------------------------------------

    @Override
    public ClientListening listening() {
        return listening;
    }

    @Override
    public boolean speaksUtf8() {
        return "UTF8".equals(session().value("client_encoding"));
    }

    Link.Mode mode() {
        return limits().mode();
    }

    /** Whether it is between two transactions and its socket takes bytes. */
    boolean isFreeToHear() {
        boolean between = (state == State.IDLE && !begin.isHeld())
                || (state == State.LINKED && !link().runsForClient() && link().isBetweenTransactions());
        return between && isWritable();
    }

    // --- the console -----------------------------------------------------------------------------------------------

    private boolean stepConsole(ByteBuf bytes) {
        ConsoleSession session = console;
        if (session == null || session.isBusy() || !isWritable()) {
            return false;
        }
        Step step = cutter.next();
        if (step == Step.NONE) {
            return false;
        }
        if (step != Step.WHOLE) {
            throw new ProtocolException("a message too large for the console");
        }
        FrontendType type = type(bytes);
        if (type == FrontendType.TERMINATE) {
            quit();
            return false;
        }
        session.onMessage(type, bytes, cutter.start(), cutter.end());
        return true;
    }

    /** The console's answer is complete: sends it and goes on with what the client sent meanwhile. */
    public void onConsoleAnswered() {
        outbox().flush();
        pump();
    }

    // --- replication -----------------------------------------------------------------------------------------------

    private boolean relayAll(ByteBuf bytes) {
        if (replication != null) {
            replication.onClientBytes(bytes, cutter.position());
        }
        cutter.rewind(bytes.writerIndex());
        return false;
    }

    /** The WAL sender has said its last word, if any, and closed: so do we. */
    void onWalSenderGone() {
        if (state == State.REPLICATION) {
            log.onClosing("server conn crashed?");
            leave(null);
        }
    }

    // --- login ends ------------------------------------------------------------------------------------------------

    void onLoggedIn(
            String database,
            String user,
            PoolGroup group,
            ClientSettings limits,
            SessionProfile profile,
            CancelKey key) {
        this.database = database;
        this.user = user;
        this.group = group;
        this.cancelKey = key;
        Link own = new Link(this, clients.shared().statements(), limits.mode());
        this.link = own;
        this.session = new ClientSession(profile, limits, own, begin, enterCatalog(group, limits));
        this.reads = new ClientReads(group, limits.consistency());
        login = null;
        reads().onSettings(profile.settings());
        group.addClient();
        group.stats().clientLogins++;
        idleSinceNanos = System.nanoTime();
        become(State.IDLE);
        readIfAllowed();
    }

    /** In session mode it makes no difference what names mean. */
    private @Nullable DatabaseCatalog enterCatalog(PoolGroup group, ClientSettings limits) {
        DatabaseConfig entry = clients.shared().config().get().database(database);
        if (entry == null || limits.mode() == Link.Mode.SESSION) {
            return null;
        }
        DatabaseCatalog names = clients.shared().catalogs().of(entry);
        names.enter(group.user());
        return names;
    }

    void onConsoleLogin(String database, String user, ConsoleSession session, CancelKey key) {
        this.database = database;
        this.user = user;
        this.console = session;
        clients.shared().admission().enterConsole();
        this.cancelKey = key;
        login = null;
        become(State.CONSOLE);
    }

    void onReplicationLogin(PoolGroup group, ReplicationRelay relay, CancelKey key) {
        this.database = group.database();
        this.user = relay.user();
        this.group = group;
        this.replication = relay;
        this.cancelKey = key;
        login = null;
        group.addClient();
        group.stats().clientLogins++;
        become(State.REPLICATION);
    }

    /** The place that the client has among those of its database and user, from its proof to its end. */
    void take(Headcount.Seat seat) {
        this.seat = seat;
    }

    /** Another configuration: limits of time change at once, the kind of session does not. */
    void onConfig(PoolerConfig now) {
        if (session == null) {
            return;
        }
        DatabaseConfig entry = now.database(database);
        if (entry == null) {
            failWhenIdle(PoolerErrors.databaseRemoved(database));
        } else {
            session.setLimits(ClientSettings.of(now, entry, now.user(user)).ofKind(session.limits()));
        }
    }

    @Override
    public void setSettings(SessionSettings settings) {
        session().set(settings);
        reads().onSettings(settings);
    }

    // --- ends ------------------------------------------------------------------------------------------------------

    /** The client said Terminate. */
    private void quit() {
        if (link != null) {
            link.flushToServer();
        }
        outbox().flush();
        log.onClosing("client close request");
        onGone();
        channel().close();
    }

    /** Our last word to the client, who is then closed. */
    public void fail(ErrorResponse error) {
        if (state == State.LEAVING || state == State.GONE) {
            return;
        }
        log.onError(error, clients.shared().admission().isClosing());
        leave(error);
    }

    /** The same, but the log knows already, and more than the client may hear. */
    void failUnlogged(ErrorResponse error) {
        if (state != State.LEAVING && state != State.GONE) {
            leave(error);
        }
    }

    private void leave(@Nullable ErrorResponse lastWord) {
        State before = state;
        Outbox out = outbox();
        out.flush(); // replies that refer to a server's bytes go first
        become(State.LEAVING);
        if (login != null) {
            login.stop();
        }
        boolean nested = pumping;
        boolean midReply = (replication != null && replication.isMidMessage()) || (link != null && link.isMidReply());
        place.leave();
        if (before == State.LINKED && link != null) {
            link.onClientGone();
        }
        if (replication != null) {
            replication.stop();
        }
        request.drop();
        listening.close();
        if (!nested && input != null) {
            input.release();
            input = null;
        }
        if (lastWord != null && !midReply) {
            lastWord.writeTo(out.writer());
            out.flush();
        }
        Channel open = channel();
        pauseReading(false);
        // Behind all that was written; a close while input is unread would send a reset that overtakes it.
        transport().endOutput();
        open.eventLoop().schedule(() -> open.close(), LINGER_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Closes the client when its transaction ends, or at once when it has none. */
    public void failWhenIdle(ErrorResponse error) {
        if ((state == State.IDLE && !begin.isHeld()) || state == State.LOGIN || state == State.CONSOLE) {
            fail(error);
        } else {
            verdict = error;
        }
    }

    // --- cancel ----------------------------------------------------------------------------------------------------

    /**
     * A cancel request with the right key. One that waits is taken out of the queue; one whose statement runs has the
     * request passed on to its server, which nobody else gets before that is over.
     */
    void onCancel(Runnable done) {
        if (state == State.WAITING) {
            refuseWaiting(PoolerErrors.canceledWhileWaiting());
            done.run();
            return;
        }
        if (replication != null && replication.server() != null) {
            clients.shared().cancels().send(replication.server(), clients.loop(), done);
            return;
        }
        if (console != null) {
            console.onCancel();
        }
        if (state != State.LINKED || !link().runsForClient() || pendingCancel != null) {
            done.run(); // nothing runs, or it is being canceled: as with PostgreSQL, nothing happens
            return;
        }
        pendingCancel = done;
        cancelWhenDue();
    }

    /** A cancel must not hit what we run in front of the client's statement, so it waits for that to be over. */
    private void cancelWhenDue() {
        Runnable done = pendingCancel;
        ServerConnection server = link == null ? null : link.server();
        if (done == null || (server != null && link().runsForClient() && link().runsOwn())) {
            return;
        }
        pendingCancel = null;
        if (server != null && state == State.LINKED && link().runsForClient()) {
            clients.shared()
                    .cancels()
                    .send(
                            server,
                            clients.loop(),
                            () -> link != null && link.server() == server && link().runsForClient(),
                            done);
        } else {
            done.run();
        }
    }

    /** Answers the batch that waits, as if it had failed on a server: one error, one ReadyForQuery. */
    private void refuseWaiting(ErrorResponse error) {
        place.leave();
        awaited = null;
        become(State.IDLE);
        ByteBuf bytes = input;
        if (bytes != null) {
            cutter.show(bytes);
            refuseBatch(error);
            pump();
        }
    }

    /** The batch at hand is answered with the error and dropped up to its end, of which more may have to come. */
    private void refuseBatch(ErrorResponse error) {
        ByteBuf bytes = input;
        if (bytes != null) {
            error.writeTo(outbox().writer());
            byte first = bytes.getByte(cutter.position());
            skipping = true;
            skippingGroup = first != 'Q' && first != 'F';
            begin.onRefused();
        }
    }

    private void skipToSync() {
        while (skipping) {
            Step step = cutter.next();
            if (step == Step.NONE) {
                return;
            }
            if (step == Step.PIECE) {
                continue;
            }
            byte code = input == null ? 0 : input.getByte(cutter.start());
            // Manual, "Message Flow", Extended Query: up to Sync, a Query or FunctionCall in between is skipped too.
            if (code == 'S' || !skippingGroup) {
                skipping = false;
                BackendMessages.readyForQuery(outbox().writer(), begin.status());
            }
        }
    }

    // --- time ------------------------------------------------------------------------------------------------------

    /** Ends the client when a limit of time is broken, or when the process ends and nothing of the client is running. */
    void tick(long now) {
        boolean closing = clients.shared().admission().isClosing();
        switch (state) {
            case LOGIN -> {
                if (login != null) {
                    login.tick(now, connectedNanos);
                }
            }
            case WAITING -> tickWaiting(now);
            case LINKED -> tickLinked(now, closing && !mayKeepServer());
            case IDLE ->
                failIf(
                        begin.isHeld()
                                ? limits().brokenLinked(
                                                false, true, now - begin.answeredNanos(), now - begin.sinceNanos())
                                : clients.shared().admission().isSendingAway()
                                        ? PoolerErrors.shuttingDown()
                                        : limits().brokenIdle(now - idleSinceNanos));
            case REPLICATION -> failIf(closing ? PoolerErrors.shuttingDown() : replicationEnd());
            case CONSOLE, LEAVING, GONE -> {}
        }
    }

    private void tickWaiting(long now) {
        long waited = now - place.sinceNanos();
        ErrorResponse broken = clients.shared().admission().isClosing()
                ? PoolerErrors.shuttingDown() // nothing of its batch was begun
                : limits().brokenWaiting(database, user, awaited == null, waited);
        ErrorResponse refusal = broken == null ? group().brokenHold(place, now) : null;
        if (refusal != null) {
            refuseWaiting(refusal);
        } else {
            failIf(broken);
        }
        if (state == State.WAITING && notifiedWait != place.sinceNanos() && limits().isNoticeDue(waited)) {
            notifiedWait = place.sinceNanos();
            PoolerErrors.clientQueued(database).writeTo(outbox().writer());
            outbox().flush();
        }
    }

    /** Whether the end of the process waits for the session to give its server back by itself. */
    private boolean mayKeepServer() {
        return limits().mode() == Link.Mode.SESSION
                && clients.shared().admission().phase() == Admission.Phase.FREEING;
    }

    private void tickLinked(long now, boolean closing) {
        ServerConnection server = link().server();
        if (server == null) {
            return;
        }
        boolean running = link().outstanding() > 0;
        boolean inTransaction = server.status() != TransactionStatus.IDLE;
        long sinceQuery = now - link().querySinceNanos();
        ErrorResponse broken =
                limits().brokenLinked(running, inTransaction, sinceQuery, now - link().transactionSinceNanos());
        if (broken != null) {
            server.blame(broken.message());
            if (running) {
                clients.shared().cancels().send(server, clients.loop(), () -> {});
            }
        }
        if (broken == null && !running && !inTransaction) {
            // a kept server (session mode, a pin) counts as an idle client
            broken = closing
                    ? PoolerErrors.shuttingDown()
                    : verdict != null
                            ? verdict
                            : server.isCloseWhenReleased() && limits().fastClose()
                                    ? PoolerErrors.serverReplaced()
                                    : limits().brokenKept(link().pin(), sinceQuery);
        }
        failIf(broken);
    }

    private @Nullable ErrorResponse replicationEnd() {
        return verdict != null || replication == null ? verdict : replication.reasonToEnd();
    }

    private void failIf(@Nullable ErrorResponse broken) {
        if (broken != null) {
            fail(broken);
        }
    }

    /** Any thread: runs the task on the client's loop. */
    public void execute(Runnable task) {
        clients.loop().execute(task);
    }

    // --- what there is ---------------------------------------------------------------------------------------------

    private FrontendType type(ByteBuf bytes) {
        FrontendType type = FrontendType.of(bytes.getByte(cutter.start()));
        if (type == null) {
            throw new ProtocolException("invalid frontend message type");
        }
        return type;
    }

    @Override
    public boolean isWritable() {
        return channel().isWritable();
    }

    @Override
    public void setReadable(boolean readable) {
        if (readable == writeBlocked) {
            writeBlocked = !readable;
            readIfAllowed();
        }
    }

    @Override
    public Outbox outbox() {
        if (outbox == null) {
            throw new IllegalStateException("no channel yet");
        }
        return outbox;
    }

    Channel channel() {
        if (channel == null) {
            throw new IllegalStateException("no channel yet");
        }
        return channel;
    }

    /** Where the client comes from and how its bytes travel. */
    public ClientTransport transport() {
        if (transport == null) {
            throw new IllegalStateException("no channel yet");
        }
        return transport;
    }

    private PoolGroup group() {
        if (group == null) {
            throw new IllegalStateException("not logged in");
        }
        return group;
    }

    private ClientSettings limits() {
        return session().limits();
    }

    private ClientSession session() {
        if (session == null) {
            throw new IllegalStateException("not logged in");
        }
        return session;
    }

    private Link link() {
        if (link == null) {
            throw new IllegalStateException("not logged in");
        }
        return link;
    }

    private ClientReads reads() {
        if (reads == null) {
            throw new IllegalStateException("not logged in");
        }
        return reads;
    }

    /** The pools that this client takes its servers from; null before the login and on the console. */
    public @Nullable PoolGroup poolsOrNull() {
        return group;
    }

    /** The link of this client, whether open or not; null before the login and on the console. */
    public @Nullable Link linkOrNull() {
        return link;
    }

    /** The WAL sender that is the client's own; null if it has none. */
    public @Nullable ServerConnection walSenderOrNull() {
        return replication == null ? null : replication.server();
    }

    /** How many prepared statements the client has named. */
    public int preparedStatements() {
        return session == null ? 0 : session.statements().size();
    }

    /** What kind of session the client has asked for. */
    public Replication replication() {
        return replication == null ? Replication.NONE : replication.replication();
    }

    @Override
    public SessionSettings settings() {
        if (session != null) {
            return session.settings();
        }
        return replication == null ? SessionSettings.NONE : replication.settings();
    }

    @Override
    public SessionSettings startSettings() {
        return session().startSettings();
    }

    @Override
    public ClientStatements statements() {
        return session().statements();
    }

    @Override
    public int maxPrepared() {
        return session().limits().maxPrepared();
    }

    @Override
    public long judgedBy() {
        return clients.batches().judgedBy();
    }

    @Override
    public void onDefined() {
        session().onDefined();
    }

    @Override
    public PoolStats stats() {
        return group().stats();
    }

    @Override
    public long id() {
        return id;
    }

    public State state() {
        return state;
    }

    @Override
    public String database() {
        return database;
    }

    public String user() {
        return user;
    }

    /** Null before there is one. */
    public @Nullable Channel channelOrNull() {
        return channel;
    }

    /** Where the client is, also behind a proxy that is believed; null once the socket is closed. */
    public @Nullable SocketAddress remoteAddress() {
        return transport().remoteAddress();
    }

    /** Null once the socket is closed. */
    public @Nullable SocketAddress localAddress() {
        return channel().localAddress();
    }

    public long connectedAtMillis() {
        return connectedAtMillis;
    }

    public long connectedNanos() {
        return connectedNanos;
    }

    /** When the last batch began. */
    public long requestNanos() {
        return requestNanos;
    }

    /** Since when the client waits; only in that state. */
    public long waitingSinceNanos() {
        return place.sinceNanos();
    }

    public boolean isClosing() {
        return verdict != null;
    }

    /** Whether it was told the last word. */
    public boolean isLeaving() {
        return state == State.LEAVING || state == State.GONE;
    }

    void setPosition(int position) {
        this.position = position;
    }

    int position() {
        return position;
    }

    @Override
    public String toString() {
        return "Client[%d %s %s@%s]".formatted(id, state, user, database);
    }
}
