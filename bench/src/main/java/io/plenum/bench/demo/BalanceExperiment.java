package io.plenum.bench.demo;

import io.plenum.bench.process.BenchException;
import io.plenum.testbed.PostgresNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Two connections held open against five replicas: first each tied to one Pod, as kube-proxy ties it; then through Plenum; then two more
 * replicas join, and both are looked at again.
 */
final class BalanceExperiment {
    static final int REPLICAS = 5;

    private static final int JOINING = 2;
    /** Short enough to time the arrival of a Pod, long enough to hold some hundred transactions. */
    private static final Duration WINDOW = Duration.ofMillis(200);
    /** A new Pod carries its share when it does this part of the fair one; in a short window chance alone moves it a little. */
    private static final double NEARLY_FAIR = 0.8;

    private static final Duration ARRIVAL_LIMIT = Duration.ofSeconds(30);

    private final DemoCluster cluster;
    private final Board board;
    private final Duration phase;

    /** @param phase how long each part of the experiment is watched */
    BalanceExperiment(DemoCluster cluster, Board board, Duration phase) {
        this.cluster = cluster;
        this.board = board;
        this.phase = phase;
    }

    /**
     * What was seen with all seven Pods.
     *
     * @param variation coefficient of variation of the transactions per Pod, through Plenum
     * @param working Pods that did anything, through Plenum
     * @param fairShareAfter from the answer of the name server that names the new Pods until they carry their share
     * @param variationWithout the same, with connections tied to Pods
     * @param workingWithout the same, with connections tied to Pods
     */
    record Verdict(
            int pods,
            double variation,
            long working,
            Duration fairShareAfter,
            double variationWithout,
            long workingWithout) {

        boolean holds() {
            return working == pods && variation <= 0.05 && fairShareAfter.toMillis() <= 2_000;
        }

        /** The line for machines. */
        String machineLine() {
            return "balance: cv=%.3f pods=%d/%d new_pod_fair_share_s=%.1f without_cv=%.2f without_pods=%d/%d"
                    .formatted(
                            variation,
                            working,
                            pods,
                            fairShareAfter.toMillis() / 1e3,
                            variationWithout,
                            workingWithout,
                            pods);
        }

        String words() {
            return ("Tied to Pods, %d of %d Pods did all the work, and those that joined got nothing. Through Plenum"
                + " %d of %d worked (coefficient of variation %.3f instead of %.2f), and those that joined carried"
                + " their share after %.1f s, over connections that were open long before.")
                    .formatted(
                            workingWithout,
                            pods,
                            working,
                            pods,
                            variation,
                            variationWithout,
                            fairShareAfter.toMillis() / 1e3);
        }
    }

    Verdict run() throws InterruptedException {
        var chosen = new ArrayList<>(cluster.standbys());
        Collections.shuffle(chosen, new Random());
        var tiedTo = chosen.subList(0, 2);
        var plenum = "jdbc:postgresql://127.0.0.1:%d/%s".formatted(cluster.port(), DemoCluster.DATABASE);
        try (var tied = new Application(
                        tiedTo.get(0).jdbcUrl(DemoCluster.DATABASE),
                        tiedTo.get(1).jdbcUrl(DemoCluster.DATABASE));
                var pooled = new Application(plenum, plenum)) {
            board.pods(pods());
            board.title("1. Two connections to five replicas, as kube-proxy places them: once, when they open.");
            watch(tied, phase);

            board.title("2. Two connections through Plenum.");
            watch(pooled, phase);

            board.title("3. Two more replicas join; the two connections through Plenum stay open.");
            var joining = cluster.startHiddenStandbys(JOINING);
            board.pods(pods());
            pooled.run(true);
            cluster.publish();
            var fairShareAfter = awaitFairShare(pooled, joining);
            var with = watch(pooled, phase.multipliedBy(2));

            board.title("4. The two connections tied to Pods, with seven replicas.");
            var without = watch(tied, phase);
            var pods = pods();
            return new Verdict(
                    pods.size(),
                    with.variation(pods),
                    with.working(pods),
                    fairShareAfter,
                    without.variation(pods),
                    without.working(pods));
        }
    }

    private List<String> pods() {
        return cluster.standbys().stream().map(PostgresNode::host).toList();
    }

    /** Lets the application work for a time and shows it; gives what each Pod did in all of it. */
    private Shares watch(Application application, Duration length) throws InterruptedException {
        application.run(true);
        awaitWork(application);
        var start = application.counted();
        long startNanos = System.nanoTime();
        var last = start;
        long lastNanos = startNanos;
        while (System.nanoTime() - startNanos < length.toNanos()) {
            Thread.sleep(board.interval());
            var now = application.counted();
            long nowNanos = System.nanoTime();
            var step = now.since(last);
            board.show(step, step.total() * 1e9 / (nowNanos - lastNanos));
            last = now;
            lastNanos = nowNanos;
        }
        application.run(false);
        return application.counted().since(start);
    }

    private static void awaitWork(Application application) throws InterruptedException {
        long deadline = System.nanoTime() + ARRIVAL_LIMIT.toNanos();
        long before = application.counted().total();
        while (application.counted().total() == before) {
            application.run(true); // tells when it is broken
            if (System.nanoTime() > deadline) {
                throw new BenchException("no transaction came through within " + ARRIVAL_LIMIT.toSeconds() + " s");
            }
            Thread.sleep(5);
        }
    }

    /** The time from now until, within one short window, each new Pod did nearly its share of the transactions. */
    private Duration awaitFairShare(Application application, List<PostgresNode> joining) throws InterruptedException {
        long start = System.nanoTime();
        var last = application.counted();
        while (System.nanoTime() - start < ARRIVAL_LIMIT.toNanos()) {
            Thread.sleep(WINDOW);
            var now = application.counted();
            var window = now.since(last);
            last = now;
            double enough = NEARLY_FAIR / cluster.standbys().size();
            if (joining.stream().allMatch(pod -> window.share(pod.host()) >= enough)) {
                return Duration.ofNanos(System.nanoTime() - start);
            }
        }
        throw new BenchException("the new Pods did not get their share within " + ARRIVAL_LIMIT.toSeconds() + " s");
    }
}
