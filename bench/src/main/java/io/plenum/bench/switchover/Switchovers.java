package io.plenum.bench.switchover;

import io.plenum.bench.process.BenchException;
import io.plenum.bench.rig.ClusterPlenum;
import io.plenum.bench.switchover.Ledger.Outcome;
import io.plenum.bench.switchover.Ledger.Write;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import io.plenum.testbed.StopMode;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** A cluster with synchronous replication, Plenum before it, writers and readers before that; then the primary goes. */
public final class Switchovers implements AutoCloseable {
    private static final String DATABASE = ClusterPlenum.DATABASE;
    private static final int READERS = 4;
    private static final int HUNG_SECONDS = 30;

    /** Without a write for so long behind a promotion, it is asked what everybody waits for. */
    private static final int STANDSTILL_SECONDS = 4;

    /** Writes this much around a change are those that met it. */
    private static final long AROUND_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final PostgresCluster cluster;
    private final ClusterPlenum plenum;
    private final int clients;
    private final double writesPerSecond;
    private final Consumer<String> say;
    private final Ledger ledger = new Ledger();
    private final AtomicLong numbers = new AtomicLong();
    private final AtomicInteger hung = new AtomicInteger();
    private final List<String> findings = new ArrayList<>(); // guarded by itself
    private final AtomicInteger readErrors = new AtomicInteger();
    private final AtomicBoolean over = new AtomicBoolean();

    private Switchovers(int standbys, int clients, double writesPerSecond, Consumer<String> say) {
        this.clients = clients;
        this.writesPerSecond = writesPerSecond;
        this.say = say;
        cluster = PostgresCluster.builder().standbys(standbys).start();
        try (var connection = cluster.primary().connect(DATABASE, PostgresCluster.SUPERUSER, "");
                var statement = connection.createStatement()) {
            statement.execute("CREATE TABLE ledger (number bigint NOT NULL)"); // no key: what is doubled must show
        } catch (SQLException e) {
            cluster.close();
            throw new BenchException("cannot make the table", e);
        }
        cluster.awaitReplay();
        // On all of them, for each may be the primary; not sooner, for making a cluster would wait for its standbys.
        cluster.nodes().forEach(node -> node.set("synchronous_standby_names", "ANY 1 (*)"));
        plenum = ClusterPlenum.start(
                cluster, "http_listen_port = 0", "admin_users = postgres", "default_pool_size = 20");
    }

    /** Runs so many rounds with one way of going. */
    public static SwitchoverReport run(
            Mode mode, int rounds, int standbys, int clients, double writesPerSecond, Consumer<String> say) {
        try (var switchovers = new Switchovers(standbys, clients, writesPerSecond, say)) {
            return switchovers.play(mode, rounds);
        }
    }

    private SwitchoverReport play(Mode mode, int rounds) {
        var running = new CountDownLatch(clients + READERS);
        List<Long> stalls = new ArrayList<>();
        long longestFirst = 0;
        for (int i = 0; i < clients; i++) {
            Thread.ofVirtual().start(() -> untilOver(running, this::writeAtItsTime));
        }
        for (int i = 0; i < READERS; i++) {
            Thread.ofVirtual().start(() -> untilOver(running, this::read));
        }
        try {
            for (int round = 1; round <= rounds; round++) {
                TimeUnit.MILLISECONDS.sleep(1_000);
                Change change = mode == Mode.PLANNED ? planned() : killed();
                long first = awaitSuccessAfter(change.promotedNanos());
                longestFirst = Math.max(longestFirst, first);
                TimeUnit.MILLISECONDS.sleep(500);
                stalls.addAll(stalls(change));
                say.accept("round %d: %s is the primary; without one for %d ms, first write %d ms later; %s"
                        .formatted(
                                round,
                                cluster.primary().name(),
                                (change.promotedNanos() - change.goneNanos()) / 1_000_000,
                                first / 1_000_000,
                                counts()));
                comeBack(mode, change.old());
            }
            over.set(true);
            if (!running.await(2L * HUNG_SECONDS, TimeUnit.SECONDS)) {
                hung.addAndGet((int) running.getCount());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        }
        return report(mode, rounds, stalls, longestFirst);
    }

    private String counts() {
        return "%d acknowledged, %d refused, %d unknown"
                .formatted(
                        ledger.count(Outcome.ACKNOWLEDGED),
                        ledger.count(Outcome.REFUSED),
                        ledger.count(Outcome.UNKNOWN));
    }

    // --- the changes -----------------------------------------------------------------------------------------------

    private record Change(PostgresNode old, long goneNanos, long promotedNanos) {}

    private Change planned() {
        PostgresNode old = cluster.primary();
        console("PAUSE %s FOR 60".formatted(DATABASE));
        long gone = System.nanoTime();
        old.stop(StopMode.FAST);
        cluster.promote(cluster.heir());
        long promoted = System.nanoTime();
        console("RESUME " + DATABASE);
        return new Change(old, gone, promoted);
    }

    private Change killed() {
        PostgresNode old = cluster.primary();
        long gone = System.nanoTime();
        old.kill9();
        cluster.promote(cluster.heir()); // one of the standbys is synchronous: what was acknowledged is on this one
        return new Change(old, gone, System.nanoTime());
    }

    private void comeBack(Mode mode, PostgresNode old) {
        if (mode == Mode.PLANNED) {
            old.follow(cluster.primary());
            old.start();
        } else {
            cluster.rejoinAsStandby(old);
        }
        cluster.awaitReplay();
    }

    private void console(String command) {
        try (var connection = connect("pgbouncer");
                var statement = connection.createStatement()) {
            statement.execute(command);
        } catch (SQLException e) {
            throw new BenchException(command + " failed: " + e.getMessage(), e);
        }
    }

    private long awaitSuccessAfter(long nanos) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(HUNG_SECONDS);
        boolean witnessed = false;
        while (true) {
            long first = ledger.firstSuccessAfter(nanos);
            if (first >= 0 || System.nanoTime() - deadline > 0) {
                return first < 0 ? TimeUnit.SECONDS.toNanos(HUNG_SECONDS) : first;
            }
            if (!witnessed && System.nanoTime() - nanos > TimeUnit.SECONDS.toNanos(STANDSTILL_SECONDS)) {
                witnessed = true;
                witness();
            }
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    private void witness() {
        say.accept("no write came through for %d s:".formatted(STANDSTILL_SECONDS));
        try (Connection console = connect("pgbouncer")) {
            Standstill.witness(cluster, console).forEach(say);
        } catch (SQLException e) {
            say.accept("the console cannot be reached: " + e.getMessage());
        }
    }

    /** What writes waited beyond the time without a primary; of those that met it. */
    private List<Long> stalls(Change change) {
        long gap = change.promotedNanos() - change.goneNanos();
        return ledger.writes().stream()
                .filter(write -> write.endedNanos() - change.goneNanos() > 0
                        && write.beganNanos() - (change.promotedNanos() + AROUND_NANOS) < 0)
                .map(write -> Math.max(0, write.nanos() - gap))
                .toList();
    }

    // --- the clients -----------------------------------------------------------------------------------------------

    private interface Step {
        void go(Connection connection, long nthNanos) throws SQLException, InterruptedException;
    }

    /** One client: a new connection after each error. */
    private void untilOver(CountDownLatch running, Step step) {
        long begin = System.nanoTime();
        long interval = (long) (1e9 * clients / writesPerSecond);
        long nth = 0;
        try {
            while (!over.get()) {
                try (Connection connection = connect(DATABASE)) {
                    while (!over.get()) {
                        step.go(connection, begin + interval * nth++);
                    }
                } catch (SQLException failed) {
                    TimeUnit.MILLISECONDS.sleep(5); // it is in the ledger, or was a login
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            running.countDown();
        }
    }

    private void writeAtItsTime(Connection connection, long dueNanos) throws SQLException, InterruptedException {
        long early = dueNanos - System.nanoTime();
        if (early > 0) {
            TimeUnit.NANOSECONDS.sleep(early);
        }
        long number = numbers.incrementAndGet();
        long began = System.nanoTime();
        try (var insert = connection.prepareStatement("INSERT INTO ledger VALUES (?)")) {
            insert.setLong(1, number);
            insert.executeUpdate();
            ledger.add(new Write(number, Outcome.ACKNOWLEDGED, began, System.nanoTime(), ""));
        } catch (SQLException e) {
            long ended = System.nanoTime();
            boolean nothingSent = "57P03".equals(e.getSQLState());
            ledger.add(new Write(
                    number,
                    nothingSent ? Outcome.REFUSED : Outcome.UNKNOWN,
                    began,
                    ended,
                    e.getSQLState() + " " + e.getMessage()));
            if (ended - began >= TimeUnit.SECONDS.toNanos(HUNG_SECONDS)) {
                hung.incrementAndGet();
            }
            find("write %d: %s %s".formatted(number, e.getSQLState(), e.getMessage()));
            throw e;
        }
    }

    private void read(Connection connection, long dueNanos) throws SQLException, InterruptedException {
        TimeUnit.MILLISECONDS.sleep(5);
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT number FROM ledger LIMIT 1")) {
            rows.next();
        } catch (SQLException e) {
            readErrors.incrementAndGet();
            find("read: %s %s".formatted(e.getSQLState(), e.getMessage()));
            throw e;
        }
    }

    private void find(String finding) {
        synchronized (findings) {
            if (findings.size() < 20) {
                findings.add(finding);
            }
        }
    }

    private Connection connect(String database) throws SQLException {
        return plenum.connect(
                database, Map.of("socketTimeout", Integer.toString(HUNG_SECONDS), "connectTimeout", "10"));
    }

    // --- the end ---------------------------------------------------------------------------------------------------

    private SwitchoverReport report(Mode mode, int rounds, List<Long> stalls, long longestFirst) {
        Ledger.Balance balance = ledger.balance(table());
        List<String> all = new ArrayList<>(balance.findings());
        synchronized (findings) {
            all.addAll(findings);
        }
        return new SwitchoverReport(
                mode,
                rounds,
                ledger.count(Outcome.ACKNOWLEDGED),
                ledger.count(Outcome.REFUSED),
                ledger.count(Outcome.UNKNOWN),
                balance.lost(),
                balance.doubled(),
                balance.dishonest(),
                hung.get(),
                readErrors.get(),
                percentile99(stalls) / 1e6,
                longestFirst / 1e6,
                all.stream().limit(20).toList());
    }

    private static double percentile99(List<Long> values) {
        List<Long> sorted = values.stream().sorted().toList();
        return sorted.isEmpty() ? 0 : sorted.get((int) Math.ceil(sorted.size() * 0.99) - 1);
    }

    private Map<Long, Integer> table() {
        Map<Long, Integer> table = new HashMap<>();
        try (var connection = cluster.primary().connect(DATABASE, PostgresCluster.SUPERUSER, "");
                var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT number, count(*) FROM ledger GROUP BY number")) {
            while (rows.next()) {
                table.put(rows.getLong(1), rows.getInt(2));
            }
        } catch (SQLException e) {
            throw new BenchException("cannot read the table", e);
        }
        return table;
    }

    @Override
    public void close() {
        try (cluster) {
            over.set(true);
            plenum.close();
        }
    }
}
