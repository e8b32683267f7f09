package io.plenum.bench.replicas;

import java.time.Duration;

/** What befalls a standby. */
public enum ReplicaFault {
    /** kill -9 of all its processes; it starts again. */
    KILL(Duration.ofSeconds(1)),
    /** SIGSTOP of all its processes; they go on. */
    FREEZE(Duration.ofMillis(3_500)),
    /** The network swallows everything in both directions, and then it does not any more. */
    BLACKHOLE(Duration.ofMillis(3_500)),
    /** Replay stands still, under writes. */
    REPLAY_PAUSE(Duration.ofMillis(1_500)),
    /** The primary takes locks whose replay ends what reads the table, on all standbys at once. */
    CONFLICT(Duration.ofMillis(600));

    private final Duration length;

    ReplicaFault(Duration length) {
        this.length = length;
    }

    /** How long it lasts. */
    Duration length() {
        return length;
    }
}
