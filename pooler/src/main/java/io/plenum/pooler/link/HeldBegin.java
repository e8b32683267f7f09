package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.server.OutstandingReplies;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.Reason;
import io.plenum.routing.Traits;
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
 *          HELD <- SENT             it leaves the standby where it has only read
 * </pre>
 *
 * <p>One that may write may still read on a standby first, if the client's configuration is so bold ({@code deferred_begin =
 * optimistic}): it is <em>tentative</em> then, its BEGIN is kept, and what is no read has it rolled back there and begun anew on
 * the primary.
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

    /** It stays on the node where it goes next: more than reads has been said, or it was elsewhere already. */
    private boolean settled;

    /** It goes to a standby, or is there, and could begin anew elsewhere. */
    private boolean tentative;

    /** Its BEGIN is part of the first batch, which is still to be sent or to be answered. */
    private boolean inBatch;

    /** That batch is still to be sent. */
    private boolean unsent;

    /** Its standby is being left, or is gone, and it goes on elsewhere. */
    private boolean leaving;

    /** The last text was run by the unnamed portal, which the client may ask about still. */
    private boolean portal;

    /** What the statements of the batch have together that was looked at last. */
    private int traits;

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
        boolean goesOn = stage == Stage.HELD
                && !failed
                && reason != Reason.READ_WRITE_TRANSACTION
                && command == TransactionCommand.MODES;
        if ((!begins && !goesOn) || length + said.textSize() > MOST_BYTES) {
            return false;
        }
        if (begins) {
            stage = Stage.HELD;
            reason = said.reason();
            declared = reason == Reason.READ_ONLY_TRANSACTION;
            settled = !said.mayBeTentative();
            sinceNanos = nowNanos;
        } else {
            settled = true;
            reason = said.reason() == Reason.READ_ONLY_MODE ? Reason.READ_ONLY_TRANSACTION : reason;
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
        settled = false;
        tentative = false;
        inBatch = false;
        unsent = false;
        leaving = false;
    }

    /** The batch at hand was looked at, and its statements have these {@link Traits}. */
    public void onBatch(int traits) {
        this.traits = traits;
    }

    /** The batch at hand was refused before it had a server: behind an error the transaction is good for nothing. */
    public void onRefused() {
        failed = stage == Stage.HELD;
        if (unsent) {
            forget();
        }
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
        if ((traits & Traits.ASKS_CHANNELS) != 0) {
            link.onTransaction(traits);
            traits = 0; // what follows in the transaction may not be looked at
        }
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
        if (code == 'd' || code == 'c' || code == 'f' || link.isCopying()) {
            return false; // a COPY is not answered before its data
        }
        if (unsent) {
            unsent = false;
            return false;
        }
        if (link.outstanding() == 0) {
            if (tentative) {
                settled = true; // what was read there was told: from another standby it might look older
                inBatch = false;
            } else {
                forget();
            }
            return false;
        }
        return alone || !isLast(link); // else it is the first, which was held up for something else
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
            linked.group().beginTransaction();
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

    /** Whether it was sent last, and nothing of the client's behind it. */
    private static boolean isLast(Link link) {
        ServerConnection linked = link.server();
        OutstandingReplies replies = linked == null ? null : linked.replies();
        return replies != null && !replies.isEmpty() && replies.subjectAt(replies.size() - 1) instanceof HeldBegin;
    }

    /** Whether it was sent in a group of its own. */
    boolean isAlone() {
        return alone;
    }

    /** Whether the error is the one that was asked for. */
    boolean isWanted(ErrorResponse error) {
        return failed && error.is(SqlState.SYNTAX_ERROR);
    }

    /** The server that it was sent to is gone or has refused it, and another is to be sent the same. */
    public void onTakenBack() {
        if (inBatch) {
            forget(); // the batch that is sent again has it
        } else if (stage == Stage.SENT) {
            stage = Stage.HELD;
            tentative = false;
            leaving = false;
        }
    }

    /** The server was given back: the transaction is over if it was there, unless it left. */
    public void onReleased(long nowNanos) {
        if (leaving) {
            onTakenBack();
            answeredNanos = nowNanos;
        } else if (stage == Stage.SENT) {
            forget();
        }
    }

    // --- on a standby that may be left -------------------------------------------------------------------------------

    /** Whether it may go to a standby, or stay there, as long as it only reads. */
    public boolean mayBeTentative() {
        return isTentative() || (stage == Stage.HELD && !settled && !failed);
    }

    /** Whether it has only read so far, on a standby. */
    public boolean isTentative() {
        return tentative && stage == Stage.SENT;
    }

    /** The batch at hand is to go to a standby for what it reads; {@code said} is what it begins with. */
    public void onReadSoFar(LeadingCommand said, long nowNanos) {
        if (stage == Stage.NONE) {
            stage = Stage.SENT;
            reason = said.reason();
            declared = false;
            portal = false;
            alone = false;
            sinceNanos = nowNanos;
            inBatch = true;
            unsent = true;
            keep(said);
        }
        tentative = true;
    }

    /** The batch goes to the primary after all. */
    public void onPrimary() {
        if (unsent) {
            forget();
        }
        tentative = false;
    }

    /**
     * The standby is to be left, or is gone, and owes the client nothing: whether the transaction goes on elsewhere. As one that
     * has failed where it has.
     */
    public boolean leaves(boolean failed) {
        if (isTentative() && !unsent) {
            this.failed |= failed;
            reason = Reason.READ_WRITE_TRANSACTION; // it is the primary's from now on, whatever it says
            settled = true;
            inBatch = false;
            leaving = true;
        }
        return leaving;
    }
}
