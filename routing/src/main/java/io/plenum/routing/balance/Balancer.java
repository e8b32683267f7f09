package io.plenum.routing.balance;

/** Confined to its event loop: chooses the candidate that gets the next transaction. Allocates nothing. */
public interface Balancer {
    /**
     * The index of the candidate to use.
     *
     * @param candidates how many there are, at least 1; may differ from call to call
     * @throws IllegalArgumentException if there is none
     */
    int choose(int candidates, Loads loads);

    /** What the candidates have to do at this moment. */
    @FunctionalInterface
    interface Loads {
        /** Transactions that run on this candidate or wait for it, from 0. */
        int inFlight(int candidate);
    }
}
