package io.plenum.pooler.config;

/** The setting {@code sequence_memory}: how long a client finds by currval and lastval what it drew. */
public enum SequenceMemory implements Choice {
    /** Up to the end of the transaction. */
    TRANSACTION("transaction"),
    /** As long as it is connected: it keeps its server. */
    SESSION("session");

    private final String word;

    SequenceMemory(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }
}
