package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.server.OutstandingReplies;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.Reason;
import io.plenum.routing.TransactionCommand;
import io.plenum.wire.FrontendType;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.WireWriter;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import io.plenum.wire.frontend.FrontendMessages;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * A transaction that the client was told has begun and of which no server has heard: its BEGIN, and the modes that were set
 * behind it, go in front of the first statement that needs a server, which so can choose the node.
 *
 * <pre>
 * NONE -> HELD -> SENT -> NONE      HELD -> NONE: it ended before it needed a server
 * </pre>
 *
 * <p>The BEGIN travels in one group with the client's first message, without a Sync between: where it fails, PostgreSQL skips
 * that message, and nothing of the transaction runs outside of it. Further ones wait until it is answered. Confined to the
 * event loop of its client.
 */
public final class HeldBegin {
    /** Longer texts go to a server at once. */
    private static final int MOST_BYTES = 1024;

    /** Fails the transaction on the server as it has failed for the client; at its Parse, so that no statement is left. */
    private static final byte[] FAILING =
            "/* the transaction failed before it had a server */ fail\0".getBytes(StandardCharsets.US_ASCII);

    private static final String NAME = "PLENUM_";

    private enum Stage {
        NONE,
        HELD,
        SENT
    }

    private Stage stage = Stage.NONE;
    /** The client was told of an error since, and so must end the transaction. */
    private boolean failed;

    /** It was sent with a Sync of its own, and its first statement waits for the answer. */
    private boolean alone;

    private Reason reason = Reason.EMPTY;
    private boolean declared;
    private long sinceNanos;
    private long answeredNanos;
    /** The texts, each with its NUL. */
    private byte[] texts = {};

    private int length;

    /** The last text was run by the unnamed portal, which the client may ask about still. */
    private boolean portal;

    // --- from the client -------------------------------------------------------------------------------------------

    /**
     * Answers a batch that no server need see: a BEGIN, what sets modes behind one that is held, the end of that.
     *
     * @param said what the batch begins with
     * @param mayBegin whether a transaction may be held
     * @return whether it was answered
     */
    public boolean answers(LeadingCommand said, boolean mayBegin, LinkedClient client, long nowNanos) {
        if (!said.isAlone() || !said.isPlain()) {
            return false;
        }
        TransactionCommand command = said.command();
        if (stage == Stage.HELD && command.ends()) {
            said.answer(client, failed ? TransactionCommand.ROLLBACK.tag() : command.tag(), TransactionStatus.IDLE);
            client.stats().transactions++;
            forget();
            return true;
        }
        boolean begins = stage == Stage.NONE && mayBegin && command.opens();
        boolean goesOn = stage == Stage.HELD && !failed && command == TransactionCommand.MODES;
        if ((!begins && !goesOn) || length + said.textSize() > MOST_BYTES) {
            return false;
        }
        if (begins) {
            stage = Stage.HELD;
            reason = said.reason();
            declared = reason == Reason.READ_ONLY_TRANSACTION;
            sinceNanos = nowNanos;
        } else if (said.reason() == Reason.READ_ONLY_MODE) {
            reason = Reason.READ_ONLY_TRANSACTION;
        }
        keep(said);
        portal = said.leavesPortal();
        answeredNanos = nowNanos;
        said.answer(client, command.tag(), TransactionStatus.IN_TRANSACTION);
        return true;
    }

    private void keep(LeadingCommand said) {
        int size = said.textSize();
        if (texts.length < length + size) {
            texts = Arrays.copyOf(texts, Math.max(32, length + size));
        }
        said.copyText(texts, length);
        length += size;
    }

    private void forget() {
        stage = Stage.NONE;
        failed = false;
        length = 0;
    }

    /** The batch at hand was refused before it had a server: behind an error the transaction is good for nothing. */
    public void onRefused() {
        failed = stage == Stage.HELD;
    }

    /** Whether the client is in a transaction of which no server has heard. */
    public boolean isHeld() {
        return stage == Stage.HELD;
    }

    /** What the client is told while it has no server. */
    public TransactionStatus status() {
        return stage != Stage.HELD
                ? TransactionStatus.IDLE
                : failed ? TransactionStatus.FAILED : TransactionStatus.IN_TRANSACTION;
    }

    /** What the transaction is so far. */
    public Reason reason() {
        return reason;
    }

    /** Whether its BEGIN said READ ONLY. */
    public boolean isDeclared() {
        return declared;
    }

    public long sinceNanos() {
        return sinceNanos;
    }

    /** When the client was last answered. */
    public long answeredNanos() {
        return answeredNanos;
    }

    // --- to the server ---------------------------------------------------------------------------------------------

    /**
     * Sees to it that the first message of a batch runs in the transaction, which is put in front of it if it is still held;
     * says whether the message must wait for the answer to what was sent.
     *
     * <p>{@code end} is behind what is present of the message.
     */
    public boolean mustWait(Link link, ByteBuf bytes, int start, int end) {
        if (stage == Stage.NONE) {
            return false;
        }
        if (stage == Stage.HELD) {
            stage = Stage.SENT;
            // What we put in front of a Query that names a statement may fail without it: that needs a Sync between.
            alone = failed || link.mayName(bytes, start, end);
            link.sendHeld(this);
            return alone;
        }
        byte code = bytes.getByte(start);
        if (code == 'd' || code == 'c' || code == 'f') {
            return false; // a COPY is not answered before its data
        }
        if (link.outstanding() == 0) {
            forget();
            return false;
        }
        return alone || !link.isBehindHeld(); // else it is the first, which was held up for something else
    }

    /** Puts the transaction in front of what is sent next, in one group with it or alone. */
    void sendTo(ServerConnection linked) {
        int start = 0;
        for (int i = 0; i < length; i++) {
            if (texts[i] == 0) {
                send(linked, texts, start, i + 1, portal && i + 1 == length ? "" : NAME);
                start = i + 1;
            }
        }
        if (failed) {
            send(linked, FAILING, 0, FAILING.length, NAME);
        }
        if (alone) {
            FrontendMessages.sync(linked.outbox().writer());
            linked.replies().add(Reply.SYNC, Origin.INJECTED, this);
        } else {
            linked.openTransaction();
        }
    }

    /**
     * Under a name of ours, so that the client's unnamed statement is not touched, nor its portal unless that is the one that
     * is meant; {@code end} is behind the NUL.
     */
    private void send(ServerConnection linked, byte[] text, int start, int end, String portal) {
        ByteBuf out = linked.outbox().writer();
        int parse = WireWriter.begin(out, FrontendType.PARSE.code());
        WireWriter.cstring(out, NAME);
        out.writeBytes(text, start, end - start).writeShort(0);
        WireWriter.end(out, parse);
        FrontendMessages.bind(out, portal, NAME, List.of());
        FrontendMessages.execute(out, portal, FrontendMessages.ALL_ROWS);
        OutstandingReplies replies = linked.replies();
        replies.add(Reply.PARSE, Origin.INJECTED, this);
        replies.add(Reply.BIND, Origin.INJECTED, this);
        replies.add(Reply.EXECUTE, Origin.INJECTED, this);
        if (!portal.isEmpty()) {
            FrontendMessages.closePortal(out, portal);
            replies.add(Reply.CLOSE, Origin.INJECTED, this);
        }
        FrontendMessages.closeStatement(out, NAME);
        replies.add(Reply.CLOSE, Origin.INJECTED, this);
    }

    /** Whether a transaction that was held was sent last, and nothing of the client's behind it. */
    static boolean isLast(OutstandingReplies replies) {
        return !replies.isEmpty() && replies.subjectAt(replies.size() - 1) instanceof HeldBegin;
    }

    /** Whether it was sent in a group of its own. */
    boolean isAlone() {
        return alone;
    }

    /** Whether the error is the one that was asked for. */
    boolean isWanted(ErrorResponse error) {
        return failed && error.is(SqlState.SYNTAX_ERROR);
    }

    /** The server that it was sent to is gone, and another is to be sent the same. */
    public void onTakenBack() {
        if (stage == Stage.SENT) {
            stage = Stage.HELD;
        }
    }

    /** The transaction is over, if it was on a server. */
    public void onReleased() {
        if (stage == Stage.SENT) {
            forget();
        }
    }
}
