package io.plenum.pooler.net;

import io.plenum.pooler.config.PoolerConfig;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** TLS with both sides, as one configuration has it: an immutable snapshot. Any thread. */
public record TlsContexts(ClientTls clients, ServerTls servers) {
    /**
     * Makes what the configuration says; of {@code before} is kept what has not changed. Costs milliseconds, so not for an
     * event loop.
     *
     * @throws SSLException with what the engine cannot do
     */
    public static TlsContexts of(PoolerConfig config, @Nullable TlsContexts before) throws SSLException {
        ClientTls clients = before != null && before.clients.config().isSame(config.clientTls())
                ? before.clients
                : new ClientTls(config.clientTls());
        ServerTls servers = before != null && before.servers.config().isSame(config.serverTls())
                ? before.servers
                : new ServerTls(config.serverTls());
        return new TlsContexts(clients, servers);
    }
}
