package io.plenum.bench.causal;

import java.util.List;

/**
 * What the reads saw.
 *
 * @param pairs of a write and a read behind it
 * @param stale reads that did not see the write before them in the same session
 * @param backward reads of another client's row that saw less than an earlier read of the same session
 * @param brokenPromises how many of both a client was promised not to see
 * @param toPrimary reads of the pairs that the primary answered
 * @param switchovers that happened meanwhile
 * @param reconnects of clients whose connection broke
 * @param findings the first things that were wrong, in words
 */
public record CausalReport(
        long pairs,
        long stale,
        long backward,
        long brokenPromises,
        long toPrimary,
        int switchovers,
        long reconnects,
        List<String> findings) {
    private static final CausalReport NONE = new CausalReport(0, 0, 0, 0, 0, 0, 0, List.of());

    /** One report of several runs. */
    static CausalReport sum(List<CausalReport> reports) {
        return reports.stream().reduce(NONE, CausalReport::plus);
    }

    private CausalReport plus(CausalReport other) {
        return new CausalReport(
                pairs + other.pairs,
                stale + other.stale,
                backward + other.backward,
                brokenPromises + other.brokenPromises,
                toPrimary + other.toPrimary,
                switchovers + other.switchovers,
                reconnects + other.reconnects,
                List.of());
    }

    /** Whether every read saw what it was promised. */
    public boolean isClean() {
        return brokenPromises == 0;
    }

    /** The counts for machines. */
    public String counts() {
        return "pairs=%d stale=%d backward=%d broken_promises=%d to_primary=%d switchovers=%d reconnects=%d"
                .formatted(pairs, stale, backward, brokenPromises, toPrimary, switchovers, reconnects);
    }
}
