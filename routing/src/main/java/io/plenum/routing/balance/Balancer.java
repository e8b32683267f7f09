package io.plenum.routing.balance;

/** Confined to its event loop: chooses the candidate that gets the next transaction. Allocates nothing when it does. */
public interface Balancer {
    /**
     * The index of the candidate to use.
     *
     * @param candidates how many there are, at least 1; may differ from call to call
     * @throws IllegalArgumentException if there is none
     */
    int choose(int candidates, Loads loads);

    /**
     * The candidates are these from now on. Who is never told takes all for equal.
     *
     * @param weights what part of the work each is to have beside the others, all above 0; the callee's from now on
     * @param names what tells each from the others for as long as it exists, and is the same in every process
     */
    default void prepare(double[] weights, String[] names) {}

    /** Whether {@link Loads#key} counts. */
    default boolean usesKey() {
        return false;
    }

    /** Whether {@link Loads#latencyNanos} counts. */
    default boolean usesLatency() {
        return false;
    }

    /** What the candidates have to do at this moment, and for whom the choice is. */
    @FunctionalInterface
    interface Loads {
        /** Transactions that run on this candidate or wait for it, from 0. */
        int inFlight(int candidate);

        /** How long this candidate takes for the first byte of an answer; 0 while nobody knows. */
        default double latencyNanos(int candidate) {
            return 0;
        }

        /** Whether one more transaction would have to wait there. */
        default boolean isFull(int candidate) {
            return false;
        }

        /** A hash of what the choice is made by; evenly spread over all values. */
        default long key() {
            return 0;
        }
    }
}
