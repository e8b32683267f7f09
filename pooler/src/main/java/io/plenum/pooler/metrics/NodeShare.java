package io.plenum.pooler.metrics;

import io.plenum.pooler.metrics.Census.NodeFacts;
import io.plenum.pooler.metrics.History.Sample;
import io.plenum.pooler.metrics.History.Shares;
import io.plenum.wire.AsciiCase;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What part of the work of a database one node did lately, and what part would be fair.
 *
 * <p>Reckoned over the time in which reads were balanced over the same nodes as now, so that a node which joined a second
 * ago is measured by that second.
 *
 * @param share of the transactions of the database, 0 to 1
 * @param fairShare what the standbys' transactions would be for each if weights were kept exactly; a node that reads are
 *     not balanced over, such as the primary beside standbys, has its share
 * @param transactionsPerSecond of this node
 * @param variation standard deviation over mean of the transactions per weight of the nodes that reads are balanced over
 */
public record NodeShare(
        String database,
        String node,
        double share,
        double fairShare,
        double transactionsPerSecond,
        double variation,
        Verdict verdict) {

    /** How evenly the reads of a database are spread. */
    public enum Verdict {
        /** Fewer than {@value NodeShare#FEWEST} transactions: too few to say. */
        IDLE,
        /** The coefficient of variation is no more than chance explains and a tenth. */
        BALANCED,
        SKEWED;

        public String word() {
            return AsciiCase.lower(name());
        }
    }

    private static final int FEWEST = 20;
    private static final double ALLOWED = 0.1;
    private static final double NANOS_PER_SECOND = 1e9;

    /** The shares of all databases over at most {@code windowNanos} before {@code now}. */
    public static List<NodeShare> of(Census now, History history, long windowNanos) {
        List<NodeShare> shares = new ArrayList<>();
        Set<String> databases =
                now.nodes().stream().map(NodeFacts::database).collect(Collectors.toCollection(LinkedHashSet::new));
        for (String database : databases) {
            List<NodeFacts> nodes = now.nodesOf(database);
            Set<String> replicas = nodes.stream()
                    .filter(NodeFacts::takesReads)
                    .map(NodeFacts::node)
                    .collect(Collectors.toSet());
            Sample base = history.shareBase(database, replicas, now.atNanos(), windowNanos);
            Shares before = base == null ? null : base.shares().get(database);
            Map<String, Long> done = new HashMap<>();
            for (NodeFacts node : nodes) {
                long earlier = before == null
                        ? node.transactions()
                        : before.transactions().getOrDefault(node.node(), 0L);
                done.put(node.node(), Math.max(0, node.transactions() - earlier));
            }
            double seconds = base == null ? 0 : (now.atNanos() - base.atNanos()) / NANOS_PER_SECOND;
            addDatabase(shares, nodes, done, seconds);
        }
        return shares;
    }

    private static void addDatabase(
            List<NodeShare> shares, List<NodeFacts> nodes, Map<String, Long> done, double seconds) {
        double total = sum(nodes, done);
        List<NodeFacts> balanced = nodes.stream().filter(NodeFacts::takesReads).toList();
        double reads = sum(balanced, done);
        double weights = balanced.stream().mapToInt(NodeFacts::weight).sum();
        double variation = variation(balanced, done);
        Verdict verdict = verdict(balanced.size(), reads, total, variation);
        for (NodeFacts node : nodes) {
            double own = done.getOrDefault(node.node(), 0L);
            double fair = node.takesReads() ? reads * node.weight() / weights : own;
            shares.add(new NodeShare(
                    node.database(),
                    node.node(),
                    total == 0 ? 0 : own / total,
                    total == 0 ? 0 : fair / total,
                    seconds == 0 ? 0 : own / seconds,
                    variation,
                    verdict));
        }
    }

    private static Verdict verdict(int nodes, double reads, double total, double variation) {
        if (nodes == 0) {
            return total < FEWEST ? Verdict.IDLE : Verdict.BALANCED; // one node has all there is
        }
        if (reads < FEWEST) {
            return Verdict.IDLE;
        }
        return variation <= ALLOWED + Math.sqrt(nodes / reads) ? Verdict.BALANCED : Verdict.SKEWED;
    }

    private static double sum(List<NodeFacts> nodes, Map<String, Long> done) {
        return nodes.stream()
                .mapToLong(node -> done.getOrDefault(node.node(), 0L))
                .sum();
    }

    private static double variation(List<NodeFacts> nodes, Map<String, Long> done) {
        double[] loads = nodes.stream()
                .mapToDouble(node -> done.getOrDefault(node.node(), 0L) / (double) node.weight())
                .toArray();
        double mean = 0;
        for (double load : loads) {
            mean += load / loads.length;
        }
        if (mean == 0) {
            return 0;
        }
        double square = 0;
        for (double load : loads) {
            square += (load - mean) * (load - mean) / loads.length;
        }
        return Math.sqrt(square) / mean;
    }
}
