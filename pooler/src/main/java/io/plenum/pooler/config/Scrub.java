package io.plenum.pooler.config;

/** The setting {@code scrub}: when a server is cleaned of what could not be seen before another client gets it. */
public enum Scrub implements Choice {
    /** After a transaction that ran code which the pooler cannot look into: functions, DO, CALL. */
    AUTO("auto"),
    /** After every transaction. */
    ALWAYS("always"),
    /** Never: the functions of this database leave nothing behind. */
    NEVER("never");

    private final String word;

    Scrub(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }

    /** Whether it is to be done, given whether unknown code ran. */
    public boolean isDue(boolean ranUnknownCode) {
        return this == ALWAYS || (this == AUTO && ranUnknownCode);
    }
}
