package io.plenum.routing.topology;

/** What a node is, as PostgreSQL itself says; never taken from a name. */
public enum NodeRole {
    /** Not asked yet. */
    UNKNOWN,
    /** Not in recovery. */
    PRIMARY,
    /** In recovery: a hot standby. */
    REPLICA
}
