package io.plenum.routing.balance;

import java.util.Arrays;

/**
 * Each key has its candidate, on a ring of points: the next point behind the key's decides. A candidate has
 * {@value #POINTS} points for each unit of its weight beside the lightest. When one leaves, its keys alone are shared out
 * among the others; when one joins, it takes its part of everybody's.
 *
 * <p>Even only over many keys, and the less so the fewer points there are: with {@value #POINTS} of them shares differ by
 * about a tenth.
 */
final class RingHash extends Keyed {
    private static final int POINTS = 160;
    private static final int MOST_POINTS = 1 << 16;

    private long[] points = new long[0];
    private int[] owners = new int[0];

    @Override
    void place(double[] weights, String[] names) {
        double lightest = Double.MAX_VALUE;
        for (double weight : weights) {
            lightest = Math.min(lightest, weight);
        }
        int[] counts = new int[weights.length];
        int total = 0;
        for (int i = 0; i < weights.length; i++) {
            double share = Math.min(weights[i] / lightest, (double) MOST_POINTS / POINTS / weights.length);
            counts[i] = (int) Math.max(1, Math.round(POINTS * share));
            total += counts[i];
        }
        record Point(long hash, int owner) {}
        var all = new Point[total];
        int at = 0;
        for (int i = 0; i < weights.length; i++) {
            long hash = Hashes.of(names[i]);
            for (int point = 0; point < counts[i]; point++) {
                hash = Hashes.mix(hash + 1);
                all[at++] = new Point(hash, i);
            }
        }
        Arrays.sort(all, (one, other) -> Long.compareUnsigned(one.hash(), other.hash()));
        points = new long[total];
        owners = new int[total];
        for (int i = 0; i < total; i++) {
            points[i] = all[i].hash();
            owners[i] = all[i].owner();
        }
    }

    @Override
    int owner(long key) {
        int low = 0;
        int high = points.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(points[middle], key) < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return owners[low == points.length ? 0 : low];
    }
}
