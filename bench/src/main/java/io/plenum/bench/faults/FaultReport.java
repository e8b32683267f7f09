package io.plenum.bench.faults;

import java.util.List;
import java.util.Map;

/**
 * How a run ended.
 *
 * @param replies judged, one for each message group that ends with ReadyForQuery or an error
 * @param wrong replies that were somebody else's, damaged, out of order, or an error that no fault explains
 * @param missing replies that did not come, or connections that ended without a word
 * @param extra messages that nobody asked for
 * @param leaked server connections, permits and clients that were left over when all clients had gone
 * @param settings how often a client asked for its session's settings and was told its own
 * @param pins how often a client found in its next transaction what it had left in the server
 * @param notifications heard by those whom they were for
 * @param counts faults by kind, exchanges by kind, connections lost
 * @param findings the first things that were not in order, in words
 */
public record FaultReport(
        long replies,
        long wrong,
        long missing,
        long extra,
        long leaked,
        long settings,
        long pins,
        long notifications,
        Map<String, Long> counts,
        List<String> findings) {

    public boolean isClean() {
        return wrong == 0 && missing == 0 && extra == 0 && leaked == 0;
    }

    /** The line for machines. */
    public String machineLine() {
        return "faults: replies=%d wrong=%d missing=%d extra=%d leaked=%d settings=%d pins=%d notifications=%d"
                .formatted(replies, wrong, missing, extra, leaked, settings, pins, notifications);
    }
}
