package io.plenum.bench.causal;

import java.time.Duration;

/**
 * The size of a run.
 *
 * @param consistency the pooler's read_consistency
 * @param pairs of a write and a read behind it, all clients together
 * @param clients connections at once
 * @param causalWait the pooler's causal_wait
 * @param longestDelay of replay on a standby; every standby has one between nothing and this, or stands still
 * @param disturbEvery time from one change of a standby to the next
 * @param switchovers planned ones, spread over the run
 * @param seed of all that is random, as far as threads allow
 */
public record CausalOptions(
        String consistency,
        long pairs,
        int clients,
        Duration causalWait,
        Duration longestDelay,
        Duration disturbEvery,
        int switchovers,
        long seed) {}
