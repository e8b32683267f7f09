package io.plenum.pooler.link;

import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.backend.BackendMessages;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a client's session on whatever server it has: brought there, followed as they change, and told to the
 * client where a session of its own would have told.
 *
 * <p>What a server goes back to by RESET is its own start, which need not be the client's. Confined to the event loop of its
 * link.
 */
final class FollowedSettings {
    /** The subject of a change of settings that we sent. */
    static final Object REPLAY = "settings";

    private final LinkedClient client;
    private final StatementNames names;
    private final boolean keepsServer;
    private boolean resetting;
    private @Nullable SessionSettings discarded;
    /** What went back to the server's start is to be set again to the client's, once no cancel can hit that. */
    private boolean restartDue;
    /** What the server told with the answer to a query of ours, and the client is to hear with its next ReadyForQuery; by name. */
    private final Map<String, Early> early = new LinkedHashMap<>();

    /**
     * @param before the last that the client heard; null if it is not known
     */
    private record Early(String value, @Nullable String before) {}

    /** {@code keepsServer} says that the client has one server for all its session. */
    FollowedSettings(LinkedClient client, StatementNames names, boolean keepsServer) {
        this.client = client;
        this.names = names;
        this.keepsServer = keepsServer;
    }

    /** A link begins. */
    void begin(ServerConnection server) {
        resetting = false;
        discarded = null;
        restartDue = false;
        early.clear();
        SessionSettings wanted = client.settings();
        SessionSettings actual = server.settings();
        if (actual != wanted) {
            if (actual.equals(wanted)) {
                server.assumeSettings(wanted); // the next comparison is one of references
            } else {
                bring(server, actual, wanted);
            }
        }
    }

    /** A client that keeps its server finds there what a session of its own would have gone back to. */
    void resumeKept(ServerConnection linked) {
        SessionSettings wanted = client.settings();
        if (!linked.settings().equals(wanted)) {
            bring(linked, linked.settings(), wanted);
            linked.outbox().flush();
        }
    }

    /**
     * Tells the server, in front of the client's next message and in the same write, what the client's session differs in.
     *
     * <p>Values travel as parameters, never as text of a statement, and in a transaction of their own, so that a rollback
     * by the client cannot undo them.
     */
    private void bring(ServerConnection linked, SessionSettings actual, SessionSettings wanted) {
        names.beforeOwn();
        SettingsReplay.sendOrExit(linked, actual, wanted, REPLAY);
        linked.assumeSettings(wanted);
    }

    // --- from the server -------------------------------------------------------------------------------------------

    /** The server has told of a setting; whether the client is to hear it. */
    boolean onParameter(ServerConnection linked, String name) {
        String parsing = client.settings().parsing();
        boolean heard = follow(linked, name);
        if (!parsing.equals(client.settings().parsing())) {
            names.parsing().onTold(linked);
        }
        return heard;
    }

    private boolean follow(ServerConnection linked, String name) {
        SessionSettings before = client.settings();
        String now = linked.settings().get(name);
        String start = client.startSettings().get(name);
        if (resetting && now == null && start != null) { // the server's start is not the client's
            client.setSettings(before.with(name, start));
            if (!start.equals(before.get(name))) {
                report(name, start);
            }
            return false;
        }
        client.setSettings(now == null ? before.without(name) : before.with(name, now));
        return true;
    }

    /** What the client has heard of it; null if that is not known. */
    @Nullable
    String told(ServerConnection linked, String name) {
        Early held = early.get(name);
        if (held != null) {
            return held.before();
        }
        String own = client.settings().get(name);
        return own != null ? own : linked.startValues().get(name);
    }

    /** The client is to hear of it as late as it would have without a query of ours in between. */
    void reportLater(String name, String value, @Nullable String before) {
        early.put(name, new Early(value, before));
    }

    /** Whether the client has not heard this value last; of another, for which it was too early, it hears no more. */
    boolean isNews(String name, String value) {
        Early held = early.remove(name);
        return held == null || !value.equals(held.before());
    }

    private void report(String name, String value) {
        BackendMessages.parameterStatus(client.outbox().writer(), name, value);
    }

    /** Something goes back to the server's start. */
    void onReset() {
        resetting = true;
    }

    /** DISCARD ALL ran: the client is back at its own start, and hears of what that changed, just before ReadyForQuery. */
    void onForgotten() {
        resetting = true;
        discarded = client.settings();
        client.setSettings(client.startSettings());
    }

    /** ReadyForQuery for the client, which will hear it. */
    void onReady(ServerConnection linked, @Nullable SessionTrace trace, TransactionStatus status) {
        if (!early.isEmpty()) {
            reportEarly();
        }
        if (!resetting) {
            return;
        }
        resetting = trace != null && trace.hasResets();
        if (discarded != null) {
            reportDiscarded(linked, discarded);
            discarded = null;
        }
        if (linked.replies().isEmpty()) { // what stands behind it in the pipeline was sent already
            resume(linked, trace, status);
        }
    }

    private void reportEarly() {
        early.forEach((name, told) -> report(name, told.value()));
        early.clear();
    }

    private void reportDiscarded(ServerConnection linked, SessionSettings before) {
        SessionSettings.difference(before, client.startSettings(), (name, value) -> {
            for (String reported : linked.startValues().keySet()) {
                if (value != null && reported.equalsIgnoreCase(name)) {
                    report(reported, value);
                }
            }
        });
    }

    /** Where something went back to the server's start, the client finds its own instead, as on a session of its own. */
    private void resume(ServerConnection linked, @Nullable SessionTrace trace, TransactionStatus status) {
        if (trace != null && status != TransactionStatus.FAILED && !trace.isRolledBack()) {
            reportResets(linked, trace);
        }
        if (status == TransactionStatus.IN_TRANSACTION) {
            restartDue = true;
            if (!linked.hasCancelsInFlight()) {
                restartIfDue(linked, trace);
                linked.outbox().flush();
            }
        } else if (status == TransactionStatus.IDLE && keepsServer) {
            resumeKept(linked);
        }
    }

    /** Of a RESET to a start that is the client's alone the server does not tell where its own value was in force already. */
    private void reportResets(ServerConnection linked, SessionTrace trace) {
        SessionSettings start = client.startSettings();
        for (String name : trace.resetTo(start)) {
            String value = start.get(name);
            for (String reported : linked.startValues().keySet()) {
                if (value != null
                        && reported.equalsIgnoreCase(name)
                        && !value.equals(client.settings().get(reported))) {
                    client.setSettings(client.settings().with(reported, value));
                    report(reported, value);
                }
            }
        }
    }

    /** Within the client's transaction, which may take it back: so nothing is assumed of it. */
    void restartIfDue(ServerConnection linked, @Nullable SessionTrace trace) {
        if (!restartDue || trace == null) {
            return;
        }
        restartDue = false;
        SessionSettings start = client.startSettings();
        var replay = new SettingsReplay();
        List<String> reset = trace.resetTo(start);
        for (String name : reset) {
            replay.set(name, start.get(name));
        }
        if (!reset.isEmpty()) {
            names.beforeOwn();
            replay.sendOrExit(linked, REPLAY);
            trace.onRestarted(reset);
        }
    }
}
