package io.plenum.routing.topology;

/** Whether a node may be used. */
public enum NodeHealth {
    /** Not probed yet. */
    UNKNOWN,
    /** Answers probes and stands in discovery's answer. */
    UP,
    /** Does not answer probes. */
    DOWN,
    /** Lives and takes no new sessions, for it starts or is being stopped: what runs there may go on, nothing new begins. */
    REFUSING,
    /** Answers probes, but discovery no longer names it: what runs ends there, no new reads begin. */
    DRAINING
}
