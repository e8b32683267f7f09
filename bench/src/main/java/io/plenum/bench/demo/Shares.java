package io.plenum.bench.demo;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How many transactions each Pod did in a span of time.
 *
 * @param counts by the address of the Pod; one that is missing did none
 */
record Shares(Map<String, Long> counts) {
    /** The counts since an earlier reading of the same counters. */
    Shares since(Shares earlier) {
        Map<String, Long> difference = new HashMap<>();
        counts.forEach((pod, count) -> difference.put(pod, count - earlier.of(pod)));
        return new Shares(difference);
    }

    long of(String pod) {
        return counts.getOrDefault(pod, 0L);
    }

    long total() {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    /** The Pod's part of all transactions, 0 to 1. */
    double share(String pod) {
        long total = total();
        return total == 0 ? 0 : (double) of(pod) / total;
    }

    /** How many of these Pods did anything. */
    long working(List<String> pods) {
        return pods.stream().filter(pod -> of(pod) > 0).count();
    }

    /** Standard deviation over mean of the counts of these Pods: 0 when all did the same. NaN when none did anything. */
    double variation(List<String> pods) {
        var values = pods.stream().mapToDouble(this::of).toArray();
        double mean = Arrays.stream(values).average().orElse(Double.NaN);
        double variance = Arrays.stream(values)
                .map(value -> (value - mean) * (value - mean))
                .average()
                .orElse(Double.NaN);
        return Math.sqrt(variance) / mean;
    }
}
