package io.plenum.pooler.config;

/** The setting {@code session_state}: what becomes of a client whose statement leaves something in the backend. */
public enum SessionStatePolicy implements Choice {
    /** It keeps its server until that is gone. */
    PIN("pin"),
    /** It is refused. */
    REFUSE("refuse");

    private final String word;

    SessionStatePolicy(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }
}
