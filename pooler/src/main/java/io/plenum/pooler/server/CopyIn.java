package io.plenum.pooler.server;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.wire.BackendType;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import io.plenum.wire.frontend.FrontendMessages;

/**
 * The COPY FROM STDIN that a server is at, and which of the Syncs around its data are answered.
 *
 * <p>Manual, "COPY Operations": during copy-in, Sync and Flush are ignored. Behind an error they are not, and only the server
 * knows whether it had come to a Sync before or after that: a key that is twice in the data, say, shows at their end only. So
 * each Sync among the data of a COPY that failed is doubted, until something else that is answered tells; if nothing else was
 * asked, something of ours is, which changes nothing. So that the first answer behind the doubted Syncs is enough, our question
 * is never of the kind of the client's next one, and no more than the group behind the COPY is sent before all is answered.
 * Confined to the server's event loop.
 */
final class CopyIn {
    private static final Object QUESTION = "copy";

    private static final String NOBODY = "PLENUM_";

    private final OutstandingReplies replies;
    private boolean open;

    /** The server was asked to say how the COPY ended, although its group goes on. */
    private boolean flushed;

    /** The Syncs that this COPY ignores, if it comes to read; once it has failed, those that may still be answered. */
    private int ignored;
    /** So many of the Syncs that are owed need not be answered. */
    private int doubted;
    /** The server has been, or will be, out of the group in which the COPY failed: it answers what it is asked. */
    private boolean askable;

    private boolean asked;
    /** What our question is answered by first: that of a Close, or where the client's next message is one, of a Parse. */
    private Reply question = Reply.CLOSE;

    /** A Sync was sent among the data of a COPY that is not answered yet. */
    private boolean syncAmongData;

    /** Behind the end of that COPY its group was ended too. */
    private boolean unsettled;

    CopyIn(OutstandingReplies replies) {
        this.replies = replies;
    }

    /** Nothing is known of an earlier user's. */
    void forget() {
        open = false;
        ignored = 0;
        doubted = 0;
        syncAmongData = false;
        unsettled = false;
    }

    boolean isOpen() {
        return open;
    }

    /** Whether the server reads data whose end was not sent yet: what else it is sent breaks that, and is not answered. */
    boolean isReading() {
        return open && !isEndSent();
    }

    /** Whether no answer comes before more is sent: the server reads, or may be skipping all behind a COPY up to a Sync. */
    boolean awaitsMore() {
        return isReading() || (isDoubted() && !askable);
    }

    /** The server begins to read; if it was not sent the end of what it reads, all before is settled. */
    void begin() {
        open = true;
        flushed = false;
        ignored = replies.dropSyncsSwallowedByCopy();
        if (isReading()) {
            syncAmongData = false;
            unsettled = false;
        }
    }

    /** Whether a Sync was sent behind the end of the COPY that the server reads, or what breaks it: those among its data are ignored. */
    boolean isGroupEnded() {
        int behind = endOfData();
        while (behind < replies.size() && replies.replyAt(behind) != Reply.SYNC) {
            behind++;
        }
        return behind < replies.size();
    }

    /** A Sync is sent that the server ignores, if it comes to read. */
    void ignoreSync() {
        ignored++;
    }

    /** A statement ended well. The CopyDone or CopyFail of a COPY goes with it: another COPY of the same text has its own. */
    void end() {
        if (open) {
            open = false;
            ignored = 0;
            replies.dropCopyData();
            if (replies.head() == Reply.QUERY && replies.size() > 1 && replies.replyAt(1) == Reply.COPY_END) {
                replies.removeSecond();
            }
        }
    }

    /**
     * What is owed first has failed.
     *
     * @return whether that was a COPY of which it is not known what the server had read of it
     */
    boolean fail(ErrorResponse error) {
        if (!open) {
            return false;
        }
        open = false;
        // A cancel has the same code, but may come before all that was sent is read.
        boolean byCopyFail = error.is(SqlState.QUERY_CANCELED) && !"ProcessInterrupts".equals(error.routine());
        if (byCopyFail) {
            replies.dropCopyData();
        }
        doubtSyncs();
        return ignored > 0;
    }

    /** Where the data of the COPY that is answered first end, with the Syncs among them. */
    private int endOfData() {
        int end = 1;
        while (end < replies.size()
                && (replies.replyAt(end) == Reply.COPY_DATA || replies.replyAt(end) == Reply.SYNC)) {
            end++;
        }
        return end;
    }

    private void doubtSyncs() {
        int end = endOfData();
        doubted = 0;
        for (int i = 1; i < end; i++) {
            doubted += replies.replyAt(i) == Reply.SYNC ? 1 : 0;
        }
        boolean endedOrBroken = end < replies.size();
        askable = replies.head() == Reply.QUERY || (endedOrBroken && replies.tail() == Reply.SYNC);
        asked = false;
    }

    /** ReadyForQuery came although nothing is owed: whether it is for a Sync that the COPY would have ignored. */
    boolean takeIgnored() {
        boolean was = ignored > 0 && !open;
        ignored -= was ? 1 : 0;
        return was;
    }

    void onReady() {
        open = false;
        forgetAnswered();
    }

    private void forgetAnswered() {
        if (replies.isEmpty()) {
            doubted = 0;
            syncAmongData = false;
            unsettled = false;
        }
    }

    /** A Sync is about to be sent of which it is certain that it is answered, if one is doubted. */
    void onSync() {
        forgetAnswered();
        askable = true;
        if (syncAmongData) {
            unsettled |= isEndSent();
        } else {
            syncAmongData = !replies.isEmpty() && replies.tail() == Reply.COPY_DATA;
        }
    }

    /** Whether the answer to a COPY whose end was sent comes with a later message only, as no Sync is behind it; says so once. */
    boolean takeFlush() {
        boolean due = open && !flushed && replies.head() == Reply.EXECUTE && isEndSent();
        flushed |= due;
        return due;
    }

    private boolean isEndSent() {
        return replies.indexOf(Reply.COPY_END) < replies.size();
    }

    /** Whether nothing more may be sent before all is answered. */
    boolean isUnsettled() {
        forgetAnswered();
        return unsettled;
    }

    boolean isDoubted() {
        forgetAnswered();
        return doubted > 0;
    }

    /** Asks, behind all that was sent, what tells which Syncs are answered; between two groups, if one is doubted. */
    void ask(ByteBuf out) {
        if (askable && !asked) {
            asked = true;
            question = nextOfClient() == Reply.CLOSE ? Reply.PARSE : Reply.CLOSE;
            if (question == Reply.PARSE) {
                FrontendMessages.parse(out, NOBODY, "");
                replies.add(Reply.PARSE, Origin.INJECTED, QUESTION);
            }
            FrontendMessages.closeStatement(out, NOBODY);
            FrontendMessages.sync(out);
            replies.add(Reply.CLOSE, Origin.INJECTED, QUESTION);
            replies.add(Reply.SYNC, Origin.INJECTED, QUESTION);
        }
    }

    /** What is owed first behind the doubted Syncs; a Sync if nothing else is. */
    private Reply nextOfClient() {
        Reply next = Reply.SYNC;
        for (int i = 0; i < replies.size() && (next == Reply.SYNC || isOfCopy(i)); i++) {
            next = isOfCopy(i) ? next : replies.replyAt(i);
        }
        return next;
    }

    /**
     * A Sync is doubted, and the server says this.
     *
     * @return how many of what is owed will not be answered, the oldest first
     */
    int settle(BackendType type) {
        switch (type) {
            case READY_FOR_QUERY -> {
                return settleReady();
            }
            case NOTICE_RESPONSE, NOTIFICATION_RESPONSE, PARAMETER_STATUS -> {
                return 0;
            }
            default -> {}
        }
        int unanswered = 0;
        BackendType answer = question == Reply.PARSE ? BackendType.PARSE_COMPLETE : BackendType.CLOSE_COMPLETE;
        if (type == answer && replies.head() != question) {
            while (unanswered < replies.size() && !isQuestion(unanswered)) {
                unanswered++;
            }
        } else {
            while (unanswered < replies.size() && isOfCopy(unanswered)) {
                doubted -= replies.replyAt(unanswered) == Reply.SYNC ? 1 : 0;
                unanswered++;
            }
        }
        doubted = 0;
        return unanswered;
    }

    /** A group was skipped that is owed first if the one before was for its Sync, and not for a doubted one. */
    private int settleReady() {
        if (replies.isEmpty()
                || replies.head().endsWithReady()
                || replies.head().isOfCopy()) {
            return 0;
        }
        doubted--;
        return Math.min(replies.size(), replies.indexOf(Reply.SYNC) + 1);
    }

    private boolean isQuestion(int index) {
        return replies.subjectAt(index) == QUESTION;
    }

    private boolean isOfCopy(int index) {
        Reply reply = replies.replyAt(index);
        return reply.isOfCopy() || (reply == Reply.SYNC && doubted > 0 && !isQuestion(index));
    }
}
