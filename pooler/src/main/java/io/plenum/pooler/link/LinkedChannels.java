package io.plenum.pooler.link;

import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.Traits;
import io.plenum.wire.TransactionStatus;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a client that listens elsewhere does to its channels on the server that it has, and when it hears of that.
 *
 * <p>Confined to the event loop of its link.
 */
final class LinkedChannels {
    /** The subject of the end of a registration in a group of the client's, with which it may be skipped. */
    static final Object SKIPPABLE = "channels";

    private final Listening listening;
    private boolean mayHaveNotified;
    private boolean readyWithheld;

    LinkedChannels(Listening listening) {
        this.listening = listening;
    }

    /** A statement with these traits is sent. */
    void onSent(int traits) {
        mayHaveNotified |= (traits & (Traits.RUNS_UNKNOWN_CODE | Traits.NOTIFIES)) != 0;
    }

    /**
     * Registers the server's session for the channels that the client listens to elsewhere, in front of a statement that
     * takes some away or asks for them: then PostgreSQL itself says what is left of them. A setting of ours, which goes
     * where the transaction goes, tells afterwards whether that holds.
     */
    void listenHere(ServerConnection linked, SessionTrace trace) {
        if (linked.status() == TransactionStatus.FAILED || linked.isStandby() || trace.isListeningHere()) {
            return;
        }
        trace.onListeningHere();
        OwnStatements.send(linked, ChannelRegistration.begin(listening.channels()), null);
    }

    /** The server has told what its session is registered for. */
    void onRegistered(ServerConnection linked, List<String> channels, boolean exactly) {
        listening.onChannels(channels, exactly);
        if (!channels.isEmpty() || exactly) {
            OwnStatements.send(linked, ChannelRegistration.END, SKIPPABLE);
            linked.outbox().flush();
        }
    }

    /** Whether the client may have something to hear when its transaction ends. */
    boolean mayTell(@Nullable SessionTrace trace) {
        return listening.isListening() || (trace != null && trace.changesChannels() && listening.isShared());
    }

    /**
     * What a client notified itself it hears before ReadyForQuery, on channels too that it listens to since this transaction:
     * so that waits until the server has told of the channels and the shared connection has been heard. Not where the client
     * sent more already: then notifications come later.
     */
    boolean withholdReady(ServerConnection linked, @Nullable SessionTrace trace) {
        boolean last = linked.replies().isEmpty();
        if (last && trace != null && trace.changesChannels()) {
            listening.withholdReady();
            readyWithheld = true;
            return true;
        }
        boolean heardFirst = last && mayHaveNotified;
        mayHaveNotified = false;
        if (heardFirst) {
            listening.withholdReady();
        }
        listening.tellNotifications(heardFirst);
        return heardFirst;
    }

    /** The channels are told, or nobody will tell them: ReadyForQuery may follow. */
    void releaseReady() {
        if (readyWithheld) {
            readyWithheld = false;
            listening.tellNotifications(true);
            mayHaveNotified = false;
        }
    }

    /** The server's last word went to the client: ReadyForQuery will not follow. */
    void dropReady() {
        readyWithheld = false;
        listening.dropReady();
    }
}
