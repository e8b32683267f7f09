package io.plenum.routing.balance;

import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Draws candidates at random, each as often as its weight says; in a {@link Deck}'s even order where all weigh the same. */
final class Lottery {
    private final RandomGenerator random;
    private final Deck deck;

    /** Null where all weigh the same. */
    private double @Nullable [] weights;

    private double total;

    Lottery(RandomGenerator random) {
        this.random = random;
        this.deck = new Deck(random);
    }

    void prepare(double[] weights) {
        boolean equal = true;
        double sum = 0;
        for (double weight : weights) {
            equal &= weight == weights[0];
            sum += weight;
        }
        this.weights = equal ? null : weights;
        this.total = sum;
    }

    /** One of so many. */
    int draw(int size) {
        double[] known = weights;
        if (known == null || known.length != size) {
            return deck.draw(size);
        }
        return at(known, random.nextDouble() * total);
    }

    /** One of the others; {@code size} is at least 2. */
    int drawBeside(int taken, int size) {
        double[] known = weights;
        if (known == null || known.length != size) {
            int other = random.nextInt(size - 1);
            return other < taken ? other : other + 1;
        }
        double point = random.nextDouble() * (total - known[taken]);
        double before = 0;
        int last = taken == 0 ? 1 : 0;
        for (int i = 0; i < size; i++) {
            if (i != taken) {
                last = i;
                before += known[i];
                if (point < before) {
                    return i;
                }
            }
        }
        return last; // what is lost by rounding
    }

    /** What a candidate has to bear, whatever its weight. */
    @FunctionalInterface
    interface Burden {
        double of(Balancer.Loads loads, int candidate);
    }

    /** Of two different ones drawn at random the one that bears less for its weight; the first where they bear the same. */
    int lighterOfTwo(int size, Balancer.Loads loads, Burden burden) {
        int first = draw(size);
        if (size == 1) {
            return first;
        }
        int second = drawBeside(first, size);
        double ofFirst = perWeight(first, burden.of(loads, first));
        return perWeight(second, burden.of(loads, second)) < ofFirst ? second : first;
    }

    /** The load of a candidate of weight 1 that is as busy for its size. */
    double perWeight(int candidate, double load) {
        double[] known = weights;
        return known == null || candidate >= known.length ? load : load / known[candidate];
    }

    /** Whose part of the sum of the weights the point is in. */
    static int at(double[] weights, double point) {
        double before = 0;
        for (int i = 0; i < weights.length; i++) {
            before += weights[i];
            if (point < before) {
                return i;
            }
        }
        return weights.length - 1; // what is lost by rounding
    }
}
