package io.plenum.bench.switchover;

/** How the primary goes. */
public enum Mode {
    /** PAUSE, a clean shutdown, a promotion, RESUME; the old primary comes back as a standby. */
    PLANNED,
    /** kill -9 of the primary and all its processes, then a promotion of the standby that has received most. */
    KILLED
}
