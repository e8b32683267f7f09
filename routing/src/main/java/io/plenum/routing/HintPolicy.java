package io.plenum.routing;

/** The setting {@code routing_hints}: what clients may ask for. */
public enum HintPolicy {
    /** Hints mean nothing. */
    OFF,
    /** A client may have what it says run on the primary. */
    PRIMARY,
    /** A client may also have a standby run what was not proven to read; what writes goes to the primary all the same. */
    ON
}
