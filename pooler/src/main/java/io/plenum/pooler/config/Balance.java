package io.plenum.pooler.config;

/** How a node is chosen among those that fit: {@code balance}. */
public enum Balance implements Choice {
    /** The less busy of two drawn at random. */
    TWO_CHOICES("two_choices"),
    /** Each in turn. */
    ROUND_ROBIN("round_robin"),
    /** The least busy of all. */
    LEAST_REQUEST("least_request"),
    /** Any. */
    RANDOM("random"),
    /** By a consistent hash on a ring. */
    RING_HASH("ring_hash"),
    /** By a consistent hash in a table. */
    MAGLEV("maglev"),
    /** The lowest expected latency. */
    EWMA("ewma");

    private final String word;

    Balance(String word) {
        this.word = word;
    }

    @Override
    public String word() {
        return word;
    }
}
