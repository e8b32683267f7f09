package io.plenum.routing.balance;

import java.util.random.RandomGenerator;

/**
 * One candidate after the other; the start is random, so that several loops do not walk in step. One with twice the
 * weight comes twice as often, and not twice in a row: each gains its weight with every turn, the richest is chosen and
 * pays what all have gained.
 */
final class RoundRobin implements Balancer {
    private final RandomGenerator random;
    private int next;
    private double[] weights = new double[0];
    private double[] gained = new double[0];
    private double total;
    private boolean equal = true;

    RoundRobin(RandomGenerator random) {
        this.random = random;
        this.next = random.nextInt(1 << 16);
    }

    @Override
    public void prepare(double[] weights, String[] names) {
        if (gained.length != weights.length) {
            gained = new double[weights.length];
            for (int i = 0; i < gained.length; i++) {
                gained[i] = random.nextDouble() * weights[i];
            }
        }
        this.weights = weights;
        equal = true;
        total = 0;
        for (double weight : weights) {
            equal &= weight == weights[0];
            total += weight;
        }
    }

    @Override
    public int choose(int candidates, Loads loads) {
        if (candidates < 1) {
            throw new IllegalArgumentException("no candidate to choose from: " + candidates);
        }
        if (!equal && weights.length == candidates) {
            return chooseByWeight();
        }
        int chosen = next % candidates;
        next = chosen + 1;
        return chosen;
    }

    private int chooseByWeight() {
        int richest = 0;
        for (int i = 0; i < weights.length; i++) {
            gained[i] += weights[i];
            if (gained[i] > gained[richest]) {
                richest = i;
            }
        }
        gained[richest] -= total;
        return richest;
    }
}
