package io.plenum.pooler.link;

import io.plenum.pooler.server.OutstandingReplies.Reply;

/**
 * What a client is answered in the server's place: ParseComplete and CloseComplete. Of a batch that may be run again it hears
 * nothing, so these are withheld until it hears something. Confined to the event loop of its link.
 */
final class OwnAnswers {
    private static final int MOST_WITHHELD = Long.SIZE;

    private final LinkedClient client;

    /** In front of all that comes from the server: set bits are those of Parse. */
    private long withheld;

    private int withheldCount;
    /** The client has heard something of what may be run again, so that nothing of that is withheld any more. */
    private boolean heard;

    OwnAnswers(LinkedClient client) {
        this.client = client;
    }

    /** A link begins. */
    void begin() {
        withheldCount = 0;
        heard = false;
    }

    /** The batch is run again, and answered again. */
    void forgetWithheld() {
        withheldCount = 0;
    }

    /** The first of several groups is answered: of the others the client has heard nothing. */
    void onGroupAnswered() {
        heard = false;
    }

    /** It is the turn of this answer, nothing being owed before it. */
    void onTurn(Reply reply) {
        if (client.holdsRequest() && !heard) {
            withhold(reply);
        } else {
            give(reply);
        }
    }

    void give(Reply reply) {
        giveWithheld();
        write(reply);
    }

    /** The client hears nothing of a batch that may be run again; of one that has very many names it does. */
    void withhold(Reply reply) {
        if (withheldCount == MOST_WITHHELD) {
            client.onHeard();
            give(reply);
        } else {
            withheld = (withheld << 1) | (reply == Reply.PARSE ? 1 : 0);
            withheldCount++;
        }
    }

    /** The client is about to hear of the batch. */
    void giveWithheld() {
        heard = true;
        while (withheldCount > 0) {
            withheldCount--;
            write(((withheld >> withheldCount) & 1) == 1 ? Reply.PARSE : Reply.CLOSE);
        }
    }

    private void write(Reply reply) {
        client.outbox()
                .writer()
                .writeByte(reply == Reply.PARSE ? '1' : '3') // ParseComplete, CloseComplete
                .writeInt(4);
    }
}
