package io.plenum.pooler.config;

/** What a consistent hash is taken of: {@code balance_key}. */
public enum BalanceKey implements Choice {
    /** The user of the client. */
    USER("user"),
    /** The client's {@code application_name}, as it is at the moment. */
    APPLICATION_NAME("application_name");

    private final String word;

    BalanceKey(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }
}
