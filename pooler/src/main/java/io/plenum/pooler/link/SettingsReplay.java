package io.plenum.pooler.link;

import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.SessionSettings;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A statement that changes the settings of a server's session.
 *
 * <p>Names and values are parameters of set_config, so no text of a client becomes SQL; those that are not ASCII go as hex, for the
 * session may be in any encoding until this has run. A null value makes set_config go back to the value that the session started
 * with. Roles frame the rest: what a role may not set is set before it is taken, and after the one before it is given up.
 */
public final class SettingsReplay implements SessionSettings.Change {
    private static final String ROLE = "role";
    private static final String AUTHORIZATION = "session_authorization";

    /** While it is on, a step that fails ends the session: nothing of what was sent behind it runs. */
    private static final String EXIT = "exit_on_error";

    private record Step(String name, @Nullable String value) {}

    private final List<Step> steps = new ArrayList<>();
    private @Nullable Step role;
    private @Nullable Step authorization;
    private @Nullable String exit;

    /** Appends what makes the server's settings equal to others, which they are not yet; its replies are {@code subject}'s. */
    public static void send(
            ServerConnection server, SessionSettings actual, SessionSettings wanted, @Nullable Object subject) {
        SettingsReplay replay = between(actual, wanted);
        replay.send(server, subject);
    }

    /**
     * The same for what is followed by messages of a client: they must not run with other settings than the client's, so a
     * failure is the server's last word.
     */
    public static void sendOrExit(
            ServerConnection server, SessionSettings actual, SessionSettings wanted, @Nullable Object subject) {
        SettingsReplay replay = between(actual, wanted);
        replay.exit = wanted.get(EXIT);
        replay.sendOrExit(server, subject);
    }

    private static SettingsReplay between(SessionSettings actual, SessionSettings wanted) {
        var replay = new SettingsReplay();
        SessionSettings.difference(actual, wanted, replay);
        replay.leaveRoles(actual);
        return replay;
    }

    @Override
    public void set(String name, @Nullable String value) {
        switch (name) {
            case ROLE -> role = new Step(name, value);
            case AUTHORIZATION -> authorization = new Step(name, value);
            case EXIT -> exit = value;
            default -> steps.add(new Step(name, value));
        }
    }

    /** A role that the session has taken is given up first, and taken again behind the rest where it is to stay. */
    private void leaveRoles(SessionSettings actual) {
        String authorized = actual.get(AUTHORIZATION);
        if (authorized != null) {
            steps.addFirst(new Step(AUTHORIZATION, null));
            authorization = authorization == null ? new Step(AUTHORIZATION, authorized) : authorization;
        }
        String taken = actual.get(ROLE);
        if (taken != null) {
            steps.addFirst(new Step(ROLE, "none"));
            role = role == null ? new Step(ROLE, taken) : role;
        }
    }

    /** As {@link #send(ServerConnection, Object)}, but a failure is the server's last word. */
    public void sendOrExit(ServerConnection server, @Nullable Object subject) {
        steps.addFirst(new Step(EXIT, "on"));
        takeRoles();
        steps.add(new Step(EXIT, exit));
        send(server, subject);
    }

    /** Appends the changes, of which there must be one; their replies are {@code subject}'s. */
    public void send(ServerConnection server, @Nullable Object subject) {
        takeRoles();
        List<byte @Nullable []> parameters = new ArrayList<>();
        var sql = new StringBuilder("SELECT ");
        for (Step step : steps) {
            sql.append(parameters.isEmpty() ? "pg_catalog.set_config(" : ",pg_catalog.set_config(");
            append(sql, parameters, step.name());
            sql.append(',');
            append(sql, parameters, step.value());
            sql.append(",false)");
        }
        server.sendOwn(sql.toString(), parameters, subject);
    }

    private void takeRoles() {
        if (authorization != null) {
            steps.add(authorization);
            authorization = null;
        }
        if (role != null) {
            steps.add(role);
            role = null;
        }
    }

    private static void append(StringBuilder sql, List<byte @Nullable []> parameters, @Nullable String text) {
        int number = parameters.size() + 1;
        if (text == null || HexText.isAscii(text)) {
            sql.append('$').append(number);
            parameters.add(text == null ? null : text.getBytes(StandardCharsets.US_ASCII));
        } else {
            sql.append("pg_catalog.convert_from(pg_catalog.decode($")
                    .append(number)
                    .append(",'hex'),'UTF8')");
            parameters.add(HexText.of(text));
        }
    }
}
