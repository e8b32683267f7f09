package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.error.PoolerErrors;
import io.plenum.pooler.net.Outbox;
import io.plenum.pooler.pool.LoginRetry;
import io.plenum.pooler.pool.Pool;
import io.plenum.pooler.pool.PoolGroup;
import io.plenum.pooler.pool.WaitQueue;
import io.plenum.pooler.pool.WalSenders;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.startup.StartupParameters;
import io.plenum.wire.startup.StartupParameters.Replication;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A client that asked for replication, and the WAL sender on the primary that is its alone, from the client's proof to the
 * end of whichever goes first.
 *
 * <p>What the two say is passed on unread, for a WAL sender answers when it likes and not what it was asked: no reply is
 * matched, no statement routed, no setting kept. Only where messages from the server end is known, so that a last word of
 * ours never stands inside of one. Manual, "Streaming Replication Protocol". Confined to the event loop that both share.
 */
final class ReplicationRelay implements WalSenders.Client, WaitQueue.Waiter, ServerConnection.Reader {
    /** Whose login waits for the WAL sender. */
    interface Asker {
        void onWalSender(ServerConnection server);

        void onWalSenderRefused(ErrorResponse error);
    }

    private static final long FULL_NANOS = 1_000_000_000L;

    private final ClientConnection client;
    private final StartupParameters startup;
    private final PoolGroup group;
    private final Map<String, String> parameters;
    private final ClientSettings limits;
    private final Asker asker;
    private final WaitQueue.Place place = new WaitQueue.Place(this);
    private @Nullable Pool pool;
    private @Nullable ServerConnection server;
    private long sinceNanos;
    private long countedBytes;
    private boolean serverHeld;
    private boolean midMessage;
    private boolean over;

    /** {@code parameters} are the settings in the startup packet of the WAL sender. */
    ReplicationRelay(
            ClientConnection client,
            StartupParameters startup,
            PoolGroup group,
            Map<String, String> parameters,
            ClientSettings limits,
            Asker asker) {
        this.client = client;
        this.startup = startup;
        this.group = group;
        this.parameters = parameters;
        this.limits = limits;
        this.asker = asker;
    }

    // --- waiting ---------------------------------------------------------------------------------------------------

    void start(long nowNanos) {
        sinceNanos = nowNanos;
        seek();
    }

    private void seek() {
        pool = group.forWrite();
        if (pool == null) {
            group.awaitPrimary(place, sinceNanos);
        } else {
            pool.walSenders().await(this, sinceNanos);
        }
    }

    /** Which limit of time the client breaks by its waiting; null for none. */
    @Nullable
    ErrorResponse brokenWaiting(long now) {
        return limits.brokenWaiting(group.database(), user(), pool == null, now - sinceNanos);
    }

    @Override
    public void onServer(ServerConnection server) {
        if (over || pool != group.forWrite()) {
            server.terminate(); // the primary is another by now
            if (!over) {
                seek();
            }
            return;
        }
        this.server = server;
        server.assumeSettings(settings());
        server.attach(this);
        group.stats().assignments++;
        group.stats().waitNanos += System.nanoTime() - sinceNanos;
        countedBytes = client.outbox().bytes();
        if (!client.isWritable()) {
            holdServer(true);
        }
        asker.onWalSender(server);
    }

    @Override
    public void onTrouble(@Nullable ErrorResponse refusal) {
        place.leave();
        if (over) {
            return;
        }
        if (refusal != null && refusal.isFatal() && isFinal(refusal)) {
            over = true;
            asker.onWalSenderRefused(refusal);
        } else {
            seek();
        }
    }

    /**
     * A server that is full is asked again only as long as a connection that made room for this one may need to end:
     * max_wal_senders may be what is used up, and of that no pool will give back anything.
     */
    private boolean isFinal(ErrorResponse refusal) {
        return LoginRetry.isLasting(refusal)
                || (refusal.code().startsWith("53") && System.nanoTime() - sinceNanos > FULL_NANOS);
    }

    // --- both ways -------------------------------------------------------------------------------------------------

    /** Sends on all that the client said; {@code bytes} stay the caller's. */
    void onClientBytes(ByteBuf bytes, int start) {
        ServerConnection sender = server;
        if (sender != null) {
            sender.outbox().forward(bytes, start, bytes.writerIndex());
            sender.outbox().flush();
        }
    }

    @Override
    public void forward(ByteBuf bytes, int start, int end) {
        client.outbox().forward(bytes, start, end);
        midMessage = server != null && server.isMidMessage();
    }

    @Override
    public void onBatchEnd() {
        Outbox out = client.outbox();
        out.flush();
        group.stats().sentBytes += out.bytes() - countedBytes;
        countedBytes = out.bytes();
    }

    @Override
    public boolean onError(ErrorResponse error, @Nullable Object subject, ByteBuf bytes, int start, int end) {
        return true; // never called: errors are passed on as everything is
    }

    /** The client takes no more bytes, or takes them again. */
    void holdServer(boolean hold) {
        ServerConnection sender = server;
        if (sender != null && hold != serverHeld) {
            serverHeld = hold;
            sender.channel().config().setAutoRead(!hold);
        }
    }

    @Override
    public void onWritability(boolean writable) {
        client.setReadable(writable);
    }

    // --- the end ---------------------------------------------------------------------------------------------------

    @Override
    public void onLost(@Nullable ErrorResponse fatal) {
        server = null;
        client.setReadable(true);
        client.onWalSenderGone();
    }

    /** The client is gone or told to go: so goes its WAL sender, wherever it stands. */
    void stop() {
        over = true;
        place.leave();
        if (pool != null) {
            pool.walSenders().leave(this);
        }
        ServerConnection sender = server;
        server = null;
        if (sender != null) {
            sender.detach();
            sender.close();
            client.setReadable(true);
        }
    }

    /** Why the relay must end although both sides go on; null while it need not. */
    @Nullable
    ErrorResponse reasonToEnd() {
        return server != null && server.isCloseWhenReleased() ? PoolerErrors.walSenderReplaced() : null;
    }

    /** Whether the client has a part of a message whose rest is still to come. */
    boolean isMidMessage() {
        return midMessage;
    }

    // --- what there is ---------------------------------------------------------------------------------------------

    /** The WAL sender; null before the login and after the end. */
    @Nullable
    ServerConnection server() {
        return server;
    }

    @Override
    public Replication replication() {
        return startup.replication();
    }

    /** As whom the client has logged in. */
    String user() {
        return startup.user();
    }

    @Override
    public Map<String, String> parameters() {
        return parameters;
    }

    /** The settings that the session began with. */
    SessionSettings settings() {
        return SessionSettings.of(parameters);
    }
}
