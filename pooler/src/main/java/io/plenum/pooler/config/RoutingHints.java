package io.plenum.pooler.config;

/** What clients may ask for by {@code plenum.route} and by comments: {@code routing_hints}. */
public enum RoutingHints implements Choice {
    /** Nothing. */
    OFF("off"),
    /** The primary. */
    PRIMARY("primary"),
    /** The primary or a replica. */
    ON("on");

    private final String word;

    RoutingHints(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }
}
