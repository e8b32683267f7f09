package io.plenum.routing.balance;

import java.util.random.RandomGenerator;

/** The candidate with the least in flight for its weight; among equals each in turn, in random order. */
final class LeastRequest implements Balancer {
    private final Lottery lottery;

    LeastRequest(RandomGenerator random) {
        this.lottery = new Lottery(random);
    }

    @Override
    public void prepare(double[] weights, String[] names) {
        lottery.prepare(weights);
    }

    @Override
    public int choose(int candidates, Loads loads) {
        int best = lottery.draw(candidates);
        double least = lottery.perWeight(best, loads.inFlight(best));
        for (int i = 1, candidate = best; i < candidates && least > 0; i++) {
            candidate = candidate + 1 == candidates ? 0 : candidate + 1;
            double load = lottery.perWeight(candidate, loads.inFlight(candidate));
            if (load < least) {
                best = candidate;
                least = load;
            }
        }
        return best;
    }
}
