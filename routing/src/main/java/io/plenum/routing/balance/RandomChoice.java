package io.plenum.routing.balance;

import java.util.random.RandomGenerator;

/** Each candidate with the same chance, whatever its load. */
public final class RandomChoice implements Balancer {
    private final RandomGenerator random;

    public RandomChoice(RandomGenerator random) {
        this.random = random;
    }

    @Override
    public int choose(int candidates, Loads loads) {
        if (candidates < 1) {
            throw new IllegalArgumentException("no candidate to choose from: " + candidates);
        }
        return random.nextInt(candidates);
    }
}
