package io.plenum.bench.cancel;

import java.util.List;

/**
 * How the races ended.
 *
 * @param races cancel requests sent
 * @param wrong queries of the other client that were cancelled, or answered with something else than their own
 * @param delivered races in which the query that was meant was cancelled
 * @param findings the first things that were wrong, in words
 */
public record CancelReport(int races, int wrong, int delivered, List<String> findings) {
    /** The line for machines. */
    public String machineLine() {
        return "cancel: races=%d wrong=%d delivered=%d".formatted(races, wrong, delivered);
    }
}
