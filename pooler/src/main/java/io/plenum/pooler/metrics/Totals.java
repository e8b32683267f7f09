package io.plenum.pooler.metrics;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One number for each {@link Count}. Immutable. */
@SuppressWarnings("EnumOrdinal") // the place in the array
public final class Totals {
    public static final Totals ZERO = new Totals(new long[Count.values().length]);

    private static final double NANOS_PER_SECOND = 1e9;

    private final long[] values;

    private Totals(long[] values) {
        this.values = values;
    }

    /** The numbers in the order of {@link Count}. */
    public static Totals of(long... inOrder) {
        if (inOrder.length != Count.values().length) {
            throw new IllegalArgumentException(inOrder.length + " numbers for " + Count.values().length + " counts");
        }
        return new Totals(inOrder.clone());
    }

    public long get(Count count) {
        return values[count.ordinal()];
    }

    public Totals plus(Totals other) {
        long[] sum = new long[values.length];
        for (int i = 0; i < sum.length; i++) {
            sum[i] = values[i] + other.values[i];
        }
        return new Totals(sum);
    }

    /** This less an earlier reading; nothing is less than 0, whatever was reset between. */
    Totals since(Totals earlier) {
        long[] difference = new long[values.length];
        for (int i = 0; i < difference.length; i++) {
            difference[i] = Math.max(0, values[i] - earlier.values[i]);
        }
        return new Totals(difference);
    }

    /**
     * PgBouncer's averages of what was counted in a period: per second, but times per transaction, query or server
     * assignment.
     */
    Totals averages(long periodNanos) {
        long[] averages = new long[values.length];
        for (Count count : Count.values()) {
            long value = get(count);
            Count divisor = count.dividedBy();
            averages[count.ordinal()] =
                    divisor == null ? perSecond(value, periodNanos) : value / Math.max(1, get(divisor));
        }
        return new Totals(averages);
    }

    private static long perSecond(long value, long periodNanos) {
        return periodNanos <= 0 ? 0 : (long) (value * NANOS_PER_SECOND / periodNanos);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Totals totals && Arrays.equals(values, totals.values);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(values);
    }

    @Override
    public String toString() {
        return Arrays.toString(values);
    }
}
