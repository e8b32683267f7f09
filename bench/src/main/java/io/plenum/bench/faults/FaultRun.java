package io.plenum.bench.faults;

import io.plenum.bench.faults.BusyClient.Order;
import io.plenum.bench.process.BenchException;
import io.plenum.bench.rig.Target;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/** Clients that check every reply, and a hand that breaks things while they work. */
public final class FaultRun {
    private static final Duration GRACE = Duration.ofSeconds(90);
    private static final int CANCELS_AT_ONCE = 4;

    private final Target target;
    private final FaultOptions options;
    private final Tally tally = new Tally();
    private final List<BusyClient> clients = new ArrayList<>();
    private final AtomicBoolean running = new AtomicBoolean(true);
    private final SplittableRandom random;

    private FaultRun(Target target, FaultOptions options) {
        this.target = target;
        this.options = options;
        this.random = new SplittableRandom(options.seed());
    }

    /** Runs without telling how far it is. */
    public static FaultReport run(Target target, FaultOptions options) {
        return run(target, options, _ -> {});
    }

    /**
     * Runs for the given time and then until all clients have ended; the target's user must be a superuser.
     *
     * @param progress is told how far it is, a line at a time
     */
    public static FaultReport run(Target target, FaultOptions options, Consumer<String> progress) {
        try {
            return new FaultRun(target, options).run(progress);
        } catch (IOException e) {
            throw new BenchException("the target does not answer: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        }
    }

    private FaultReport run(Consumer<String> progress) throws IOException, InterruptedException {
        try (var setup = target.connectDirectly()) {
            setup.rows(Exchanges.SETUP);
        }
        for (int i = 0; i < options.clients(); i++) {
            clients.add(new BusyClient(i, target, options.queryTimeout(), tally, random.split(), running::get));
        }
        var threads = Executors.newVirtualThreadPerTaskExecutor();
        try {
            clients.forEach(threads::execute);
            breakThings(progress);
            running.set(false);
            threads.shutdown();
            if (!threads.awaitTermination(GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
                tally.missing.increment();
                tally.find("some clients still wait for a reply " + GRACE.toSeconds() + " s after the end");
            }
        } finally {
            running.set(false);
            threads.shutdownNow();
        }
        explainLosses();
        new Remains(target, options.poolSize(), tally).check();
        return tally.report();
    }

    private void breakThings(Consumer<String> progress) throws IOException, InterruptedException {
        long start = System.nanoTime();
        long end = start + options.length().toNanos();
        long nextFault = start + options.faultEvery().toNanos();
        long nextLine = start;
        for (int fault = 0;
                System.nanoTime() < end;
                nextFault += options.faultEvery().toNanos()) {
            TimeUnit.NANOSECONDS.sleep(Math.max(0, Math.min(nextFault, end) - System.nanoTime()));
            switch (fault++ % 4) {
                case 0 -> killServer();
                case 1 -> {
                    any().tell(Order.DIE);
                    tally.count("fault: client killed");
                }
                case 2 -> cancelSome();
                default -> {
                    any().tell(Order.TAKE_TOO_LONG);
                    tally.count("fault: query out of time");
                }
            }
            if (System.nanoTime() >= nextLine) {
                nextLine += Duration.ofSeconds(5).toNanos();
                progress.accept("%3d s  %d replies, %d faults, wrong %d missing %d extra %d"
                        .formatted(
                                Duration.ofNanos(System.nanoTime() - start).toSeconds(),
                                tally.replies.sum(),
                                fault,
                                tally.wrong.sum(),
                                tally.missing.sum(),
                                tally.extra.sum()));
            }
        }
    }

    private void killServer() throws IOException {
        try (WireClient postgres = target.connectDirectly()) {
            // One that works, if there is one: to kill an idle one is a fault that nobody need notice.
            var killed = postgres.rows("""
                SELECT pg_terminate_backend(pid) FROM (
                    SELECT pid FROM pg_stat_activity
                    WHERE datname = current_database() AND usename = current_user
                        AND backend_type = 'client backend' AND pid <> pg_backend_pid()
                    ORDER BY state = 'idle', random() LIMIT 1) AS victim
                """);
            if (!killed.isEmpty()) {
                tally.count("fault: server killed");
            }
        }
    }

    private void cancelSome() {
        for (int i = 0; i < CANCELS_AT_ONCE; i++) {
            if (any().cancel()) {
                tally.count("fault: cancel");
            }
        }
    }

    private BusyClient any() {
        return clients.get(random.nextInt(clients.size()));
    }

    /** Each server that died had at most one client; more losses than deaths are losses that nothing explains. */
    private void explainLosses() {
        long surplus = tally.lost.sum() - tally.counted("fault: server killed");
        if (surplus > 0) {
            tally.wrong.add(surplus);
            tally.find("%d clients lost their server although only %d servers were killed"
                    .formatted(tally.lost.sum(), tally.counted("fault: server killed")));
        }
    }
}
