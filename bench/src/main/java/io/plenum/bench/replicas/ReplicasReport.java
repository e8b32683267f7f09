package io.plenum.bench.replicas;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What the clients saw.
 *
 * @param faults how many of each kind there were
 * @param reads that were answered
 * @param errors that a client saw, of reads and of writes
 * @param stale reads that did not see what their own session had written
 * @param wrong answers to something else than was asked
 * @param reruns reads that the pooler asked of another node
 * @param conflicts that the standbys counted: reads which replay has ended
 * @param toPrimary reads that the primary answered
 * @param normalMillis 99 of 100 short reads took no longer, between the faults
 * @param recoveredMillis time from the beginning of a silence until that was less than twice as much again, over all of them
 * @param hungLate reads that hung on a silent standby although others had found out
 * @param longestMillis of any read during a silence
 * @param findings the first things that were wrong, in words
 */
public record ReplicasReport(
        Map<ReplicaFault, Integer> faults,
        long reads,
        long errors,
        long stale,
        long wrong,
        long reruns,
        long conflicts,
        long toPrimary,
        double normalMillis,
        double recoveredMillis,
        long hungLate,
        double longestMillis,
        List<String> findings) {
    /** From a silence of a standby to reads that are as fast as ever. */
    static final long RECOVERY_NANOS = 2_000_000_000;

    /** Whether no client saw anything. */
    public boolean isClean() {
        return errors == 0 && stale == 0 && wrong == 0;
    }

    /** Whether reads were soon as fast as before. */
    public boolean isInTime() {
        return recoveredMillis <= RECOVERY_NANOS / 1e6 && hungLate == 0;
    }

    /** The line for machines. */
    public String machineLine() {
        var kinds = new StringBuilder();
        faults.forEach((fault, count) -> kinds.append(' ')
                .append(fault.name().toLowerCase(Locale.ROOT))
                .append('=')
                .append(count));
        return String.format(
                Locale.ROOT,
                "replicas: faults=%d%s reads=%d errors=%d stale=%d wrong=%d reruns=%d conflicts=%d to_primary=%d"
                        + " normal_p99_ms=%.1f recovered_ms=%.0f hung_late=%d longest_ms=%.0f",
                faults.values().stream().mapToInt(Integer::intValue).sum(),
                kinds,
                reads,
                errors,
                stale,
                wrong,
                reruns,
                conflicts,
                toPrimary,
                normalMillis,
                recoveredMillis,
                hungLate,
                longestMillis);
    }
}
