package io.plenum.pooler.auth;

import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.net.PeerIdentity;
import org.jspecify.annotations.Nullable;

/**
 * Who wants in where, and from where. Immutable.
 *
 * @param config what was in force when the client came
 * @param database the name that the client gave
 * @param entry what the settings say of it; null for the console and for a database that does not exist
 * @param console whether the name is that of the console
 * @param physicalReplication whether the connection is asked for as a WAL sender of no database
 * @param endPoint what SCRAM can be bound to, tls-server-end-point of our certificate; null without TLS
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record LoginRequest(
        PoolerConfig config,
        String database,
        @Nullable DatabaseConfig entry,
        boolean console,
        String user,
        boolean physicalReplication,
        PeerIdentity peer,
        byte @Nullable [] endPoint) {

    /** Whether whoever runs the process asks for its console, at a Unix socket: PgBouncer lets them in unasked. */
    public boolean isOwner() {
        return console
                && user.equals("pgbouncer")
                && peer.isUnix()
                && peer.systemUser() != null
                && peer.systemUser().equals(System.getProperty("user.name"));
    }
}
