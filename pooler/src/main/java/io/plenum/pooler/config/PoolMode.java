package io.plenum.pooler.config;

/** When a server connection goes back to its pool: {@code pool_mode}. */
public enum PoolMode implements Choice {
    /** When the client disconnects. */
    SESSION("session"),
    /** When the transaction ends. */
    TRANSACTION("transaction"),
    /** When the statement ends; transactions of several statements are refused. */
    STATEMENT("statement");

    private final String word;

    PoolMode(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }
}
