package io.plenum.pooler.metrics;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What was counted up to now, at regular moments of the last {@code stats_period}: averages and shares are differences
 * between two of them.
 *
 * <p>One thread adds; any thread reads. Holds at most {@value #MOST_SAMPLES} samples, however long the period.
 */
public final class History {
    /** The finest step between samples: what a page shows as "now" is this fresh. */
    public static final long STEP_NANOS = 1_000_000_000L;

    private static final int MOST_SAMPLES = 61;

    /** Transactions of each node of a database, and which of them reads were balanced over. */
    record Shares(Set<String> replicas, Map<String, Long> transactions) {}

    /** The counters at one moment. */
    record Sample(long atNanos, Map<String, Totals> totals, Map<String, Shares> shares) {
        static Sample of(Census census) {
            Map<String, Set<String>> replicas = new HashMap<>();
            Map<String, Map<String, Long>> transactions = new HashMap<>();
            for (Census.NodeFacts node : census.nodes()) {
                Set<String> fit = replicas.computeIfAbsent(node.database(), name -> new HashSet<>());
                if (node.takesReads()) {
                    fit.add(node.node());
                }
                transactions
                        .computeIfAbsent(node.database(), name -> new HashMap<>())
                        .put(node.node(), node.transactions());
            }
            Map<String, Shares> shares = new HashMap<>();
            transactions.forEach((database, counted) ->
                    shares.put(database, new Shares(replicas.getOrDefault(database, Set.of()), Map.copyOf(counted))));
            return new Sample(census.atNanos(), Map.copyOf(census.totalsByDatabase()), Map.copyOf(shares));
        }
    }

    /** The last whole stats_period. */
    private record Period(Sample begin, Sample end) {}

    private volatile List<Sample> samples = List.of();
    private volatile @Nullable Period lastPeriod;
    private @Nullable Sample periodBegin;

    /**
     * Adds the counters of now. One thread; {@code periodNanos} is stats_period.
     *
     * @return whether that ends a period, so that the averages are new
     */
    public boolean add(Census census, long periodNanos) {
        Sample now = Sample.of(census);
        Sample begin = periodBegin;
        boolean ends = begin != null && now.atNanos() - begin.atNanos() >= periodNanos;
        if (begin == null) {
            periodBegin = now;
        } else if (ends) {
            lastPeriod = new Period(begin, now);
            periodBegin = now;
        }
        List<Sample> kept = new ArrayList<>(samples);
        boolean tooFine = kept.size() > 1
                && now.atNanos() - kept.get(kept.size() - 2).atNanos() < periodNanos / (MOST_SAMPLES - 1);
        if (tooFine) {
            kept.removeLast(); // so that the newest is fresh and the others stand far enough apart
        }
        kept.add(now);
        while (kept.size() > 2 && now.atNanos() - kept.get(1).atNanos() >= periodNanos) {
            kept.removeFirst();
        }
        samples = List.copyOf(kept);
        return ends;
    }

    /** PgBouncer's averages of a database over the last whole stats_period; 0 before there was one. */
    public Totals averages(String database) {
        Period period = lastPeriod;
        if (period == null) {
            return Totals.ZERO;
        }
        return period.end()
                .totals()
                .getOrDefault(database, Totals.ZERO)
                .since(period.begin().totals().getOrDefault(database, Totals.ZERO))
                .averages(period.end().atNanos() - period.begin().atNanos());
    }

    /** PgBouncer's averages of all databases together. */
    public Totals averages() {
        Period period = lastPeriod;
        if (period == null) {
            return Totals.ZERO;
        }
        return sum(period.end())
                .since(sum(period.begin()))
                .averages(period.end().atNanos() - period.begin().atNanos());
    }

    private static Totals sum(Sample sample) {
        return sample.totals().values().stream().reduce(Totals.ZERO, Totals::plus);
    }

    /**
     * The oldest sample that shares may be reckoned from: no older than {@code windowNanos}, and none of a time when reads
     * were balanced over other nodes than now; null when there is none.
     */
    @Nullable
    Sample shareBase(String database, Set<String> replicas, long nowNanos, long windowNanos) {
        Sample base = null;
        List<Sample> known = samples;
        for (int i = known.size() - 1; i >= 0; i--) {
            Sample sample = known.get(i);
            Shares shares = sample.shares().get(database);
            boolean alike = shares != null && shares.replicas().equals(replicas);
            if (!alike || (base != null && nowNanos - sample.atNanos() > windowNanos)) {
                break;
            }
            base = sample;
        }
        return base;
    }
}
