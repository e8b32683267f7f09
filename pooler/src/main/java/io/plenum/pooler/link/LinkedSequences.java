package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.Reason;
import io.plenum.routing.Target;
import io.plenum.routing.Traits;
import io.plenum.wire.Limits;
import io.plenum.wire.TransactionStatus;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What servers remember of sequences, which currval and lastval tell: what others drew is discarded before a client could ask
 * for it, and what the client drew itself before it went on drawing elsewhere.
 *
 * <p>In front of a group of the client's that is a group of our own. Within one it must be right in front of what runs: an
 * Execute of ours that no Execute of the client's follows would make PostgreSQL take a Query behind it for a part of a
 * pipeline, and leave its transaction open. Confined to the event loop of its link.
 */
final class LinkedSequences {
    /** The subject of a DISCARD SEQUENCES in a group of the client's, with which it may be skipped. */
    static final Object SKIPPABLE = "sequences";

    private static final String DISCARD = "DISCARD SEQUENCES";

    /** So many are told apart. */
    private static final int MOST_PORTALS = 16;

    private final LinkedClient client;
    /** What others drew is to be discarded before the statement runs that was noted last. */
    private boolean due;
    /** And before one of these portals runs, which were bound. */
    private final Set<ByteBuffer> duePortals = new HashSet<>();
    /** Or any that was bound. */
    private boolean dueToAnyPortal;
    /** The group in which a portal was executed last: what runs behind it is of a pipeline anyway. */
    private long executedIn;
    /** The client may have drawn since it has the server. */
    private boolean drew;
    /** Grows whenever the client draws on another server than the last time: what the others remember is stale then. */
    private int era;

    private long drewOn = -1;

    LinkedSequences(LinkedClient client) {
        this.client = client;
    }

    /** A link begins. */
    void begin() {
        due = false;
        forgetPortals();
        executedIn = -1;
        drew = false;
    }

    /** A statement is about to be parsed: where it is the first of its transaction, nothing of ours need stand in that. */
    void onParse(ServerConnection linked, Pool pool, Reason reason, int traits) {
        if (reason.target() == Target.PRIMARY && !linked.group().goesOn() && isBetweenTransactions(linked)) {
            drawOn(linked, reason);
            if (mustDiscard(linked, pool, reason, traits)) {
                discard(linked);
            }
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
        drawOn(linked, reason);
        if (mustDiscard(linked, pool, reason, traits)) {
            if (linked.group().goesOn()) {
                due = true;
            } else {
                discard(linked);
            }
        }
        drew |= mayDraw(reason);
        if (!due) {
            linked.sequences().note(client, era);
        }
    }

    /** What was noted last is bound to the portal whose name the Bind begins with. */
    void onBound(ByteBuf bytes, int start) {
        if (!due) {
            if (!duePortals.isEmpty()) {
                duePortals.remove(portal(bytes, start)); // which is gone, if it ever was
            }
        } else if (duePortals.size() < MOST_PORTALS) {
            due = false;
            duePortals.add(portal(bytes, start));
        } else {
            onParsed();
        }
    }

    /** What was noted last is only parsed: any portal may be of it. */
    void onParsed() {
        dueToAnyPortal |= due;
        due = false;
    }

    /** What was noted last is sent next, as a Query or a FunctionCall. */
    void onQuery(ServerConnection linked) {
        if (!due) {
            return;
        }
        due = false;
        if (forgets(linked)) {
            OwnStatements.sendAsQuery(linked, DISCARD);
        }
        linked.sequences().note(client, era);
    }

    /** A transaction has ended, and its portals with it. */
    void onTransactionEnd(ServerConnection linked) {
        if (!linked.group().isOpen() && linked.replies().isEmpty()) {
            forgetPortals();
        }
    }

    /** The client's own DISCARD SEQUENCES is about to be sent: what other servers remember is stale as well. */
    void onDiscarded(ServerConnection linked) {
        boolean alien = linked.sequences().isOfOthers(client, era);
        era++;
        if (!alien) {
            linked.sequences().forget();
        }
        // It may fail, and then the session still remembers what is the client's own.
        linked.sequences().note(client, era);
    }

    /** A portal is executed next. */
    void onExecute(ServerConnection linked, ByteBuf bytes, int start) {
        if (dueToAnyPortal || (!duePortals.isEmpty() && duePortals.contains(portal(bytes, start)))) {
            discard(linked);
            linked.sequences().note(client, era);
        }
        executedIn = linked.group().number();
    }

    private static ByteBuffer portal(ByteBuf bytes, int start) {
        int name = start + Limits.HEADER;
        byte[] portal = new byte[Math.max(0, bytes.bytesBefore(name, bytes.writerIndex() - name, (byte) 0))];
        bytes.getBytes(name, portal);
        return ByteBuffer.wrap(portal);
    }

    private void forgetPortals() {
        dueToAnyPortal = false;
        if (!duePortals.isEmpty()) {
            duePortals.clear();
        }
    }

    private void drawOn(ServerConnection linked, Reason reason) {
        if ((mayDraw(reason) || reason == Reason.SEQUENCE) && drewOn != linked.id()) {
            drewOn = linked.id();
            era++;
        }
    }

    private boolean mustDiscard(ServerConnection linked, Pool pool, Reason reason, int traits) {
        boolean asks = reason == Reason.SEQUENCE || (traits & Traits.ASKS_SEQUENCE_MEMORY) != 0;
        boolean mayAsk = (traits & Traits.RUNS_UNKNOWN_CODE) != 0 && isQuery(linked, reason);
        // Once somebody asks what was drawn last, each client finds in its transaction what it drew itself, and no
        // more.
        boolean draws = pool.areSequencesAsked() && mayDraw(reason);
        boolean careful = asks || ((mayAsk || draws) && (!linked.group().goesOn() || isOfPipeline(linked)));
        if (!careful || !linked.sequences().isOfOthers(client, era)) {
            return false;
        }
        if (drew && !asks) {
            pool.setSequencesAsked(); // it loses its own now, and need not the next time
        }
        return true;
    }

    /** Whether a portal of ours in the group changes nothing for those of the client's: VACUUM, say, and a CALL that commits. */
    private boolean isOfPipeline(ServerConnection linked) {
        return linked.status() == TransactionStatus.IN_TRANSACTION
                || linked.group().isBeginning()
                || executedIn == linked.group().number();
    }

    private static boolean isBetweenTransactions(ServerConnection linked) {
        return linked.status() == TransactionStatus.IDLE && linked.replies().isEmpty();
    }

    /**
     * Whether something of ours may stand in front of the text. Not where it may be SET TRANSACTION, which must come before
     * anything that takes a snapshot, or what may stand in front of that; of such a text it is known whether it has the words
     * currval or lastval.
     */
    private boolean isQuery(ServerConnection linked, Reason reason) {
        return switch (reason) {
            case UNSAFE_TEXT, NOT_UNDERSTOOD, SESSION_DOUBT -> isBetweenTransactions(linked);
            case SESSION_SETTING, SESSION_ROLE, LISTEN -> client.isTextSafe() || isBetweenTransactions(linked);
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
    private void discard(ServerConnection linked) {
        if (forgets(linked)) {
            OwnStatements.send(linked, List.of(DISCARD), SKIPPABLE);
        }
    }

    /** Whether the session is to forget: in a failed transaction nothing is told. */
    private boolean forgets(ServerConnection linked) {
        forgetPortals();
        if (linked.status() == TransactionStatus.FAILED) {
            return false;
        }
        linked.sequences().forget();
        return true;
    }
}
