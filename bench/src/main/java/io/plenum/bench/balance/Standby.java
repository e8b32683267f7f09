package io.plenum.bench.balance;

/**
 * A standby of the model.
 *
 * @param millis that a read takes on it, in the mean
 * @param atOnce reads that it serves at once; the others wait
 * @param weight of the settings
 * @param near whether it is in our zone
 */
record Standby(double millis, int atOnce, int weight, boolean near) {
    static Standby usual() {
        return new Standby(2, 4, 1, true);
    }
}
