package io.plenum.pooler;

import io.netty.channel.ChannelFuture;
import io.plenum.pooler.auth.Credentials;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.net.Dialer;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.net.ServerTls;
import io.plenum.pooler.net.SocketOptions;
import io.plenum.pooler.pool.PoolKey;
import io.plenum.pooler.pool.ServerConnector;
import io.plenum.pooler.server.OpenServers;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.ServerCredential;
import io.plenum.pooler.server.ServerTarget;
import io.plenum.wire.startup.StartupParameters.Replication;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Opens connections to PostgreSQL, with one deadline for connection, TLS and login together. Any thread. */
final class SocketConnector implements ServerConnector {
    /** What we ask for ourselves has numbers from here: those of clients and pools have no gaps, as PgBouncer's. */
    private static final long FIRST_OWN_ID = 1_000_000_000_000L;

    private final Supplier<PoolerConfig> config;
    private final Credentials credentials;
    private final LongSupplier ids;
    private final AtomicLong ownIds = new AtomicLong(FIRST_OWN_ID);
    private final Dialer dialer;
    private final OpenServers servers;

    /** {@code ids} gives each connection of a pool a number of its own; {@code servers} has all connections while they last. */
    SocketConnector(
            Supplier<PoolerConfig> config,
            Credentials credentials,
            LongSupplier ids,
            Dialer dialer,
            OpenServers servers) {
        this.config = config;
        this.credentials = credentials;
        this.ids = ids;
        this.dialer = dialer;
        this.servers = servers;
    }

    /** One that speaks plain text with all servers. */
    static SocketConnector plain(Supplier<PoolerConfig> config, Credentials credentials) {
        var ids = new AtomicLong();
        return new SocketConnector(
                config,
                credentials,
                ids::incrementAndGet,
                new Dialer(() -> ServerTls.OFF, () -> socketOptions(config.get())),
                new OpenServers());
    }

    @Override
    public ServerConnection connect(Loop loop, PoolKey key, ServerConnection.Owner owner) {
        return connect(ids.getAsLong(), loop, target(key, Map.of(), Replication.NONE), owner);
    }

    /** The same under a name of its own in pg_stat_activity. */
    ServerConnection connectAs(String applicationName, Loop loop, PoolKey key, ServerConnection.Owner owner) {
        return connect(loop, target(key, Map.of("application_name", applicationName), Replication.NONE), owner);
    }

    @Override
    public ServerConnection connectWalSender(
            Loop loop,
            PoolKey key,
            Replication replication,
            Map<String, String> parameters,
            ServerConnection.Owner owner) {
        return connect(ids.getAsLong(), loop, target(key, parameters, replication), owner);
    }

    @Override
    public boolean isClaimed(PoolKey key) {
        return servers.isClaimed(dbname(key, config.get().database(key.database())));
    }

    private static String dbname(PoolKey key, @Nullable DatabaseConfig database) {
        return database == null ? key.database() : database.dbname();
    }

    private ServerTarget target(PoolKey key, Map<String, String> parameters, Replication replication) {
        PoolerConfig now = config.get();
        DatabaseConfig database = now.database(key.database());
        ServerCredential credential =
                database == null ? new ServerCredential.None() : credentials.of(now, database, key.user());
        String connectQuery = database == null || replication != Replication.NONE
                ? ""
                : now.get(Settings.DATABASE_CONNECT_QUERY, database);
        return new ServerTarget(
                key.node().address(),
                dbname(key, database),
                key.user(),
                credential,
                parameters,
                connectQuery.isEmpty() ? null : connectQuery,
                replication);
    }

    /** Begins to connect to a target that no pool knows: a probe's. */
    ServerConnection connect(Loop loop, ServerTarget target, ServerConnection.Owner owner) {
        return connect(ownIds.incrementAndGet(), loop, target, owner);
    }

    private ServerConnection connect(long id, Loop loop, ServerTarget target, ServerConnection.Owner owner) {
        PoolerConfig now = config.get();
        var server = new ServerConnection(id, loop, target, owner);
        long deadlineMillis = now.get(Settings.SERVER_CONNECT_TIMEOUT).toMillis();
        server.limitLogin(deadlineMillis);
        servers.enter(server);
        ChannelFuture dialed = dialer.dial(loop, target.address(), server, (int) deadlineMillis);
        dialed.addListener(connected -> {
            if (connected.isSuccess()) {
                dialed.channel().closeFuture().addListener(_ -> servers.leave(server));
            } else {
                servers.leave(server);
                server.onConnectFailed(reason(connected.cause()));
            }
        });
        return server;
    }

    static SocketOptions socketOptions(PoolerConfig now) {
        return new SocketOptions(
                now.get(Settings.TCP_KEEPALIVE),
                now.get(Settings.TCP_KEEPCNT),
                now.get(Settings.TCP_KEEPIDLE),
                now.get(Settings.TCP_KEEPINTVL),
                (int) now.get(Settings.TCP_USER_TIMEOUT).toMillis(),
                now.get(Settings.TCP_SOCKET_BUFFER));
    }

    private static String reason(@Nullable Throwable cause) {
        return "connect: " + (cause == null ? "no reason given" : cause.getMessage());
    }
}
