package io.plenum.bench.replicas;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** How long reads took, and when they ended; times are those of {@link System#nanoTime}. Any thread. */
final class ReadTimes {
    /** The reads during one silence of a standby, beginning with it; also those that hung beyond its end. */
    record Silence(long beganNanos, long overNanos, List<Read> reads) {
        private Stream<Read> endedWithin(long fromNanos, long untilNanos) {
            return reads.stream()
                    .filter(read ->
                            read.endedNanos - beganNanos >= fromNanos && read.endedNanos - beganNanos < untilNanos);
        }

        private long lengthNanos() {
            return overNanos - beganNanos;
        }

        long longestNanos() {
            return reads.stream().mapToLong(Read::tookNanos).max().orElse(0);
        }

        /** Reads that hung, and for which that ended later than so long after the silence began. */
        long hungLater(long afterNanos) {
            return endedWithin(afterNanos, Long.MAX_VALUE)
                    .filter(read -> read.tookNanos > HANG_NANOS)
                    .count();
        }

        /** In words: how many of how many reads took longer than this, second by second. */
        String told(long limitNanos) {
            var slow = new StringBuilder();
            for (long from = 0; from < lengthNanos(); from += SECOND_NANOS) {
                List<Read> ended = endedWithin(from, from + SECOND_NANOS).toList();
                long longer = ended.stream()
                        .filter(read -> read.tookNanos > limitNanos)
                        .count();
                slow.append(" %d/%d".formatted(longer, ended.size()));
            }
            return "silence: longest %.0f ms, longer than %.1f ms:%s"
                    .formatted(longestNanos() / 1e6, limitNanos / 1e6, slow);
        }
    }

    /**
     * From when on in a silence the slowest hundredth of the reads took no longer than this, fifth by fifth of a second; the
     * length of the shortest where they did to the end. Of all silences together: in one alone a hiccup of the machine, which all
     * clients have at once, is more than a hundredth.
     */
    static long recoveredAfterNanos(List<Silence> silences, long limitNanos) {
        long length = silences.stream().mapToLong(Silence::lengthNanos).min().orElse(0);
        long recovered = length;
        for (long from = (length - 1) / SLICE_NANOS * SLICE_NANOS; from >= 0 && recovered > 0; from -= SLICE_NANOS) {
            long since = from;
            List<Read> ended = silences.stream()
                    .flatMap(silence -> silence.endedWithin(since, since + SLICE_NANOS))
                    .toList();
            if (ended.size() >= FEWEST && percentile99(ended) > limitNanos) {
                return recovered;
            }
            recovered = from;
        }
        return recovered;
    }

    record Read(long endedNanos, long tookNanos) {}

    private static final long SECOND_NANOS = 1_000_000_000;
    private static final long SLICE_NANOS = SECOND_NANOS / 5;

    /** So long takes no read that is answered: it waited for a node that did not. */
    static final long HANG_NANOS = SECOND_NANOS / 2;

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
