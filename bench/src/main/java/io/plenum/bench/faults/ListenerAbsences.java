package io.plenum.bench.faults;

import java.util.ArrayList;
import java.util.List;

/** When the connection by which a pooler hears notifications for its clients was being killed and opened again. Any thread. */
final class ListenerAbsences {
    private record Absence(long fromNanos, long toNanos) {}

    private final List<Absence> absences = new ArrayList<>();
    private boolean away;
    private long awaySinceNanos;

    synchronized void begin(long nowNanos) {
        away = true;
        awaySinceNanos = nowNanos;
    }

    synchronized void end(long nowNanos) {
        away = false;
        absences.add(new Absence(awaySinceNanos, nowNanos));
    }

    /** Whether it was away at any moment of this time; both ends belong to it. */
    synchronized boolean touches(long fromNanos, long toNanos) {
        return (away && awaySinceNanos - toNanos <= 0)
                || absences.stream()
                        .anyMatch(absence -> absence.fromNanos() - toNanos <= 0 && absence.toNanos() - fromNanos >= 0);
    }
}
