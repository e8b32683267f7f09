package io.plenum.pooler.server;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.pooler.server.ServerConnection.Reader;
import io.plenum.wire.BackendType;
import io.plenum.wire.FrameCutter;
import io.plenum.wire.Limits;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.backend.CommandTag;
import io.plenum.wire.backend.DataRow;
import io.plenum.wire.backend.ParameterStatus;
import io.plenum.wire.error.ErrorResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a server says once it is logged in: every message is matched with the reply that it owes, and what it tells of the session is
 * noted and told to whoever the server works for. What nobody is owed ends the connection, for then we no longer know whose rows we are
 * reading. Confined to the server's event loop.
 */
final class ServerAnswers {
    private static final Logger LOG = LoggerFactory.getLogger(ServerAnswers.class);

    /** Bytes of the shortest tag, {@code DO}, and its NUL. */
    private static final int SHORTEST_TAG = 3;

    private final ServerConnection server;
    private final FrameCutter cutter;
    private final OutstandingReplies replies;
    private final MessageGroup group;
    private final CopyIn copy;
    private final ServerStatements statements;
    private final ReportedParameters reported;
    private final SequenceOwner sequences;
    private final SignalAnswer signal = new SignalAnswer();
    private @Nullable Reader reader;
    private TransactionStatus status = TransactionStatus.IDLE;
    private boolean endedOwing;

    ServerAnswers(
            ServerConnection server, FrameCutter cutter, MessageGroup group, CopyIn copy, ReportedParameters reported) {
        this.server = server;
        this.cutter = cutter;
        this.replies = server.replies();
        this.group = group;
        this.copy = copy;
        this.statements = server.statements();
        this.reported = reported;
        this.sequences = server.sequences();
    }

    /** Whoever the server works for; null for nobody. */
    @Nullable
    Reader reader() {
        return reader;
    }

    void setReader(@Nullable Reader reader) {
        this.reader = reader;
    }

    /** What the last ReadyForQuery said. */
    TransactionStatus status() {
        return status;
    }

    /** Whether the connection ended while it owed its client an answer. */
    boolean isEndedOwing() {
        return endedOwing;
    }

    /** The server will say nothing more; null if it left without a word. */
    void end(@Nullable ErrorResponse lastWord) {
        Reader current = reader;
        if (current != null) {
            endedOwing = replies.owesClient();
            unanswer(current, replies.size(), false);
            reader = null;
            current.onLost(lastWord);
        }
    }

    /** Whether the message is a row that we asked for ourselves, which is small, for all that we ask is, or that may be affirmed. */
    boolean isLookedAt(ByteBuf bytes, int start) {
        return bytes.getByte(start) == BackendType.DATA_ROW.code()
                && !replies.isEmpty()
                && (replies.headOrigin() == Origin.INJECTED || signal.isDue())
                && bytes.getInt(start + 1) <= Limits.LOOKED_AT;
    }

    /** Takes note of one message; says whether the client is to see it. */
    boolean onMessage(BackendType type, ByteBuf bytes, int start) {
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
                    case ServerConnection.Preparing parse -> statements.onAnswered(parse.statement(), true);
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
                if (replies.head() == Reply.EXECUTE && !copy.isGroupEnded()) {
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
        var lastWord = new ErrorResponse(
                "FATAL", notice.code(), notice.message(), notice.detail(), notice.hint(), notice.routine());
        server.onLastWord(lastWord);
        return current.onError(lastWord, null, bytes, start, cutter.end());
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
            server.endGroup();
            replies.add(Reply.SYNC, Origin.CLIENT);
        }
        if (!head(BackendType.READY_FOR_QUERY).endsWithReady()) {
            throw desync(BackendType.READY_FOR_QUERY);
        }
        boolean forClient = replies.headOrigin() == Origin.CLIENT;
        replies.remove();
        replies.dropUnread();
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
            server.onLastWord(error);
        }
        if (current == null) {
            server.blame("server said " + error.code() + " " + error.message()).close();
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
        if (copy.fail(error)) {
            server.setCloseWhenReleased();
        }
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
            server.onPromoted();
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
            reported.onDiscardAll(server.target().connectQuery() != null);
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
    void settleHead(Reader current) {
        while (!replies.isEmpty()) {
            if (replies.headOrigin() == Origin.SYNTHETIC) {
                current.onSynthetic(replies.head());
            } else if (!replies.head().isOfCopy()) {
                return;
            }
            replies.remove();
        }
    }

    private ProtocolException desync(BackendType type) {
        LOG.error("event=reply_mismatch server={} got={} expected={}", server.id(), type.manualName(), replies);
        return new ProtocolException("unexpected " + type.manualName());
    }
}
