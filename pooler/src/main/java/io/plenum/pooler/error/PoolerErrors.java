package io.plenum.pooler.error;

import static io.plenum.wire.error.ErrorResponse.error;
import static io.plenum.wire.error.ErrorResponse.fatal;

import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Everything that a client can hear from us rather than from PostgreSQL: one method each. */
public final class PoolerErrors {
    private PoolerErrors() {}

    /** Raised when query_wait_timeout passes. Closes the client; nothing was sent to a server. */
    public static ErrorResponse queryWaitTimeout(String database, String user, Duration waited) {
        return fatal(SqlState.TOO_MANY_CONNECTIONS, "query_wait_timeout: no server connection became free")
                .detail("Waited %d ms in pool %s of user %s.".formatted(waited.toMillis(), database, user))
                .hint("Look for long transactions with SHOW SERVERS, or raise default_pool_size. If none can be"
                        + " opened, the log says why.");
    }

    /** Raised when no node is the primary and query_wait_timeout passes. Closes the client. */
    public static ErrorResponse noPrimary(String database, Duration waited) {
        return fatal(SqlState.CANNOT_CONNECT_NOW, "query_wait_timeout: no node of the database is the primary")
                .detail("Waited %d ms for a primary of %s.".formatted(waited.toMillis(), database))
                .hint("SHOW NODES tells what each node says of itself.");
    }

    /**
     * Raised when hold_window passes without a primary, or as much time was spent holding as may be. Ends the batch, of which
     * nothing was sent to a server; the client stays.
     */
    public static ErrorResponse holdIsOver(String database, Duration waited) {
        return error(SqlState.CANNOT_CONNECT_NOW, "hold_window: no node of the database is the primary")
                .detail("Waited %d ms for a primary of %s; nothing was sent to a server."
                        .formatted(waited.toMillis(), database))
                .hint("It is safe to try again. SHOW NODES tells what each node says of itself.");
    }

    /** Raised when more is held than may be. Ends the oldest batch, of which nothing was sent; the client stays. */
    public static ErrorResponse holdIsFull(String database, int maxRequests, long maxBytes) {
        return error(
                        SqlState.CANNOT_CONNECT_NOW,
                        "hold_max_requests, hold_max_bytes: no node of the database is the primary")
                .detail("So many requests of %s are held that the oldest are refused: %d of %d bytes may be."
                        .formatted(database, maxRequests, maxBytes))
                .hint("It is safe to try again: nothing was sent to a server.");
    }

    /** Raised when query_timeout passes; the statement is cancelled and the client closed. */
    public static ErrorResponse queryTimeout(Duration limit) {
        return fatal(SqlState.QUERY_CANCELED, "query_timeout: query timeout, the statement ran too long")
                .detail("The limit is %d ms.".formatted(limit.toMillis()));
    }

    /** Raised when idle_transaction_timeout passes. Closes the client; its transaction is rolled back. */
    public static ErrorResponse idleTransactionTimeout(Duration limit) {
        return fatal(
                        SqlState.IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                        "idle_transaction_timeout: idle transaction timeout, the transaction was left open without a"
                                + " statement")
                .detail("The limit is %d ms.".formatted(limit.toMillis()));
    }

    /** Raised when transaction_timeout passes. Closes the client; its transaction is rolled back. */
    public static ErrorResponse transactionTimeout(Duration limit) {
        return fatal(
                        SqlState.TRANSACTION_TIMEOUT,
                        "transaction_timeout: transaction timeout, the transaction took too long")
                .detail("The limit is %d ms.".formatted(limit.toMillis()));
    }

    /** Raised when client_idle_timeout passes. Closes the client. */
    public static ErrorResponse clientIdleTimeout(Duration limit) {
        return fatal(SqlState.IDLE_SESSION_TIMEOUT, "client_idle_timeout: the connection was unused")
                .detail("The limit is %d ms.".formatted(limit.toMillis()));
    }

    /** Raised when the session's own idle_session_timeout passes, in PostgreSQL's words. Closes the client. */
    public static ErrorResponse idleSessionTimeout() {
        return fatal(SqlState.IDLE_SESSION_TIMEOUT, "terminating connection due to idle-session timeout");
    }

    /** Raised when client_login_timeout passes. Closes the client. */
    public static ErrorResponse clientLoginTimeout() {
        return fatal(SqlState.PROTOCOL_VIOLATION, "client_login_timeout: the login was not finished in time");
    }

    /** Raised when max_client_conn is reached. Closes the client before its login. */
    public static ErrorResponse tooManyClients(int limit) {
        return fatal(SqlState.TOO_MANY_CONNECTIONS, "max_client_conn: no more connections allowed")
                .detail("The limit is %d.".formatted(limit));
    }

    /** max_user_client_connections is reached. Closes the client behind its proof. */
    public static ErrorResponse tooManyClientsOfUser(String user, int limit) {
        return fatal(SqlState.TOO_MANY_CONNECTIONS, "max_user_client_connections: client connections exceeded")
                .detail("The limit of user \"%s\" is %d.".formatted(user, limit));
    }

    /** max_db_client_connections is reached. Closes the client behind its proof. */
    public static ErrorResponse tooManyClientsOfDatabase(String database, int limit) {
        return fatal(SqlState.TOO_MANY_CONNECTIONS, "max_db_client_connections: client connections exceeded")
                .detail("The limit of database \"%s\" is %d.".formatted(database, limit));
    }

    /** disable_pqexec is on and a simple Query came. Closes the client; nothing was sent to a server. */
    public static ErrorResponse simpleQueryRefused() {
        return fatal(SqlState.FEATURE_NOT_SUPPORTED, "disable_pqexec: PQexec disallowed")
                .detail("disable_pqexec is on, so that no message has several statements.")
                .hint("Use the extended protocol: PQexecParams of libpq, or a driver that prepares.");
    }

    /** A message is larger than max_packet_size. Closes the client; nothing of the message was sent to a server. */
    public static ErrorResponse messageTooLarge(int limit) {
        return fatal(SqlState.PROGRAM_LIMIT_EXCEEDED, "max_packet_size: the message is too large")
                .detail("The limit is %d bytes.".formatted(limit));
    }

    /** Told to a client that waits for a server longer than query_wait_notify. */
    public static ErrorResponse clientQueued(String database) {
        return ErrorResponse.notice(
                SqlState.SUCCESSFUL_COMPLETION,
                "No server connection available in %s backend, client being queued".formatted(database));
    }

    /** What login_notify_message says, behind a login. */
    public static ErrorResponse loginNotice(String message) {
        return ErrorResponse.notice(SqlState.SUCCESSFUL_COMPLETION, message);
    }

    /** A reload took the database away. Closes its clients, each at the end of its transaction. */
    public static ErrorResponse databaseRemoved(String database) {
        return fatal(SqlState.ADMIN_SHUTDOWN, "database removed")
                .detail("The configuration has no database \"%s\" any more.".formatted(database));
    }

    /** server_fast_close is on and the server of a session is to be closed. Closes the client between transactions. */
    public static ErrorResponse serverReplaced() {
        return fatal(SqlState.ADMIN_SHUTDOWN, "database configuration changed")
                .detail("server_fast_close is on, and RECONNECT or RELOAD has made the server connection old.");
    }

    /** Raised when client_tls_sslmode demands TLS and the client has none; PgBouncer's words. Closes the client. */
    public static ErrorResponse tlsRequired() {
        return fatal(SqlState.INVALID_AUTHORIZATION_SPECIFICATION, "SSL required")
                .hint("client_tls_sslmode demands TLS: connect with sslmode=require or more.");
    }

    /** The database is not configured, or not to be had by this name. */
    public static ErrorResponse noSuchDatabase(String database) {
        return fatal(SqlState.INVALID_CATALOG_NAME, "no such database: " + database);
    }

    /** DISABLE was said for the database. */
    public static ErrorResponse databaseDisabled(String database) {
        return fatal(SqlState.INVALID_CATALOG_NAME, "database \"%s\" is disabled".formatted(database));
    }

    /**
     * The one answer to every failed proof, whether the user exists or not.
     *
     * @param method what PostgreSQL calls what the client was asked for: password, LDAP, PAM
     * @param step what failed, in PgBouncer's words
     */
    public static ErrorResponse authenticationFailed(String user, String method, String step) {
        return fatal(SqlState.INVALID_PASSWORD, "%s authentication failed for user \"%s\"".formatted(method, user))
                .detail(step + ": there is no such user, the password is wrong, or it has expired.");
    }

    /** auth_type is trust and the user is not known. */
    public static ErrorResponse trustFailed() {
        return fatal(SqlState.INVALID_AUTHORIZATION_SPECIFICATION, "\"trust\" authentication failed")
                .detail("no such user");
    }

    /** The settings let nobody in who comes so: by a rule, without a certificate, with another system user. */
    public static ErrorResponse loginRejected(String reason) {
        return fatal(SqlState.INVALID_AUTHORIZATION_SPECIFICATION, reason);
    }

    /** No line of auth_hba_file is about the login. */
    public static ErrorResponse noHbaEntry(String place, String user, String database, boolean encrypted) {
        return fatal(
                SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
                "no auth_hba_file entry for host \"%s\", user \"%s\", database \"%s\", %s"
                        .formatted(place, user, database, encrypted ? "SSL encryption" : "no encryption"));
    }

    /** The settings do not say how the login could be checked; only the log tells more. */
    public static ErrorResponse configurationError() {
        return fatal(SqlState.CONFIG_FILE_ERROR, "bouncer config error").hint("The log of the pooler says more.");
    }

    /** Whatever must be asked to check the login is away, or has too much to do. */
    public static ErrorResponse loginUnavailable() {
        return fatal(SqlState.CANNOT_CONNECT_NOW, "the login cannot be checked at the moment");
    }

    /** DISABLE was said for the database in which auth_query runs. */
    public static ErrorResponse authDatabaseDisabled(String database) {
        return fatal(SqlState.INVALID_CATALOG_NAME, "authentication database \"%s\" is disabled".formatted(database));
    }

    /** More clients are logging in than are let; the one that has taken longest is closed. */
    public static ErrorResponse loginEvicted() {
        return fatal(SqlState.TOO_MANY_CONNECTIONS, "max_logins: too many clients are logging in")
                .hint("The oldest are closed first.");
    }

    /** The user is who it says, and has no rights on the console. */
    public static ErrorResponse noConsoleRights(String user) {
        return fatal(SqlState.INVALID_PASSWORD, "password authentication failed for user \"%s\"".formatted(user))
                .detail("not allowed");
    }

    /** A startup packet asked the console for a replication session. */
    public static ErrorResponse noReplicationFromConsole() {
        return fatal(SqlState.FEATURE_NOT_SUPPORTED, "the console takes no replication connections");
    }

    /** RECONNECT, a changed configuration or another primary wants the WAL sender closed. Closes its client. */
    public static ErrorResponse walSenderReplaced() {
        return fatal(SqlState.ADMIN_SHUTDOWN, "the server connection of this replication connection is to be closed")
                .detail("RECONNECT was said, or the node is no longer the primary of the database.")
                .hint("Connect again.");
    }

    /** The server went away with work in hand; whether it was done is unknown. Closes the client. */
    public static ErrorResponse serverLost() {
        return fatal(SqlState.CONNECTION_FAILURE, "server connection closed unexpectedly")
                .detail("What was in progress may or may not have been done.");
    }

    /** No login to the server succeeded, for a reason that more waiting does not cure. Closes the client. */
    public static ErrorResponse serverLoginFailed(String reason) {
        return fatal(SqlState.SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION, "server login failed: " + reason)
                .hint("The log of the pooler says at which step.");
    }

    /** A settings replay failed in front of the client's statement, on two servers, which are closed. Closes the client. */
    public static ErrorResponse settingsReplayFailed(ErrorResponse cause) {
        return new ErrorResponse(
                "FATAL",
                cause.code(),
                cause.message(),
                "The settings of this session could not be brought to a server.",
                null,
                null);
    }

    /**
     * A BEGIN that was answered before a server had it failed there, and so nothing behind it ran. The server is closed.
     * Closes the client.
     */
    public static ErrorResponse heldBeginFailed(ErrorResponse cause) {
        return new ErrorResponse(
                "FATAL",
                cause.code(),
                cause.message(),
                "deferred_begin: the transaction could not be begun on the server that its first statement went to;"
                        + " nothing of it has run.",
                null,
                null);
    }

    /** Statement mode takes no transaction of several statements. Closes the client. */
    public static ErrorResponse transactionInStatementMode() {
        return fatal(SqlState.FEATURE_NOT_SUPPORTED, "transaction blocks not allowed in statement pooling mode");
    }

    /**
     * A READ ONLY transaction that runs on a standby wants what outlives it, such as a session lock, which would exclude
     * nobody there. Closes the client; the transaction is rolled back.
     */
    public static ErrorResponse sessionStateOnStandby(String reason) {
        return fatal(
                        SqlState.FEATURE_NOT_SUPPORTED,
                        "a READ ONLY transaction on a standby cannot leave state in its session")
                .detail("The statement is of the kind " + reason + ".")
                .hint("Use SET LOCAL, begin the transaction without READ ONLY, or SET plenum.route = primary before"
                        + " it.");
    }

    /** Closes the client: a lock that keeps nobody out must not look like one that does. The statement was not sent. */
    public static ErrorResponse lockOnStandby() {
        return fatal(
                        SqlState.FEATURE_NOT_SUPPORTED,
                        "a READ ONLY transaction on a standby cannot take an advisory lock")
                .detail("It would be a lock of that standby alone, and keep nobody out who locks on the primary.")
                .hint("Begin the transaction without READ ONLY, or SET plenum.route = primary before it.");
    }

    /** session_state is refuse. Closes the client; the statement was not sent, an open transaction is rolled back. */
    public static ErrorResponse sessionStateRefused(String reason) {
        return fatal(
                        SqlState.FEATURE_NOT_SUPPORTED,
                        "session_state: the statement would leave state in the server's session")
                .detail("The statement is of the kind " + reason + ".")
                .hint("Use the transaction's own form (SET LOCAL, ON COMMIT DROP, pg_advisory_xact_lock), or"
                        + " pool_mode = session.");
    }

    /** max_pinned_share is used up. Closes the client; the statement was not sent, an open transaction is rolled back. */
    public static ErrorResponse tooManyPins(String reason, int share) {
        return fatal(
                        SqlState.CONFIGURATION_LIMIT_EXCEEDED,
                        "max_pinned_share: too many clients keep a server to themselves")
                .detail("The statement is of the kind %s; %d percent of the pool may be kept.".formatted(reason, share))
                .hint("SHOW PINS lists them. Raise max_pinned_share or default_pool_size.");
    }

    /** pin_idle_timeout passed. Closes the client and the server that it kept. */
    public static ErrorResponse pinIdleTimeout(Duration limit, String reason) {
        return fatal(SqlState.IDLE_SESSION_TIMEOUT, "pin_idle_timeout: a server was kept and not used")
                .detail("Kept for %s, unused for more than %d s.".formatted(reason, limit.toSeconds()))
                .hint("Drop what the session holds when it is no longer needed, or raise pin_idle_timeout.");
    }

    /** A cancel request met the client while it still waited for a server. Nothing was sent. */
    public static ErrorResponse canceledWhileWaiting() {
        return error(SqlState.QUERY_CANCELED, "canceling statement due to user request");
    }

    /** The process ends. Closes the client between two of its transactions. */
    public static ErrorResponse shuttingDown() {
        return fatal(SqlState.ADMIN_SHUTDOWN, "terminating connection due to administrator command");
    }

    /** KILL, or KILL_CLIENT, was said. Closes the client. */
    public static ErrorResponse killed() {
        return fatal(SqlState.ADMIN_SHUTDOWN, "terminating connection due to administrator command");
    }

    /** A named statement is larger than is kept. Closes the client. */
    public static ErrorResponse statementTooLarge(int limit) {
        return fatal(SqlState.PROGRAM_LIMIT_EXCEEDED, "a named prepared statement is too large")
                .detail("The limit is %d bytes.".formatted(limit));
    }

    /** A client has prepared more by name than is kept for one. Closes the client. */
    public static ErrorResponse tooManyStatements(int limit) {
        return fatal(SqlState.PROGRAM_LIMIT_EXCEEDED, "too many named prepared statements")
                .detail("The limit is %d bytes of all texts together, and of what is kept beside each."
                        .formatted(limit))
                .hint("Close statements that are not used any more, or prepare texts that differ in values only with"
                        + " parameters.");
    }

    /**
     * LISTEN in transaction mode found no listener connection in time. Ends the statement and its transaction; nothing was
     * sent to a server.
     *
     * @param last what PostgreSQL said when it refused the last attempt, null when it said nothing
     */
    public static ErrorResponse listenerUnavailable(
            String channel, String database, String user, Duration waited, @Nullable ErrorResponse last) {
        return error(SqlState.CANNOT_CONNECT_NOW, "listen: the listener connection to the primary is not there")
                .detail("Waited %d ms to listen on \"%s\" in database %s as user %s%s"
                        .formatted(
                                waited.toMillis(),
                                channel,
                                database,
                                user,
                                last == null ? "." : "; its last attempt ended with: " + last.message()))
                .hint("Besides its pools, each database and user that listens needs one connection to PostgreSQL.");
    }

    /** More notifications wait for the client than are kept for one. Closes the client; it must look at the data anew. */
    public static ErrorResponse tooManyNotifications(int count, int bytes, int maxCount, int maxBytes) {
        return fatal(
                        SqlState.CONFIGURATION_LIMIT_EXCEEDED,
                        "listen: the client has not taken its notifications for too long")
                .detail("%d notifications of %d bytes wait; %d of %d bytes are kept for one client."
                        .formatted(count, bytes, maxCount, maxBytes))
                .hint("Notifications are delivered between transactions: end them sooner, or UNLISTEN.");
    }
}
