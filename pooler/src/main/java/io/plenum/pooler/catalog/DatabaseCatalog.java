package io.plenum.pooler.catalog;

import io.netty.util.concurrent.Future;
import io.plenum.pooler.config.DatabaseConfig;
import io.plenum.pooler.net.Loop;
import io.plenum.pooler.pool.LoginRetry;
import io.plenum.pooler.pool.PoolDirectory;
import io.plenum.pooler.pool.PoolKey;
import io.plenum.pooler.pool.TopologySource;
import io.plenum.pooler.server.ServerConnection;
import io.plenum.routing.Catalog;
import io.plenum.routing.topology.Node;
import io.plenum.routing.topology.Topology;
import io.plenum.wire.backend.DataRow;
import io.plenum.wire.error.ErrorResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the names of one database stand for. It is read when the first client comes, whenever a client has defined something,
 * and every {@code catalog_refresh}, if then the server's counters say that something changed; while nobody is there,
 * not at all.
 *
 * <p>{@link #snapshot}, {@link #enter}, {@link #leave} and {@link #onDefined} are for any thread; the rest is confined to
 * the control loop.
 */
public final class DatabaseCatalog implements ServerConnection.Owner {
    private static final Logger LOG = LoggerFactory.getLogger(DatabaseCatalog.class);

    private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** So often is looked whether the node that is asked is still there: probes find sooner than we that it is silent. */
    private static final long LOOK_MILLIS = 250;

    private static final long FIRST_PAUSE_MILLIS = 50;
    private static final long LONGEST_PAUSE_MILLIS = 10_000;

    /**
     * Where there is but one node nothing is routed by what is read, and it can wait a little: who connects, asks and leaves
     * causes no connection beside its own, which scripts that count connections would find.
     */
    private static final long FIRST_OF_ONE_NODE_MILLIS = 1_400;

    /** Reading again may take up so much of the server's time, as a part of the time between. */
    private static final int PAUSE_PER_READING = 4;

    /**
     * For so long a user whose login was refused, a pool's or ours, is not tried again unless one succeeds: each would stand in
     * the server's log.
     */
    private static final long REFUSED_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** Clients that wait because of what our connection counts in wait so long for it at most, and a {@link #LOOK_MILLIS}. */
    private static final long SHARED_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** For so long servers of a single node that idle stay open, although they leave no room for our connection. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(3);

    /** So often is looked whether there is room; the shorter when some has been asked for. */
    private static final long CROWDED_MILLIS = 250;

    private static final long ROOM_MILLIS = 20;

    /** Users of clients with whose logins the database may be read; the first that works is used. */
    private static final int MAX_USERS = 8;

    private final String database;
    private final Loop control;
    private final TopologySource topology;
    /** Is asked when it is needed, and kept by this. */
    private final Consumer<Topology> listener;

    private final Catalogs.Connecting connector;
    private final PoolDirectory pools;
    private final Supplier<Duration> refresh;

    private volatile Catalog snapshot = Catalog.AWAITED;
    private int clients; // guarded by this
    private long definitions; // guarded by this
    private long readNanos; // guarded by this
    private boolean closed; // guarded by this
    private boolean planning; // guarded by this: a reading is planned or goes on

    private final List<String> users = new CopyOnWriteArrayList<>();
    private @Nullable Future<?> planned;
    private @Nullable Future<?> look;
    private @Nullable ServerConnection connection;
    private @Nullable PoolKey connectedAs;
    private boolean building;
    private int userTried;
    private int failures;
    /** There was no room for a connection, since when, and whether some was asked for a moment ago. */
    private boolean crowded;

    private long crowdedNanos;
    private boolean roomAsked;
    private long beganNanos;
    private long definitionsBefore;
    /** What was read last, and what the server's counters were then; null if they cannot tell. */
    private Catalog read = Catalog.AWAITED;

    private @Nullable String changes;
    private boolean mustRead = true;

    DatabaseCatalog(
            DatabaseConfig database,
            Loop control,
            Function<DatabaseConfig, TopologySource> topologies,
            Catalogs.Connecting connector,
            PoolDirectory pools,
            Supplier<Duration> refresh) {
        this.database = database.name();
        this.control = control;
        this.connector = connector;
        this.pools = pools;
        this.refresh = refresh;
        this.listener = _ -> {};
        this.topology = TopologySource.subscribed(topologies, database, listener);
    }

    /** What is known now. */
    public Catalog snapshot() {
        return snapshot;
    }

    /** A client has come, who proved to be this user; {@link #leave} must follow. */
    public synchronized void enter(String user) {
        clients++;
        if (refresh.get().isZero()) {
            snapshot = Catalog.OFF;
            return;
        }
        if (snapshot == Catalog.OFF) {
            snapshot = Catalog.AWAITED;
        } else if (clients == 1 && System.nanoTime() - readNanos > refresh.get().toNanos()) {
            snapshot = snapshot.outdated(); // nobody looked while nobody was there
        }
        if (!planning || !snapshot.isFresh() || isNew(user)) { // else the login wakes nobody
            planning = true;
            execute(() -> onUser(user));
        }
    }

    private boolean isNew(String user) {
        return users.size() < MAX_USERS && !users.contains(user);
    }

    public synchronized void leave() {
        clients--;
    }

    /** A client has given names of the database a meaning, and its transaction is over. */
    public synchronized void onDefined() {
        if (snapshot != Catalog.OFF) {
            definitions++;
            snapshot = snapshot.outdated();
            execute(() -> {
                mustRead = true;
                readIn(0);
            });
        }
    }

    private void execute(Runnable task) {
        try {
            control.execute(task);
        } catch (RejectedExecutionException stopped) {
            LOG.debug("event=catalog_after_the_end database={}", database);
        }
    }

    /** The settings may say something else now. */
    void configure() {
        synchronized (this) {
            boolean off = refresh.get().isZero();
            if (off == (snapshot == Catalog.OFF)) {
                return;
            }
            snapshot = off ? Catalog.OFF : Catalog.AWAITED;
        }
        mustRead = true;
        readIn(0);
    }

    void close() {
        synchronized (this) {
            closed = true;
        }
        topology.unsubscribe(listener);
        cancel(planned);
        end();
    }

    private void onUser(String user) {
        if (isNew(user)) {
            users.add(user);
        }
        boolean mayWait = read == Catalog.AWAITED
                && failures == 0
                && topology.topology().nodes().size() <= 1;
        if (planned == null) {
            readIn(mayWait ? FIRST_OF_ONE_NODE_MILLIS : 0);
        } else if (!mayWait && !snapshot.isFresh()) {
            readIn(0);
        }
    }

    // --- when ------------------------------------------------------------------------------------------------------

    private void readIn(long delayMillis) {
        if (connection != null || building) {
            return; // what ends it plans the next
        }
        cancel(planned);
        planned = control.executor().schedule(this::read, delayMillis, TimeUnit.MILLISECONDS);
    }

    private void read() {
        planned = null;
        synchronized (this) {
            if (closed || clients == 0 || snapshot == Catalog.OFF) {
                planning = false;
                return;
            }
            definitionsBefore = definitions;
        }
        Node node = node();
        if (node == null || users.isEmpty()) {
            readIn(FIRST_PAUSE_MILLIS);
            return;
        }
        PoolKey user = user(node);
        if (user == null) {
            readIn(LONGEST_PAUSE_MILLIS);
            return;
        }
        ServerConnection.Owner owner = pools.guest(user, this);
        if (owner == null) {
            awaitRoom(user);
            return;
        }
        crowded = false;
        roomAsked = false;
        beganNanos = System.nanoTime();
        lookLater();
        connectedAs = user;
        connection = connector.connect(control, user, owner);
    }

    /**
     * All connections are open that max_db_connections or max_user_connections allows. What idles makes room; of what serves
     * clients nothing does, so that under such a load what was read last is used on.
     */
    private void awaitRoom(PoolKey user) {
        long now = System.nanoTime();
        if (!crowded) {
            crowded = true;
            crowdedNanos = now;
        }
        long waited = now - crowdedNanos;
        roomAsked = !roomAsked && (topology.topology().nodes().size() > 1 || waited >= PATIENCE_NANOS);
        if (roomAsked) {
            pools.makeRoom(user);
        }
        if (waited >= DEADLINE_NANOS && failures == 0) {
            failures++;
            LOG.warn("event=catalog_unread database={} reason=\"no server connection is free for it\"", database);
        }
        readIn(roomAsked ? ROOM_MILLIS : CROWDED_MILLIS);
    }

    private void lookLater() {
        look = control.executor().schedule(this::look, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** A node that is not used any more need not answer: another one does, and what is new is known only there. */
    private void look() {
        Topology now = topology.topology();
        Node asked = connectedAs == null ? null : connectedAs.node();
        boolean used =
                asked != null && (asked.equals(now.primary()) || now.replicas().contains(asked));
        if (!used) {
            fail("node " + asked + " is gone");
        } else if (System.nanoTime() - beganNanos >= DEADLINE_NANOS) {
            fail("no answer in time");
        } else if (connectedAs != null
                && System.nanoTime() - beganNanos >= SHARED_NANOS
                && pools.isWantedSince(connectedAs, beganNanos)) {
            fail("clients wait for its connection");
        } else {
            lookLater();
        }
    }

    /** The next as whom to log in; null if all would be refused. */
    private @Nullable PoolKey user(Node node) {
        for (int i = 0; i < users.size(); i++) {
            var user = new PoolKey(node, database, users.get((userTried + i) % users.size()));
            if (!pools.isRefusedSince(user, REFUSED_NANOS)) {
                return user;
            }
        }
        return null;
    }

    /** The primary, for there is the latest; else any that answers, for reads go on without one. */
    private @Nullable Node node() {
        Topology now = topology.topology();
        return now.primary() != null
                ? now.primary()
                : now.replicas().isEmpty() ? null : now.replicas().getFirst();
    }

    // --- reading ---------------------------------------------------------------------------------------------------

    @Override
    public void onLoggedIn(ServerConnection server) {
        if (server != connection) {
            return;
        }
        if (mustRead) {
            askAll(server);
        } else {
            server.ask(CatalogQuery.PROBE, answer -> onAnswer(server, answer, this::onProbed));
        }
    }

    private void askAll(ServerConnection server) {
        server.ask(CatalogQuery.FULL, CatalogQuery.MAX_BYTES, answer -> onAnswer(server, answer, this::onRead));
    }

    private interface Rows {
        void accept(ServerConnection server, List<DataRow> rows);
    }

    private void onAnswer(ServerConnection server, ServerConnection.Answer answer, Rows next) {
        if (server != connection) {
            return;
        }
        switch (answer) {
            case ServerConnection.Rows(var rows) -> next.accept(server, rows);
            case ServerConnection.Failed(var error) -> fail(error.code() + " " + error.message());
            case ServerConnection.Lost(var fatal) -> fail(fatal == null ? "connection lost" : fatal.message());
        }
    }

    private void onProbed(ServerConnection server, List<DataRow> rows) {
        String now = CatalogQuery.changes(rows);
        if (mustRead || now == null || !now.equals(changes)) {
            askAll(server);
            return;
        }
        end();
        failures = 0;
        synchronized (this) {
            readNanos = beganNanos;
            if (definitions == definitionsBefore && snapshot != Catalog.OFF) {
                snapshot = read; // which may have been outdated by its age alone
            }
        }
        readIn(refresh.get().toMillis());
    }

    private void onRead(ServerConnection server, List<DataRow> rows) {
        String now = CatalogQuery.changes(rows);
        building = true;
        end();
        Thread.ofVirtual().name("plenum-catalog").start(() -> {
            try {
                Catalog made = CatalogQuery.read(rows);
                execute(() -> onBuilt(made, now, rows.size()));
            } catch (RuntimeException failure) {
                LOG.error("event=catalog_failure database={}", database, failure);
                execute(() -> {
                    building = false;
                    fail("not understood");
                });
            }
        });
    }

    private void onBuilt(Catalog made, @Nullable String now, int rows) {
        building = false;
        boolean again;
        synchronized (this) {
            again = definitions != definitionsBefore;
            if (snapshot != Catalog.OFF) {
                snapshot = again ? made.outdated() : made;
            }
            readNanos = beganNanos;
        }
        if (failures > 0 || changes == null) {
            LOG.info("event=catalog_read database={} rows={}", database, rows);
        }
        failures = 0;
        read = made;
        changes = now;
        mustRead = again || !made.isFresh();
        long tookMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNanos);
        readIn(again ? PAUSE_PER_READING * tookMillis : refresh.get().toMillis());
    }

    /** Whatever failed, it is tried again, later each time. */
    private void fail(String reason) {
        end();
        if (failures == 0) {
            LOG.warn("event=catalog_unread database={} reason=\"{}\"", database, reason);
        }
        failures++;
        readIn(Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS << Math.min(failures, 10)));
    }

    private void end() {
        cancel(look);
        look = null;
        ServerConnection open = connection;
        connection = null;
        if (open != null) {
            open.terminateAtServer();
        }
    }

    @Override
    public void onLoginFailed(ServerConnection server, @Nullable ErrorResponse refusal, String step) {
        if (server == connection) {
            connection = null;
            userTried++;
            if (connectedAs != null && refusal != null && LoginRetry.isLasting(refusal)) {
                pools.noteRefused(connectedAs);
            }
            fail(refusal == null ? step : refusal.code() + " " + refusal.message());
        }
    }

    @Override
    public void onDismissed(ServerConnection server) {
        if (server == connection) {
            end();
            readIn(LOOK_MILLIS);
        }
    }

    @Override
    public void onClosed(ServerConnection server) {
        if (server == connection) {
            connection = null;
            fail("connection lost");
        }
    }

    private static void cancel(@Nullable Future<?> task) {
        if (task != null) {
            task.cancel(false);
        }
    }
}
