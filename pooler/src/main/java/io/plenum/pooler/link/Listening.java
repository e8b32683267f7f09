package io.plenum.pooler.link;

import java.util.Collection;

/** A client's LISTEN, as its link sees it. Confined to the client's event loop. */
public interface Listening {
    /** Whether it is served by a connection that the client shares with others. */
    boolean isShared();

    /** Whether the client listens to a channel by the shared connection. */
    boolean isListening();

    /** Whether anybody listens to a channel of the client's database by a connection that is shared. */
    boolean isAnybodyListening();

    /** The channels that it listens to by the shared connection. */
    Collection<String> channels();

    /**
     * Sees to it that the shared connection listens to these before the client's statement runs. False when it does not yet:
     * then the client shows its message again when it does.
     */
    boolean listenFirst(Collection<String> channels);

    /** A transaction ended with the session registered for these; {@code exactly} or besides those it had before. */
    void onChannels(Collection<String> channels, boolean exactly);

    /** The client's ReadyForQuery is not sent on, but comes with {@link #tellNotifications}; until then the client waits. */
    void withholdReady();

    /** The ReadyForQuery that was withheld does not come any more: the server's last word went to the client. */
    void dropReady();

    /**
     * A transaction is over: the client hears what was notified meanwhile.
     *
     * @param all whether that is to include all that was committed so far, with ReadyForQuery behind it, which was withheld;
     *     others hear it by then, too
     */
    void tellNotifications(boolean all);
}
