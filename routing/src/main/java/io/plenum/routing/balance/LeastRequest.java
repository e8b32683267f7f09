package io.plenum.routing.balance;

import java.util.random.RandomGenerator;

/** The candidate with the least in flight; among equals each in turn, in random order. */
public final class LeastRequest implements Balancer {
    private final Deck deck;

    public LeastRequest(RandomGenerator random) {
        this.deck = new Deck(random);
    }

    @Override
    public int choose(int candidates, Loads loads) {
        int best = deck.draw(candidates);
        int least = loads.inFlight(best);
        for (int i = 1, candidate = best; i < candidates && least > 0; i++) {
            candidate = candidate + 1 == candidates ? 0 : candidate + 1;
            int inFlight = loads.inFlight(candidate);
            if (inFlight < least) {
                best = candidate;
                least = inFlight;
            }
        }
        return best;
    }
}
