package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.pooler.auth.Authenticator;
import io.plenum.pooler.auth.Credentials;
import io.plenum.pooler.catalog.Catalogs;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.error.PoolerErrors;
import io.plenum.pooler.link.StatementCache;
import io.plenum.pooler.listen.ListenHubs;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.net.TlsContexts;
import io.plenum.pooler.pool.LoopPools;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The clients of one loop and what they share. Confined to its event loop. */
public final class LoopClients {
    /**
     * What the clients of all loops share; each part is safe for any thread.
     *
     * @param ids gives each client and each server connection a number of its own, as PgBouncer's
     */
    public record Shared(
            Supplier<PoolerConfig> config,
            LongSupplier ids,
            Supplier<TlsContexts> tls,
            Authenticator authenticator,
            Credentials credentials,
            StatementCache statements,
            CancelKeys cancelKeys,
            Admission admission,
            Map<SessionProfile.Key, SessionProfile> profiles,
            CancelRequests cancels,
            ListenHubs hubs,
            Catalogs catalogs,
            ServerRenewal renewal,
            ConsoleSession.Factory console) {}

    /** As long as the array of each thread that netty decodes text by way of. */
    private static final ByteBuf BLANK = Unpooled.unreleasableBuffer(
            Unpooled.directBuffer(1024, 1024).writeZero(1024).asReadOnly());

    private final Loop loop;
    private final LoopPools pools;
    private final Shared shared;
    private final List<ClientConnection> clients = new ArrayList<>();
    private final BatchReader batchReader = new BatchReader();
    private final KnownLogins knownLogins = new KnownLogins();
    private PoolerConfig applied;

    public LoopClients(Loop loop, LoopPools pools, Shared shared) {
        this.loop = loop;
        this.pools = pools;
        this.shared = shared;
        this.applied = shared.config().get();
    }

    public Loop loop() {
        return loop;
    }

    LoopPools pools() {
        return pools;
    }

    Shared shared() {
        return shared;
    }

    BatchReader batchReader() {
        return batchReader;
    }

    KnownLogins knownLogins() {
        return knownLogins;
    }

    void enter(ClientConnection client) {
        client.setPosition(clients.size());
        clients.add(client);
    }

    void leave(ClientConnection client) {
        int position = client.position();
        ClientConnection last = clients.removeLast();
        if (last != client) {
            clients.set(position, last);
            last.setPosition(position);
        }
    }

    /** Every client of the loop, those that still log in among them; not to be changed. */
    public List<ClientConnection> clients() {
        return clients;
    }

    public @Nullable ClientConnection byId(long id) {
        for (ClientConnection client : clients) {
            if (client.id() == id) {
                return client;
            }
        }
        return null;
    }

    /** SUSPEND has begun or ended. */
    public void onSuspension() {
        clients.forEach(ClientConnection::readIfAllowed);
    }

    /** Whether the kernel has all that clients were sent. */
    public boolean isFlushed() {
        return clients.stream().allMatch(ClientConnection::isFlushed);
    }

    /** Closes everybody, with a last word. */
    public void closeAll() {
        for (ClientConnection client : List.copyOf(clients)) {
            client.fail(PoolerErrors.shuttingDown());
        }
    }

    /** The settings may say something else now, to clients that are there too. */
    public void configure() {
        PoolerConfig now = shared.config().get();
        if (now != applied) {
            applied = now;
            for (int i = clients.size() - 1; i >= 0; i--) {
                clients.get(i).onConfig(now);
            }
        }
    }

    /** Checks every limit of time, by the settings that are in force now; called several times a second. */
    public void tick(long nowNanos) {
        batchReader.wipe();
        BLANK.toString(StandardCharsets.US_ASCII); // over what netty has decoded last, which may be a client's secret
        configure();
        for (int i = clients.size() - 1; i >= 0; i--) {
            clients.get(i).tick(nowNanos);
        }
    }
}
