package io.plenum.routing.balance;

import java.util.random.RandomGenerator;

/** Each candidate with a chance as its weight, whatever its load. */
final class RandomChoice implements Balancer {
    private final RandomGenerator random;
    private double[] weights = new double[0];
    private double total;

    RandomChoice(RandomGenerator random) {
        this.random = random;
    }

    @Override
    public void prepare(double[] weights, String[] names) {
        this.weights = weights;
        total = 0;
        for (double weight : weights) {
            total += weight;
        }
    }

    @Override
    public int choose(int candidates, Loads loads) {
        if (candidates < 1) {
            throw new IllegalArgumentException("no candidate to choose from: " + candidates);
        }
        if (weights.length != candidates) {
            return random.nextInt(candidates);
        }
        return Lottery.at(weights, random.nextDouble() * total);
    }
}
