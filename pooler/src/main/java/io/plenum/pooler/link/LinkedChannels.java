package io.plenum.pooler.link;

import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.Traits;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.frontend.FrontendMessages;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a client that listens elsewhere does to its channels on the server that it has, and when it hears of that.
 *
 * <p>Before a statement takes channels away or asks for them, the server's session is registered for those that the client
 * listens to elsewhere: then PostgreSQL itself says what is left of them. A setting of ours, which goes where the transaction
 * goes, tells afterwards whether that holds. In front of a group of the client's that is a group of our own. Within one it goes
 * in front of the Query or Execute that follows, in its protocol: an Execute of ours alone would make PostgreSQL take a Query
 * behind it for a part of a pipeline, and leave its transaction open.
 *
 * <p>Confined to the event loop of its link.
 */
final class LinkedChannels {
    /** The subject of the end of a registration in a group of the client's, with which it may be skipped. */
    static final Object SKIPPABLE = "channels";

    private final Listening listening;
    private final StatementEffects effects;
    /** The registration is to go in front of what runs next in the group. */
    private boolean due;
    /** The end of a registration was sent and may not be answered yet. */
    private boolean ending;
    /** The client keeps its server for what it listens to there, which it did in an encoding that is not shared. */
    private boolean own;

    private boolean mayHaveNotified;
    /** It did so in words that can be read, and others may wait to hear it. */
    private boolean notified;

    private boolean readyWithheld;

    LinkedChannels(Listening listening, StatementEffects effects) {
        this.listening = listening;
        this.effects = effects;
    }

    /** A link begins. */
    void begin() {
        due = false;
        ending = false;
        own = false;
    }

    /** Whether the client listens by the shared connection; not while it keeps a server for that, whatever it speaks by now. */
    boolean areShared() {
        return !own && listening.isShared();
    }

    /** The client listens, or does not any more, on its server itself. */
    void setOwn(boolean own) {
        this.own = own;
    }

    /** A statement with these traits is sent. */
    void onSent(int traits) {
        mayHaveNotified |= (traits & (Traits.RUNS_UNKNOWN_CODE | Traits.NOTIFIES)) != 0;
        notified |= (traits & Traits.NOTIFIES) != 0;
    }

    /** A statement is about to be parsed, bound or sent as a Query, and may ask for the client's channels. */
    void onStatement(ServerConnection linked, int traits) {
        if ((traits & Traits.ASKS_CHANNELS) != 0 && listening.isListening()) {
            listenHere(linked);
        }
    }

    /** A statement that depends on the client's channels is about to be sent. */
    void listenHere(ServerConnection linked) {
        if (linked.group().goesOn()) {
            due = true;
        } else if (begins(linked)) {
            OwnStatements.send(linked, registration(), null);
        }
    }

    /** A Query is sent next. */
    void onQuery(ServerConnection linked) {
        if (due && linked.group().goesOn()) {
            due = false;
            if (begins(linked)) {
                OwnStatements.sendAsQuery(linked, String.join("; ", registration()));
            }
        }
    }

    /** A portal is executed next. */
    void onExecute(ServerConnection linked) {
        if (due) {
            due = false;
            if (begins(linked)) {
                OwnStatements.send(linked, registration(), null);
            }
        }
    }

    private boolean begins(ServerConnection linked) {
        boolean registers = linked.status() != TransactionStatus.FAILED
                && !linked.isStandby()
                && !effects.trace().isListeningHere();
        if (registers) {
            effects.trace().onListeningHere();
        }
        return registers;
    }

    private List<String> registration() {
        return ChannelRegistration.begin(listening.channels());
    }

    /** The server has told what its session is registered for. */
    void onRegistered(ServerConnection linked, List<String> channels, boolean exactly) {
        listening.onChannels(channels, exactly);
        if (!channels.isEmpty() || exactly) {
            OwnStatements.send(linked, ChannelRegistration.END, SKIPPABLE);
            if (linked.group().goesOn()) {
                // What the client says next waits for the answer, and its Sync may be among that.
                FrontendMessages.flush(linked.outbox().writer());
            }
            ending = true;
            linked.outbox().flush();
        }
    }

    /** Whether the server is given back as soon as it has answered: a BEGIN that waits for that is held. */
    boolean isEnding(ServerConnection linked) {
        ending &= !linked.replies().isEmpty();
        return ending;
    }

    /** Whether the client may have something to hear when its transaction ends, or something for others to hear. */
    boolean mayTell(@Nullable SessionTrace open) {
        return listening.isListening()
                || (open != null && open.changesChannels() && areShared())
                || (notified && listening.isAnybodyListening());
    }

    /**
     * What a client notified itself it hears before ReadyForQuery, on channels too that it listens to since this transaction:
     * so that waits until the server has told of the channels and the shared connection has been heard. So it does where others
     * listen to what the client notified: PostgreSQL has signalled them by then, and whoever of them is told by the client, or
     * sends something afterwards, has heard of it. Not where the client sent more already: then notifications come later.
     */
    boolean withholdReady(ServerConnection linked, @Nullable SessionTrace open) {
        boolean last = linked.replies().isEmpty();
        if (last && open != null && open.changesChannels()) {
            listening.withholdReady();
            readyWithheld = true;
            return true;
        }
        boolean heardFirst = last && (notified || (mayHaveNotified && listening.isListening()));
        mayHaveNotified = false;
        notified = false;
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
            notified = false;
        }
    }

    /** The server's last word went to the client: ReadyForQuery will not follow. */
    void dropReady() {
        readyWithheld = false;
        listening.dropReady();
    }
}
