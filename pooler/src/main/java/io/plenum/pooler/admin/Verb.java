package io.plenum.pooler.admin;

import io.plenum.wire.AsciiCase;
import org.jspecify.annotations.Nullable;

/**
 * The commands of the console: word, right, form. A command that has no row here does not exist, and none is run before
 * its right was looked up here.
 */
enum Verb {
    SHOW(Right.READ, Form.TABLE, "SHOW <table>", "Shows a table; SHOW HELP names all."),
    EXPLAIN_ROUTE(
            Right.READ,
            Form.NOTHING,
            "EXPLAIN ROUTE [FOR <db>] [AS <user>] <sql>",
            "Says where a text would go and why, what it may leave in the session (`pin`, `unknown`, `settings` or"
                + " `nothing`), whether the database's catalogue is `read`, `awaited` or `off`, whether it would be"
                + " held now, and why: `no`, `paused`, `suspended`, `no_primary`, or `two_primaries` on one timeline;"
                + " and the reason that it would have behind a BEGIN (`deferred_begin`). Without FOR it is asked of"
                + " the only database, or of the built-in lists alone; with AS what is set for that user counts. The"
                + " text is not run.",
            Origin.OWN),
    HELP(Right.READ, Form.NOTHING, "SHOW HELP", "Shows all commands, as a notice."),
    SELECT(
            Right.READ,
            Form.TABLE,
            "SELECT <table>",
            "The same as SHOW, and what tools ask to see whether somebody is there: `1`, `version()`,"
                    + " `current_database()`, `current_schema()`.",
            Origin.BETTER),
    SESSION_SET(
            Right.READ,
            Form.ASSIGNMENT,
            "SET <parameter> = <value>",
            "What drivers say at login: accepted, ignored.",
            Origin.BETTER),
    SESSION(
            Right.READ,
            Form.WORDS,
            "BEGIN",
            "And START TRANSACTION, COMMIT, END, ROLLBACK, ABORT, DISCARD, RESET, UNLISTEN, DEALLOCATE, CLOSE: what"
                    + " drivers and their pools say around a command. Accepted, without effect.",
            Origin.OWN),
    SET(Right.ADMIN, Form.ASSIGNMENT, "SET <setting> = <value>", "Changes a setting until the next RELOAD."),
    RELOAD(
            Right.ADMIN,
            Form.NOTHING,
            "RELOAD",
            "Reads the configuration again. If anything in it is wrong, all stays as it was and the answer says why.",
            Origin.BETTER),
    PAUSE(
            Right.ADMIN,
            Form.OPTIONAL_DATABASE,
            "PAUSE [<db>] [FOR <seconds>]",
            "Lets running transactions end, closes all server connections and lets clients wait. Answers when nothing"
                    + " runs any more; a cancel request before that ends the pause. Where a database has standbys,"
                    + " their reads go on: it is the primary that is paused. With FOR it ends by itself after so long,"
                    + " and fails if something still runs then.",
            Origin.BETTER),
    RESUME(
            Right.ADMIN,
            Form.OPTIONAL_DATABASE,
            "RESUME [<db>]",
            "Ends a PAUSE of the same, or a SUSPEND; without a database and either, the KILLs of all databases.",
            Origin.BETTER),
    DISABLE(Right.ADMIN, Form.DATABASE, "DISABLE <db>", "Refuses new logins to the database."),
    ENABLE(Right.ADMIN, Form.DATABASE, "ENABLE <db>", "Ends a DISABLE."),
    RECONNECT(
            Right.ADMIN,
            Form.OPTIONAL_DATABASE,
            "RECONNECT [<db>]",
            "Closes each server connection as soon as it is free, and opens new ones as needed."),
    SUSPEND(
            Right.ADMIN,
            Form.NOTHING,
            "SUSPEND",
            "Reads nothing more of any client but those of the console, and answers when all that they are owed is"
                + " sent, or after `suspend_timeout`. RESUME ends it, and so does the end of this session. PgBouncer"
                + " had it before 1.26.",
            Origin.OWN),
    WAIT_CLOSE(
            Right.ADMIN,
            Form.OPTIONAL_DATABASE,
            "WAIT_CLOSE [<db>]",
            "Answers when every server connection that RECONNECT or a reload marked is closed."),
    KILL(
            Right.ADMIN,
            Form.OPTIONAL_DATABASE,
            "KILL [<db>]",
            "Closes all client and server connections at once; clients that come back wait until RESUME."),
    KILL_CLIENT(Right.ADMIN, Form.CLIENT, "KILL_CLIENT <id>", "Closes one client at once; SHOW CLIENTS has its id."),
    SHUTDOWN(Right.ADMIN, Form.NOTHING, "SHUTDOWN", "Ends the process at once."),
    SHUTDOWN_WAIT_FOR_SERVERS(
            Right.ADMIN,
            Form.NOTHING,
            "SHUTDOWN WAIT_FOR_SERVERS",
            "No new clients and no new transactions; ends when the running transactions have."),
    SHUTDOWN_WAIT_FOR_CLIENTS(
            Right.ADMIN, Form.NOTHING, "SHUTDOWN WAIT_FOR_CLIENTS", "No new clients; ends when the last has left.");

    /** Who may. */
    enum Right {
        /** {@code stats_users} and {@code admin_users}. */
        READ,
        /** {@code admin_users}. */
        ADMIN;

        /** Whether who has this right may do what needs {@code needed}. */
        boolean suffices(Right needed) {
            return compareTo(needed) >= 0;
        }
    }

    /** What follows the word. */
    enum Form {
        NOTHING,
        TABLE,
        WORDS,
        ASSIGNMENT,
        OPTIONAL_DATABASE,
        DATABASE,
        CLIENT
    }

    /** How it stands to PgBouncer's. */
    enum Origin {
        /** It does the same. */
        SAME,
        /** It does more. */
        BETTER,
        /** PgBouncer has none. */
        OWN
    }

    private final Right right;
    private final Form form;
    private final String usage;
    private final String about;
    private final Origin origin;

    Verb(Right right, Form form, String usage, String about) {
        this(right, form, usage, about, Origin.SAME);
    }

    Verb(Right right, Form form, String usage, String about, Origin origin) {
        this.origin = origin;
        this.right = right;
        this.form = form;
        this.usage = usage;
        this.about = about;
    }

    Right right() {
        return right;
    }

    Form form() {
        return form;
    }

    /** How it is written. */
    String usage() {
        return usage;
    }

    /** What it does, in sentences. */
    String about() {
        return about;
    }

    Origin origin() {
        return origin;
    }

    /** The tag of its CommandComplete. */
    String tag() {
        return switch (this) {
            case EXPLAIN_ROUTE -> "EXPLAIN";
            case HELP -> SHOW.name();
            case SESSION_SET -> SET.name();
            case SHUTDOWN_WAIT_FOR_SERVERS, SHUTDOWN_WAIT_FOR_CLIENTS -> SHUTDOWN.name();
            default -> name();
        };
    }

    /** The verb that begins with this word, however it is written; or null. */
    static @Nullable Verb of(String word) {
        String name = AsciiCase.upper(word);
        for (Verb verb : values()) {
            if (verb.name().equals(name) && verb.tag().equals(name) && verb != SESSION) {
                return verb; // the others are found by what follows the word
            }
        }
        return null;
    }
}
