package io.plenum.pooler.listen;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.error.PoolerErrors;
import io.plenum.pooler.net.Loop;
import io.plenum.wire.error.ErrorResponse;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The channels of one client: those that it listens to, and those that its open transaction may add.
 *
 * <p>{@link #prepare} before a LISTEN runs; {@link #become} when the transaction is over and the server has told what came of
 * it, then {@link #writePending} in front of its ReadyForQuery. Manual, "LISTEN": it takes effect at commit, a rollback leaves
 * everything as it was, and notifications are delivered between transactions only.
 *
 * <p>From {@link #prepare} on the new channel's notifications are kept, and are delivered once it is listened to. So a client
 * may hear what was notified shortly before its LISTEN was committed, as a session of PostgreSQL does that listened to another
 * channel already; the other choice would lose what was notified between the commit and our hearing of it.
 *
 * <p>Confined to the client's loop.
 */
public final class ClientChannels {
    /** The client, as its channels see it. */
    public interface Client {
        /** Whether a message may go out now: no transaction is open, no answer is owed, and the socket takes bytes. */
        boolean takesNotifications();

        /** One to be sent at once; only while the client takes them. */
        void onNotification(Notification notification);

        /** More wait than are kept: the client must be closed with this. Said once. */
        void onTooMany(ErrorResponse error);

        /** Something on this channel may have been missed. */
        default void onGap(String channel) {}
    }

    private final ListenHub hub;
    private final Loop loop;
    private final Client client;
    private final PendingNotifications pending;
    private final NotificationListener ear = new Ear();

    /** Of what is listened to and of what the open transaction wants; by channel. */
    private final Map<String, Subscription> subscriptions = new HashMap<>();

    /** What is listened to, as of the last commit. */
    private final Set<String> active = new HashSet<>();

    private @Nullable Preparation preparing;
    private boolean closed;

    private final class Ear implements NotificationListener {
        @Override
        public void onNotification(Notification notification) {
            hear(notification);
        }

        @Override
        public void onGap(String channel) {
            if (active.contains(channel)) {
                client.onGap(channel);
            }
        }
    }

    /** Channels that the hub is still to confirm before the client's statements may run. */
    private static final class Preparation {
        private final Runnable confirmed;
        private final Consumer<ErrorResponse> failed;
        private final Set<String> names;
        private int missing;

        Preparation(Set<String> names, Runnable confirmed, Consumer<ErrorResponse> failed) {
            this.names = names;
            this.missing = names.size();
            this.confirmed = confirmed;
            this.failed = failed;
        }
    }

    public ClientChannels(ListenHub hub, Loop loop, Client client) {
        this(hub, loop, client, new PendingNotifications());
    }

    ClientChannels(ListenHub hub, Loop loop, Client client, PendingNotifications pending) {
        this.hub = hub;
        this.loop = loop;
        this.client = client;
        this.pending = pending;
    }

    // --- the client's statements -----------------------------------------------------------------------------------

    /**
     * Sees to it that the hub listens to all of these, for the statements that the client is about to run. True when it does
     * already: then nothing is called. Otherwise the client is held until one of {@code confirmed} and {@code failed} runs,
     * once.
     */
    public boolean prepare(
            Collection<String> channels, Duration within, Runnable confirmed, Consumer<ErrorResponse> failed) {
        Set<String> missing = new LinkedHashSet<>();
        for (String channel : channels) {
            String name = ChannelName.cut(channel);
            Subscription known = subscriptions.get(name);
            if (known == null || !known.isConfirmed()) {
                missing.add(name);
            }
        }
        if (missing.isEmpty()) {
            return true;
        }
        var preparation = new Preparation(missing, confirmed, failed);
        preparing = preparation;
        for (String name : missing) {
            Subscription unconfirmed = subscriptions.remove(name); // beside one that failed, before ROLLBACK TO
            if (unconfirmed != null) {
                hub.unsubscribe(unconfirmed);
            }
            subscriptions.put(
                    name,
                    hub.subscribe(
                            name,
                            ear,
                            loop,
                            within,
                            () -> onConfirmed(preparation),
                            error -> onFailed(preparation, name, error)));
        }
        return false;
    }

    private void onConfirmed(Preparation preparation) {
        preparation.missing--;
        if (preparation.missing == 0 && preparing == preparation) {
            preparing = null;
            preparation.confirmed.run();
        }
    }

    private void onFailed(Preparation preparation, String name, ErrorResponse error) {
        subscriptions.remove(name);
        if (preparing == preparation) {
            preparing = null;
            preparation.failed.accept(error);
        }
    }

    /**
     * The server told what holds from now on, whatever the statements let expect: these channels and no others. What is being
     * prepared is for a statement that is still to run, and stays.
     */
    public void become(Collection<String> channels) {
        active.clear();
        channels.forEach(channel -> active.add(ChannelName.cut(channel)));
        settle(preparing == null ? Set.of() : preparing.names);
    }

    /** Keeps an ear for what is listened to and for what is {@code wanted}, and for nothing else. */
    private void settle(Set<String> wanted) {
        active.retainAll(subscriptions.keySet()); // a LISTEN that nobody prepared has no ear
        Iterator<Subscription> all = subscriptions.values().iterator();
        while (all.hasNext()) {
            Subscription subscription = all.next();
            if (!active.contains(subscription.channel()) && !wanted.contains(subscription.channel())) {
                all.remove();
                hub.unsubscribe(subscription);
            }
        }
        pending.retain(channel -> active.contains(channel) || wanted.contains(channel));
    }

    /** The client is gone. Doing so twice is harmless. */
    public void close() {
        closed = true;
        preparing = null;
        active.clear();
        settle(Set.of());
    }

    // --- notifications ---------------------------------------------------------------------------------------------

    private void hear(Notification notification) {
        if (closed) {
            return;
        }
        if (pending.isEmpty() && client.takesNotifications() && active.contains(notification.channel())) {
            client.onNotification(notification);
        } else if (!pending.offer(notification)) {
            ErrorResponse error = PoolerErrors.tooManyNotifications(
                    pending.size(), pending.bytes(), PendingNotifications.MAX_COUNT, PendingNotifications.MAX_BYTES);
            close();
            client.onTooMany(error);
        }
    }

    /** Takes out what waits and appends the messages: between the end of a transaction and its ReadyForQuery. */
    public void writePending(ByteBuf out) {
        pending.writeTo(out);
    }

    /** Whether the client listens to anything, as of its last commit: only then can it hear itself. */
    public boolean isListening() {
        return !active.isEmpty();
    }

    /** Whether it listens to anything, or its open transaction may. */
    public boolean isUsed() {
        return !subscriptions.isEmpty();
    }

    /** What is listened to, as of the last commit. */
    public Set<String> active() {
        return Set.copyOf(active);
    }
}
