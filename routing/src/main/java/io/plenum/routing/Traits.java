package io.plenum.routing;

/**
 * What else a text does, besides its {@link Reason}: flags that hide each other as little as several statements of one
 * text do. A flag too many costs work, one too few lets a session's state leak; so doubt sets them.
 *
 * <p>What the {@linkplain StatementClassifier classifier} cannot see sets no flag. With a {@link Catalog} it sees what
 * views, triggers, rules, defaults, row security, operators, casts and types run; without one it does not.
 */
public final class Traits {
    /**
     * Runs code that is not in the text, or may: a function in no list, DO, CALL, COPY, LOAD, SQL EXECUTE, IMPORT,
     * CREATE or ALTER EXTENSION, and any text that is not understood, too long or not to be trusted. A definition with
     * parentheses (CREATE TABLE x (...), CREATE FUNCTION) counts too, for its name stands where that of a function does.
     */
    public static final int RUNS_UNKNOWN_CODE = 1;

    /** Calls {@code currval} or {@code lastval}, which answer from what the session did before. */
    public static final int ASKS_SEQUENCE_MEMORY = 1 << 1;

    /** NOTIFY, or a call of {@code pg_notify}. */
    public static final int NOTIFIES = 1 << 2;

    /**
     * {@link SessionChanges} may have something to tell of the text. Also where the reason does not show it: because the
     * server reports the setting, because another reason hides it, or because nothing is left of it but less (DISCARD,
     * UNLISTEN).
     */
    public static final int CHANGES_SESSION = 1 << 3;

    /** The text begins with a comment that asks for the primary. */
    public static final int HINTS_PRIMARY = 1 << 8;

    /** The text begins with a comment that asks for a replica. */
    public static final int HINTS_REPLICA = 1 << 9;

    /** DEALLOCATE or DISCARD: may end prepared statements, those of the protocol too. */
    public static final int ENDS_STATEMENTS = 1 << 4;

    /** The text is nothing but SET, RESET and SHOW, however many of them: nothing of it can write. */
    public static final int ONLY_SETTINGS = 1 << 5;

    /** Takes an advisory lock of the transaction, which keeps nobody out on another node. */
    public static final int LOCKS_TRANSACTION = 1 << 6;

    /** COMMIT or ROLLBACK is one of several statements of the text. */
    public static final int ENDS_TRANSACTION = 1 << 7;

    /** BEGIN or SET TRANSACTION with a level of isolation that keeps one snapshot: REPEATABLE READ. */
    public static final int KEEPS_SNAPSHOT = 1 << 10;

    /** Calls {@code pg_listening_channels}, which answers what the session listened to when its transaction began. */
    public static final int ASKS_CHANNELS = 1 << 11;

    /** Calls {@code pg_cancel_backend}. */
    public static final int CANCELS = 1 << 12;

    /** Calls {@code pg_terminate_backend}. */
    public static final int TERMINATES = 1 << 13;

    /** CREATE, ALTER or DROP of a database or a role: {@link GlobalChanges} has something to tell of the text. */
    public static final int CHANGES_GLOBALS = 1 << 14;

    /** CREATE or SELECT INTO: what it makes may stand in front of another table, and its tag may be that of SELECT. */
    public static final int CREATES = 1 << 15;

    private Traits() {}
}
