package io.plenum.pooler.link;

import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.Reason;
import io.plenum.routing.Target;
import io.plenum.routing.Traits;
import io.plenum.wire.TransactionStatus;
import java.util.List;

/**
 * What servers remember of sequences, which currval and lastval tell: what others drew is discarded before a client could ask
 * for it.
 *
 * <p>In front of a group of the client's that is a group of our own. Within one it must be right in front of what runs: an
 * Execute of ours that no Execute of the client's follows would make PostgreSQL take a Query behind it for a part of a
 * pipeline, and leave its transaction open. Confined to the event loop of its link.
 */
final class LinkedSequences {
    /** The subject of a DISCARD SEQUENCES in a group of the client's, with which it may be skipped. */
    static final Object SKIPPABLE = "sequences";

    private static final String DISCARD = "DISCARD SEQUENCES";

    private final LinkedClient client;
    /** What others drew is to be discarded before anything else of the group runs. */
    private boolean due;
    /** The client may have drawn since it has the server. */
    private boolean drew;

    LinkedSequences(LinkedClient client) {
        this.client = client;
    }

    /** A link begins. */
    void begin() {
        due = false;
        drew = false;
    }

    /** A statement is about to be parsed: where it is the first of its group, nothing of ours need stand in that. */
    void onParse(ServerConnection linked, Pool pool, Reason reason, int traits) {
        if (reason.target() == Target.PRIMARY && !linked.isInGroup() && mustDiscard(linked, pool, reason, traits)) {
            discard(linked);
        }
    }

    /** A statement is about to be sent as a Query or FunctionCall, which {@link #onQuery} follows, or to be bound. */
    void note(ServerConnection linked, Pool pool, Reason reason, int traits) {
        if (reason.target() != Target.PRIMARY) {
            return;
        }
        if ((traits & Traits.ASKS_SEQUENCE_MEMORY) != 0) {
            pool.setSequencesAsked();
        }
        if (mustDiscard(linked, pool, reason, traits)) {
            if (linked.isInGroup()) {
                due = true;
            } else {
                discard(linked);
            }
        }
        drew |= mayDraw(reason);
        if (!due) {
            linked.noteSequencesOf(client);
        }
    }

    /** What was noted is sent next, as a Query or a FunctionCall. */
    void onQuery(ServerConnection linked) {
        if (!due) {
            return;
        }
        due = false;
        if (linked.status() != TransactionStatus.FAILED) {
            linked.forgetSequences();
            OwnStatements.sendAsQuery(linked, DISCARD);
        }
        linked.noteSequencesOf(client);
    }

    /** A portal is executed next: one of those that were noted, or one before it. */
    void onExecute(ServerConnection linked) {
        if (due) {
            due = false;
            discard(linked);
            linked.noteSequencesOf(client);
        }
    }

    private boolean mustDiscard(ServerConnection linked, Pool pool, Reason reason, int traits) {
        boolean asks = reason == Reason.SEQUENCE || (traits & Traits.ASKS_SEQUENCE_MEMORY) != 0;
        boolean mayAsk = asks || ((traits & Traits.RUNS_UNKNOWN_CODE) != 0 && isQuery(linked, reason));
        // Once somebody asks what was drawn last, each client finds in its transaction what it drew itself, and no
        // more.
        boolean careful = mayAsk || (pool.areSequencesAsked() && mayDraw(reason) && !linked.isInGroup());
        if (!careful || !linked.remembersSequencesBeside(client)) {
            return false;
        }
        if (drew && !asks) {
            pool.setSequencesAsked(); // it loses its own now, and need not the next time
        }
        return true;
    }

    /**
     * Whether something of ours may stand in front of the text. Not where it may be SET TRANSACTION, which must come before
     * anything that takes a snapshot; of such a text it is known whether it has the words currval or lastval.
     */
    private static boolean isQuery(ServerConnection linked, Reason reason) {
        return switch (reason) {
            case UNSAFE_TEXT, NOT_UNDERSTOOD, SESSION_DOUBT ->
                linked.status() == TransactionStatus.IDLE && linked.replies().isEmpty();
            default -> true;
        };
    }

    /** Whether a statement may draw from a sequence although it does not say so. */
    static boolean mayDraw(Reason reason) {
        return switch (reason) {
            case WRITE, COPY, UNKNOWN_FUNCTION, VOLATILE_FUNCTION, OPAQUE_RELATION, NO_CATALOG -> true;
            default -> false;
        };
    }

    /** It is no matter of transactions. */
    private static void discard(ServerConnection linked) {
        if (linked.status() != TransactionStatus.FAILED) { // where nothing is told
            linked.forgetSequences();
            OwnStatements.send(linked, List.of(DISCARD), SKIPPABLE);
        }
    }
}
