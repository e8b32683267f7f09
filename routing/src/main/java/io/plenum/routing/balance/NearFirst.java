package io.plenum.routing.balance;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Prefers the candidates of the own zone: the others get what would have to wait there. Within each of the two it is the
 * wrapped policy that chooses.
 */
public final class NearFirst implements Balancer {
    private final Supplier<Balancer> policy;
    private Balancer near;
    private Balancer far;

    /** The candidates of the own zone, then the others, each by its index among all. */
    private int[] nearOnes = new int[0];

    private int[] farOnes = new int[0];
    private final Part part = new Part();

    /** {@code policy} makes one balancer for each of the two parts. */
    public NearFirst(Supplier<Balancer> policy) {
        this.policy = policy;
        this.near = policy.get();
        this.far = policy.get();
    }

    /** Says which candidates are in the own zone; before {@link #prepare}. */
    public void setNear(boolean[] isNear) {
        int count = 0;
        for (boolean one : isNear) {
            count += one ? 1 : 0;
        }
        var nextNear = new int[count];
        var nextFar = new int[isNear.length - count];
        int atNear = 0;
        int atFar = 0;
        for (int i = 0; i < isNear.length; i++) {
            if (isNear[i]) {
                nextNear[atNear++] = i;
            } else {
                nextFar[atFar++] = i;
            }
        }
        if (nextNear.length != nearOnes.length || nextFar.length != farOnes.length) {
            near = policy.get();
            far = policy.get();
        }
        nearOnes = nextNear;
        farOnes = nextFar;
    }

    @Override
    public void prepare(double[] weights, String[] names) {
        prepare(near, nearOnes, weights, names);
        prepare(far, farOnes, weights, names);
    }

    private static void prepare(Balancer balancer, int[] ones, double[] weights, String[] names) {
        var some = new double[ones.length];
        var called = new String[ones.length];
        for (int i = 0; i < ones.length; i++) {
            some[i] = weights[ones[i]];
            called[i] = names[ones[i]];
        }
        if (ones.length > 0) {
            balancer.prepare(some, called);
        }
    }

    @Override
    public boolean usesKey() {
        return near.usesKey();
    }

    @Override
    public boolean usesLatency() {
        return near.usesLatency();
    }

    @Override
    public int choose(int candidates, Loads loads) {
        if (candidates != nearOnes.length + farOnes.length || candidates < 1) {
            throw new IllegalArgumentException("not prepared for %d candidates".formatted(candidates));
        }
        if (nearOnes.length == 0) {
            return choose(far, farOnes, loads);
        }
        int chosen = choose(near, nearOnes, loads);
        if (farOnes.length == 0 || !loads.isFull(chosen)) {
            return chosen;
        }
        for (int one : nearOnes) {
            if (!loads.isFull(one)) {
                return one;
            }
        }
        int beyond = choose(far, farOnes, loads);
        return loads.isFull(beyond) ? chosen : beyond; // to wait far away is no better
    }

    private int choose(Balancer balancer, int[] ones, Loads loads) {
        return ones[balancer.choose(ones.length, part.of(ones, loads))];
    }

    /** The loads of one part. */
    private static final class Part implements Loads {
        private int[] ones = new int[0];
        private @Nullable Loads all;

        Part of(int[] ones, Loads all) {
            this.ones = ones;
            this.all = all;
            return this;
        }

        private Loads all() {
            Loads known = all;
            if (known == null) {
                throw new IllegalStateException("no loads");
            }
            return known;
        }

        @Override
        public int inFlight(int candidate) {
            return all().inFlight(ones[candidate]);
        }

        @Override
        public double latencyNanos(int candidate) {
            return all().latencyNanos(ones[candidate]);
        }

        @Override
        public boolean isFull(int candidate) {
            return all().isFull(ones[candidate]);
        }

        @Override
        public long key() {
            return all().key();
        }
    }
}
