package io.plenum.pooler.server;

import java.net.SocketAddress;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a server connection goes and as whom.
 *
 * @param address the node, resolved
 * @param parameters further startup parameters, such as application_name
 * @param connectQuery SQL to run once behind the login, or null
 */
public record ServerTarget(
        SocketAddress address,
        String database,
        String user,
        ServerCredential credential,
        Map<String, String> parameters,
        @Nullable String connectQuery) {}
