package io.plenum.wire;

/** The sizes, in bytes, that bound what a peer may send and what of it must be present at once. */
public final class Limits {
    /** Type byte and length word. */
    public static final int HEADER = 5;

    /** PQ_SMALL_MESSAGE_LIMIT of PostgreSQL's libpq.h. */
    public static final int SMALL = 10_000;

    /** PQ_LARGE_MESSAGE_LIMIT, MaxAllocSize - 1. */
    public static final int LARGE = 1_073_741_822;

    /** PG_MAX_AUTH_TOKEN_LENGTH. */
    public static final int PASSWORD = 65_535;

    /** Messages that are always handed over whole; {@link #SMALL} is their bound. */
    public static final int WHOLE = Integer.MAX_VALUE;

    /** As much of a statement, a parameter list or an error as is kept before the message is passed on in pieces. */
    public static final int LOOKED_AT = 64 * 1024;

    private Limits() {}
}
