package io.plenum.pooler.link;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the pooler may answer otherwise than the server, each with its reason. Whoever adds one takes a promise back.
 *
 * <p>Three more are kept out of the conversations themselves. A text whose meaning depends on search_path,
 * standard_conforming_strings or client_encoding, or on a name of SQL PREPARE, is not for Parse, for another server parses it
 * anew with the values of then. Behind a Query or FunctionCall that breaks an extended group outside a transaction nothing is
 * compared, for PostgreSQL 17 and 18 then mix up their transaction state, and the pooler closes that server. And a custom
 * setting that nobody has set is empty instead of null where another client once set it.
 */
enum AllowedDifference {
    /** A client that breaks off its own COPY with another message hears of the Parse or Close that we put in front of it. */
    TYPE_OF_THE_MESSAGE_THAT_BROKE_A_COPY(
            "unexpected message type 0x.. during COPY", "unexpected message type 0x(50|43) during COPY"),
    /** PostgreSQL reports parameters in the order in which they were last changed, and so not in that of another server. */
    ORDER_OF_REPORTED_PARAMETERS("^S ", "^S "),
    /**
     * In a failed transaction PostgreSQL still describes a prepared statement, and counts the parameters that it is given; a
     * server that is to be given the statement first refuses that.
     */
    PREPARED_IN_A_FAILED_TRANSACTION("^t |^E .*C=08P01 .*prepared statement", "C=25P02 "),
    /**
     * To describe a prepared statement takes no snapshot, but to prepare it on another server does; and behind one the isolation
     * of the same group's transaction cannot be chosen any more.
     */
    ISOLATION_BEHIND_A_DESCRIBE(
            "^C BEGIN~", "C=25001 M=SET TRANSACTION ISOLATION LEVEL must be called before any query"),
    /** And to prepare it takes one, but not where a server has it already. */
    ISOLATION_BEHIND_A_PARSE(
            "C=25001 M=SET TRANSACTION ISOLATION LEVEL must be called before any query",
            "^C (BEGIN|SET)~",
            "Parse 's\\d'.* ISOLATION LEVEL"),
    /** A transaction that has its server before it asks for the client's channels does not find them there. */
    CHANNELS_IN_AN_OPEN_TRANSACTION("^D .{6}[1-9]$", "^D .{6}0$", "FROM pg_listening_channels\\(\\)");

    private final Pattern direct;
    private final Pattern pooled;
    private final Pattern said;

    AllowedDifference(String direct, String pooled) {
        this(direct, pooled, "");
    }

    /** {@code said} is found in what was sent before, of which each write is a line. */
    AllowedDifference(String direct, String pooled, String said) {
        this.direct = Pattern.compile(direct);
        this.pooled = Pattern.compile(pooled);
        this.said = Pattern.compile(said);
    }

    /** The one that explains the first answers that differ, behind what was said; null when none does. */
    static @Nullable AllowedDifference of(String direct, String pooled, String said) {
        for (AllowedDifference allowed : values()) {
            if (allowed.direct.matcher(direct).find()
                    && allowed.pooled.matcher(pooled).find()
                    && allowed.said.matcher(said).find()) {
                return allowed;
            }
        }
        return null;
    }
}
