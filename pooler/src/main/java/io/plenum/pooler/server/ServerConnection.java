package io.plenum.pooler.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.Future;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.net.Outbox;
import io.plenum.pooler.net.TlsFailure;
import io.plenum.pooler.net.TlsSession;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.wire.BackendType;
import io.plenum.wire.FrameCutter;
import io.plenum.wire.FrameCutter.Step;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.backend.CommandTag;
import io.plenum.wire.backend.DataRow;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.frontend.FrontendMessages;
import io.plenum.wire.startup.CancelKey;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection to PostgreSQL.
 *
 * <p>Here is the socket, and what the connection is used for and ended by. What comes is cut into messages, which are the {@link
 * ServerLogin}'s, and then the {@link ServerAnswers}'. Only a WAL sender's are passed on as they come, for it has one reader for all its
 * life. Confined to its event loop.
 */
public final class ServerConnection extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(ServerConnection.class);

    /** An answer to SQL of our own, as the last value of a row, by which it counts as failed. */
    public static final String UNFIT = "plenum: unfit";

    private static final long LONGEST_CLOSE_MILLIS = 1_000;

    /** Whoever the server works for at the moment; what it does not care for it leaves as it is here. */
    public interface Reader {
        /** Bytes for the client, in order; {@code bytes} is lent until {@link #onBatchEnd()}. */
        default void forward(ByteBuf bytes, int start, int end) {}

        /** It is the turn of a reply that we make ourselves. */
        default void onSynthetic(Reply reply) {}

        /**
         * A message will not be answered, for it failed {@code itself} or one before it did; the youngest is told of first.
         */
        default void onUnanswered(Reply reply, @Nullable Object subject, boolean itself) {}

        /** Whether the server may be closed at this moment and the reader asks another one for the same, unnoticed. */
        default boolean mayMove() {
            return false;
        }

        /** No cancel request is on its way to the server any more. */
        default void onCancelsDone() {}

        /** Something that we injected failed; the client hears the error when this says so. */
        default boolean onInjectedError(ErrorResponse error, @Nullable Object subject) {
            return false;
        }

        /** An error for the client, whose message is lent; it is forwarded afterwards when this says so. */
        boolean onError(ErrorResponse error, @Nullable Object subject, ByteBuf bytes, int start, int end);

        /** A parameter has another value now; whether the client is to hear it. */
        default boolean onParameter(String name, String value) {
            return false;
        }

        /** A statement of the client ended with a tag that tells of the session or the transaction; null for others. */
        default void onTag(@Nullable CommandTag tag) {}

        /** A statement of the client changed the schema, so that what was prepared before may not run any more. */
        default void onSchemaChange() {}

        /** A statement of the client gave a name a meaning, or another one: the transaction may still be open. */
        default void onDefinition() {}

        /** A row that answers what we injected, under the subject that it was injected with. */
        default void onInjectedRow(DataRow row, @Nullable Object subject) {}

        /** A NotificationResponse, lent and whole; it is forwarded afterwards when this says so. */
        default boolean onNotification(ByteBuf bytes, int start, int end) {
            return true;
        }

        /** PostgreSQL was to signal a process that it does not have; whether that was a client of ours, who was told instead. */
        default boolean onNoSuchProcess(int processId) {
            return false;
        }

        /** The server forgot all prepared statements; with {@code settingsToo} its settings are those of its start. */
        default void onStatementsForgotten(boolean settingsToo) {}

        /** ReadyForQuery for the client; it is forwarded afterwards when this says so. */
        default boolean onReady(TransactionStatus status) {
            return true;
        }

        /** The bytes at hand are read; what was forwarded should be sent now. */
        void onBatchEnd();

        /** The server will say nothing more; {@code fatal} is its last word, null if it left without one. */
        void onLost(@Nullable ErrorResponse fatal);

        /** The server's socket takes bytes again, or does not. */
        default void onWritability(boolean writable) {}
    }

    /** The subject of a client's Parse that prepares a statement under its own name. */
    public interface Preparing {
        PreparedStatement statement();
    }

    /** How a question of our own ended. */
    public sealed interface Answer {}

    /** The rows, in text format. */
    public record Rows(List<DataRow> rows) implements Answer {}

    /** PostgreSQL refused; the connection is fit for another question. */
    public record Failed(ErrorResponse error) implements Answer {}

    /** The connection ended first, with or without a last word. */
    public record Lost(@Nullable ErrorResponse fatal) implements Answer {}

    /** Who keeps the connection: told of its beginning and its end. */
    public interface Owner {
        void onLoggedIn(ServerConnection server);

        /** The login failed; {@code refusal} is what PostgreSQL said, null when it said nothing. */
        void onLoginFailed(ServerConnection server, @Nullable ErrorResponse refusal, String step);

        /** The connection is gone, wherever it stood. */
        void onClosed(ServerConnection server);

        /** Nobody is to use the connection any more, and a pool gives it to nobody: it is ended as soon as nothing runs there. */
        default void onDismissed(ServerConnection server) {}

        /** The last cancel request for this server has been seen through. */
        default void onCancelsDone(ServerConnection server) {}

        /** The server was a standby when it last said, and is none any more. */
        default void onPromoted(ServerConnection server) {}
    }

    private final ServerTarget target;
    private final long id;
    private final FrameCutter cutter = new FrameCutter(FrameCutter.Side.BACKEND);
    private final OutstandingReplies replies = new OutstandingReplies();
    private final MessageGroup group = new MessageGroup(replies);
    private final CopyIn copy = new CopyIn(replies);
    private final ServerStatements statements = new ServerStatements();
    private final ReportedParameters reported = new ReportedParameters();
    private final SequenceOwner sequences = new SequenceOwner();
    private final ServerAnswers answers = new ServerAnswers(this, cutter, group, copy, reported);
    private final long bornNanos;

    private Loop loop;
    private Owner owner;
    private @Nullable Channel channel;
    private @Nullable Outbox outbox;
    private @Nullable TlsSession tls;
    private @Nullable ServerLogin login;
    private long loginMillis;
    private @Nullable Future<?> loginDeadline;
    private @Nullable ByteBuf leftover;
    private @Nullable CancelKey cancelKey;
    private @Nullable ErrorResponse lastFatal;
    private @Nullable String closeReason;
    private boolean passing;
    private boolean closed;
    private boolean gone;
    private boolean endedByPeer;
    private volatile boolean closeWhenReleased;
    private boolean used;
    private int cancelsInFlight;
    private int cancelsWaiting;
    private long links;
    private long idleSinceNanos;
    private long receivedBytes;

    /** {@code id} is unique in this process. */
    public ServerConnection(long id, Loop loop, ServerTarget target, Owner owner) {
        this.id = id;
        this.loop = loop;
        this.target = target;
        this.owner = owner;
        this.bornNanos = System.nanoTime();
        this.idleSinceNanos = bornNanos;
        this.login = new ServerLogin(this);
    }

    // --- socket events ---------------------------------------------------------------------------------------------

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        if (channel == null) {
            channel = context.channel();
            outbox = new Outbox(context.channel());
            if (loginMillis > 0) {
                loginDeadline = context.executor()
                        .schedule(() -> blame("connect timeout").close(), loginMillis, TimeUnit.MILLISECONDS);
            }
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        ServerLogin step = login;
        if (step != null) {
            step.start();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        ServerLogin step = login;
        if (event instanceof TlsSession session) {
            tls = session;
        } else if (event instanceof TlsFailure(String reason) && step != null) {
            step.onTlsFailure(reason);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        receivedBytes += bytes.readableBytes();
        ByteBuf before = leftover;
        if (before != null) {
            leftover = null;
            before.writeBytes(bytes);
            bytes.release();
            bytes = before;
        }
        try {
            cutter.show(bytes);
            read(bytes);
            keepRest(context, bytes);
            endBatch();
        } catch (ProtocolException violation) {
            LOG.warn("event=server_protocol_violation server={} reason=\"{}\"", id, violation.getMessage());
            endBatch();
            blame("broken server packet: " + violation.getMessage()).close();
        } finally {
            bytes.release();
        }
    }

    private void endBatch() {
        Reader current = answers.reader();
        if (current != null) {
            current.onBatchEnd();
        }
    }

    private void keepRest(ChannelHandlerContext context, ByteBuf bytes) {
        int rest = bytes.writerIndex() - cutter.position();
        if (rest > 0 && !closed) {
            leftover = context.alloc().directBuffer(Math.max(512, 2 * rest)).writeBytes(bytes, cutter.position(), rest);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        Reader current = answers.reader();
        if (current != null) {
            current.onWritability(context.channel().isWritable());
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        onGone();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!(cause instanceof IOException || TlsFailure.isCauseOf(cause))) {
            LOG.error("event=server_failure server={}", id, cause);
        }
        close();
    }

    /** Before the connection is begun: how long it may take until the login is done, in milliseconds; 0 is for ever. */
    public void limitLogin(long millis) {
        loginMillis = millis;
    }

    /** A task that waits in the loop's queue would keep all that the connection holds. */
    private void endLoginDeadline() {
        if (loginDeadline != null) {
            loginDeadline.cancel(false);
            loginDeadline = null;
        }
    }

    /** The connection attempt itself failed: there never was a channel that could end. */
    public void onConnectFailed(String reason) {
        if (!gone) {
            gone = true;
            endLoginDeadline();
            endedByPeer = !closed;
            closed = true;
            login = null;
            owner.onLoginFailed(this, null, reason);
            owner.onClosed(this);
        }
    }

    private void onGone() {
        if (gone) {
            return;
        }
        gone = true;
        endLoginDeadline();
        endedByPeer = !closed || lastFatal != null;
        closed = true;
        if (leftover != null) {
            leftover.release();
            leftover = null;
        }
        if (outbox != null) {
            outbox.discard();
        }
        ServerLogin step = login;
        login = null;
        if (step != null) {
            owner.onLoginFailed(this, lastFatal, step.stepName());
        }
        answers.end(lastFatal);
        owner.onClosed(this);
    }

    // --- messages --------------------------------------------------------------------------------------------------

    private void read(ByteBuf bytes) {
        while (!closed) {
            Step step = cutter.next();
            if (step == Step.NONE) {
                return;
            }
            int start = cutter.start();
            if (step == Step.HEAD && answers.isLookedAt(bytes, start)) {
                cutter.rewind(start); // such a row is read whole
                return;
            }
            if (step != Step.PIECE) {
                BackendType type = BackendType.of(bytes.getByte(start));
                if (type == null) {
                    throw new ProtocolException("invalid backend message type");
                }
                passing = login == null
                        ? target.isWalSender() || answers.onMessage(type, bytes, start)
                        : onLoginMessage(type, bytes, start);
            }
            Reader current = answers.reader();
            if (current == null) {
                continue;
            }
            if (passing) {
                current.forward(bytes, start, cutter.end());
            }
            if (!replies.isEmpty() && cutter.remaining() == 0) {
                answers.settleHead(current);
            }
        }
    }

    private boolean onLoginMessage(BackendType type, ByteBuf bytes, int start) {
        ServerLogin step = login;
        if (step != null) {
            step.onMessage(type, bytes, start, cutter.end());
        }
        return false;
    }

    // --- the login ends --------------------------------------------------------------------------------------------

    void onLoggedIn(@Nullable CancelKey key) {
        endLoginDeadline();
        login = null;
        cancelKey = key;
        idleSinceNanos = System.nanoTime();
        owner.onLoggedIn(this);
    }

    void onLoginRefused(ErrorResponse error) {
        lastFatal = error;
        close();
    }

    void onStartValue(String name, String value) {
        reported.onStart(name, value);
    }

    // --- answers ---------------------------------------------------------------------------------------------------

    /** The server says why it ends. */
    void onLastWord(ErrorResponse fatal) {
        lastFatal = fatal;
    }

    /** The server is no standby any more. */
    void onPromoted() {
        owner.onPromoted(this);
    }

    // --- use -------------------------------------------------------------------------------------------------------

    /** The server works for {@code reader} from now on. */
    public void attach(Reader reader) {
        answers.setReader(reader);
        group.forget();
        copy.forget();
        links++;
        statements.beginLink();
    }

    /** The server works for nobody. */
    public void detach() {
        answers.setReader(null);
        replies.clear();
        idleSinceNanos = System.nanoTime();
    }

    /**
     * Whether nothing of what was asked is still to come and no transaction is open: one half of the rule by which a
     * server may go back to its pool; the link knows the other half, what was written.
     */
    public boolean isQuiet() {
        return replies.isEmpty()
                && answers.status() == TransactionStatus.IDLE
                && group.isOver()
                && !copy.isOpen()
                && cutter.remaining() == 0
                && leftover == null
                && !closed;
    }

    /** Says why the connection is closed, if it will be; the first reason counts. */
    public ServerConnection blame(String reason) {
        if (closeReason == null) {
            closeReason = reason;
        }
        return this;
    }

    /** Why the connection was closed, for the log. */
    public String closeReason() {
        return closeReason != null ? closeReason : endedByPeer ? "server conn crashed?" : "no longer needed";
    }

    /** Closes the connection; its end is told to reader and owner. */
    public void close() {
        if (!closed) {
            closed = true;
            Channel open = channel;
            if (open != null) {
                open.close();
            }
        }
    }

    /** Says Terminate first, as an idle server likes it. */
    public void terminate() {
        Channel open = channel;
        if (!closed && open != null && login == null) {
            closed = true;
            open.writeAndFlush(bye(open)).addListener(ChannelFutureListener.CLOSE);
        } else {
            close();
        }
    }

    /**
     * The same, and leaves it to the server to close, within a second: until then it has a process for this connection, which
     * others count.
     */
    public void terminateAtServer() {
        Channel open = channel;
        if (closed || open == null || login != null) {
            close();
            return;
        }
        closed = true;
        var _ = open.writeAndFlush(bye(open));
        Future<?> late = open.eventLoop()
                .schedule(
                        () -> {
                            open.close();
                        },
                        LONGEST_CLOSE_MILLIS,
                        TimeUnit.MILLISECONDS);
        open.closeFuture().addListener(_ -> late.cancel(false));
    }

    private static ByteBuf bye(Channel open) {
        return open.alloc().directBuffer(5).writeByte('X').writeInt(4);
    }

    /** A cancel request is on its way to this server: it must not be given to another client. */
    public void beginCancel() {
        cancelsInFlight++;
    }

    public void endCancel() {
        cancelsInFlight--;
        if (cancelsInFlight == 0) {
            owner.onCancelsDone(this);
            Reader current = answers.reader();
            if (current != null) {
                current.onCancelsDone();
            }
        }
    }

    public boolean hasCancelsInFlight() {
        return cancelsInFlight > 0;
    }

    /** Cancel requests for it wait until others are over, or do so no longer. */
    public void addCancelsWaiting(int more) {
        cancelsWaiting += more;
    }

    public int cancelsWaiting() {
        return cancelsWaiting;
    }

    /** Runs SQL of our own on a server that works for nobody; {@code done} hears whether it succeeded. */
    public void runOwn(String sql, Consumer<Boolean> done) {
        new OwnQuery(this, sql, done).start();
    }

    /** Asks SQL of our own on a server that works for nobody; {@code done} hears the answer once. */
    public void ask(String sql, Consumer<Answer> done) {
        ask(sql, RowQuery.MAX_BYTES, done);
    }

    /** The same for an answer of up to so many bytes. */
    public void ask(String sql, int maxBytes, Consumer<Answer> done) {
        new RowQuery(this, maxBytes, done).start(sql);
    }

    /** The same with parameters, so that nothing that a stranger said becomes part of the SQL. */
    public void ask(String sql, List<byte @Nullable []> parameters, Consumer<Answer> done) {
        new RowQuery(this, RowQuery.MAX_BYTES, done).start(sql, parameters);
    }

    /**
     * Appends a statement of our own with its Sync to what is sent next, and owes its replies, which nobody hears but under
     * {@code subject}. It takes the place of the unnamed statement.
     */
    public void sendOwn(String sql, List<byte @Nullable []> parameters, @Nullable Object subject) {
        ByteBuf out = outbox().writer();
        FrontendMessages.parse(out, "", sql);
        FrontendMessages.bind(out, "", "", parameters);
        FrontendMessages.execute(out, "", 0);
        FrontendMessages.sync(out);
        replies.add(Reply.PARSE, Origin.INJECTED, subject);
        replies.add(Reply.BIND, Origin.INJECTED, subject);
        replies.add(Reply.EXECUTE, Origin.INJECTED, subject);
        replies.add(Reply.SYNC, Origin.INJECTED, subject);
        statements.forgetUnnamed();
    }

    /** Another loop has taken over the idle connection, and with it another part of the pool. */
    public void moveTo(Loop loop, Owner owner) {
        this.loop = loop;
        this.owner = owner;
    }

    /** What its messages stand in that fail together. */
    public MessageGroup group() {
        return group;
    }

    /** A Sync is sent: what follows is skipped with nothing before it. */
    public void endGroup() {
        copy.onSync();
        group.end();
    }

    public boolean isInCopyIn() {
        return copy.isOpen();
    }

    /** Whether the server reads a COPY whose end was not sent yet: what else it is sent breaks that, and is not answered. */
    public boolean isReadingCopy() {
        return copy.isReading();
    }

    /** Whether no answer comes before more is sent: a COPY is read, or what stands behind one that failed may be skipped. */
    public boolean awaitsMoreOfCopy() {
        return copy.awaitsMore();
    }

    /** A Sync is sent that the COPY ignores, if the server comes to read that. */
    public void ignoreSync() {
        copy.ignoreSync();
    }

    /** Whether a COPY has failed among whose data there were Syncs, of which it is not known whether they are answered. */
    public boolean isCopyDoubted() {
        return copy.isDoubted();
    }

    /** Whether nothing more may be sent before all is answered: only so it can be told what the answers belong to. */
    public boolean isCopyUnsettled() {
        return copy.isUnsettled();
    }

    /** What is to be sent next waits for answers: asks for that of a COPY which would come with a later message only. */
    public void awaitCopy() {
        if (copy.takeFlush()) {
            FrontendMessages.flush(outbox().writer());
            outbox().flush();
        }
    }

    /** Asks which, if the server can be asked already; not within a message. */
    public void askAboutCopy() {
        if (!group.isOpen()) {
            copy.ask(outbox().writer());
        }
    }

    /** Whether the message that was last forwarded has bytes that are still to come. */
    public boolean isMidMessage() {
        return cutter.remaining() > 0;
    }

    public OutstandingReplies replies() {
        return replies;
    }

    public ServerStatements statements() {
        return statements;
    }

    /** What its session remembers of sequences. */
    public SequenceOwner sequences() {
        return sequences;
    }

    public SessionSettings settings() {
        return reported.settings();
    }

    /** The settings that the session will have when what was sent has run. */
    public void assumeSettings(SessionSettings settings) {
        reported.assume(settings);
    }

    /** False once DISCARD ALL undid what connect_query had set: then only a new session is what it should be. */
    public boolean areSettingsKnown() {
        return reported.areSettingsKnown();
    }

    /** Values that the server reported when it started, by name as it spells them. */
    public Map<String, String> startValues() {
        return reported.startValues();
    }

    /** Whether the server reports this setting when it changes, and a session may set it; in lower case. */
    public boolean reports(String setting) {
        return reported.has(setting);
    }

    public TransactionStatus status() {
        return answers.status();
    }

    /** How many times this server was given to somebody. */
    public long links() {
        return links;
    }

    public Outbox outbox() {
        if (outbox == null) {
            throw new IllegalStateException("not connected");
        }
        return outbox;
    }

    public Channel channel() {
        if (channel == null) {
            throw new IllegalStateException("not connected");
        }
        return channel;
    }

    public boolean isConnected() {
        return channel != null;
    }

    public boolean isClosed() {
        return closed;
    }

    /** Whether the connection ended while it owed its client an answer. */
    public boolean isEndedOwing() {
        return answers.isEndedOwing();
    }

    /** Whether the connection ended, and not because we wanted it to. */
    public boolean isEndedByPeer() {
        return endedByPeer;
    }

    public boolean isLoggedIn() {
        return login == null && !closed;
    }

    public boolean isLinked() {
        return answers.reader() != null;
    }

    /** Whether whoever it works for may be moved to another server, without harm. */
    public boolean mayMove() {
        Reader current = answers.reader();
        return current != null && current.mayMove();
    }

    public boolean isStandby() {
        return reported.isStandby();
    }

    /** Whether the session's role is a superuser at the moment, as the server reports. */
    public boolean isSuperuser() {
        return reported.isSuperuser();
    }

    /** Any thread. */
    public void setCloseWhenReleased() {
        closeWhenReleased = true;
    }

    public boolean isCloseWhenReleased() {
        return closeWhenReleased;
    }

    /** A client's statements may have run here. */
    public void setUsed() {
        used = true;
    }

    public boolean isUsed() {
        return used;
    }

    public long id() {
        return id;
    }

    Loop loop() {
        return loop;
    }

    Owner owner() {
        return owner;
    }

    public ServerTarget target() {
        return target;
    }

    /** What TLS with the server came to; null in plain text. */
    public @Nullable TlsSession tls() {
        return tls;
    }

    public @Nullable CancelKey cancelKey() {
        return cancelKey;
    }

    public long bornNanos() {
        return bornNanos;
    }

    public long idleSinceNanos() {
        return idleSinceNanos;
    }

    public long receivedBytes() {
        return receivedBytes;
    }
}
