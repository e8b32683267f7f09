package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.wire.backend.BackendMessages;
import java.util.Map;

/**
 * What a session of one database, user and set of startup parameters looks like: learnt from a server once, told to every
 * later client at login. Immutable.
 */
public final class SessionProfile {
    /** What profiles are kept under; {@code generation} is that of {@link ServerRenewal}. */
    public record Key(int generation, String database, String user, SessionSettings asked) {}

    private final SessionTraits traits;
    private final Map<String, String> reported;
    /** The ParameterStatus messages, for a client that connects for each of its queries is common. */
    private final byte[] messages;

    /**
     * @param settings what the client asked for, with values as PostgreSQL spells them
     * @param reported what ParameterStatus says at login, by name; not to be changed any more
     */
    public SessionProfile(SessionSettings settings, Map<String, String> reported) {
        this.traits = SessionTraits.of(settings, reported);
        this.reported = reported;
        ByteBuf out = Unpooled.buffer(512);
        reported.forEach((name, value) -> BackendMessages.parameterStatus(out, name, value));
        this.messages = ByteBufUtil.getBytes(out);
    }

    public SessionSettings settings() {
        return traits.settings();
    }

    SessionTraits traits() {
        return traits;
    }

    public Map<String, String> reported() {
        return reported;
    }

    /** Appends the ParameterStatus messages of a login. */
    void write(ByteBuf out) {
        out.writeBytes(messages);
    }
}
