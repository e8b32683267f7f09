package io.plenum.pooler.config;

/** Which transactions may go to a standby: {@code read_routing}. */
public enum ReadRouting implements Choice {
    /** Those proven to read, where the database has several nodes. */
    AUTO("auto"),
    /** Only those that say so: READ ONLY transactions and hints. */
    EXPLICIT("explicit"),
    /** None. */
    OFF("off");

    private final String word;

    ReadRouting(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }
}
