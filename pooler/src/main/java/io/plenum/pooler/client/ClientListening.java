package io.plenum.pooler.client;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.link.Link;
import io.plenum.pooler.link.Listening;
import io.plenum.pooler.listen.ClientChannels;
import io.plenum.pooler.listen.ListenHub;
import io.plenum.pooler.listen.Notification;
import io.plenum.pooler.pool.PoolGroup;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.backend.BackendMessages;
import io.plenum.wire.error.ErrorResponse;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One client's LISTEN by a connection that it shares with others: what it listens to, and what of it waits for that.
 *
 * <p>Confined to the client's event loop.
 */
final class ClientListening implements Listening, ClientChannels.Client {
    /** Longest that a LISTEN waits for the shared connection. */
    private static final Duration LISTEN_WITHIN = Duration.ofSeconds(10);

    private final ClientConnection client;
    private final BatchRelay batches;
    private final LoopClients clients;

    /** Null until the first LISTEN. */
    private @Nullable ClientChannels channels;

    /** A LISTEN waits for the shared connection to listen. */
    private boolean channelsAwaited;

    /** The client's ReadyForQuery waits for what it notified. */
    private boolean readyWithheld;

    ClientListening(ClientConnection client, BatchRelay batches, LoopClients clients) {
        this.client = client;
        this.batches = batches;
        this.clients = clients;
    }

    /** The client is gone. */
    void close() {
        if (channels != null) {
            channels.close();
            channels = null;
        }
    }

    /** Whether nothing of what the client says is handled for now. */
    boolean isAwaited() {
        return channelsAwaited || readyWithheld;
    }

    @Override
    public boolean isShared() {
        // Who has begun in UTF8 goes on so, or what it listens to would be heard in two places.
        return batches.limits().mode() != Link.Mode.SESSION
                && (batches.speaksUtf8() || (channels != null && channels.isUsed()));
    }

    @Override
    public boolean isListening() {
        return channels != null && channels.isListening();
    }

    @Override
    public boolean isAnybodyListening() {
        return clients.shared().hubs().isAnybodyListening(client.database());
    }

    @Override
    public Collection<String> channels() {
        return channels == null ? List.of() : channels.active();
    }

    @Override
    public boolean listenFirst(Collection<String> wanted) {
        ClientChannels own = channels;
        if (own == null) {
            own = new ClientChannels(hub(), clients.loop(), this);
            channels = own;
        }
        channelsAwaited = true;
        boolean there = own.prepare(wanted, LISTEN_WITHIN, this::onListening, this::onListenFailed);
        channelsAwaited &= !there;
        return there;
    }

    private ListenHub hub() {
        DatabaseConfig entry = clients.shared().config().get().database(client.database());
        PoolGroup group = client.poolsOrNull();
        if (entry == null || group == null) {
            throw new IllegalStateException("a database that is gone");
        }
        return clients.shared().hubs().hub(entry, group.user(), clients.loop());
    }

    private void onListening() {
        channelsAwaited = false;
        client.pump();
    }

    private void onListenFailed(ErrorResponse error) {
        channelsAwaited = false;
        client.fail(new ErrorResponse(
                "FATAL", error.code(), error.message(), error.detail(), error.hint(), error.routine()));
    }

    @Override
    public void onChannels(Collection<String> registered, boolean exactly) {
        ClientChannels own = channels;
        if (own != null) {
            Set<String> now = new LinkedHashSet<>(exactly ? List.of() : own.active());
            now.addAll(registered);
            own.become(now);
        }
    }

    @Override
    public void withholdReady() {
        readyWithheld = true;
    }

    @Override
    public void dropReady() {
        readyWithheld = false;
    }

    @Override
    public void tellNotifications(boolean all) {
        ClientChannels own = channels;
        if (all) {
            clients.shared().hubs().barrier(client.database(), clients.loop(), this::sendReady);
        } else if (own != null) {
            own.writePending(client.outbox().writer());
        }
    }

    private void sendReady() {
        boolean due = readyWithheld;
        readyWithheld = false;
        if (!due || client.isLeaving()) {
            return;
        }
        if (channels != null) {
            channels.writePending(client.outbox().writer());
        }
        BackendMessages.readyForQuery(client.outbox().writer(), TransactionStatus.IDLE);
        client.outbox().flush();
        client.pump();
    }

    @Override
    public boolean takesNotifications() {
        return !isAwaited() && batches.isFreeToHear();
    }

    @Override
    public void onNotification(Notification notification) {
        notification.writeTo(client.outbox().writer());
        client.outbox().flush();
    }

    @Override
    public void onTooMany(ErrorResponse error) {
        client.fail(error);
    }
}
