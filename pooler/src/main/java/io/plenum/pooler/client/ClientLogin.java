package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.plenum.pooler.auth.LoginRequest;
import io.plenum.pooler.auth.Proof;
import io.plenum.pooler.auth.Proof.Outcome;
import io.plenum.pooler.auth.Refusal;
import io.plenum.pooler.client.KnownLogins.KnownLogin;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.error.PoolerErrors;
import io.plenum.pooler.net.ClientTls;
import io.plenum.pooler.net.PeerIdentity;
import io.plenum.pooler.net.TlsSession;
import io.plenum.pooler.pool.PoolGroup;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.pooler.server.ServerCredential;
import io.plenum.pooler.server.SessionSettings;
import io.plenum.wire.FrameCutter;
import io.plenum.wire.FrontendType;
import io.plenum.wire.Limits;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.TransactionStatus;
import io.plenum.wire.backend.BackendMessages;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.startup.CancelKey;
import io.plenum.wire.startup.ProtocolVersion;
import io.plenum.wire.startup.StartupPacket;
import io.plenum.wire.startup.StartupParameters;
import io.plenum.wire.startup.StartupParameters.Replication;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The login of one client: startup packet, proof, and the profile of the session that it will have.
 *
 * <p>Nothing that the client says is applied anywhere before it has proved who it is. Manual, "Message Flow", Start-up.
 * Confined to the event loop of its client.
 */
final class ClientLogin implements ProfileProbe.Asker, ReplicationRelay.Asker, HalfOpen.Client {
    private final ClientConnection client;
    private final LoopClients clients;
    private final PoolerConfig config;
    private final HalfOpen.Entry halfOpen;

    private boolean askedForTls;
    private boolean askedForGss;
    /** The bytes of the startup packet, where they were not known. */
    private byte[] packet = new byte[0];

    private @Nullable KnownLogin known;
    private StartupPacket.@Nullable Startup startup;
    private ProtocolVersion version = ProtocolVersion.V3_0;
    private @Nullable LoginRequest request;
    private @Nullable Proof proof;

    /** The proof is given; what becomes of it is still to come. */
    private boolean judged;

    /** What the client is to hear later. */
    private @Nullable Refusal refused;

    /** The client counts as logged in, until it is gone. */
    private boolean admitted;

    private @Nullable ProfileProbe probe;
    private @Nullable ReplicationRelay relay;
    private @Nullable PoolGroup group;
    private SessionProfile.@Nullable Key profileKey;
    private boolean stopped;

    ClientLogin(ClientConnection client, LoopClients clients) {
        this.client = client;
        this.clients = clients;
        this.config = clients.shared().config().get();
        this.halfOpen = clients.shared()
                .admission()
                .halfOpen()
                .enter(
                        this,
                        PeerIdentity.of(client.channel()).address(),
                        config.get(Settings.MAX_LOGINS),
                        config.get(Settings.MAX_LOGINS_PER_ADDRESS));
    }

    /** Handles what is at hand; says whether there may be more to handle. */
    boolean step(ByteBuf bytes) {
        if (stopped) {
            client.cutter().rewind(bytes.writerIndex()); // nobody reads it, so nobody keeps it
            return false;
        }
        return startup == null ? stepStartup(bytes) : stepProof(bytes);
    }

    // --- the startup packet ----------------------------------------------------------------------------------------

    private boolean stepStartup(ByteBuf bytes) {
        FrameCutter cutter = client.cutter();
        if (!client.transport()
                .clear(bytes, cutter, config, clients.shared().tls().get().clients())) {
            return false;
        }
        int at = cutter.position();
        int available = bytes.writerIndex() - at;
        if (available < 4) {
            return false;
        }
        int length;
        try {
            length = StartupPacket.lengthAt(bytes, at);
        } catch (ProtocolException notPostgres) {
            stopped = true;
            client.channel().close(); // as PostgreSQL does: it may be another protocol altogether
            return false;
        }
        if (available < length) {
            return false;
        }
        // With the client's address in its application_name no two of them have the same session.
        known = config.get(Settings.APPLICATION_NAME_ADD_HOST)
                ? null
                : clients.knownLogins().find(bytes, at, length, config, generation());
        StartupPacket asks = known != null ? known.startup() : StartupPacket.parse(bytes, at, length);
        cutter.rewind(at + length);
        switch (asks) {
            case StartupPacket.Ssl _ -> {
                onEncryptionRequest(askedForTls, available > length, "SSL");
                askedForTls = true;
                answerTls();
            }
            case StartupPacket.GssEncryption _ -> {
                onEncryptionRequest(askedForGss, available > length, "GSSAPI encryption");
                askedForGss = true;
                client.outbox().writer().writeByte('N');
            }
            case StartupPacket.Cancel(CancelKey key) -> onCancel(key);
            case StartupPacket.Startup session -> {
                if (known == null) {
                    packet = ByteBufUtil.getBytes(bytes, at, length);
                }
                onStartup(session);
            }
        }
        return !stopped;
    }

    private void onEncryptionRequest(boolean again, boolean moreBehind, String what) {
        if (again || client.transport().isSecured()) {
            throw new ProtocolException("encryption was asked for twice");
        }
        if (moreBehind) {
            // What stands behind the request was not encrypted, and would be read as if it were.
            throw new ProtocolException("received unencrypted data after " + what + " request");
        }
    }

    private void answerTls() {
        ClientTls tls = clients.shared().tls().get().clients();
        if (tls.isOffered() && !client.transport().isUnix()) {
            client.outbox().writer().writeByte('S');
            client.outbox().flush();
            client.transport().secure(tls);
        } else {
            client.outbox().writer().writeByte('N');
        }
    }

    private void onCancel(CancelKey key) {
        stopped = true;
        clients.shared().cancels().accept(key, () -> client.channel().close());
    }

    private void onStartup(StartupPacket.Startup session) {
        StartupParameters parameters = session.parameters();
        ProtocolVersion asked = session.version();
        startup = session;
        version = asked.negotiated();
        client.log().onAttempt(parameters, client.transport().tls());
        boolean plain = client.transport().tls() == null && !client.transport().isUnix();
        if (plain && clients.shared().tls().get().clients().mode().isDemanded()) {
            refuse(PoolerErrors.tlsRequired());
            return;
        }
        boolean console = clients.shared().console().isConsole(parameters.database());
        if (!console && clients.shared().admission().isRefusing()) { // the console, as far as it can be reached
            refuse(PoolerErrors.shuttingDown());
            return;
        }
        int limit = config.get(Settings.MAX_CLIENT_CONN);
        if (!console && clients.shared().admission().headcount().all() >= limit) {
            refuse(PoolerErrors.tooManyClients(limit));
            return;
        }
        if (console && parameters.replication() != Replication.NONE) {
            refuse(PoolerErrors.noReplicationFromConsole());
            return;
        }
        if (asked.compareTo(ProtocolVersion.NEWEST) > 0
                || !parameters.unknownProtocolOptions().isEmpty()) {
            BackendMessages.negotiateProtocolVersion(
                    client.outbox().writer(), version.minor(), parameters.unknownProtocolOptions());
        }
        if (known != null && known.unasked()) {
            leaveHalfOpen();
            enter(parameters);
            return;
        }
        TlsSession tls = client.transport().tls();
        var asking = new LoginRequest(
                config,
                parameters.database(),
                console ? null : known != null ? known.database() : config.database(parameters.database()),
                console,
                parameters.user(),
                parameters.replication() == Replication.PHYSICAL,
                PeerIdentity.of(client.channel()),
                tls == null ? null : tls.serverEndPoint());
        request = asking;
        clients.shared().authenticator().prepare(asking, clients.loop(), this::onProofReady);
    }

    // --- the proof -------------------------------------------------------------------------------------------------

    private void onProofReady(Proof ready) {
        if (stopped) {
            return;
        }
        proof = ready;
        onOutcome(ready.start(client.outbox().writer()));
        client.outbox().flush();
        client.pump();
    }

    private boolean stepProof(ByteBuf bytes) {
        Proof running = proof;
        if (running == null || judged) {
            // Somebody who pipelines behind the password waits; somebody who floods is cut off.
            if (bytes.writerIndex() - client.cutter().position() > Limits.LOOKED_AT) {
                throw new ProtocolException("too much before the login is over");
            }
            return false;
        }
        FrameCutter cutter = client.cutter();
        int from = cutter.position();
        if (bytes.writerIndex() - from >= Limits.HEADER
                && bytes.getInt(from + 1) > running.longestMessage() + Integer.BYTES) {
            throw new ProtocolException("invalid message length in a password message");
        }
        FrameCutter.Step step = cutter.next();
        if (step == FrameCutter.Step.NONE) {
            return false;
        }
        int start = cutter.start();
        if (bytes.getByte(start) != FrontendType.PASSWORD.code()) {
            throw new ProtocolException("expected password response, got message type " + bytes.getByte(start));
        }
        byte[] body = new byte[cutter.end() - start - Limits.HEADER];
        bytes.getBytes(start + Limits.HEADER, body);
        onOutcome(running.onMessage(body, client.outbox().writer()));
        return !stopped;
    }

    private void onOutcome(Outcome outcome) {
        judged = outcome != Outcome.MORE;
        switch (outcome) {
            case MORE -> {}
            case LATER -> proof().whenDone(this::onJudged);
            case REFUSED -> onRefused(proof().refusal());
            case ACCEPTED -> onAccepted();
        }
    }

    private void onJudged(Outcome outcome) {
        if (!stopped) {
            onOutcome(outcome);
            client.outbox().flush();
            client.pump();
        }
    }

    /** The log hears why; the client hears little, and the more often it fails the later. */
    private void onRefused(Refusal refusal) {
        client.log().onRefused(refusal.cause(), refusal.reason());
        long delay = clients.shared().authenticator().onFailure(request(), refusal, System.nanoTime());
        if (delay == 0) {
            turnAway(refusal);
        } else {
            refused = refusal;
            clients.shared().admission().halfOpen().refuse(halfOpen);
            var _ = clients.loop()
                    .executor()
                    .schedule(
                            () -> {
                                if (!stopped) {
                                    turnAway(refusal);
                                }
                            },
                            delay,
                            TimeUnit.NANOSECONDS);
        }
    }

    private void turnAway(Refusal refusal) {
        stopped = true;
        client.failUnlogged(refusal.error());
    }

    private void onAccepted() {
        StartupParameters who = startup();
        leaveHalfOpen();
        clients.shared().authenticator().onSuccess(request());
        ServerCredential credential = proof().credential();
        if (credential != null) {
            clients.shared().credentials().onLogin(config, who.database(), who.user(), credential);
        }
        enter(who);
    }

    /** Whoever it is may be let in, if there is a place. */
    private void enter(StartupParameters who) {
        client.log().onProved();
        if (clients.shared().console().isConsole(who.database())) {
            enterConsole(who);
            return;
        }
        DatabaseConfig database = known != null ? known.database() : config.database(who.database());
        if (database == null) {
            refuse(PoolerErrors.noSuchDatabase(who.database()));
            return;
        }
        if (clients.shared().admission().isDisabled(database.name())) {
            refuse(PoolerErrors.databaseDisabled(database.name()));
            return;
        }
        if (!takeSeat(database, who.user())) {
            return;
        }
        if (database.autodb() && clients.pools().isFirstUse(database.name())) {
            client.log().onAutoDatabase(database.name());
        }
        String user = database.user() == null ? who.user() : database.user();
        PoolGroup pools = clients.pools().group(database, user);
        group = pools;
        if (known != null) {
            begin(pools, known);
            return;
        }
        Map<String, String> settings = StartupSettings.of(
                who, config, database, () -> client.transport().describe());
        if (who.replication() != Replication.NONE) {
            ClientSettings limits = ClientSettings.of(config, database, config.user(who.user()));
            relay = new ReplicationRelay(client, who, pools, settings, limits, this);
            relay.start(System.nanoTime());
            return;
        }
        SessionSettings asked = SessionSettings.of(settings);
        var key = new SessionProfile.Key(generation(), database.name(), user, asked);
        profileKey = key;
        SessionProfile learnt = clients.shared().profiles().get(key);
        if (learnt != null) {
            onProfile(learnt);
        } else {
            probe = new ProfileProbe(pools, asked, this);
            probe.start(System.nanoTime());
        }
    }

    private int generation() {
        return clients.shared().renewal().generation();
    }

    private boolean takeSeat(DatabaseConfig database, String user) {
        Headcount headcount = clients.shared().admission().headcount();
        int all = config.get(Settings.MAX_CLIENT_CONN);
        int ofDatabase = config.get(Settings.MAX_DB_CLIENT_CONNECTIONS, database);
        int ofUser = config.get(Settings.MAX_USER_CLIENT_CONNECTIONS, config.user(user));
        switch (headcount.enter(all, database.name(), ofDatabase, user, ofUser)) {
            case Headcount.Full.ALL -> refuse(PoolerErrors.tooManyClients(all));
            case Headcount.Full.DATABASE -> refuse(PoolerErrors.tooManyClientsOfDatabase(database.name(), ofDatabase));
            case Headcount.Full.USER -> refuse(PoolerErrors.tooManyClientsOfUser(user, ofUser));
            case Headcount.Seat seat -> {
                admitted = true;
                client.take(seat);
                return true;
            }
        }
        return false;
    }

    private void enterConsole(StartupParameters who) {
        ConsoleSession session =
                clients.shared().console().open(client, who.user(), request().isOwner());
        if (session == null) {
            refuse(PoolerErrors.noConsoleRights(who.user()));
            return;
        }
        stopped = true;
        CancelKey key = clients.shared().cancelKeys().issue(client, version.hasLongCancelKeys());
        ByteBuf out = client.outbox().writer();
        BackendMessages.authenticationOk(out);
        session.welcome(out);
        BackendMessages.backendKeyData(out, key);
        BackendMessages.readyForQuery(out, TransactionStatus.IDLE);
        client.onConsoleLogin(who.database(), who.user(), session, key);
    }

    // --- the session -----------------------------------------------------------------------------------------------

    @Override
    public void onProfile(SessionProfile profile) {
        if (stopped) {
            return;
        }
        StartupParameters who = startup();
        PoolGroup pools = group;
        DatabaseConfig database = config.database(who.database());
        if (pools == null || database == null || profileKey == null) {
            throw new IllegalStateException("a profile that nobody asked for");
        }
        clients.shared().profiles().put(profileKey, profile);
        ClientSettings limits = ClientSettings.of(config, database, config.user(who.user()));
        KnownLogin login = new KnownLogin(
                packet,
                packetOfStartup(),
                config,
                profileKey.generation(),
                database,
                proof().isForAll(),
                limits,
                profile);
        clients.knownLogins().keep(login);
        begin(pools, login);
        client.outbox().flush();
        client.pump();
    }

    private void begin(PoolGroup pools, KnownLogin login) {
        stopped = true;
        CancelKey key = clients.shared().cancelKeys().issue(client, version.hasLongCancelKeys());
        ByteBuf out = client.outbox().writer();
        BackendMessages.authenticationOk(out);
        login.profile().write(out);
        BackendMessages.backendKeyData(out, key);
        String notice = config.get(Settings.LOGIN_NOTIFY_MESSAGE);
        if (!notice.isEmpty()) {
            PoolerErrors.loginNotice(notice).writeTo(out);
        }
        BackendMessages.readyForQuery(out, TransactionStatus.IDLE);
        client.onLoggedIn(login.database().name(), startup().user(), pools, login.limits(), login.profile(), key);
    }

    /** The session is the WAL sender's own, with what that reported of itself; only the key for cancelling is ours. */
    @Override
    public void onWalSender(ServerConnection server) {
        ReplicationRelay ready = relay;
        PoolGroup pools = group;
        if (ready == null || pools == null) {
            throw new IllegalStateException("a WAL sender that nobody asked for");
        }
        stopped = true;
        CancelKey key = clients.shared().cancelKeys().issue(client, version.hasLongCancelKeys());
        ByteBuf out = client.outbox().writer();
        BackendMessages.authenticationOk(out);
        server.startValues().forEach((name, value) -> BackendMessages.parameterStatus(out, name, value));
        BackendMessages.backendKeyData(out, key);
        BackendMessages.readyForQuery(out, TransactionStatus.IDLE);
        client.onReplicationLogin(pools, ready, key);
        client.outbox().flush();
        client.pump();
    }

    /** PostgreSQL's own error, with PgBouncer's word for it, which its scripts look for. */
    @Override
    public void onWalSenderRefused(ErrorResponse error) {
        client.log().onClosing("login failed");
        String hint = error.hint() == null ? "The login failed at the server." : error.hint();
        refuse(new ErrorResponse(
                error.severity(), error.code(), error.message(), error.detail(), hint, error.routine()));
    }

    @Override
    public void onProfileRefused(ErrorResponse error) {
        refuse(new ErrorResponse(
                "FATAL", error.code(), error.message(), error.detail(), error.hint(), error.routine()));
    }

    private void refuse(ErrorResponse error) {
        stopped = true;
        client.fail(error);
    }

    void tick(long now, long connectedNanos) {
        ProfileProbe waiting = probe;
        if (waiting != null) { // the client has done its part
            ErrorResponse broken = clients.shared().admission().isClosing()
                    ? PoolerErrors.shuttingDown()
                    : brokenWaiting(waiting.waited(now));
            if (broken != null) {
                refuse(broken);
            }
            return;
        }
        if (relay != null) { // the client has done its part
            ErrorResponse broken =
                    clients.shared().admission().isClosing() ? PoolerErrors.shuttingDown() : relay.brokenWaiting(now);
            if (broken != null) {
                refuse(broken);
            }
            return;
        }
        long limit = config.get(Settings.CLIENT_LOGIN_TIMEOUT).toNanos();
        if (limit > 0 && now - connectedNanos > limit) {
            refuse(PoolerErrors.clientLoginTimeout());
        }
    }

    private @Nullable ErrorResponse brokenWaiting(long waited) {
        StartupParameters who = startup();
        DatabaseConfig database = config.database(who.database());
        return database == null
                ? null
                : ClientSettings.of(config, database, config.user(who.user()))
                        .brokenWaiting(who.database(), who.user(), false, waited);
    }

    private void leaveHalfOpen() {
        clients.shared().admission().halfOpen().leave(halfOpen);
    }

    /** Any thread: others are logging in, and this one has taken longest. */
    @Override
    public void onEvicted() {
        client.execute(() -> {
            if (!stopped && !admitted) {
                stopped = true;
                ErrorResponse error = refused == null ? PoolerErrors.loginEvicted() : refused.error();
                client.log().onClosing(error.message());
                client.failUnlogged(error);
            }
        });
    }

    /** The client is gone. */
    void stop() {
        stopped = true;
        leaveHalfOpen();
        if (probe != null) {
            probe.stop();
        }
        if (relay != null) {
            relay.stop();
        }
    }

    private Proof proof() {
        if (proof == null) {
            throw new IllegalStateException("no proof is asked for yet");
        }
        return proof;
    }

    private LoginRequest request() {
        if (request == null) {
            throw new IllegalStateException("nobody asks to be let in yet");
        }
        return request;
    }

    private StartupParameters startup() {
        return packetOfStartup().parameters();
    }

    private StartupPacket.Startup packetOfStartup() {
        if (startup == null) {
            throw new IllegalStateException("no startup packet yet");
        }
        return startup;
    }
}
