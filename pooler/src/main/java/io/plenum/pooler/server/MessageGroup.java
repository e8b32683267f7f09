package io.plenum.pooler.server;

/**
 * The group of messages that a server is sent at the moment: those between two of Sync, Query and FunctionCall, which fail together.
 * Confined to the server's event loop.
 */
public final class MessageGroup {
    private final OutstandingReplies replies;
    private boolean open;

    /** A Query or FunctionCall was sent in a group whose Sync is still to come, or a COPY may have ignored that Sync. */
    private boolean broken;

    /** A BEGIN was sent of which no ReadyForQuery has told yet. */
    private boolean beginning;

    private boolean skipped;
    private long number;

    MessageGroup(OutstandingReplies replies) {
        this.replies = replies;
    }

    /** Nothing is known of an earlier user's. */
    void forget() {
        open = false;
        broken = false;
        beginning = false;
    }

    /** Counts the groups. */
    public long number() {
        return number;
    }

    /** Whether extended messages were sent whose Sync is still to come: portal and implicit transaction live until then. */
    public boolean isOpen() {
        return open;
    }

    public void setOpen(boolean open) {
        if (!open) {
            broken = goesOn();
            number++;
        }
        this.open = open;
    }

    /**
     * Whether what is sent next is skipped if something before it fails, or may be: a Query in a group does not end that, but Sync;
     * and a COPY ignores that. That stays so, whatever of ours is sent behind.
     */
    public boolean goesOn() {
        broken |= replies.mayIgnoreSync();
        return open || (broken && !replies.isEmpty());
    }

    /**
     * A BEGIN was sent without a Sync: what is sent next is skipped if it fails, and else runs in the transaction, of which the
     * next ReadyForQuery tells first.
     */
    public void beginTransaction() {
        beginning = true;
        broken = true;
        number++;
    }

    /** Whether a BEGIN was sent of which no ReadyForQuery has told yet. */
    public boolean isBeginning() {
        return beginning;
    }

    /** A Sync is sent: what follows is skipped with nothing before it. */
    void end() {
        open = false;
        broken = false;
        number++;
    }

    /** The server is ready; what that answers is owed no more. */
    void onReady() {
        boolean owesMore = !replies.isEmpty();
        broken &= owesMore; // else all of the group was answered, and none of it failed
        open &= owesMore; // else it was a Sync among the data of a COPY that ended it
        beginning = false;
    }

    public void setSkipped(boolean skipped) {
        this.skipped = skipped;
    }

    /** Whether the server drops what it is sent until it sees Sync. */
    public boolean isSkipped() {
        return skipped;
    }

    /** Whether nothing of it is still to be sent, nor to be told of. */
    boolean isOver() {
        return !skipped && !open && !beginning;
    }
}
