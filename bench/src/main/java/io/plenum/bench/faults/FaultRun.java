package io.plenum.bench.faults;

import io.plenum.bench.faults.BusyClient.Order;
import io.plenum.bench.process.BenchException;
import io.plenum.bench.rig.Target;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/** Clients that check every reply, and a hand that breaks things while they work. */
public final class FaultRun {
    private static final Duration GRACE = Duration.ofSeconds(90);
    private static final int CANCELS_AT_ONCE = 4;
    /** One server in so many may be kept by a client at a time: a pooler refuses when too many are. */
    private static final int SERVERS_PER_PIN = 4;
    /** One fault in so many is for the connection that hears notifications; it is back, and trusted again, long before the next. */
    private static final int LISTENER_FAULTS = 75;

    private static final Duration LISTENER_BACK = Duration.ofSeconds(30);
    private static final Duration LOOK = Duration.ofMillis(50);
    /** A run that is to judge more replies but has seen none for so long will see none. */
    private static final Duration STANDSTILL = Duration.ofMinutes(2);

    private final Target target;
    private final FaultOptions options;
    private final Tally tally = new Tally();
    private final ListenerAbsences absences = new ListenerAbsences();
    private final List<BusyClient> clients = new ArrayList<>();
    private final AtomicBoolean running = new AtomicBoolean(true);
    private final SplittableRandom random;
    private long judgedBefore = -1;
    private long judgedAtNanos;

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
        String startWorkMem;
        try (var setup = target.connectDirectly()) {
            setup.rows(Exchanges.SETUP);
            setup.rows(SessionExchanges.SETUP);
            startWorkMem = setup.value("SHOW " + SessionExchanges.WORK_MEM);
        }
        var setting = new BusyClient.Setting(
                target,
                options,
                startWorkMem,
                new Semaphore(Math.max(1, options.poolSize() / SERVERS_PER_PIN)),
                absences,
                tally,
                running::get);
        for (int i = 0; i < options.clients(); i++) {
            clients.add(new BusyClient(i, setting, random.split()));
        }
        var threads = Executors.newVirtualThreadPerTaskExecutor();
        try {
            clients.forEach(threads::execute);
            breakThings(progress, threads);
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

    private void breakThings(Consumer<String> progress, Executor threads) throws IOException, InterruptedException {
        long start = System.nanoTime();
        long end = start + options.length().toNanos();
        long nextFault = start + options.faultEvery().toNanos();
        long nextLine = start;
        for (int fault = 0;
                System.nanoTime() < end || wantsMore();
                nextFault += options.faultEvery().toNanos()) {
            long until = System.nanoTime() < end ? Math.min(nextFault, end) : nextFault;
            TimeUnit.NANOSECONDS.sleep(Math.max(0, until - System.nanoTime()));
            if (fault % LISTENER_FAULTS == LISTENER_FAULTS / 2) {
                killListener(threads);
            }
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

    /** Whether more replies are to be judged and more are still coming. */
    private boolean wantsMore() {
        long judged = tally.replies.sum();
        long now = System.nanoTime();
        if (judged != judgedBefore) {
            judgedBefore = judged;
            judgedAtNanos = now;
        }
        return judged < options.replies() && now - judgedAtNanos < STANDSTILL.toNanos();
    }

    private void killServer() throws IOException {
        try (WireClient postgres = target.connectDirectly()) {
            // One that works, if there is one: to kill an idle one is a fault that nobody need notice.
            var killed = postgres.rows("""
                SELECT pg_terminate_backend(pid) FROM (
                    SELECT pid FROM pg_stat_activity
                    WHERE datname = current_database() AND usename = current_user
                        AND backend_type = 'client backend' AND pid <> pg_backend_pid()
                        AND application_name NOT IN ('plenum listener', 'plenum catalog')
                    ORDER BY state = 'idle', random() LIMIT 1) AS victim
                """);
            if (!killed.isEmpty()) {
                tally.count("fault: server killed");
            }
        }
    }

    /** Ends the connection by which the pooler hears for all who listen, and waits elsewhere until there is another. */
    private void killListener(Executor threads) throws IOException {
        try (WireClient postgres = target.connectDirectly()) {
            absences.begin(System.nanoTime());
            var killed = postgres.rows("""
                SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'plenum listener'
                """);
            if (killed.isEmpty()) {
                absences.end(System.nanoTime());
                return;
            }
            tally.count("fault: listener killed");
            threads.execute(
                    () -> awaitListener(Objects.requireNonNull(killed.getFirst().getFirst())));
        }
    }

    private void awaitListener(String killed) {
        long deadline = System.nanoTime() + LISTENER_BACK.toNanos();
        try (WireClient postgres = target.connectDirectly()) {
            while (running.get() && System.nanoTime() < deadline) {
                // It is back when it has run something behind its preparation: all channels, in one text.
                var back = postgres.value("""
                    SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = 'plenum listener' AND pid <> %s
                        AND state = 'idle' AND query NOT LIKE '%%set_config%%'
                    """.formatted(killed));
                if (!back.equals("0")) {
                    absences.end(System.nanoTime());
                    return;
                }
                Thread.sleep(LOOK);
            }
            if (running.get()) {
                tally.missing.increment();
                tally.find("nobody listens %d s after the listener was killed".formatted(LISTENER_BACK.toSeconds()));
            }
        } catch (IOException e) {
            tally.find("PostgreSQL cannot be asked for the listener: " + e);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
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
