package io.plenum.pooler.auth;

import io.plenum.pooler.error.PoolerErrors;
import io.plenum.wire.error.ErrorResponse;
import io.plenum.wire.error.SqlState;

/**
 * Why a login is refused: what the log says, and what little the client hears.
 *
 * @param reason in PgBouncer's words where it has some, for whoever searches a log for them
 * @param cause what only the log may tell, such as that there is no such user
 * @param error for the client; the same whether the user exists or not
 * @param guess whether it may have been a guess, so that the next ones are slowed down
 */
public record Refusal(String reason, String cause, ErrorResponse error, boolean guess) {

    /** A password, or what was made of one, that does not fit; {@code mechanism} is what the client was asked for. */
    static Refusal password(String user, Mechanism mechanism, String cause) {
        return new Refusal(
                mechanism.reason,
                cause,
                PoolerErrors.authenticationFailed(user, mechanism.method, mechanism.reason),
                true);
    }

    /** There is no such user, asked for as {@code mechanism} says; the client hears what it hears of a wrong password. */
    static Refusal unknownUser(String user, Mechanism mechanism, boolean askedFor, String cause) {
        String reason = askedFor ? "no such user" : mechanism.reason;
        return new Refusal(
                reason, cause, PoolerErrors.authenticationFailed(user, mechanism.method, mechanism.reason), true);
    }

    /** No proof was asked for, and the name is not one that needs none. */
    static Refusal untrusted(String user, boolean askedFor) {
        return new Refusal(
                askedFor ? "no such user" : "\"trust\" authentication failed",
                "no such user: " + user,
                PoolerErrors.trustFailed(),
                true);
    }

    static Refusal certificate(String cause) {
        return new Refusal(
                "certificate authentication failed",
                cause,
                PoolerErrors.loginRejected("certificate authentication failed"),
                true);
    }

    static Refusal peer(String cause) {
        return new Refusal(
                "unix socket login rejected", cause, PoolerErrors.loginRejected("unix socket login rejected"), true);
    }

    /** The settings forbid the login, or do not say how it could be had. */
    static Refusal rejected(String reason, String cause, ErrorResponse error) {
        return new Refusal(reason, cause, error, false);
    }

    /** The settings are wrong in a way that only a login shows; the client hears no more than that. */
    static Refusal configuration(String cause) {
        return new Refusal("bouncer config error", cause, PoolerErrors.configurationError(), true);
    }

    /** PostgreSQL knows no such database as the client asks for; it is what the client would hear of it directly. */
    static Refusal passedOn(String cause, ErrorResponse said) {
        ErrorResponse error = ErrorResponse.fatal(SqlState.INVALID_CATALOG_NAME, said.message());
        return new Refusal(said.message(), cause, error, true);
    }

    /** DISABLE was said for the database in which auth_query runs. */
    static Refusal disabled(String database) {
        ErrorResponse error = PoolerErrors.authDatabaseDisabled(database);
        return new Refusal(error.message(), "auth_dbname", error, false);
    }

    /** Too many others log in, or what must be asked is away: nothing is wrong with the login itself. */
    static Refusal unavailable(String cause) {
        return new Refusal("login cannot be checked now", cause, PoolerErrors.loginUnavailable(), false);
    }

    /** What a client was asked for. */
    enum Mechanism {
        PASSWORD("password", "password authentication failed"),
        SASL("password", "SASL authentication failed"),
        LDAP("LDAP", "LDAP authentication failed"),
        PAM("PAM", "PAM authentication failed");

        private final String method;
        private final String reason;

        Mechanism(String method, String reason) {
            this.method = method;
            this.reason = reason;
        }
    }
}
