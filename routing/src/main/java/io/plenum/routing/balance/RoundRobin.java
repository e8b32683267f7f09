package io.plenum.routing.balance;

import java.util.random.RandomGenerator;

/** One candidate after the other; the start is random, so that several loops do not walk in step. */
public final class RoundRobin implements Balancer {
    private int next;

    public RoundRobin(RandomGenerator random) {
        this.next = random.nextInt(1 << 16);
    }

    @Override
    public int choose(int candidates, Loads loads) {
        if (candidates < 1) {
            throw new IllegalArgumentException("no candidate to choose from: " + candidates);
        }
        int chosen = next % candidates;
        next = chosen + 1;
        return chosen;
    }
}
