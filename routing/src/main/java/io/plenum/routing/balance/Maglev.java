package io.plenum.routing.balance;

import java.util.Arrays;

/**
 * Each key has its candidate, by a table in which every candidate has as many slots as its weight: more even than
 * {@link RingHash}, one look per choice; when candidates come or go, a few keys of the others move too.
 *
 * <p>The candidates take turns at choosing a free slot, each in the order of its own permutation of the table.
 */
final class Maglev extends Keyed {
    /** A prime, so that every step goes through all slots. */
    private static final int SLOTS = 2039;

    private final short[] table = new short[SLOTS];

    @Override
    void place(double[] weights, String[] names) {
        int count = weights.length;
        int[] next = new int[count];
        int[] step = new int[count];
        double heaviest = 0;
        for (int i = 0; i < count; i++) {
            long hash = Hashes.of(names[i]);
            next[i] = (int) Long.remainderUnsigned(hash, SLOTS);
            step[i] = 1 + (int) Long.remainderUnsigned(Hashes.mix(hash + 1), SLOTS - 1);
            heaviest = Math.max(heaviest, weights[i]);
        }
        double[] due = new double[count];
        Arrays.fill(table, (short) -1);
        int taken = 0;
        while (taken < SLOTS) {
            for (int i = 0; i < count && taken < SLOTS; i++) {
                due[i] += weights[i] / heaviest;
                if (due[i] >= 1) {
                    due[i]--;
                    while (table[next[i]] >= 0) {
                        next[i] = (next[i] + step[i]) % SLOTS;
                    }
                    table[next[i]] = (short) i;
                    taken++;
                }
            }
        }
    }

    @Override
    int owner(long key) {
        return table[(int) Long.remainderUnsigned(key, SLOTS)];
    }
}
