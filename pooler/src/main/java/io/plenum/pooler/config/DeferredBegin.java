package io.plenum.pooler.config;

/** What becomes of a BEGIN that comes alone: {@code deferred_begin}. */
public enum DeferredBegin implements Choice {
    /** It goes to a server at once. */
    OFF("off"),
    /** It goes in front of the first statement. */
    ON("on"),
    /** The same, and to a standby as long as the transaction only reads: what is no read has it begin anew on the primary. */
    OPTIMISTIC("optimistic");

    private final String word;

    DeferredBegin(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }
}
