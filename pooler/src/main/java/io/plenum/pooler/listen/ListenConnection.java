package io.plenum.pooler.listen;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.pool.PoolKey;
import io.plenum.pooler.pool.ServerConnector;
import io.plenum.pooler.server.OutstandingReplies.Origin;
import io.plenum.pooler.server.OutstandingReplies.Reply;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.topology.Node;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.frontend.FrontendMessages;
import org.jspecify.annotations.Nullable;

/**
 * One connection of a hub, from the login to its end: runs one piece of SQL at a time and hands up what was notified.
 *
 * <p>Never one of a pool's. Once the hub has {@linkplain #leave left} it, it is silent. Confined to the hub's loop.
 */
final class ListenConnection implements ServerConnection.Owner, ServerConnection.Reader {
    /** The hub, as its connection sees it. */
    interface Events {
        /** The session is what it should be and takes SQL. */
        void onOpen();

        /** The SQL was answered; null when it succeeded. What was notified before is already handed over. */
        void onAnswer(@Nullable ErrorResponse error);

        void onNotification(Notification notification);

        /** The bytes at hand are read. */
        void onBatchEnd();

        /** It is to end if nobody listens. */
        void onDismissed();

        /** The connection is gone, or never came to be. */
        void onEnd(String step, @Nullable ErrorResponse lastWords);
    }

    private final Node node;
    private final Events events;
    private @Nullable ServerConnection server;
    private @Nullable ErrorResponse error;
    private boolean prepared;
    private boolean left;

    ListenConnection(Node node, Events events) {
        this.node = node;
        this.events = events;
    }

    /** Begins to connect; an attempt that fails at once is told of before this returns. */
    void connect(ServerConnector connector, Loop loop, String database, String user) {
        ServerConnection made = connector.connect(loop, new PoolKey(node, database, user), this);
        server = made;
        if (left) {
            made.terminate();
        }
    }

    Node node() {
        return node;
    }

    /** Whether the server said of itself that it is a standby. */
    boolean isStandby() {
        return server != null && server.isStandby();
    }

    /** Sends SQL, empty for a mere round trip; {@link Events#onAnswer} tells how it ended, and only then may more be sent. */
    void run(String sql) {
        ServerConnection open = server;
        if (open == null) {
            throw new IllegalStateException("not connected");
        }
        error = null;
        FrontendMessages.query(open.outbox().writer(), sql);
        open.replies().add(Reply.QUERY, Origin.CLIENT);
        open.outbox().flush();
    }

    /** Ends the connection and says nothing of it. */
    void leave() {
        left = true;
        if (server != null) {
            server.terminate();
        }
    }

    private void end(String step, @Nullable ErrorResponse lastWords) {
        if (!left) {
            left = true;
            events.onEnd(step, lastWords);
        }
    }

    // --- owner -----------------------------------------------------------------------------------------------------

    @Override
    public void onLoggedIn(ServerConnection server) {
        this.server = server;
        if (!left) {
            server.attach(this);
            run(preparation(server));
        }
    }

    /**
     * What a session needs that is to be idle for days and to speak one encoding. A parameter that this version does not
     * have is left out. In a database of bytes (SQL_ASCII) bytes are passed on.
     */
    private static String preparation(ServerConnection server) {
        String encoding = "SQL_ASCII".equals(server.startValues().get("server_encoding")) ? "SQL_ASCII" : "UTF8";
        return """
            SELECT pg_catalog.set_config(name, CASE name
                WHEN 'application_name' THEN 'plenum listener'
                WHEN 'client_encoding' THEN '%s'
                ELSE '0' END, false)
            FROM pg_catalog.pg_settings
            WHERE name IN ('application_name', 'client_encoding', 'idle_session_timeout', 'statement_timeout')\
            """.formatted(encoding);
    }

    @Override
    public void onLoginFailed(ServerConnection server, @Nullable ErrorResponse refusal, String step) {
        end(step, refusal);
    }

    @Override
    public void onDismissed(ServerConnection server) {
        if (!left) {
            events.onDismissed();
        }
    }

    @Override
    public void onClosed(ServerConnection server) {
        end("closed", null);
    }

    // --- reader ----------------------------------------------------------------------------------------------------

    @Override
    public boolean onNotification(ByteBuf bytes, int start, int end) {
        if (!left) {
            events.onNotification(Notification.copy(bytes, start, end));
        }
        return false;
    }

    @Override
    public boolean onError(ErrorResponse error, @Nullable Object subject, ByteBuf bytes, int start, int end) {
        this.error = error;
        return false;
    }

    @Override
    public boolean onReady(TransactionStatus status) {
        if (left) {
            return false;
        }
        if (prepared) {
            events.onAnswer(error);
        } else if (error != null) {
            leaveBecauseOf(error);
        } else {
            prepared = true;
            events.onOpen();
        }
        return false;
    }

    private void leaveBecauseOf(ErrorResponse refusal) {
        if (server != null) {
            server.terminate();
        }
        end("prepare", refusal);
    }

    @Override
    public void onBatchEnd() {
        if (!left) {
            events.onBatchEnd();
        }
    }

    @Override
    public void onLost(@Nullable ErrorResponse fatal) {
        end("lost", fatal);
    }
}
