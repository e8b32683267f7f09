package io.plenum.routing.balance;

import java.util.random.RandomGenerator;

/**
 * Of two different candidates drawn at random the one with less in flight; the first drawn where they are equal.
 *
 * <p>Nearly as even as asking all, without the herd: loops that do not know of each other would all run to the one
 * candidate that is least loaded at this moment. The first is drawn from a {@link Deck}, so that shares are even too
 * when nothing is in flight.
 */
public final class TwoChoices implements Balancer {
    private final RandomGenerator random;
    private final Deck deck;

    public TwoChoices(RandomGenerator random) {
        this.random = random;
        this.deck = new Deck(random);
    }

    @Override
    public int choose(int candidates, Loads loads) {
        int first = deck.draw(candidates);
        if (candidates == 1) {
            return first;
        }
        int second = random.nextInt(candidates - 1);
        if (second >= first) {
            second++;
        }
        return loads.inFlight(second) < loads.inFlight(first) ? second : first;
    }
}
