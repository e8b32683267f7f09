package io.plenum.pooler.config;

/** The words of libpq for the hosts that a client wants. */
public enum TargetSessionAttrs implements Choice {
    ANY("any"),
    PRIMARY("primary"),
    STANDBY("standby"),
    READ_WRITE("read-write"),
    READ_ONLY("read-only"),
    PREFER_STANDBY("prefer-standby");

    private final String word;

    TargetSessionAttrs(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }
}
