package io.plenum.pooler.fuzz;

import java.util.Arrays;
import java.util.Random;

/** Ways in which a stream arrives. */
public final class Splits {
    private Splits() {}

    /** The ends of the parts but the last: byte by byte for 0, else in a few parts that the number chooses. */
    public static int[] of(int length, byte way) {
        if (way == 0) {
            int[] everywhere = new int[Math.min(length, 512)];
            Arrays.setAll(everywhere, i -> i);
            return everywhere;
        }
        return new Random(way).ints(1 + (way & 7), 0, length + 1).sorted().toArray();
    }
}
