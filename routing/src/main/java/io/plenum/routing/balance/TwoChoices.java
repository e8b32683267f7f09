package io.plenum.routing.balance;

import java.util.random.RandomGenerator;

/**
 * Of two different candidates drawn at random the one with less in flight for its weight; the first drawn where they are
 * equal.
 *
 * <p>Nearly as even as asking all, without the herd: loops that do not know of each other would all run to the one
 * candidate that is least loaded at this moment. The first is drawn from a {@link Deck}, so that shares are even too
 * when nothing is in flight.
 */
final class TwoChoices implements Balancer {
    private final Lottery lottery;

    TwoChoices(RandomGenerator random) {
        this.lottery = new Lottery(random);
    }

    @Override
    public void prepare(double[] weights, String[] names) {
        lottery.prepare(weights);
    }

    @Override
    public int choose(int candidates, Loads loads) {
        return lottery.lighterOfTwo(candidates, loads, Loads::inFlight);
    }
}
