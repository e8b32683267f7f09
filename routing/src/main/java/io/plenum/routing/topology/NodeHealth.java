package io.plenum.routing.topology;

/** Whether a node may be used. */
public enum NodeHealth {
    /** Not probed yet. */
    UNKNOWN,
    /** Answers probes and stands in discovery's answer. */
    UP,
    /** Does not answer probes. */
    DOWN,
    /** Answers probes, but discovery no longer names it: what runs ends there, no new reads begin. */
    DRAINING
}
