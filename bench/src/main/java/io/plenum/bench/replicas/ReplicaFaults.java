package io.plenum.bench.replicas;

import io.plenum.bench.process.BenchException;
import io.plenum.bench.process.PoolerProcess;
import io.plenum.bench.rig.ClusterPlenum;
import io.plenum.bench.rig.Counters;
import io.plenum.testbed.FaultProxy;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** A primary, standbys that are each reached through a network that can be broken, Plenum before them, and clients. */
public final class ReplicaFaults implements AutoCloseable {
    private static final int WRITERS = 2;
    private static final Duration BACK_AGAIN = Duration.ofSeconds(60);
    private static final long QUIET_MILLIS = 1_000;
    private static final long MIN_READS_WHEN_BACK = 5;
    private static final int LOCKS = 6;

    private final PostgresCluster cluster;
    private final Map<PostgresNode, FaultProxy> networks = new LinkedHashMap<>();
    private final ClusterPlenum plenum;
    private final int httpPort = PoolerProcess.freePort();
    private final SplittableRandom random;
    private final Map<ReplicaFault, Integer> faults = new EnumMap<>(ReplicaFault.class);
    private final List<ReadTimes.Read> quiet = new ArrayList<>();
    private final List<ReadTimes.Silence> silences = new ArrayList<>();
    private long conflicts;

    private ReplicaFaults(int standbys, long seed) {
        random = new SplittableRandom(seed);
        cluster = PostgresCluster.builder()
                .standbys(standbys)
                .setting("max_standby_streaming_delay", "10ms")
                .start();
        try {
            makeTables();
            for (PostgresNode standby : cluster.standbys()) {
                // The network of a standby has an address of its own, and the port that all of them have.
                String host = standby.host().replace("127.0.0.", "127.0.1.");
                networks.put(standby, FaultProxy.start(host, standby.port(), standby.host(), standby.port()));
            }
            String hosts = cluster.primary().host() + ","
                    + networks.values().stream().map(FaultProxy::host).collect(Collectors.joining(","));
            plenum = ClusterPlenum.start(
                    hosts,
                    cluster.primary().port(),
                    "http_listen_addr = 127.0.0.1",
                    "http_listen_port = " + httpPort,
                    "default_pool_size = 20");
        } catch (IOException | RuntimeException e) {
            closeNetworks();
            cluster.close();
            throw new BenchException("cannot start what is to be broken", e);
        }
    }

    private void makeTables() {
        Counters.make(cluster, WRITERS);
        try (var connection = cluster.primary().connect(ClusterPlenum.DATABASE, PostgresCluster.SUPERUSER, "");
                var statement = connection.createStatement()) {
            statement.execute("CREATE TABLE accounts (id int PRIMARY KEY, balance int)");
            statement.execute(
                    "INSERT INTO accounts SELECT i, 3 * i FROM generate_series(1, %d) i".formatted(Clients.ACCOUNTS));
        } catch (SQLException e) {
            throw new BenchException("cannot make the tables", e);
        }
        cluster.awaitReplay();
    }

    /**
     * Breaks standbys so many times, each kind of fault in turn, each time one that is chosen by chance.
     *
     * @param progress is told of every fault, a line at a time
     */
    public static ReplicasReport run(
            int faults, ReplicaFault[] kinds, int standbys, int clients, long seed, Consumer<String> progress) {
        try (var run = new ReplicaFaults(standbys, seed)) {
            return run.play(faults, kinds, clients, progress);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        } catch (IOException e) {
            throw new BenchException("cannot break the network, or mend it", e);
        }
    }

    private ReplicasReport play(int count, ReplicaFault[] kinds, int readers, Consumer<String> progress)
            throws InterruptedException, IOException {
        var clients = new Clients(plenum, cluster.primary().name(), readers, WRITERS, progress);
        try (clients) {
            for (int i = 0; i < count; i++) {
                awaitAll(clients);
                noteHung(clients);
                TimeUnit.MILLISECONDS.sleep(QUIET_MILLIS);
                quiet.addAll(clients.times().take());

                ReplicaFault fault = kinds[i % kinds.length];
                PostgresNode standby =
                        cluster.standbys().get(random.nextInt(cluster.standbys().size()));
                befall(fault, standby, clients);
                faults.merge(fault, 1, Integer::sum);
                progress.accept("%d: %s of %s; %d reads, %d errors, %d stale, %d wrong"
                        .formatted(
                                i + 1,
                                fault,
                                standby.name(),
                                clients.reads(),
                                clients.errors(),
                                clients.stale(),
                                clients.wrong()));
            }
            awaitAll(clients);
            noteHung(clients);
        }
        long normal = ReadTimes.percentile99(quiet);
        for (ReadTimes.Silence silence : silences) {
            progress.accept(silence.told(2 * normal));
        }
        return new ReplicasReport(
                faults,
                clients.reads(),
                clients.errors(),
                clients.stale(),
                clients.wrong(),
                reruns(),
                conflicts,
                clients.toPrimary(),
                normal / 1e6,
                ReadTimes.recoveredAfterNanos(silences, 2 * normal) / 1e6,
                silences.stream()
                        .mapToLong(silence -> silence.hungLater(ReplicasReport.RECOVERY_NANOS))
                        .sum(),
                silences.stream()
                                .mapToLong(ReadTimes.Silence::longestNanos)
                                .max()
                                .orElse(0)
                        / 1e6,
                clients.findings());
    }

    /** Every standby takes reads: a fault of one that is not asked anything would be none. */
    private void awaitAll(Clients clients) throws InterruptedException {
        long deadline = System.nanoTime() + BACK_AGAIN.toNanos();
        for (PostgresNode standby : cluster.standbys()) {
            long goal = clients.readsOn(standby.name()) + MIN_READS_WHEN_BACK;
            while (clients.readsOn(standby.name()) < goal) {
                if (System.nanoTime() - deadline > 0) {
                    throw new BenchException(standby + " takes no reads again");
                }
                TimeUnit.MILLISECONDS.sleep(5);
            }
        }
    }

    private void befall(ReplicaFault fault, PostgresNode standby, Clients clients)
            throws InterruptedException, IOException {
        FaultProxy network = networks.get(standby);
        if (network == null) {
            throw new IllegalStateException(standby + " has no network");
        }
        long length = fault.length().toMillis();
        long began = System.nanoTime();
        switch (fault) {
            case KILL -> {
                network.refuse(true);
                standby.kill9();
                TimeUnit.MILLISECONDS.sleep(length);
                standby.start();
                network.refuse(false);
            }
            case FREEZE -> {
                standby.freeze();
                TimeUnit.MILLISECONDS.sleep(length);
                noteSilence(began, clients);
                standby.thaw();
            }
            case BLACKHOLE -> {
                network.blackhole();
                TimeUnit.MILLISECONDS.sleep(length);
                noteSilence(began, clients);
                network.heal();
            }
            case REPLAY_PAUSE -> {
                standby.pauseReplay();
                TimeUnit.MILLISECONDS.sleep(length);
                standby.resumeReplay();
            }
            case CONFLICT -> {
                long before = conflictsCounted();
                for (int i = 0; i < LOCKS; i++) {
                    lockAccounts();
                    TimeUnit.MILLISECONDS.sleep(length / LOCKS);
                }
                conflicts += conflictsCounted() - before;
            }
        }
    }

    private void noteSilence(long beganNanos, Clients clients) {
        silences.add(new ReadTimes.Silence(
                beganNanos, System.nanoTime(), new ArrayList<>(clients.times().take())));
    }

    /** What began in the last silence and hung to its end or longer; the rest of what was read since counts for nothing. */
    private void noteHung(Clients clients) {
        List<ReadTimes.Read> since = clients.times().take();
        if (!silences.isEmpty()) {
            ReadTimes.Silence last = silences.getLast();
            for (ReadTimes.Read read : since) {
                if (read.tookNanos() > ReadTimes.HANG_NANOS
                        && read.endedNanos() - read.tookNanos() - last.overNanos() < 0) {
                    last.reads().add(read);
                }
            }
        }
    }

    private void lockAccounts() {
        try (var connection = cluster.primary().connect(ClusterPlenum.DATABASE, PostgresCluster.SUPERUSER, "");
                var statement = connection.createStatement()) {
            statement.execute("BEGIN; LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE; COMMIT");
        } catch (SQLException e) {
            throw new BenchException("cannot lock the table", e);
        }
    }

    private long conflictsCounted() {
        return cluster.standbys().stream()
                .mapToLong(standby -> Long.parseLong(String.valueOf(
                        standby.query("SELECT sum(confl_lock + confl_snapshot) FROM pg_stat_database_conflicts"))))
                .sum();
    }

    private long reruns() throws IOException, InterruptedException {
        try (var http = HttpClient.newHttpClient()) {
            var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/metrics".formatted(httpPort)))
                    .build();
            return http.send(request, HttpResponse.BodyHandlers.ofLines())
                    .body()
                    .filter(line -> line.startsWith("plenum_reruns_total"))
                    .mapToLong(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                    .sum();
        }
    }

    private void closeNetworks() {
        for (FaultProxy network : networks.values()) {
            try {
                network.close();
            } catch (IOException _) {
                // it is gone, which is all that is asked of it
            }
        }
    }

    @Override
    public void close() {
        try (cluster) {
            plenum.close();
            closeNetworks();
        }
    }
}
