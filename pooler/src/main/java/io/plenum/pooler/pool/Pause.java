package io.plenum.pooler.pool;

/** How much of a database is not given out for now. */
public enum Pause {
    NONE,
    /** No server of the primary is; standbys go on with their reads. Of a database without standbys that is all. */
    PRIMARY,
    /** No server at all. */
    ALL;

    /** The wider of the two. */
    public Pause with(Pause other) {
        return compareTo(other) >= 0 ? this : other;
    }
}
