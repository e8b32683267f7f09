package io.plenum.bench.causal;

import io.plenum.bench.process.BenchException;
import io.plenum.bench.rig.ClusterPlenum;
import io.plenum.bench.rig.Counters;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Each client counts up in a row of its own and reads it back, and reads the row of its neighbour, which only grows. The judge is the client: what
 * its own session wrote it must see, whatever node answers.
 */
public final class CausalRun {
    private static final int STANDBYS = 2;
    private static final int MAX_FINDINGS = 20;
    private static final Duration SETTLING = Duration.ofMillis(50);

    private final CausalOptions options;
    private final PostgresCluster cluster;
    private final ClusterPlenum plenum;
    private final AtomicLong begun = new AtomicLong();
    private final AtomicLong pairs = new AtomicLong();
    private final AtomicLong stale = new AtomicLong();
    private final AtomicLong backward = new AtomicLong();
    private final AtomicLong toPrimary = new AtomicLong();
    private final AtomicLong reconnects = new AtomicLong();
    private final AtomicInteger switchovers = new AtomicInteger();
    private final AtomicBoolean over = new AtomicBoolean();
    private final List<String> findings = Collections.synchronizedList(new ArrayList<>());

    private CausalRun(CausalOptions options, PostgresCluster cluster, ClusterPlenum plenum) {
        this.options = options;
        this.cluster = cluster;
        this.plenum = plenum;
    }

    /**
     * Starts a cluster and Plenum in this JVM and runs the pairs.
     *
     * @param progress is told how far it is, a line at a time
     */
    public static CausalReport run(CausalOptions options, Consumer<String> progress) {
        try (var cluster = PostgresCluster.builder().standbys(STANDBYS).start()) {
            Counters.make(cluster, options.clients());
            cluster.awaitReplay();
            try (var plenum = ClusterPlenum.start(
                    cluster,
                    "http_listen_port = 0",
                    "max_client_conn = 10000",
                    "read_consistency = " + options.consistency(),
                    "causal_wait = " + options.causalWait().toMillis() / 1000.0)) {
                return new CausalRun(options, cluster, plenum).run(progress);
            }
        }
    }

    private CausalReport run(Consumer<String> progress) {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> disturbing = threads.submit(() -> {
                disturb(progress);
                return null;
            });
            List<Future<?>> clients = new ArrayList<>();
            for (int i = 0; i < options.clients(); i++) {
                int id = i;
                clients.add(threads.submit(() -> {
                    beClient(id);
                    return null;
                }));
            }
            for (Future<?> client : clients) {
                client.get();
            }
            over.set(true);
            disturbing.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        } catch (ExecutionException e) {
            throw new BenchException("a client of the program failed: " + e.getCause(), e);
        } finally {
            over.set(true);
        }
        long broken = switch (options.consistency()) {
            case "eventual" -> 0;
            case "monotonic" -> stale.get() + backward.get();
            default -> stale.get();
        };
        return new CausalReport(
                pairs.get(),
                stale.get(),
                backward.get(),
                broken,
                toPrimary.get(),
                switchovers.get(),
                reconnects.get(),
                List.copyOf(findings));
    }

    // --- clients ---------------------------------------------------------------------------------------------------

    private void beClient(int id) throws InterruptedException {
        while (begun.get() < options.pairs()) {
            try (var connection = plenum.connect();
                    var counters = Counters.in(connection)) {
                int neighbour = (id + 1) % options.clients();
                int seen = 0;
                while (begun.getAndIncrement() < options.pairs()) {
                    pair(id, counters);
                    seen = readOther(neighbour, seen, counters);
                }
            } catch (SQLException broken) {
                // A switchover ends what runs: the next session begins with nothing that it must have seen.
                reconnects.incrementAndGet();
                if (!isExpected(broken)) {
                    find("client %d: %s %s".formatted(id, broken.getSQLState(), broken.getMessage()));
                }
                Thread.sleep(SETTLING);
            }
        }
    }

    private static boolean isExpected(SQLException broken) {
        String state = String.valueOf(broken.getSQLState());
        return state.startsWith("57P") || state.startsWith("08") || state.equals("25006");
    }

    private void pair(int id, Counters counters) throws SQLException {
        int written = counters.countUp(id);
        Counters.Seen seen = counters.read(id);
        pairs.incrementAndGet();
        if (seen.value() < written) {
            stale.incrementAndGet();
            find("client %d wrote %d and read %d on %s".formatted(id, written, seen.value(), seen.node()));
        }
        if (seen.node().equals(cluster.primary().name())) {
            toPrimary.incrementAndGet();
        }
    }

    private int readOther(int id, int seen, Counters counters) throws SQLException {
        int now = counters.read(id).value();
        if (now < seen) {
            backward.incrementAndGet();
        }
        return Math.max(now, seen);
    }

    private void find(String what) {
        if (findings.size() < MAX_FINDINGS) {
            findings.add(what);
        }
    }

    // --- disturbances ----------------------------------------------------------------------------------------------

    private void disturb(Consumer<String> progress) throws InterruptedException {
        var random = new SplittableRandom(options.seed());
        Set<PostgresNode> paused = new HashSet<>();
        long last = System.nanoTime();
        while (!over.get()) {
            Thread.sleep(Math.min(100, options.disturbEvery().toMillis()));
            long done = pairs.get();
            if (switchovers.get() < options.switchovers()
                    && done > options.pairs() * (switchovers.get() + 1) / (options.switchovers() + 1)) {
                calm(paused);
                cluster.switchOver(cluster.standbys().getFirst());
                switchovers.incrementAndGet();
            }
            if (System.nanoTime() - last < options.disturbEvery().toNanos()) {
                continue;
            }
            last = System.nanoTime();
            if (!options.longestDelay().isZero()) {
                disturbOne(random, paused);
            }
            progress.accept("%d pairs, %d stale, %d backward, %d to the primary"
                    .formatted(done, stale.get(), backward.get(), toPrimary.get()));
        }
        calm(paused);
    }

    private void disturbOne(SplittableRandom random, Set<PostgresNode> paused) {
        PostgresNode standby =
                cluster.standbys().get(random.nextInt(cluster.standbys().size()));
        if (paused.remove(standby)) {
            standby.resumeReplay();
        }
        switch (random.nextInt(4)) {
            case 0 -> standby.delayReplay(Duration.ZERO);
            case 1 -> {
                standby.delayReplay(Duration.ZERO); // a replay that waits for its time does not pause
                standby.pauseReplay();
                paused.add(standby);
            }
            default ->
                standby.delayReplay(Duration.ofMillis(
                        random.nextLong(1, options.longestDelay().toMillis() + 1)));
        }
    }

    private void calm(Set<PostgresNode> paused) {
        paused.forEach(PostgresNode::resumeReplay);
        paused.clear();
        for (PostgresNode standby : cluster.standbys()) {
            standby.delayReplay(Duration.ZERO);
        }
    }
}
