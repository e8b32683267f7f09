package io.plenum.bench.faults;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** What all clients of a run have seen. Any thread. */
final class Tally {
    private static final int MAX_FINDINGS = 20;

    final LongAdder replies = new LongAdder();
    final LongAdder wrong = new LongAdder();
    final LongAdder missing = new LongAdder();
    final LongAdder extra = new LongAdder();
    final LongAdder leaked = new LongAdder();
    final LongAdder lost = new LongAdder();
    /** How often a session's settings were asked for and were its own. */
    final LongAdder settings = new LongAdder();
    /** How often what lives in a server was found there by the next transaction. */
    final LongAdder pins = new LongAdder();
    /** Notifications that were heard and had to be. */
    final LongAdder notifications = new LongAdder();

    private final Map<String, LongAdder> counts = new ConcurrentHashMap<>();
    private final List<String> findings = new ArrayList<>();

    /** A client lost its session, or an answer, to something that was not done to itself. */
    void lose(String error) {
        lost.increment();
        count("lost: " + error);
    }

    void count(String what) {
        counts.computeIfAbsent(what, _ -> new LongAdder()).increment();
    }

    long counted(String what) {
        var count = counts.get(what);
        return count == null ? 0 : count.sum();
    }

    void find(String finding) {
        synchronized (findings) {
            if (findings.size() < MAX_FINDINGS) {
                findings.add(finding);
            }
        }
    }

    FaultReport report() {
        Map<String, Long> sums = new TreeMap<>();
        counts.forEach((what, count) -> sums.put(what, count.sum()));
        sums.put("lost", lost.sum());
        synchronized (findings) {
            return new FaultReport(
                    replies.sum(),
                    wrong.sum(),
                    missing.sum(),
                    extra.sum(),
                    leaked.sum(),
                    settings.sum(),
                    pins.sum(),
                    notifications.sum(),
                    sums,
                    List.copyOf(findings));
        }
    }
}
