package io.plenum.pooler.discovery;

import io.netty.util.concurrent.Future;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.pool.LoginRetry;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.topology.Node;
import io.plenum.wire.error.ErrorResponse;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A connection over which one node is asked one thing after another, opened when it is needed and again, not at once, when
 * it was lost. Confined to the control loop.
 */
final class NodeQuestions implements ServerConnection.Owner {
    /** What becomes of the questions. */
    interface Listener {
        /** A connection stands, over which all answers come until it is lost. */
        default void onConnected() {}

        /** The question is about to be sent. */
        default void onAsking() {}

        /** The node answered, or refused. */
        void onAnswer(ServerConnection.Answer answer);

        /** The connection is gone, and with it the answer that it owed. */
        default void onLost() {}
    }

    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    /** Logins that are refused cost the server a process each and fill its log: the pause between them grows to this. */
    private static final long REFUSED_RETRY_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final Node node;
    private final Loop loop;
    private final LongSupplier clock;
    private final MonitorLogins logins;
    private final Clusters.Probing probing;
    private final Listener listener;

    private @Nullable ServerConnection connection;
    private @Nullable String question;
    private @Nullable Future<?> deadline;
    private int loginTried;
    private long retryNanos = RETRY_NANOS;
    private long dueNanos;
    private boolean asked;

    NodeQuestions(
            Node node,
            Loop loop,
            LongSupplier clock,
            MonitorLogins logins,
            Clusters.Probing probing,
            Listener listener) {
        this.node = node;
        this.loop = loop;
        this.clock = clock;
        this.logins = logins;
        this.probing = probing;
        this.listener = listener;
        this.dueNanos = clock.getAsLong();
    }

    /** Whether it may be asked again: no answer is owed, and the last one is at least so old. */
    boolean isDue(long nowNanos, long apartNanos) {
        return question == null && nowNanos - dueNanos >= (asked ? apartNanos : 0);
    }

    void ask(String sql) {
        question = sql;
        deadline = loop.executor().schedule(this::lose, MonitorConnection.DEADLINE_MILLIS, TimeUnit.MILLISECONDS);
        ServerConnection open = connection;
        if (open == null) {
            connect();
        } else {
            send(open, sql);
        }
    }

    private void connect() {
        List<MonitorLogins.Login> known = logins.now();
        if (known.isEmpty()) {
            lose();
            return;
        }
        MonitorLogins.Login login = known.get(loginTried % known.size());
        connection = probing.connect(loop, login.at(node, "plenum positions"), this);
    }

    @Override
    public void onLoggedIn(ServerConnection server) {
        String sql = question;
        if (server == connection && sql != null) {
            retryNanos = RETRY_NANOS;
            listener.onConnected();
            send(server, sql);
        }
    }

    private void send(ServerConnection server, String sql) {
        listener.onAsking();
        server.ask(sql, answer -> {
            if (server != connection) {
                return;
            }
            if (answer instanceof ServerConnection.Lost) {
                lose();
            } else {
                settle();
                asked = true;
                dueNanos = clock.getAsLong();
                listener.onAnswer(answer);
            }
        });
    }

    @Override
    public void onLoginFailed(ServerConnection server, @Nullable ErrorResponse refusal, String step) {
        if (server == connection) {
            connection = null;
            lose();
            if (refusal != null) {
                onRefused(refusal);
            }
        }
    }

    /** Another login may do; when all of them were refused, and not only for the moment, there is time. */
    private void onRefused(ErrorResponse refusal) {
        loginTried++;
        if (LoginRetry.isLasting(refusal)
                && loginTried % Math.max(1, logins.now().size()) == 0) {
            retryNanos = Math.min(2 * retryNanos, REFUSED_RETRY_NANOS);
        }
    }

    @Override
    public void onDismissed(ServerConnection server) {
        if (server == connection && question == null) {
            close();
        }
    }

    @Override
    public void onClosed(ServerConnection server) {
        if (server == connection) {
            connection = null;
            lose();
        }
    }

    private void settle() {
        question = null;
        if (deadline != null) {
            deadline.cancel(false);
            deadline = null;
        }
    }

    /** No answer will come: the next question waits a while. */
    private void lose() {
        close();
        asked = false;
        dueNanos = clock.getAsLong() + retryNanos;
    }

    void close() {
        settle();
        ServerConnection open = connection;
        connection = null;
        if (open != null) {
            open.terminate();
        }
        listener.onLost();
    }
}
