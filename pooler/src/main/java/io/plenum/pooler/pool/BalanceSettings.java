package io.plenum.pooler.pool;

import io.plenum.routing.balance.Balancer;
import java.util.function.Supplier;

/**
 * How reads of a database are spread.
 *
 * @param policy makes a balancer for one loop
 * @param zone in which we run; empty when that does not count
 * @param slowStartNanos in which the share of a new node grows to the full one; 0 is at once
 * @param ejects whether nodes are left out for a while for what is seen of them
 */
public record BalanceSettings(Supplier<Balancer> policy, String zone, long slowStartNanos, boolean ejects) {
    /** By that policy, and nothing else counts. */
    public static BalanceSettings of(Supplier<Balancer> policy) {
        return new BalanceSettings(policy, "", 0, false);
    }
}
