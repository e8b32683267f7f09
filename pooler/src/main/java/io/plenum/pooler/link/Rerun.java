package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.wire.error.ErrorResponse;
import org.jspecify.annotations.Nullable;

/**
 * Whether another server may run what a client has sent over its link, when the one that it has is lost or refuses it: as long as
 * that is proven reads, which the client keeps, and of whose answers it has heard nothing. So nothing runs twice that the client
 * may know to have run.
 *
 * <p>In a pipeline that is asked of what is not answered yet: with the end of a group that begins anew. What was not flushed
 * to the client can be taken back, and then was not heard. A change of settings in front of the batch that cost the server its
 * life is tried once more too, for behind that nothing of the client's has run. Confined to the event loop of its link.
 */
final class Rerun {
    private final LinkedClient client;
    private final Pin pin;

    private boolean read;
    private boolean heardNothing;

    /** How much the client was told, or is to be, from before the group that is answered now. */
    private long appendedBefore;

    /** Of the group that is answered now nothing is forwarded but what comes before the first row or the end. */
    private boolean prelude;

    /** What is forwarded next ends the answer to a group, and another is owed. */
    private boolean groupEnds;

    /** Why the standby does not answer; the rest of what it says is dropped, and another node is asked. */
    private @Nullable Refusal refusal;

    /** The session is not what the client thinks, and it hears of that. */
    private boolean outOfStep;

    /** The server's last word was that the client's settings cannot be had there. */
    private boolean replayLost;

    /** That has happened already to the batch at hand. */
    private boolean replayedAgain;

    Rerun(LinkedClient client, Pin pin) {
        this.client = client;
        this.pin = pin;
    }

    /** A link begins; {@code read} says that all the client has sent so far are proven reads. */
    void begin(boolean read) {
        this.read = read;
        groupEnds = false;
        refusal = null;
        outOfStep = false;
        replayLost = false;
        beginNext();
    }

    /** Nothing of what is answered next was heard. */
    void beginNext() {
        heardNothing = true;
        prelude = true;
        appendedBefore = client.outbox().appended();
    }

    /** Whether the link began as one of proven reads on a standby. */
    boolean isRead() {
        return read;
    }

    boolean isPossible() {
        return read && heardNothing && !pin.isSet() && client.holdsRequest();
    }

    // --- what the client hears -------------------------------------------------------------------------------------

    /** The client is about to hear something; whether it is the first of these answers. */
    boolean hears() {
        boolean first = heardNothing;
        heardNothing = false;
        return first;
    }

    /** ReadyForQuery is forwarded next; so many replies are owed behind it. */
    void onReady(int outstanding) {
        groupEnds = read && outstanding > 0 && client.holdsRequest();
    }

    /** Something was forwarded: whether with it a group is answered, so that from here on the next one stands alone. */
    boolean endsGroup() {
        boolean ends = groupEnds;
        if (ends) {
            groupEnds = false;
            beginNext();
            client.onGroupAnswered();
        }
        return ends;
    }

    /** What begins there is forwarded next. */
    void onForwarding(ByteBuf bytes, int start) {
        prelude = prelude && isPrelude(bytes.getByte(start));
    }

    /** What PostgreSQL says of a statement before it runs, and sends together with the first row or the error. */
    private static boolean isPrelude(byte type) {
        return switch (type) {
            case '1', '2', '3', 't', 'T', 'n' -> true; // ParseComplete to NoData
            default -> false;
        };
    }

    /**
     * Whether what is not flushed is the beginning of an answer alone, whose rest is on its way and may be an error for which
     * another node is asked. The end of the answer before it waits for nothing.
     */
    boolean mayBeTakenBack(int outstanding) {
        return prelude && isRepeatable(outstanding) && client.outbox().bytes() >= appendedBefore;
    }

    /**
     * A server that is stopped sends what it had of an answer (ParseComplete, BindComplete) together with its last word.
     * None of that has left us yet, so the client need not hear it.
     */
    void takeBack(int outstanding) {
        if (isRepeatable(outstanding) && client.outbox().discardBehind(appendedBefore)) {
            heardNothing = true;
        }
    }

    private boolean isRepeatable(int outstanding) {
        return read && !pin.isSet() && client.holdsRequest() && outstanding > 0;
    }

    // --- a refusal -------------------------------------------------------------------------------------------------

    /** Whether the client is not to hear of the error, for another node may know better. */
    boolean refuses(ServerConnection linked, ErrorResponse error) {
        if (refusal == null && read && linked.isStandby()) {
            Refusal found = Refusal.of(error);
            if (found != null) {
                takeBack(linked.replies().size());
                refusal = isPossible() ? found : null;
                if (refusal != null && linked.replies().size() > 1) {
                    linked.blame("it refuses a read that has others behind it")
                            .close(); // onLost goes on with all of them
                }
            }
        }
        return refusal != null;
    }

    /** Whether the server that the client has is to be left for another, which is to run the same. */
    boolean isRefused() {
        return refusal != null;
    }

    @Nullable
    Refusal refusal() {
        return refusal;
    }

    // --- the end of the server -------------------------------------------------------------------------------------

    /** Something of ours in front of the client's batch failed, and the client is told. */
    void onOutOfStep() {
        outOfStep = true;
    }

    /** The server's last word was about the settings that the client needs: nothing of what the client sent has run. */
    void onReplayLost() {
        replayLost = true;
    }

    boolean isReplayLost() {
        return replayLost;
    }

    /** The server is lost: whether another is to run what the client has sent. */
    boolean onLost() {
        boolean replayAgain = replayLost && !replayedAgain && heardNothing && client.holdsRequest();
        boolean readAgain = !replayLost && isPossible() && !outOfStep;
        replayedAgain = replayAgain;
        replayLost = false;
        return replayAgain || readAgain;
    }

    /** The server is given back. */
    void onReleased() {
        replayedAgain = false;
    }
}
