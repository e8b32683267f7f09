package io.plenum.bench.causal;

import io.plenum.bench.process.BenchException;
import io.plenum.bench.rig.ClusterPlenum;
import io.plenum.bench.rig.Counters;
import io.plenum.testbed.PostgresCluster;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * What it costs to keep the promise: speed of the writes, and clean reads that go to the primary. Two Plenums stand before
 * one cluster, one with {@code read_consistency = eventual} and one with {@code session}, and are used in turn, so that
 * whatever else the machine does meets both.
 */
public final class CausalCost implements AutoCloseable {
    private static final int STANDBYS = 2;
    private static final int READS_BEHIND_A_WRITE = 9;
    private static final double MOST_NEEDLESS_PERCENT = 5;
    private static final double MOST_SLOWER_PERCENT = 3;

    /**
     * What was found.
     *
     * @param rounds of each of the two
     * @param cleanReads whose session's last write was read back before, or that never wrote
     * @param needlessPercent of them that the primary answered
     * @param slowerPercent by how much fewer writes there were with the promise, in the middle of all rounds
     */
    public record Report(int rounds, long cleanReads, double needlessPercent, double slowerPercent) {
        /** Whether it is what a promise may cost. */
        public boolean isLow() {
            return needlessPercent <= MOST_NEEDLESS_PERCENT && slowerPercent <= MOST_SLOWER_PERCENT;
        }

        /** The counts for machines. */
        public String counts() {
            return String.format(
                    Locale.ROOT,
                    "cost_rounds=%d clean_reads=%d needless_percent=%.2f slower_percent=%.2f",
                    rounds,
                    cleanReads,
                    needlessPercent,
                    slowerPercent);
        }
    }

    private final PostgresCluster cluster;
    private final int clients;
    private final Duration length;
    private final ClusterPlenum without;
    private final ClusterPlenum with;
    private final AtomicLong cleanReads = new AtomicLong();
    private final AtomicLong needless = new AtomicLong();

    private CausalCost(int clients, Duration length) {
        this.clients = clients;
        this.length = length;
        cluster = PostgresCluster.builder().standbys(STANDBYS).start();
        try {
            Counters.make(cluster, clients + 1);
            cluster.awaitReplay();
            without = plenum("eventual");
            with = plenum("session");
        } catch (RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    private ClusterPlenum plenum(String consistency) {
        return ClusterPlenum.start(cluster, "http_listen_port = 0", "read_consistency = " + consistency);
    }

    /** Runs so many rounds of each; says how each went. */
    static Report measure(int rounds, Duration length, int clients, Consumer<String> progress) {
        if (rounds == 0) {
            return new Report(0, 0, 0, 0);
        }
        try (var cost = new CausalCost(clients, length)) {
            return cost.measure(rounds, progress);
        }
    }

    private Report measure(int rounds, Consumer<String> progress) {
        writesOf(without);
        writesOf(with); // the first round of each is not counted: code and pools are warm behind it
        cleanReads.set(0);
        needless.set(0);
        List<Double> slower = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            boolean turned = round % 2 == 1; // what drifts meets both alike
            long one = writesOf(turned ? with : without);
            long other = writesOf(turned ? without : with);
            double plain = turned ? other : one;
            double promised = turned ? one : other;
            slower.add(100 * (1 - promised / plain));
            progress.accept(String.format(
                    Locale.ROOT, "round %d: %.0f writes without, %.0f with the promise", round + 1, plain, promised));
        }
        slower.sort(null);
        int middle = slower.size() / 2;
        double median = slower.size() % 2 == 1 ? slower.get(middle) : (slower.get(middle - 1) + slower.get(middle)) / 2;
        long reads = cleanReads.get();
        return new Report(rounds, reads, reads == 0 ? 0 : 100.0 * needless.get() / reads, median);
    }

    /** How many writes go through this pooler in a round, beside one session that keeps the nodes being asked. */
    private long writesOf(ClusterPlenum plenum) {
        var over = new AtomicBoolean();
        var writes = new AtomicLong();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                int id = i;
                running.add(threads.submit(() -> {
                    write(plenum, id, over, writes);
                    return null;
                }));
            }
            running.add(threads.submit(() -> {
                writeAndRead(plenum, clients, over);
                return null;
            }));
            Thread.sleep(length);
            over.set(true);
            for (Future<?> client : running) {
                client.get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        } catch (ExecutionException e) {
            throw new BenchException("a client of the program failed: " + e.getCause(), e);
        } finally {
            over.set(true);
        }
        return writes.get();
    }

    private static void write(ClusterPlenum plenum, int id, AtomicBoolean over, AtomicLong writes) throws SQLException {
        try (var connection = plenum.connect();
                var counters = Counters.in(connection)) {
            while (!over.get()) {
                counters.countUp(id);
                writes.incrementAndGet();
            }
        }
    }

    private void writeAndRead(ClusterPlenum plenum, int id, AtomicBoolean over) throws SQLException {
        try (var connection = plenum.connect();
                var counters = Counters.in(connection)) {
            while (!over.get()) {
                counters.countUp(id);
                counters.read(id); // this one has something to wait for
                for (int i = 0; i < READS_BEHIND_A_WRITE && !over.get(); i++) {
                    boolean onPrimary =
                            counters.read(id).node().equals(cluster.primary().name());
                    if (plenum == with) {
                        cleanReads.incrementAndGet();
                        needless.addAndGet(onPrimary ? 1 : 0);
                    }
                }
            }
        }
    }

    @Override
    public void close() {
        try (cluster;
                without) {
            with.close();
        }
    }
}
