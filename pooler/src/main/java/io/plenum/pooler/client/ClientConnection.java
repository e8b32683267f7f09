package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.plenum.pooler.catalog.DatabaseCatalog;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.error.PoolerErrors;
import io.plenum.pooler.link.HeldBegin;
import io.plenum.pooler.link.Link;
import io.plenum.pooler.net.Outbox;
import io.plenum.pooler.net.TlsFailure;
import io.plenum.pooler.pool.PoolGroup;
import io.plenum.pooler.pool.PoolStats;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.wire.FrameCutter;
import io.plenum.wire.FrameCutter.Step;
import io.plenum.wire.FrontendType;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.error.ErrorResponse;
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
 * <p>Here is the socket: what comes is put in the {@link ClientInput}, and {@link #pump} has each message handled by the part that
 * the state is of: the {@link ClientLogin}; then, while idle, waiting and linked, the {@link BatchRelay}, or the {@link
 * ConsoleSession}, or the {@link ReplicationRelay}. What ends the client, be it a limit of time, a fault or its own wish, ends it
 * here. Confined to its event loop.
 */
public final class ClientConnection extends ChannelInboundHandlerAdapter {
    /**
     * So much is taken from a client that waits before it is no longer read: to stop and start reading costs system calls,
     * and most clients say nothing more until they are answered.
     */
    private static final int READ_AHEAD = 64 * 1024;

    /** A client that neither closes after our last word nor takes more of what it is still sent is closed then. */
    private static final long LINGER_MILLIS = 1_000;

    /** The same for one that said Terminate: the answers that it has not taken yet may be of what was committed. */
    private static final long QUIT_MILLIS = 30_000;

    /** The log is written by another thread: whoever looks there when the client hears our last word is to find why. */
    private static final long LOG_MILLIS = 10;

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
    private final ClientInput input = new ClientInput();
    private final long connectedNanos = System.nanoTime();
    private final long connectedAtMillis = System.currentTimeMillis();

    private State state = State.LOGIN;
    private @Nullable ClientLogin login;
    private @Nullable Channel channel;
    private @Nullable Outbox outbox;
    private @Nullable ClientTransport transport;

    // One of these from the login on, by what was logged in to.
    private @Nullable BatchRelay batches;
    private @Nullable ConsoleSession console;
    private @Nullable ReplicationRelay replication;

    private @Nullable CancelKey cancelKey;
    private Headcount.@Nullable Seat seat;
    private @Nullable PoolGroup group;
    private String database = "";
    private String user = "";

    /** Among the clients of the loop. */
    private int position;

    private boolean readPaused;

    /** The server takes no more bytes. */
    private boolean writeBlocked;

    private long idleSinceNanos = connectedNanos;

    /** What ends the client when its transaction does. */
    private @Nullable ErrorResponse verdict;

    public ClientConnection(LoopClients clients) {
        this.clients = clients;
        this.id = clients.shared().ids().getAsLong();
        clients.shared().admission().enter();
        this.log = new ClientLog(id, connectedNanos, clients.shared().config(), this::place);
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
        input.add(bytes);
        pump();
        if (login != null) {
            transport().handOver();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof SslHandshakeCompletionEvent shaken
                && !transport().onHandshake(shaken, id)
                && login != null) {
            login.stop(); // what came with the end of the handshake is still to be read, and nobody's
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (batches != null) {
            batches.link().holdServer(!context.channel().isWritable());
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
        become(State.GONE);
        leaveWork();
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
        if (batches != null) {
            batches.session().close();
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
    private void leaveWork() {
        if (batches != null) {
            batches.giveUp();
            batches.cancelWhenDue();
        }
        if (replication != null) {
            replication.stop();
        }
        input.release();
    }

    void become(State next) {
        state = next;
    }

    // --- reading ---------------------------------------------------------------------------------------------------

    /** Cuts and handles what is at hand, as far as the state allows. */
    void pump() {
        ByteBuf bytes = input.begin();
        if (bytes == null) {
            return; // a reply that comes at once calls back into here, too; the outer call goes on
        }
        clients.batchReader().forget();
        try {
            boolean more = batches == null || !batches.listening().isAwaited();
            while (more) {
                more = switch (state) {
                    // What stands behind the end of the login is the session's.
                    case LOGIN -> login != null && (login.step(bytes) || state != State.LOGIN);
                    case IDLE -> batches().stepIdle(bytes);
                    case LINKED -> batches().stepLinked(bytes);
                    case CONSOLE -> stepConsole(bytes);
                    case REPLICATION -> relayAll(bytes);
                    case WAITING, LEAVING, GONE -> false;
                };
            }
            if (batches != null) {
                batches.flush();
            }
        } catch (ProtocolException violation) {
            if (batches != null) {
                batches.flush(); // what was sent on refers to the bytes at hand
            }
            onViolation(violation);
        } finally {
            input.end();
        }
        if (outbox != null && state != State.GONE) {
            outbox.flush();
        }
        keepRest();
    }

    private void onViolation(ProtocolException violation) {
        if (violation.isSilent() && login == null) {
            log.onClosing(String.valueOf(violation.getMessage()));
            leave(null, LINGER_MILLIS);
        } else {
            fail(ErrorResponse.fatal(violation.sqlState(), String.valueOf(violation.getMessage())));
        }
    }

    ClientInput input() {
        return input;
    }

    FrameCutter cutter() {
        return input.cutter();
    }

    /** What is not handled stays, and nobody is read who waits, or does not read. */
    private void keepRest() {
        if (input.bytes() == null) {
            return;
        }
        int rest = input.keepRest(channel().alloc());
        boolean waits = state == State.WAITING
                || (batches != null && batches.isHeldBack())
                || (console != null && console.isBusy());
        if (waits && input.endsWithTerminate()) {
            outlastInput();
        }
        boolean full = (waits && rest >= READ_AHEAD) || !isWritable(); // who does not read its answers is not read
        pauseReading(full && state != State.LEAVING);
    }

    /**
     * The client has said its last word and may close its side of the connection: it is answered all the same what it asked
     * before, as PostgreSQL answers, and then the connection is closed.
     */
    void outlastInput() {
        channel().config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
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
        return state == State.CONSOLE || transport().unsent() == 0;
    }

    // --- the console -----------------------------------------------------------------------------------------------

    private boolean stepConsole(ByteBuf bytes) {
        ConsoleSession session = console;
        if (session == null || session.isBusy() || !isWritable()) {
            return false;
        }
        Step step = cutter().next();
        if (step == Step.NONE) {
            return false;
        }
        if (step != Step.WHOLE) {
            throw new ProtocolException("a message too large for the console");
        }
        FrontendType type = input.type();
        if (type == FrontendType.TERMINATE) {
            quit();
            return false;
        }
        session.onMessage(type, bytes, cutter().start(), cutter().end());
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
            replication.onClientBytes(bytes, cutter().position());
        }
        cutter().rewind(bytes.writerIndex());
        return false;
    }

    /** The WAL sender has said its last word, if any, and closed: so do we. */
    void onWalSenderGone() {
        if (state == State.REPLICATION) {
            leaveUntold();
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
        this.batches = new BatchRelay(this, clients, group, limits, profile, enterCatalog(group, limits));
        login = null;
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
        if (batches == null) {
            return;
        }
        DatabaseConfig entry = now.database(database);
        if (entry == null) {
            failWhenIdle(PoolerErrors.databaseRemoved(database));
        } else {
            ClientSession session = batches.session();
            session.setLimits(ClientSettings.of(now, entry, now.user(user)).ofKind(session.limits()));
        }
    }

    /** A transaction is over; whether the client may begin another. */
    boolean goesOnIdle(long nowNanos) {
        idleSinceNanos = nowNanos;
        if (clients.shared().admission().isClosing()) {
            fail(PoolerErrors.shuttingDown());
        } else if (verdict != null) {
            fail(verdict);
        }
        return state == State.IDLE;
    }

    // --- ends ------------------------------------------------------------------------------------------------------

    /** The client said Terminate. */
    void quit() {
        if (batches != null) {
            batches.flush();
        }
        outbox().flush();
        log.onClosing("client close request");
        if (transport().unsent() > 0) {
            leave(null, QUIT_MILLIS); // to close now would drop the end of its answers
        } else {
            onGone();
            channel().close();
        }
    }

    /** Our last word to the client, who is then closed. */
    public void fail(ErrorResponse error) {
        if (state == State.LEAVING || state == State.GONE) {
            return;
        }
        log.onError(error, clients.shared().admission().isClosing());
        leave(error, LINGER_MILLIS);
    }

    /** The same, but the log knows already, and more than the client may hear. */
    void failUnlogged(ErrorResponse error) {
        if (state != State.LEAVING && state != State.GONE) {
            leave(error, LINGER_MILLIS);
        }
    }

    /** The client has heard a server's last word, or there is none, and is closed. */
    void leaveUntold() {
        log.onClosing("server conn crashed?");
        leave(null, LINGER_MILLIS);
    }

    private void leave(@Nullable ErrorResponse lastWord, long patienceMillis) {
        Outbox out = outbox();
        out.flush(); // replies that refer to a server's bytes go first
        become(State.LEAVING);
        if (login != null) {
            login.stop();
        }
        boolean midReply = (replication != null && replication.isMidMessage())
                || (batches != null && batches.link().isMidReply());
        if (batches != null) {
            batches.giveUp();
        }
        if (replication != null) {
            replication.stop();
        }
        if (!input.isInHand()) {
            input.release();
        }
        pauseReading(false);
        if (lastWord == null || midReply) {
            transport().endOutput(patienceMillis);
        } else {
            var _ = channel().eventLoop().schedule(() -> tell(lastWord), LOG_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private void tell(ErrorResponse lastWord) {
        if (state == State.LEAVING) {
            lastWord.writeTo(outbox().writer());
            outbox().flush();
            transport().endOutput(LINGER_MILLIS);
        }
    }

    /** Closes the client when its transaction ends, or at once when it has none. */
    public void failWhenIdle(ErrorResponse error) {
        if ((state == State.IDLE && !batches().begin().isHeld()) || state == State.LOGIN || state == State.CONSOLE) {
            fail(error);
        } else {
            verdict = error;
        }
    }

    // --- cancel ----------------------------------------------------------------------------------------------------

    /** A cancel request with the right key; {@code done} is run when it is over. */
    void onCancel(Runnable done) {
        if (batches != null) {
            batches.cancel(done);
        } else if (replication != null && replication.server() != null) {
            clients.shared().cancels().send(replication.server(), clients.loop(), done);
        } else {
            if (console != null) {
                console.onCancel();
            }
            done.run();
        }
    }

    /** Somebody who may has called pg_terminate_backend, or else pg_cancel_backend, with the number that we gave the client. */
    void onSignal(boolean terminates) {
        if (terminates) {
            fail(PoolerErrors.killed());
        } else {
            onCancel(() -> {});
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
            case WAITING -> batches().seeker().tick(now, closing);
            case LINKED -> tickLinked(now, closing && !mayKeepServer());
            case IDLE -> failIf(idleEnd(now));
            case REPLICATION -> failIf(closing ? PoolerErrors.shuttingDown() : replicationEnd());
            case CONSOLE, LEAVING, GONE -> {}
        }
    }

    private @Nullable ErrorResponse idleEnd(long now) {
        HeldBegin begin = batches().begin();
        if (begin.isHeld()) {
            return limits().brokenLinked(false, true, now - begin.answeredNanos(), now - begin.sinceNanos());
        }
        if (clients.shared().admission().isSendingAway()) {
            return PoolerErrors.shuttingDown();
        }
        long idle = now - idleSinceNanos;
        long own = batches().session().traits().idleNanos();
        return own > 0 && idle > own ? PoolerErrors.idleSessionTimeout() : limits().brokenIdle(idle);
    }

    /** Whether the end of the process waits for the session to give its server back by itself. */
    private boolean mayKeepServer() {
        return limits().mode() == Link.Mode.SESSION
                && clients.shared().admission().phase() == Admission.Phase.FREEING;
    }

    private void tickLinked(long now, boolean closing) {
        Link link = batches().link();
        ServerConnection server = link.server();
        if (server == null) {
            return;
        }
        boolean running = link.outstanding() > 0;
        boolean inTransaction = server.status() != TransactionStatus.IDLE;
        long sinceQuery = now - link.querySinceNanos();
        ErrorResponse broken =
                limits().brokenLinked(running, inTransaction, sinceQuery, now - link.transactionSinceNanos());
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
                                    : limits().brokenKept(link.pin(), sinceQuery);
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

    boolean isWritable() {
        return channel().isWritable();
    }

    /** Whether it may be read from: who answers it takes bytes, or does not. */
    void setReadable(boolean readable) {
        if (readable == writeBlocked) {
            writeBlocked = !readable;
            readIfAllowed();
        }
    }

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

    private BatchRelay batches() {
        if (batches == null) {
            throw new IllegalStateException("not logged in to a database");
        }
        return batches;
    }

    private ClientSettings limits() {
        return batches().limits();
    }

    /** The pools that this client takes its servers from; null before the login and on the console. */
    public @Nullable PoolGroup poolsOrNull() {
        return group;
    }

    /** The link of this client, whether open or not; null before the login and on the console. */
    public @Nullable Link linkOrNull() {
        return batches == null ? null : batches.link();
    }

    /** The WAL sender that is the client's own; null if it has none. */
    public @Nullable ServerConnection walSenderOrNull() {
        return replication == null ? null : replication.server();
    }

    /** How many prepared statements the client has named. */
    public int preparedStatements() {
        return batches == null ? 0 : batches.statements().size();
    }

    /** What kind of session the client has asked for. */
    public Replication replication() {
        return replication == null ? Replication.NONE : replication.replication();
    }

    /** The settings of its session. */
    public SessionSettings settings() {
        if (batches != null) {
            return batches.settings();
        }
        return replication == null ? SessionSettings.NONE : replication.settings();
    }

    PoolStats stats() {
        if (group == null) {
            throw new IllegalStateException("not logged in");
        }
        return group.stats();
    }

    public long id() {
        return id;
    }

    public State state() {
        return state;
    }

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

    /** For the log; null once the socket is closed. */
    private @Nullable String place() {
        return remoteAddress() == null ? null : transport().describe();
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

    /** When the last batch began; 0 for none. */
    public long requestNanos() {
        return batches == null ? 0 : batches.seeker().batchSinceNanos();
    }

    /** Since when the client waits; only in that state. */
    public long waitingSinceNanos() {
        return batches().seeker().waitingSinceNanos();
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
