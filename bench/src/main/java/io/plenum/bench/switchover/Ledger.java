package io.plenum.bench.switchover;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Every write that was tried, and how it ended for its client. Any thread. */
final class Ledger {
    /** How a write ended. */
    enum Outcome {
        ACKNOWLEDGED,
        REFUSED,
        UNKNOWN
    }

    /**
     * One write; times are those of {@link System#nanoTime}.
     *
     * @param number unique
     * @param why SQLSTATE and message of what failed; empty for what did not
     */
    record Write(long number, Outcome outcome, long beganNanos, long endedNanos, String why) {
        long nanos() {
            return endedNanos - beganNanos;
        }
    }

    private final List<Write> writes = new ArrayList<>(); // guarded by this

    synchronized void add(Write write) {
        writes.add(write);
    }

    synchronized List<Write> writes() {
        return List.copyOf(writes);
    }

    synchronized int count(Outcome outcome) {
        return (int) writes.stream().filter(write -> write.outcome() == outcome).count();
    }

    /** When the first write succeeded that ended after this moment; a negative number when none did. */
    synchronized long firstSuccessAfter(long nanos) {
        return writes.stream()
                .filter(write -> write.outcome() == Outcome.ACKNOWLEDGED && write.endedNanos() - nanos > 0)
                .mapToLong(write -> write.endedNanos() - nanos)
                .min()
                .orElse(-1);
    }

    /** Compares with what the table has: how often each number stands there. */
    synchronized Balance balance(Map<Long, Integer> table) {
        int lost = 0;
        int doubled = 0;
        int dishonest = 0;
        List<String> findings = new ArrayList<>();
        Map<Long, Integer> left = new HashMap<>(table);
        for (Write write : writes) {
            int times = left.getOrDefault(write.number(), 0);
            boolean isLost = write.outcome() == Outcome.ACKNOWLEDGED && times == 0;
            boolean isDishonest = write.outcome() == Outcome.REFUSED && times > 0;
            lost += isLost ? 1 : 0;
            doubled += times > 1 ? 1 : 0;
            dishonest += isDishonest ? 1 : 0;
            if (isLost || isDishonest || times > 1) {
                findings.add("%s stands %d times in the table".formatted(write, times));
            }
        }
        return new Balance(lost, doubled, dishonest, findings);
    }

    record Balance(int lost, int doubled, int dishonest, List<String> findings) {}
}
