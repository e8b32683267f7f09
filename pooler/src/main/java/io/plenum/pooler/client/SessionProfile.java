package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.wire.backend.BackendMessages;
import java.util.Map;

/**
 * What a session of one database, user and set of startup parameters looks like: learnt from a server once, told to every
 * later client at login. Immutable.
 *
 * @param settings what the client asked for, with values as PostgreSQL spells them
 * @param reported what ParameterStatus says at login, by name
 */
public record SessionProfile(SessionSettings settings, Map<String, String> reported) {
    /** What profiles are kept under. */
    public record Key(String database, String user, SessionSettings asked) {}

    /** Appends the ParameterStatus messages of a login. */
    void write(ByteBuf out) {
        reported.forEach((name, value) -> BackendMessages.parameterStatus(out, name, value));
    }
}
