package io.plenum.bench.causal;

import java.util.List;

/**
 * What the reads saw.
 *
 * @param pairs of a write and a read behind it
 * @param stale reads that did not see the write before them in the same session
 * @param backward reads of another client's row that saw less than an earlier read of the same session
 * @param toPrimary reads of the pairs that the primary answered
 * @param switchovers that happened meanwhile
 * @param reconnects of clients whose connection broke
 * @param findings the first things that were wrong, in words
 */
public record CausalReport(
        long pairs,
        long stale,
        long backward,
        long toPrimary,
        int switchovers,
        long reconnects,
        List<String> findings) {
    /** The line for machines. */
    public String machineLine() {
        return "causal: pairs=%d stale=%d backward=%d to_primary=%d switchovers=%d reconnects=%d"
                .formatted(pairs, stale, backward, toPrimary, switchovers, reconnects);
    }
}
