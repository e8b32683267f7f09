package io.plenum.pooler.server;

import io.plenum.wire.startup.StartupParameters.Replication;
import java.net.SocketAddress;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a server connection goes and as whom.
 *
 * @param address the node, resolved
 * @param parameters further startup parameters, such as application_name
 * @param connectQuery SQL to run once behind the login, or null
 * @param replication what kind of WAL sender is wanted, NONE for an ordinary session
 */
public record ServerTarget(
        SocketAddress address,
        String database,
        String user,
        ServerCredential credential,
        Map<String, String> parameters,
        @Nullable String connectQuery,
        Replication replication) {

    /** An ordinary session. */
    public ServerTarget(
            SocketAddress address,
            String database,
            String user,
            ServerCredential credential,
            Map<String, String> parameters,
            @Nullable String connectQuery) {
        this(address, database, user, credential, parameters, connectQuery, Replication.NONE);
    }

    /** Whether the connection is a WAL sender, whose replies follow no order that could be matched. */
    public boolean isWalSender() {
        return replication != Replication.NONE;
    }
}
