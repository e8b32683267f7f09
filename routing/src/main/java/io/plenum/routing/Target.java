package io.plenum.routing;

/** The kind of node that a batch may run on. */
public enum Target {
    /** The one node that takes writes; always right, never cheap. */
    PRIMARY,
    /** Any fit standby, chosen by a {@link io.plenum.routing.balance.Balancer}; the primary where there is none. */
    REPLICA
}
