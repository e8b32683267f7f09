package io.plenum.pooler.client;

import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import io.plenum.pooler.net.LogName;
import io.plenum.pooler.net.TlsSession;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import io.plenum.wire.startup.StartupParameters;
import io.plenum.wire.startup.StartupParameters.Replication;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the log hears of one client: its login, the errors that we send it, and once why it is closed; in PgBouncer's words,
 * which scripts look for. Confined to the event loop of its client.
 */
final class ClientLog {
    private static final Logger LOG = LoggerFactory.getLogger(ClientLog.class);
    private static final LoginLines LOGINS = new LoginLines(); // of the process, as the log is

    private final long id;
    private final Supplier<PoolerConfig> config;
    private final Supplier<@Nullable String> remote;
    private final long connectedNanos;
    private String address = "(gone)";
    private String database = "";
    private String user = "";
    private boolean closed;

    /** It came in a flood and has proved nothing. */
    private boolean unheard;

    /** {@code remote} says where the client is, when it is needed, for a proxy in front may tell another place; null is nowhere. */
    ClientLog(long id, long connectedNanos, Supplier<PoolerConfig> config, Supplier<@Nullable String> remote) {
        this.id = id;
        this.connectedNanos = connectedNanos;
        this.config = config;
        this.remote = remote;
    }

    /** The startup packet is read and means a session; nothing is proved yet. */
    void onAttempt(StartupParameters startup, @Nullable TlsSession tls) {
        database = startup.database();
        user = startup.user();
        unheard = !LOGINS.mayTell(System.nanoTime());
        if (!unheard && config.get().get(Settings.LOG_CONNECTIONS)) {
            LOG.info(
                    "{} login attempt: db={} user={} tls={} replication={}",
                    name(),
                    database,
                    user,
                    tls == null ? "no" : tls.describe(),
                    word(startup.replication()));
        }
    }

    /** It is whom it says. */
    void onProved() {
        unheard = false;
    }

    private static String word(Replication replication) {
        return switch (replication) {
            case NONE -> "no";
            case PHYSICAL -> "yes";
            case DATABASE -> "database";
        };
    }

    /** The first client of a database that no entry but {@code *} is for. */
    void onAutoDatabase(String database) {
        LOG.info("{} registered new auto-database: {}", name(), database);
    }

    /** The login is refused: {@code cause} is what nobody else may hear, such as that there is no such user. */
    void onRefused(String cause, String reason) {
        onClosing(reason);
        if (!unheard && config.get().get(Settings.LOG_POOLER_ERRORS)) {
            LOG.warn("{} pooler error: {} ({})", name(), reason, cause);
        }
    }

    /** We end the client with this error; {@code stopping} says that the process ends, and everybody with it. */
    void onError(ErrorResponse error, boolean stopping) {
        String text = shown(error);
        onClosing(stopping && error.is(SqlState.ADMIN_SHUTDOWN) ? "server shutting down" : text);
        if (!unheard && config.get().get(Settings.LOG_POOLER_ERRORS)) {
            LOG.warn("{} pooler error: {} (sqlstate {})", name(), text, error.code());
        }
    }

    /** The message, but for those that quote values: what a client has set may be a password. */
    private static String shown(ErrorResponse error) {
        boolean quotes = error.code().startsWith("22") || error.is(SqlState.SYNTAX_ERROR);
        return quotes ? "something that the client has set is refused" : error.message();
    }

    /** The client is closed, or will be at once; the first reason counts. Before a startup packet nobody cares. */
    void onClosing(String reason) {
        if (!closed && !unheard && !user.isEmpty() && config.get().get(Settings.LOG_DISCONNECTIONS)) {
            long age = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - connectedNanos);
            LOG.info("{} closing because: {} (age={}s)", name(), reason, age);
        }
        closed = true;
    }

    /** A handler threw: our own bug. */
    void onFailure(Throwable cause) {
        LOG.error("event=client_failure client={} name=\"{}\"", id, name(), cause);
    }

    private String name() {
        String now = remote.get();
        if (now != null) {
            address = now; // null once the socket is closed
        }
        return LogName.ofClient(id, database, user, address);
    }
}
