package io.plenum.testbed;

/**
 * One cluster for all tests of a JVM that leave it as they found it: a primary and two standbys, started at the first
 * call.
 *
 * <p>Tests that stop, promote or re-configure nodes start a cluster of their own. Nobody closes this one; it ends with
 * the JVM.
 */
public final class SharedPostgres {
    private SharedPostgres() {}

    /** The cluster. Any thread. */
    public static PostgresCluster get() {
        return Holder.CLUSTER;
    }

    private static final class Holder {
        static final PostgresCluster CLUSTER =
                PostgresCluster.builder().standbys(2).start();
    }
}
