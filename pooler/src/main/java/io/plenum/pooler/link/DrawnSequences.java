package io.plenum.pooler.link;

import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.Reason;
import io.plenum.routing.Target;
import io.plenum.wire.TransactionStatus;
import java.util.List;

/**
 * What servers remember for {@code currval} and {@code lastval} of a client's draws from sequences: a client is told neither
 * what another one drew there nor what it drew there itself before it went on drawing elsewhere.
 *
 * <p>That memory is no matter of transactions. Confined to the event loop of its link.
 */
final class DrawnSequences {
    /** Marks a DISCARD SEQUENCES in a group of the client's, with which it may be skipped. */
    static final Object SUBJECT = "sequences";

    private final LinkedClient client;
    /** Grows whenever the client draws on another server than the last time: what the others remember is stale then. */
    private int era;

    private long drewOn = -1;

    DrawnSequences(LinkedClient client) {
        this.client = client;
    }

    /** A statement of this kind is about to be sent; {@code asked} says that clients of the pool have asked what they drew. */
    void note(ServerConnection linked, Reason reason, boolean asked) {
        if (reason.target() != Target.PRIMARY) {
            return;
        }
        boolean drawing = mayDraw(reason);
        if ((drawing || reason == Reason.SEQUENCE) && drewOn != linked.id()) {
            drewOn = linked.id();
            era++;
        }
        // Once somebody asks what was drawn last, each client finds in its transaction what it drew itself, and no
        // more.
        boolean careful = reason == Reason.SEQUENCE || (asked && drawing && !linked.isInGroup());
        if (careful && linked.remembersSequencesBeside(client, era)) {
            discard(linked);
        }
        linked.noteSequencesOf(client, era);
    }

    /** The client's own DISCARD SEQUENCES is about to be sent: what other servers remember is stale as well. */
    void onDiscarded(ServerConnection linked) {
        boolean alien = linked.remembersSequencesBeside(client, era);
        era++;
        if (!alien) {
            linked.forgetSequences();
        }
        linked.noteSequencesOf(
                client, era); // it may fail, and then the session still remembers what is the client's own
    }

    private static void discard(ServerConnection linked) {
        if (linked.status() != TransactionStatus.FAILED) { // where nothing is told
            linked.forgetSequences();
            OwnStatements.send(linked, List.of("DISCARD SEQUENCES"), SUBJECT);
        }
    }

    /** Whether the statement may draw from a sequence although it does not say so. */
    static boolean mayDraw(Reason reason) {
        return switch (reason) {
            case WRITE, COPY, UNKNOWN_FUNCTION, VOLATILE_FUNCTION, OPAQUE_RELATION, NO_CATALOG -> true;
            default -> false;
        };
    }
}
