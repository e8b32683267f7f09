package io.plenum.routing.balance;

import java.util.random.RandomGenerator;

/**
 * Of two different candidates drawn at random the one where the answer is expected first: how long it takes for a first byte
 * ({@link PeakEwma}), times what is in flight there and the one to come, for its weight. One of which nothing is known is
 * tried.
 */
final class LowestLatency implements Balancer {
    private final Lottery lottery;

    LowestLatency(RandomGenerator random) {
        this.lottery = new Lottery(random);
    }

    @Override
    public void prepare(double[] weights, String[] names) {
        lottery.prepare(weights);
    }

    @Override
    public boolean usesLatency() {
        return true;
    }

    @Override
    public int choose(int candidates, Loads loads) {
        return lottery.lighterOfTwo(candidates, loads, LowestLatency::cost);
    }

    private static double cost(Loads loads, int candidate) {
        return loads.latencyNanos(candidate) * (loads.inFlight(candidate) + 1);
    }
}
