package io.plenum.pooler.discovery;

import io.netty.util.concurrent.Future;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.topology.Node;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The connection over which one node is asked what it is: opened at the first probe, kept, and opened anew when it ends.
 *
 * <p>Never one of a pool's: a pool that is used up must not make its node look dead. Confined to the control loop.
 */
final class MonitorConnection implements Prober, ServerConnection.Owner {
    /** Time for one probe, a login included where one is needed. */
    static final long DEADLINE_MILLIS = 750;

    /** Class of SQLSTATE: syntax error or access rule violation. */
    private static final String ACCESS_RULE = "42";

    private final Loop loop;
    private final LongSupplier clock;
    private final Node node;
    private final MonitorLogins logins;
    private final Clusters.Probing probing;
    private final Runnable onDropped;

    private @Nullable ServerConnection connection;
    private @Nullable Consumer<ProbeResult> waiting;
    private @Nullable Future<?> deadline;
    private ProbeQuery query = ProbeQuery.FULL;

    /** The login may not ask for everything: so it is on this connection for good. */
    private boolean mayAskRoleAlone;

    private int loginTried;
    private int refusals;
    private boolean fresh;
    private boolean kept = true;
    private boolean outdated;

    MonitorConnection(
            Loop loop,
            LongSupplier clock,
            Node node,
            MonitorLogins logins,
            Clusters.Probing probing,
            Runnable onDropped) {
        this.loop = loop;
        this.clock = clock;
        this.node = node;
        this.logins = logins;
        this.probing = probing;
        this.onDropped = onDropped;
    }

    @Override
    public void probe(Consumer<ProbeResult> done) {
        waiting = done;
        refusals = 0;
        deadline = loop.executor().schedule(this::onDeadline, DEADLINE_MILLIS, TimeUnit.MILLISECONDS);
        if (outdated) {
            outdated = false;
            leave();
        }
        ServerConnection open = connection;
        if (open == null) {
            connect();
        } else {
            fresh = false;
            query = mayAskRoleAlone ? ProbeQuery.ROLE : ProbeQuery.FULL;
            ask(open);
        }
    }

    @Override
    public void keepConnection(boolean keep) {
        kept = keep;
        if (!keep && waiting == null) {
            leave();
        }
    }

    @Override
    public void renewConnection() {
        outdated = true;
    }

    @Override
    public void close() {
        waiting = null;
        if (deadline != null) {
            deadline.cancel(false);
        }
        leave();
    }

    // --- login -----------------------------------------------------------------------------------------------------

    private void connect() {
        List<MonitorLogins.Login> known = logins.now();
        if (known.isEmpty()) {
            finish(new ProbeResult.Unasked());
            return;
        }
        fresh = true;
        query = ProbeQuery.FULL;
        mayAskRoleAlone = false;
        MonitorLogins.Login login = known.get(loginTried % known.size());
        connection = probing.connect(loop, login.at(node, "plenum monitor"), this);
    }

    @Override
    public void onLoggedIn(ServerConnection server) {
        if (server == connection) {
            ask(server);
        }
    }

    @Override
    public void onLoginFailed(ServerConnection server, @Nullable ErrorResponse refusal, String step) {
        if (server != connection) {
            return;
        }
        connection = null;
        if (refusal == null && (step.startsWith("connect") || step.equals("startup"))) {
            finish(new ProbeResult.Gone(step));
        } else if (refusal != null && refusal.is(SqlState.CANNOT_CONNECT_NOW)) {
            finish(new ProbeResult.Refusing(refusal.message()));
        } else if (refusal != null && refusal.code().startsWith("57P")) { // stopped, crashed
            finish(new ProbeResult.Gone(refusal.message()));
        } else {
            onBarred(refusal, step);
        }
    }

    /** Somebody lives there: another login may do, unless the trouble is not one of logins. */
    private void onBarred(@Nullable ErrorResponse refusal, String step) {
        boolean full = refusal != null && refusal.code().startsWith("53");
        if (!full) {
            loginTried++;
            refusals++;
            if (refusals < logins.now().size() && waiting != null) {
                connect();
                return;
            }
        }
        finish(new ProbeResult.Barred(
                refusal == null ? "login failed at " + step : refusal.code() + " " + refusal.message()));
    }

    // --- question --------------------------------------------------------------------------------------------------

    private void ask(ServerConnection server) {
        server.ask(query.sql(), answer -> {
            if (server == connection) {
                onAnswer(server, answer);
            }
        });
    }

    private void onAnswer(ServerConnection server, ServerConnection.Answer answer) {
        switch (answer) {
            case ServerConnection.Rows(var rows) ->
                finish(
                        rows.size() == 1
                                ? query.read(rows.getFirst(), clock.getAsLong())
                                : new ProbeResult.Barred(rows.size() + " rows in answer to a probe"));
            case ServerConnection.Failed(var error) -> {
                if (query == ProbeQuery.FULL) {
                    query = ProbeQuery.ROLE;
                    mayAskRoleAlone = error.code().startsWith(ACCESS_RULE); // not a cancel, a conflict, a limit
                    ask(server);
                } else {
                    finish(new ProbeResult.Barred(error.code() + " " + error.message()));
                }
            }
            case ServerConnection.Lost(var fatal) -> {
                connection = null;
                if (fresh) {
                    finish(new ProbeResult.Gone(fatal == null ? "connection lost" : fatal.message()));
                } else if (waiting != null) {
                    connect(); // one connection is not the node: a new one tells
                }
            }
        }
    }

    @Override
    public void onDismissed(ServerConnection server) {
        if (server == connection && waiting == null) {
            leave();
        }
    }

    @Override
    public void onClosed(ServerConnection server) {
        if (server == connection) {
            connection = null;
            if (waiting == null) {
                onDropped.run();
            }
        }
    }

    // --- end of a probe --------------------------------------------------------------------------------------------

    private void onDeadline() {
        leave();
        finish(new ProbeResult.Silent());
    }

    private void leave() {
        ServerConnection open = connection;
        connection = null;
        if (open != null) {
            open.terminate();
        }
    }

    private void finish(ProbeResult result) {
        if (deadline != null) {
            deadline.cancel(false);
            deadline = null;
        }
        Consumer<ProbeResult> asker = waiting;
        waiting = null;
        if (!kept) {
            leave();
        }
        if (asker != null) {
            asker.accept(result);
        }
    }
}
