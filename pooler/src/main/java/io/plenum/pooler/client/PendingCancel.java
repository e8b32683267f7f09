package io.plenum.pooler.client;

import io.plenum.pooler.client.ClientConnection.State;
import io.plenum.pooler.link.Link;
import io.plenum.pooler.server.ServerConnection;
import org.jspecify.annotations.Nullable;

/**
 * A cancel request for what a client runs, until it may be passed on to the server: it must not hit what we run in front of the client's
 * statement. Confined to the client's event loop.
 */
final class PendingCancel {
    private final ClientConnection client;
    private final LoopClients clients;
    private final Link link;

    /** To be run when the request is over; null when none waits. */
    private @Nullable Runnable done;

    PendingCancel(ClientConnection client, LoopClients clients, Link link) {
        this.client = client;
        this.clients = clients;
        this.link = link;
    }

    /** A request has come. */
    void begin(Runnable done) {
        if (!runs() || this.done != null) {
            done.run(); // nothing runs, or it is being canceled: as with PostgreSQL, nothing happens
        } else {
            this.done = done;
            sendWhenDue();
        }
    }

    /** Something is over, of ours perhaps. */
    void sendWhenDue() {
        Runnable over = done;
        if (over == null) {
            return;
        }
        ServerConnection server = link.server();
        if (server != null && link.runsForClient() && link.runsOwn()) {
            return;
        }
        done = null;
        if (server != null && runs()) {
            clients.shared()
                    .cancels()
                    .send(server, clients.loop(), () -> link.server() == server && link.runsForClient(), over);
        } else {
            over.run();
        }
    }

    private boolean runs() {
        return client.state() == State.LINKED && link.runsForClient();
    }
}
