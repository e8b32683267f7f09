package io.plenum.pooler.pool;

import io.plenum.pooler.server.ServerConnection;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.startup.StartupParameters.Replication;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The WAL senders of one loop's part of a pool: each is opened for one client and closed behind it, for what it has
 * streamed cannot be undone by any reset.
 *
 * <p>They take from the limits of the pool as its other connections do. Where those are used up, one that idles makes room,
 * else one that is given back; who has waited longest goes first, whatever it waits for. A login that PostgreSQL refuses
 * is told to its own client alone, for it says nothing about those of others. Confined to the event loop of its pool.
 */
public final class WalSenders {
    private static final int LOGINS_AT_ONCE = 4;

    private static final long RETRY_NANOS = 100_000_000L;

    /** Who wants one. */
    public interface Client {
        Replication replication();

        /** What the startup packet says besides user and database. */
        Map<String, String> parameters();

        /** The connection is logged in and the client's, who closes it. */
        void onServer(ServerConnection server);

        /**
         * There is none to be had here and now; the client no longer waits, and may ask again.
         *
         * @param refusal what PostgreSQL said when it refused the login, null when nothing was said
         */
        void onTrouble(@Nullable ErrorResponse refusal);
    }

    private record Waiting(Client client, long sinceNanos) {}

    private final Pool pool;
    private final ServerConnector connector;
    private final ArrayDeque<Waiting> waiters = new ArrayDeque<>();
    private final List<Opening> opening = new ArrayList<>();
    private int active;
    private long retryAtNanos = System.nanoTime();

    WalSenders(Pool pool, ServerConnector connector) {
        this.pool = pool;
        this.connector = connector;
    }

    /** The client waits, since {@code sinceNanos}, and hears of a connection or of trouble once. */
    public void await(Client client, long sinceNanos) {
        waiters.addLast(new Waiting(client, sinceNanos));
        pool.seekServers();
    }

    /** The client gives up before it has heard of anything. */
    public void leave(Client client) {
        if (waiters.removeIf(waiting -> waiting.client() == client)) {
            pool.noteFed();
        }
        for (Opening one : List.copyOf(opening)) {
            if (one.client == client) {
                one.abandon();
            }
        }
    }

    /** Opens what is asked for, as far as the limits allow. */
    void seek(long now) {
        while (isTurn(now) && pool.makeRoom()) {
            open();
        }
    }

    /** Whether the next connection of the pool is to be one of these. */
    boolean isTurn(long now) {
        Waiting oldest = waiters.peekFirst();
        return oldest != null
                && opening.size() < LOGINS_AT_ONCE
                && now - retryAtNanos >= 0
                && pool.mayOpen(oldest.sinceNanos(), now);
    }

    /** Opens the connection whose turn it is; its permit is the caller's and goes with it. */
    void open() {
        var next = new Opening(waiters.removeFirst().client());
        opening.add(next);
        ServerConnection server = connector.connectWalSender(
                pool.loop(), pool.key(), next.client.replication(), next.client.parameters(), next);
        next.server = server;
        pool.servers().add(server);
        pool.noteFed();
    }

    /** Sends all who wait elsewhere. */
    void trouble() {
        List<Waiting> all = List.copyOf(waiters);
        waiters.clear();
        all.forEach(waiting -> waiting.client().onTrouble(null));
    }

    /** Since when the oldest waits; only if {@link #isWaitedFor()}. */
    public long oldestSinceNanos() {
        return waiters.getFirst().sinceNanos();
    }

    public boolean isWaitedFor() {
        return !waiters.isEmpty();
    }

    /** Clients without a connection that do not even log in to one. */
    int waiting() {
        return waiters.size();
    }

    int connecting() {
        return opening.size();
    }

    int active() {
        return active;
    }

    /** One connection, from its beginning to its end. */
    private final class Opening implements ServerConnection.Owner {
        private final Client client;
        private @Nullable ServerConnection server;
        private boolean abandoned;
        private boolean given;
        private boolean failed;
        private @Nullable ErrorResponse said;

        Opening(Client client) {
            this.client = client;
        }

        void abandon() {
            abandoned = true;
            if (server != null) {
                server.close();
            }
        }

        @Override
        public void onLoggedIn(ServerConnection server) {
            opening.remove(this);
            given = true;
            active++;
            if (pool.isPaused() || pool.isMisplaced(server)) {
                pool.backOff(server);
                server.terminate();
                client.onTrouble(null);
            } else {
                client.onServer(server);
            }
            pool.seekServers();
        }

        @Override
        public void onLoginFailed(ServerConnection server, @Nullable ErrorResponse refusal, String step) {
            opening.remove(this);
            server.blame(refusal == null ? "connect failed" : "login failed");
            if (!abandoned) {
                retryAtNanos = System.nanoTime() + RETRY_NANOS;
                pool.onWalSenderRefused(server, refusal, step);
                failed = true;
                said = refusal;
            }
        }

        @Override
        public void onClosed(ServerConnection server) {
            if (given) {
                active--;
            }
            pool.onClosed(server);
            if (failed) { // told last: when the client hears of it, the log has heard of the server too
                client.onTrouble(said);
            }
        }
    }
}
