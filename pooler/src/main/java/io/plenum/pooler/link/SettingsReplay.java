package io.plenum.pooler.link;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.wire.frontend.FrontendMessages;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Parse, Bind, Execute and Sync that change the settings of a server's session.
 *
 * <p>Names and values are parameters of set_config, so no text of a client becomes SQL. A null value makes set_config go back
 * to the value that the session started with. Roles frame the rest: what a role may not set is set before it is taken, and
 * after the one before it is given up.
 */
public final class SettingsReplay implements SessionSettings.Change {
    private static final String ROLE = "role";
    private static final String AUTHORIZATION = "session_authorization";

    private record Step(String name, @Nullable String value) {}

    private final List<Step> steps = new ArrayList<>();
    private @Nullable Step role;
    private @Nullable Step authorization;

    /** Appends the four messages that make one session's settings equal to another's, which they are not yet. */
    public static void write(ByteBuf out, SessionSettings actual, SessionSettings wanted) {
        var replay = new SettingsReplay();
        SessionSettings.difference(actual, wanted, replay);
        replay.leaveRoles(actual);
        replay.write(out);
    }

    @Override
    public void set(String name, @Nullable String value) {
        switch (name) {
            case ROLE -> role = new Step(name, value);
            case AUTHORIZATION -> authorization = new Step(name, value);
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

    /** Appends the four messages; there must have been a change. */
    public void write(ByteBuf out) {
        if (authorization != null) {
            steps.add(authorization);
        }
        if (role != null) {
            steps.add(role);
        }
        List<byte @Nullable []> parameters = new ArrayList<>();
        var sql = new StringBuilder("SELECT ");
        for (Step step : steps) {
            if (!parameters.isEmpty()) {
                sql.append(',');
            }
            sql.append("pg_catalog.set_config($").append(parameters.size() + 1);
            sql.append(",$").append(parameters.size() + 2).append(",false)");
            parameters.add(utf8(step.name()));
            parameters.add(step.value() == null ? null : utf8(step.value()));
        }
        FrontendMessages.parse(out, "", sql.toString());
        FrontendMessages.bind(out, "", "", parameters);
        FrontendMessages.execute(out, "", 0);
        FrontendMessages.sync(out);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
