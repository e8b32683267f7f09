package io.plenum.routing;

/**
 * A text that is one statement about a transaction and nothing else, of which all is understood: what it does is known without
 * asking a server, and that it succeeds where it should.
 *
 * <p>Modes that a standby refuses (READ WRITE, SERIALIZABLE) are none, nor is AND CHAIN.
 */
public enum TransactionCommand {
    /** Any other text. */
    NONE(""),
    /** BEGIN, with modes or without. */
    BEGIN("BEGIN"),
    /** START TRANSACTION, with modes or without. */
    START("START TRANSACTION"),
    /** SET TRANSACTION with modes. */
    MODES("SET"),
    /** COMMIT, END. */
    COMMIT("COMMIT"),
    /** ROLLBACK, ABORT. */
    ROLLBACK("ROLLBACK");

    private final String tag;

    TransactionCommand(String tag) {
        this.tag = tag;
    }

    /** What PostgreSQL answers when it has run. */
    public String tag() {
        return tag;
    }

    /** Whether a statement of this reason may be one. */
    public static boolean mayBe(Reason reason) {
        return switch (reason) {
            case TRANSACTION, READ_ONLY_TRANSACTION, TRANSACTION_END, TRANSACTION_MODES, READ_ONLY_MODE -> true;
            default -> false;
        };
    }

    /** Whether it opens a transaction. */
    public boolean opens() {
        return this == BEGIN || this == START;
    }

    /** Whether it ends the transaction. */
    public boolean ends() {
        return this == COMMIT || this == ROLLBACK;
    }
}
