package io.plenum.pooler.listen;

/** A client's ear, one for all its channels. Called on the client's loop. */
public interface NotificationListener {
    /** Somebody notified one of the channels that are subscribed to; in the order in which the transactions committed. */
    void onNotification(Notification notification);

    /** The hub listens again after its connection was lost: what was notified in between on this channel is unknown. */
    default void onGap(String channel) {}
}
