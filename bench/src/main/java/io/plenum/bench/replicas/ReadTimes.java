package io.plenum.bench.replicas;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** How long reads took, and when they ended; times are those of {@link System#nanoTime}. Any thread. */
final class ReadTimes {
    /** The reads during one silence of a standby, beginning with it. */
    record Silence(long beganNanos, long overNanos, List<Read> reads) {
        /**
         * From when on the slowest hundredth of all reads to the end of the silence took no longer than this; the silence's
         * whole length when they never did.
         */
        long recoveredAfterNanos(long limitNanos) {
            long[] after = new long[reads.size()];
            int count = 0;
            int slow = 0;
            List<Read> latestFirst = new ArrayList<>(reads);
            latestFirst.sort((one, other) -> Long.compare(other.endedNanos, one.endedNanos));
            long recovered = overNanos - beganNanos;
            for (Read read : latestFirst) {
                after[count++] = read.tookNanos;
                slow += read.tookNanos > limitNanos ? 1 : 0;
                if (count >= FEWEST && slow * 100 <= count) {
                    recovered = read.endedNanos - beganNanos;
                }
            }
            return Math.max(0, recovered);
        }

        long longestNanos() {
            return reads.stream().mapToLong(Read::tookNanos).max().orElse(0);
        }
    }

    record Read(long endedNanos, long tookNanos) {}

    /** Of fewer reads a hundredth says nothing. */
    private static final int FEWEST = 100;

    private final List<Read> current = new ArrayList<>(); // guarded by this

    synchronized void add(long beganNanos, long endedNanos) {
        current.add(new Read(endedNanos, endedNanos - beganNanos));
    }

    /** What was added since the last call. */
    synchronized List<Read> take() {
        List<Read> taken = List.copyOf(current);
        current.clear();
        return taken;
    }

    /** What 99 of 100 took at most; 0 of none. */
    static long percentile99(List<Read> reads) {
        long[] times = reads.stream().mapToLong(Read::tookNanos).toArray();
        Arrays.sort(times);
        return times.length == 0 ? 0 : times[(int) Math.ceil(times.length * 0.99) - 1];
    }
}
