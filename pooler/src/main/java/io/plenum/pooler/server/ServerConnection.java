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
import io.plenum.wire.Limits;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.backend.CommandTag;
import io.plenum.wire.backend.DataRow;
import io.plenum.wire.backend.ParameterStatus;
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
 * <p>Every message from the server is matched with the reply that it owes; what nobody is owed ends the connection, for
 * then we no longer know whose rows we are reading. Only a WAL sender's are passed on as they come, for it has one reader
 * for all its life. Confined to its event loop.
 */
public final class ServerConnection extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(ServerConnection.class);

    /** An answer to SQL of our own, as the last value of a row, by which it counts as failed. */
    public static final String UNFIT = "plenum: unfit";

    /** Bytes of the shortest tag, {@code DO}, and its NUL. */
    private static final int SHORTEST_TAG = 3;

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
    private final SignalAnswer signal = new SignalAnswer();
    private final long bornNanos;

    private Loop loop;
    private Owner owner;
    private @Nullable Channel channel;
    private @Nullable Outbox outbox;
    private @Nullable TlsSession tls;
    private @Nullable ServerLogin login;
    private long loginMillis;
    private @Nullable Future<?> loginDeadline;
    private @Nullable Reader reader;
    private @Nullable ByteBuf leftover;
    private @Nullable CancelKey cancelKey;
    private @Nullable ErrorResponse lastFatal;
    private @Nullable String closeReason;
    private TransactionStatus status = TransactionStatus.IDLE;
    private boolean settingsKnown = true;
    private boolean passing;
    private boolean closed;
    private boolean gone;
    private boolean endedByPeer;
    private boolean endedOwing;
    private boolean closeWhenReleased;
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
        Reader current = reader;
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
        if (reader != null) {
            reader.onWritability(context.channel().isWritable());
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
        Reader current = reader;
        if (current != null) {
            endedOwing = replies.owesClient();
            unanswer(current, replies.size(), false);
            reader = null;
            current.onLost(lastFatal);
        }
        owner.onClosed(this);
    }

    // --- replies ---------------------------------------------------------------------------------------------------

    private void read(ByteBuf bytes) {
        while (!closed) {
            Step step = cutter.next();
            if (step == Step.NONE) {
                return;
            }
            int start = cutter.start();
            if (step == Step.HEAD && isLookedAt(bytes, start)) {
                cutter.rewind(start); // such a row is read whole
                return;
            }
            if (step != Step.PIECE) {
                BackendType type = BackendType.of(bytes.getByte(start));
                if (type == null) {
                    throw new ProtocolException("invalid backend message type");
                }
                passing = login == null
                        ? target.isWalSender() || onReply(type, bytes, start)
                        : onLoginMessage(type, bytes, start);
            }
            Reader current = reader;
            if (current == null) {
                continue;
            }
            if (passing) {
                current.forward(bytes, start, cutter.end());
            }
            if (!replies.isEmpty() && cutter.remaining() == 0) {
                settleHead(current);
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

    /** Whether the message is a row that we asked for ourselves, which is small, for all that we ask is, or that may be affirmed. */
    private boolean isLookedAt(ByteBuf bytes, int start) {
        return bytes.getByte(start) == BackendType.DATA_ROW.code()
                && !replies.isEmpty()
                && (replies.headOrigin() == Origin.INJECTED || signal.isDue())
                && bytes.getInt(start + 1) <= Limits.LOOKED_AT;
    }

    /** Takes note of one reply; says whether the client is to see it. */
    private boolean onReply(BackendType type, ByteBuf bytes, int start) {
        if (copy.isDoubted() && reader != null) {
            unanswer(reader, copy.settle(type), false);
        }
        return switch (type) {
            case DATA_ROW, COPY_DATA, COPY_DONE, COPY_OUT_RESPONSE, COPY_BOTH_RESPONSE, FUNCTION_CALL_RESPONSE -> {
                if (replies.isEmpty()) {
                    throw desync(type);
                }
                boolean forClient = replies.headOrigin() == Origin.CLIENT;
                if (forClient && signal.isDue()) {
                    signal.affirm(bytes, start, cutter.end());
                }
                if (!forClient && type == BackendType.DATA_ROW && reader != null && cutter.remaining() == 0) {
                    reader.onInjectedRow(
                            DataRow.parse(bytes, start + Limits.HEADER, cutter.end()), replies.headSubject());
                }
                yield forClient;
            }
            case PARSE_COMPLETE -> {
                switch (replies.isEmpty() ? null : replies.headSubject()) {
                    case PreparedStatement parsed -> statements.onAnswered(parsed, true);
                    case Preparing parse -> statements.onAnswered(parse.statement(), true);
                    case null, default -> {}
                }
                yield answer(type, Reply.PARSE);
            }
            case BIND_COMPLETE -> answer(type, Reply.BIND);
            case CLOSE_COMPLETE -> {
                if (!replies.isEmpty() && replies.headSubject() instanceof PreparedStatement closed) {
                    statements.onAnswered(closed, false);
                }
                yield answer(type, Reply.CLOSE);
            }
            case ROW_DESCRIPTION, NO_DATA -> {
                Reply head = head(type);
                yield head == Reply.QUERY
                        ? replies.headOrigin() == Origin.CLIENT
                        : answer(type, head == Reply.DESCRIBE_PORTAL ? head : Reply.DESCRIBE_STATEMENT);
            }
            case PARAMETER_DESCRIPTION -> {
                if (head(type) != Reply.DESCRIBE_STATEMENT) {
                    throw desync(type);
                }
                yield replies.headOrigin() == Origin.CLIENT;
            }
            case COMMAND_COMPLETE -> {
                requireBody(type, start, SHORTEST_TAG);
                byte first = bytes.getByte(start + 5);
                byte second = bytes.getByte(start + 6);
                if (first == 'D'
                        || first == 'R'
                        || (first == 'C' && second == 'L')
                        || (first == 'U' && second == 'N')) {
                    // DEALLOCATE, DISCARD, DROP; RESET, ROLLBACK; CLOSE; UNLISTEN
                    onTag(CommandTag.of(bytes, start + 5, cutter.end()));
                }
                if (first == 'A' || (first == 'D' && second == 'R') || (first == 'C' && second == 'R')) {
                    onSchemaTag(bytes, start + 5);
                }
                yield endOfStatement(type);
            }
            case EMPTY_QUERY_RESPONSE, PORTAL_SUSPENDED -> endOfStatement(type);
            case COPY_IN_RESPONSE -> {
                head(type);
                copy.begin();
                if (replies.head() == Reply.EXECUTE && replies.indexOf(Reply.SYNC) == replies.size()) {
                    group.setOpen(true);
                }
                yield true;
            }
            case READY_FOR_QUERY -> onReady(bytes, start);
            case ERROR_RESPONSE -> onError(bytes, start);
            case PARAMETER_STATUS -> onParameterStatus(ParameterStatus.parse(bytes, start + 5, cutter.end()));
            case NOTICE_RESPONSE -> isForClient() && onNotice(bytes, start);
            case NOTIFICATION_RESPONSE -> isForClient() && onNotification(bytes, start);
            case AUTHENTICATION, BACKEND_KEY_DATA, NEGOTIATE_PROTOCOL_VERSION -> throw desync(type);
        };
    }

    private void requireBody(BackendType type, int start, int bytes) {
        if (cutter.end() - start - Limits.HEADER < bytes) {
            throw new ProtocolException("invalid message length in " + type.manualName());
        }
    }

    private boolean isForClient() {
        return reader != null && (replies.isEmpty() || replies.headOrigin() == Origin.CLIENT);
    }

    private boolean onNotification(ByteBuf bytes, int start) {
        Reader current = reader;
        return current != null && current.onNotification(bytes, start, cutter.end());
    }

    /**
     * A server that is stopped at once, or whose neighbour crashed, says so in a warning and is gone: its last word, though
     * it is no error.
     */
    private boolean onNotice(ByteBuf bytes, int start) {
        ErrorResponse notice = ErrorResponse.parse(bytes, start + 5, cutter.end());
        Reader current = reader;
        if (current != null && SignalAnswer.isMissed(notice)) {
            return !signal.begin(notice, current);
        }
        boolean leaves = notice.code().equals("57P01") || notice.code().equals("57P02");
        if (current == null || !leaves) {
            return true;
        }
        lastFatal = new ErrorResponse(
                "FATAL", notice.code(), notice.message(), notice.detail(), notice.hint(), notice.routine());
        return current.onError(lastFatal, null, bytes, start, cutter.end());
    }

    private Reply head(BackendType type) {
        if (replies.isEmpty()) {
            throw desync(type);
        }
        return replies.head();
    }

    private boolean answer(BackendType type, Reply expected) {
        if (head(type) != expected) {
            throw desync(type);
        }
        boolean forClient = replies.headOrigin() == Origin.CLIENT;
        replies.remove();
        return forClient;
    }

    /** One Execute is over, or one of the statements of a simple Query. */
    private boolean endOfStatement(BackendType type) {
        Reply head = head(type);
        copy.end();
        if (head == Reply.EXECUTE) {
            return answer(type, Reply.EXECUTE);
        }
        if (head != Reply.QUERY) {
            throw desync(type);
        }
        return replies.headOrigin() == Origin.CLIENT;
    }

    private boolean onReady(ByteBuf bytes, int start) {
        requireBody(BackendType.READY_FOR_QUERY, start, 1);
        if (replies.isEmpty() && copy.takeIgnored()) {
            group.setSkipped(false);
            endGroup();
            replies.add(Reply.SYNC, Origin.CLIENT);
        }
        if (!head(BackendType.READY_FOR_QUERY).endsWithReady()) {
            throw desync(BackendType.READY_FOR_QUERY);
        }
        boolean forClient = replies.headOrigin() == Origin.CLIENT;
        replies.remove();
        group.onReady();
        copy.onReady();
        signal.end();
        TransactionStatus now = TransactionStatus.of(bytes.getByte(start + 5));
        if (now == null) {
            throw new ProtocolException("invalid transaction status in ReadyForQuery");
        }
        status = now;
        return forClient && reader != null && reader.onReady(now);
    }

    private boolean onError(ByteBuf bytes, int start) {
        ErrorResponse error = ErrorResponse.parse(bytes, start + 5, cutter.end());
        Reader current = reader;
        boolean fatal = error.isFatal();
        if (fatal) {
            lastFatal = error;
        }
        if (current == null) {
            blame("server said " + error.code() + " " + error.message()).close();
            return false;
        }
        if (fatal) {
            return current.onError(error, null, bytes, start, cutter.end());
        }
        Reply head = head(BackendType.ERROR_RESPONSE);
        Origin origin = replies.headOrigin();
        Object subject = replies.headSubject();
        if (head == Reply.QUERY && copy.isOpen() && "08P01".equals(error.code()) && replies.size() > 1) {
            current.onUnanswered(replies.replyAt(1), replies.subjectAt(1), false);
            replies.removeSecond(); // a message that is not of COPY broke it, and was used up by that
        }
        // COPY may be refused between its response and its reading, and then the Sync behind it is no part of it.
        // Only the server knows: it may say one ReadyForQuery more, to nobody but the client at hand.
        closeWhenReleased |= copy.fail(error);
        if (!head.endsWithReady()) {
            dropToSync(current);
        }
        if (origin == Origin.INJECTED) {
            return current.onInjectedError(error, subject);
        }
        return current.onError(error, subject, bytes, start, cutter.end());
    }

    /**
     * The server skips all messages up to the next Sync, a simple Query among them, and answers none.
     *
     * <p>Manual, "Message Flow", Extended Query.
     */
    private void dropToSync(Reader current) {
        unanswer(current, replies.indexOf(Reply.SYNC), true);
        group.setSkipped(replies.isEmpty());
    }

    /** Takes out the oldest entries; what their messages did to names is undone from the youngest to the oldest. */
    private void unanswer(Reader current, int count, boolean oldestFailed) {
        for (int i = count - 1; i >= 0; i--) {
            current.onUnanswered(replies.replyAt(i), replies.subjectAt(i), oldestFailed && i == 0);
        }
        for (int i = 0; i < count; i++) {
            replies.remove();
        }
    }

    private boolean onParameterStatus(ParameterStatus parameter) {
        boolean wasStandby = reported.isStandby();
        reported.onChange(parameter.name(), parameter.value());
        if (wasStandby && !reported.isStandby()) {
            owner.onPromoted(this);
        }
        return reader != null && reader.onParameter(parameter.name(), parameter.value());
    }

    /** Statements of the protocol die with those of SQL: DEALLOCATE ALL and DISCARD ALL take ours too. */
    private void onTag(@Nullable CommandTag tag) {
        if (reader != null && !replies.isEmpty() && replies.headOrigin() == Origin.CLIENT) {
            reader.onTag(tag);
        }
        if (tag != CommandTag.DEALLOCATE_ALL && tag != CommandTag.DISCARD_ALL) {
            return;
        }
        statements.forgetHeld();
        boolean settingsToo = tag == CommandTag.DISCARD_ALL;
        if (settingsToo) {
            sequences.forget();
            reported.assume(SessionSettings.NONE);
            settingsKnown &= target.connectQuery() == null; // what that has set is gone too
        }
        if (reader != null) {
            reader.onStatementsForgotten(settingsToo);
        }
    }

    /**
     * ALTER, DROP or CREATE: new tables and indexes change nothing of what was prepared before; what is prepared behind them may
     * find a new table in front of another one.
     */
    private void onSchemaTag(ByteBuf bytes, int bodyStart) {
        if (reader == null || !CommandTag.isSchemaChange(bytes, bodyStart, cutter.end())) {
            return;
        }
        int object = bodyStart + "CREATE ".length();
        boolean isNew =
                bytes.getByte(bodyStart) == 'C' && (bytes.getByte(object) == 'T' || bytes.getByte(object) == 'I');
        if (!isNew) {
            reader.onSchemaChange();
        }
        boolean defines = bytes.getByte(bodyStart) == 'C' || bytes.getByte(bodyStart) == 'A'; // CREATE, ALTER
        if (defines) {
            reader.onDefinition();
        }
    }

    /** Makes the replies whose turn it is and that the server was not asked for. */
    private void settleHead(Reader current) {
        while (!replies.isEmpty()) {
            if (replies.headOrigin() == Origin.SYNTHETIC) {
                current.onSynthetic(replies.head());
            } else if (replies.head() != Reply.COPY_END && replies.head() != Reply.COPY_DATA) {
                return;
            }
            replies.remove();
        }
    }

    private ProtocolException desync(BackendType type) {
        LOG.error("event=reply_mismatch server={} got={} expected={}", id, type.manualName(), replies);
        return new ProtocolException("unexpected " + type.manualName());
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

    // --- use -------------------------------------------------------------------------------------------------------

    /** The server works for {@code reader} from now on. */
    public void attach(Reader reader) {
        this.reader = reader;
        group.forget();
        copy.forget();
        links++;
        statements.beginLink();
    }

    /** The server works for nobody. */
    public void detach() {
        reader = null;
        replies.clear();
        idleSinceNanos = System.nanoTime();
    }

    /**
     * Whether nothing of what was asked is still to come and no transaction is open: one half of the rule by which a
     * server may go back to its pool; the link knows the other half, what was written.
     */
    public boolean isQuiet() {
        return replies.isEmpty()
                && status == TransactionStatus.IDLE
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
            Reader current = reader;
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
        return copy.isOpen() && replies.indexOf(Reply.COPY_END) == replies.size();
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
        return settingsKnown;
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
        return status;
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
        return endedOwing;
    }

    /** Whether the connection ended, and not because we wanted it to. */
    public boolean isEndedByPeer() {
        return endedByPeer;
    }

    public boolean isLoggedIn() {
        return login == null && !closed;
    }

    public boolean isLinked() {
        return reader != null;
    }

    /** Whether whoever it works for may be moved to another server, without harm. */
    public boolean mayMove() {
        Reader current = reader;
        return current != null && current.mayMove();
    }

    public boolean isStandby() {
        return reported.isStandby();
    }

    /** Whether the session's role is a superuser at the moment, as the server reports. */
    public boolean isSuperuser() {
        return reported.isSuperuser();
    }

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
