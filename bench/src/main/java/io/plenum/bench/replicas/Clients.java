package io.plenum.bench.replicas;

import io.plenum.bench.rig.ClusterPlenum;
import io.plenum.bench.rig.Counters;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * Those who read, and who write and read back. Every answer is compared with what it must be, and every error is one that
 * a client has seen: none of them reads so much that a part of an answer could be on its way before a standby fails.
 */
final class Clients implements AutoCloseable {
    static final int ACCOUNTS = 1_000;
    private static final int MOST_FINDINGS = 20;
    private static final int HUNG_SECONDS = 30;
    private static final int THINK_MILLIS = 4;

    private static final String SHORT =
            "SELECT balance, node FROM accounts, whoami WHERE id = ?"; // the balance is three times the id
    private static final String LONG = "SELECT count(*), max(node) FROM accounts a, whoami, generate_series(1, ?)";
    private final ClusterPlenum plenum;
    private final String primary;
    private final Consumer<String> say;
    private final ReadTimes times = new ReadTimes();
    private final Map<String, LongAdder> byNode = new ConcurrentHashMap<>();
    private final AtomicLong errors = new AtomicLong();
    private final AtomicLong stale = new AtomicLong();
    private final AtomicLong wrong = new AtomicLong();
    private final List<String> findings = new ArrayList<>(); // guarded by itself
    private final AtomicBoolean over = new AtomicBoolean();
    private final CountDownLatch running;

    /** {@code primary} is the name of the node that is to have few of the reads; {@code say} is told what is wrong. */
    Clients(ClusterPlenum plenum, String primary, int readers, int writers, Consumer<String> say) {
        this.plenum = plenum;
        this.primary = primary;
        this.say = say;
        running = new CountDownLatch(readers + writers);
        Kind[] kinds = Kind.values();
        for (int i = 0; i < readers; i++) {
            Kind kind = kinds[i % kinds.length];
            start("reader " + i + " (" + kind + ")", kind.properties, kind.session(this));
        }
        for (int i = 0; i < writers; i++) {
            int id = i;
            start("writer " + i, Map.of(), connection -> writeAndReadBack(connection, id));
        }
    }

    /** How a client reads: drivers differ in what they send. */
    @SuppressWarnings("ImmutableEnumChecker") // made by Map.of
    private enum Kind {
        SIMPLE(Map.of("preferQueryMode", "simple")),
        UNNAMED(Map.of("prepareThreshold", "0")),
        /** A name is given once and used ever after. */
        PREPARED(Map.of("prepareThreshold", "1")),
        /** A name is given with every read. */
        NAMING(Map.of("prepareThreshold", "1", "preparedStatementCacheQueries", "0")),
        /** Reads that take a while: these are what replay meets. */
        LONG(Map.of());

        private final Map<String, String> properties;

        Kind(Map<String, String> properties) {
            this.properties = properties;
        }

        Session session(Clients clients) {
            return this == LONG ? clients::readLong : connection -> clients.readShort(connection, this == NAMING);
        }
    }

    private interface Session {
        /** Reads until it is over, or something fails. */
        void go(Connection connection) throws SQLException, InterruptedException;
    }

    private void start(String name, Map<String, String> properties, Session session) {
        Thread.ofVirtual().name(name).start(() -> {
            try {
                while (!over.get()) {
                    try (Connection connection = connect(properties)) {
                        session.go(connection);
                    } catch (SQLException e) {
                        errors.incrementAndGet();
                        find("%s: %s %s".formatted(name, e.getSQLState(), e.getMessage()));
                        TimeUnit.MILLISECONDS.sleep(THINK_MILLIS);
                    }
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                running.countDown();
            }
        });
    }

    private Connection connect(Map<String, String> more) throws SQLException {
        Map<String, String> properties = new HashMap<>(more);
        properties.put("socketTimeout", Integer.toString(HUNG_SECONDS));
        return plenum.connect(ClusterPlenum.DATABASE, properties);
    }

    private void readShort(Connection connection, boolean preparesAnew) throws SQLException, InterruptedException {
        var read = connection.prepareStatement(SHORT);
        try {
            while (!over.get()) {
                if (preparesAnew) {
                    read.close();
                    read = connection.prepareStatement(SHORT);
                }
                int id = 1 + ThreadLocalRandom.current().nextInt(ACCOUNTS);
                read.setInt(1, id);
                long began = System.nanoTime();
                try (var rows = read.executeQuery()) {
                    boolean found = rows.next();
                    times.add(began, System.nanoTime());
                    if (!found || rows.getInt(1) != 3 * id) {
                        wrong.incrementAndGet();
                        find("account %d has %s".formatted(id, found ? rows.getString(1) : "no row"));
                    } else {
                        count(rows.getString(2));
                    }
                }
                TimeUnit.MILLISECONDS.sleep(THINK_MILLIS);
            }
        } finally {
            read.close();
        }
    }

    private void readLong(Connection connection) throws SQLException, InterruptedException {
        try (var read = connection.prepareStatement(LONG)) {
            while (!over.get()) {
                int times = 50 + ThreadLocalRandom.current().nextInt(100);
                read.setInt(1, times);
                try (var rows = read.executeQuery()) {
                    rows.next();
                    if (rows.getLong(1) != (long) times * ACCOUNTS) {
                        wrong.incrementAndGet();
                        find("%d times all accounts are %d".formatted(times, rows.getLong(1)));
                    }
                    count(rows.getString(2));
                }
                TimeUnit.MILLISECONDS.sleep(THINK_MILLIS);
            }
        }
    }

    private void writeAndReadBack(Connection connection, int id) throws SQLException, InterruptedException {
        try (var counters = Counters.in(connection)) {
            while (!over.get()) {
                int written = counters.countUp(id);
                Counters.Seen seen = counters.read(id);
                if (seen.value() < written) {
                    stale.incrementAndGet();
                    find("writer %d wrote %d and read %d on %s".formatted(id, written, seen.value(), seen.node()));
                }
                TimeUnit.MILLISECONDS.sleep(5 * THINK_MILLIS);
            }
        }
    }

    private void count(String node) {
        byNode.computeIfAbsent(node, _ -> new LongAdder()).increment();
    }

    private void find(String what) {
        synchronized (findings) {
            if (findings.size() < MOST_FINDINGS) {
                findings.add(what);
                say.accept(what);
            }
        }
    }

    ReadTimes times() {
        return times;
    }

    /** Reads that this node has answered. */
    long readsOn(String node) {
        LongAdder count = byNode.get(node);
        return count == null ? 0 : count.sum();
    }

    long reads() {
        return byNode.values().stream().mapToLong(LongAdder::sum).sum();
    }

    long toPrimary() {
        return readsOn(primary);
    }

    long errors() {
        return errors.get();
    }

    long stale() {
        return stale.get();
    }

    long wrong() {
        return wrong.get();
    }

    List<String> findings() {
        synchronized (findings) {
            return List.copyOf(findings);
        }
    }

    /** Waits for what runs; one that has no answer by then is an error, for it hangs. */
    @Override
    public void close() {
        over.set(true);
        try {
            if (!running.await(2L * HUNG_SECONDS, TimeUnit.SECONDS)) {
                errors.addAndGet(running.getCount());
                find("%d clients hang".formatted(running.getCount()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
