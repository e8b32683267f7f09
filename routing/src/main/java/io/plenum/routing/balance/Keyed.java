package io.plenum.routing.balance;

/** Each key has its candidate, which follows from the weights and names of all. */
abstract class Keyed implements Balancer {
    private int candidates;

    @Override
    public final void prepare(double[] weights, String[] names) {
        place(weights, names);
        candidates = weights.length;
    }

    /** Gives each candidate its part of the keys. */
    abstract void place(double[] weights, String[] names);

    /** Whose the key is. */
    abstract int owner(long key);

    @Override
    public final boolean usesKey() {
        return true;
    }

    @Override
    public final int choose(int candidates, Loads loads) {
        if (candidates != this.candidates || candidates < 1) {
            throw new IllegalArgumentException("prepared for " + this.candidates + " candidates: " + candidates);
        }
        return owner(loads.key());
    }
}
