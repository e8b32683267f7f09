package io.plenum.testbed;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Properties;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One PostgreSQL server of a {@link PostgresCluster}: a data directory with an address, and a process while it runs.
 *
 * <p>Its fate ({@link #start}, {@link #stop}, {@link #kill9}, {@link #freeze}, {@link #promote}, {@link #follow}) is
 * changed by one thread at a time; questions and connections may come from any. Every method waits until the thing is
 * done, at most a minute, and throws {@link TestbedException} with the end of the server's log when it is not.
 */
public final class PostgresNode {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final String name;
    private final String host;
    private final int port;
    private final PostgresBinaries binaries;
    private final Keeper keeper;
    private final Path directory;
    private volatile @Nullable Process server;
    private volatile boolean frozen;

    PostgresNode(String name, String host, int port, PostgresBinaries binaries, Keeper keeper) {
        this.name = name;
        this.host = host;
        this.port = port;
        this.binaries = binaries;
        this.keeper = keeper;
        this.directory = keeper.directory().resolve(name);
    }

    /** {@code pg-0}, {@code pg-1} and so on, in the order of creation. It is the server's cluster_name too. */
    public String name() {
        return name;
    }

    /** The loopback address that the server listens on. */
    public String host() {
        return host;
    }

    /** The TCP port, the same for the node's whole life. */
    public int port() {
        return port;
    }

    /** {@code host:port}. */
    public String address() {
        return host + ":" + port;
    }

    /** The directory with the server's Unix socket. */
    public Path socketDirectory() {
        return directory;
    }

    /** What the server has logged since its first start. */
    public Path log() {
        return directory.resolve("log");
    }

    /** The address of a database for pgjdbc, without user and password. */
    public String jdbcUrl(String database) {
        return "jdbc:postgresql://" + host + ":" + port + "/" + database;
    }

    /** Connects as the superuser to the database postgres. */
    public Connection connect() throws SQLException {
        return connect("postgres", PostgresCluster.SUPERUSER, "");
    }

    /** Connects through pgjdbc. Its application_name is {@code testbed}. */
    public Connection connect(String database, String user, String password) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        properties.setProperty("ApplicationName", "testbed");
        properties.setProperty("connectTimeout", "10");
        properties.setProperty("socketTimeout", "60");
        return DriverManager.getConnection(jdbcUrl(database), properties);
    }

    /** Runs statements as the superuser, on a connection of their own, each by itself. */
    public void execute(String... statements) {
        try (var connection = connect();
                var statement = connection.createStatement()) {
            for (var sql : statements) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw failure("cannot run " + String.join("; ", statements), e);
        }
    }

    /**
     * The first column of the first row as text, as the superuser; null for SQL's NULL. Of several queries, each by
     * itself, the last one's.
     */
    public @Nullable String query(String... queries) {
        try (var connection = connect();
                var statement = connection.createStatement()) {
            String value = null;
            for (var sql : queries) {
                try (var rows = statement.executeQuery(sql)) {
                    if (!rows.next()) {
                        throw new TestbedException("no row from " + sql);
                    }
                    value = rows.getString(1);
                }
            }
            return value;
        } catch (SQLException e) {
            throw failure("cannot run " + String.join("; ", queries), e);
        }
    }

    /** Whether the server's process is there, frozen or not. */
    public boolean isRunning() {
        var process = server;
        return process != null && process.isAlive();
    }

    /** Whether the data directory is a standby's. The server removes the sign itself when it is promoted. */
    public boolean isStandby() {
        return Files.exists(standbySignal());
    }

    /** The process number of the postmaster. */
    public long processId() {
        return process().pid();
    }

    /** Starts the server and waits until it takes connections. */
    public void start() {
        launch();
        awaitReady();
    }

    void launch() {
        if (isRunning()) {
            throw new IllegalStateException(name + " runs already");
        }
        server = keeper.launch(
                directory,
                log(),
                List.of(
                        binaries.program("postgres"),
                        "-D",
                        data().toString(),
                        "-p",
                        Integer.toString(port),
                        "-c",
                        "listen_addresses=" + host,
                        "-c",
                        "unix_socket_directories=" + directory,
                        "-c",
                        "cluster_name=" + name));
        frozen = false;
    }

    void awaitReady() {
        await("takes connections", () -> {
            var process = server;
            if (process == null || !process.isAlive()) {
                throw failure("ended at its start", null);
            }
            return isReady(process.pid());
        });
    }

    /** Stops the server and waits until it is gone. */
    public void stop(StopMode mode) {
        var process = process(); // before the signal: afterwards it may be gone already
        beginStop(mode);
        await("stops", () -> !process.isAlive());
    }

    /** Asks the server to stop and returns at once: a smart shutdown can take as long as its clients like. */
    public void beginStop(StopMode mode) {
        if (frozen) {
            throw new IllegalStateException(name + " is frozen: thaw it or use kill9");
        }
        Programs.signal(mode.signal(), List.of(process().pid()));
    }

    /**
     * Kills the server and all its processes at once, as a node that loses power; its connections are reset or closed
     * by the system.
     */
    public void kill9() {
        var postmaster = process();
        var all = new ArrayList<>(stopAll());
        all.add(postmaster.pid());
        Programs.signal("KILL", all);
        await("dies", () -> !postmaster.isAlive() && all.stream().allMatch(Programs::isGone));
        frozen = false;
    }

    /**
     * Stops all its processes (SIGSTOP): the system goes on to accept connections and to acknowledge bytes, and nobody
     * answers.
     */
    public void freeze() {
        process();
        stopAll();
        frozen = true;
    }

    /** Lets a frozen server go on. */
    public void thaw() {
        var postmaster = process().pid();
        Programs.signal("CONT", Programs.descendants(postmaster));
        Programs.signal("CONT", List.of(postmaster));
        frozen = false;
    }

    /** Whether {@link #freeze} was the last word. */
    public boolean isFrozen() {
        return frozen;
    }

    /**
     * Makes a standby a primary; {@link PostgresCluster#primary} does not learn of it, {@link PostgresCluster#promote}
     * is for that.
     */
    public void promote() {
        if (!"t".equals(query("SELECT pg_promote(true, 60)"))) {
            throw failure("is not promoted within a minute", null);
        }
    }

    /** Stops replay: WAL is still received. Returns when replay stands. */
    public void pauseReplay() {
        execute("SELECT pg_wal_replay_pause()");
        await("pauses replay", () -> "paused".equals(query("SELECT pg_get_wal_replay_pause_state()")));
    }

    /** Lets replay go on. */
    public void resumeReplay() {
        execute("SELECT pg_wal_replay_resume()");
    }

    /** Applies commits only so long after they happened on the primary; zero ends the delay. */
    public void delayReplay(Duration delay) {
        set("recovery_min_apply_delay", delay.toMillis() + "ms");
    }

    /**
     * Makes this node a standby of another, with a replication slot there. A running standby is re-pointed in flight; a
     * stopped node, also a primary that was shut down cleanly, becomes a standby at its next start.
     */
    public void follow(PostgresNode primary) {
        if (isRunning() && !isStandby()) {
            throw new IllegalStateException(name + " runs as a primary: stop it first");
        }
        primary.createSlot(slot());
        set("primary_conninfo", primary.connectionInfo(name));
        set("primary_slot_name", slot());
        if (!isStandby()) {
            write(standbySignal(), "", StandardOpenOption.CREATE);
            keeper.account().give(standbySignal());
        }
    }

    /**
     * Changes a setting of the server: at once by ALTER SYSTEM and a reload if it runs, else in its files for the next
     * start. Settings that need a restart wait for it.
     */
    public void set(String setting, String value) {
        var quoted = "'" + value.replace("'", "''") + "'";
        if (isRunning()) {
            execute("ALTER SYSTEM SET " + setting + " = " + quoted, "SELECT pg_reload_conf()");
        } else {
            write(data().resolve("postgresql.auto.conf"), setting + " = " + quoted + "\n", StandardOpenOption.APPEND);
        }
    }

    /**
     * The position up to which this node has WAL: replayed on a standby; on a primary flushed, with all that was
     * written before the call, also by commits that did not wait for it.
     */
    public String lsn() {
        // A commit flushes what was inserted before it; without one, standbys get the rest only when some other commit
        // comes.
        var lsn = isStandby()
                ? query("SELECT pg_last_wal_replay_lsn()")
                : query(
                        "SELECT pg_logical_emit_message(true, 'testbed', '') IS NULL",
                        "SELECT pg_current_wal_flush_lsn()");
        if (lsn == null) {
            throw failure("has no WAL position", null);
        }
        return lsn;
    }

    /** Waits until this standby has replayed up to the position, for example {@code primary.lsn()}. */
    public void awaitReplay(String lsn) {
        await("replays " + lsn, () -> "t".equals(query("SELECT pg_last_wal_replay_lsn() >= '" + lsn + "'::pg_lsn")));
    }

    /** Waits until this standby receives WAL from its primary. */
    public void awaitStreaming() {
        await(
                "receives WAL",
                () -> "t".equals(query("SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')")));
    }

    /** Waits until what its primary, which is gone, had sent is received and flushed. */
    void awaitNoReceiver() {
        await(
                "receives nothing more",
                () -> "f".equals(query("SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')")));
    }

    /** How much WAL a standby has, replayed or not, in bytes since the beginning. */
    long received() {
        return Long.parseLong(String.valueOf(
                query("SELECT (greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0')::int8")));
    }

    @Override
    public String toString() {
        return name + "(" + address() + ", " + (isStandby() ? "standby" : "primary")
                + (isRunning() ? frozen ? ", frozen" : "" : ", down") + ")";
    }

    Path directory() {
        return directory;
    }

    Path data() {
        return directory.resolve("data");
    }

    /** Slot names take no dashes. */
    String slot() {
        return name.replace('-', '_');
    }

    void createSlot(String slot) {
        execute("SELECT pg_create_physical_replication_slot('%1$s', true)".formatted(slot)
                + " WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '%1$s')".formatted(slot));
    }

    TestbedException failure(String what, @Nullable Throwable cause) {
        return new TestbedException(name + " " + what + "\n" + endOfLog(), cause);
    }

    private void await(String what, BooleanSupplier condition) {
        Await.until(LIMIT, () -> name + " " + what + "\n" + endOfLog(), condition);
    }

    private String connectionInfo(String standby) {
        return "host=%s port=%d user=%s application_name=%s".formatted(host, port, PostgresCluster.SUPERUSER, standby);
    }

    private Path standbySignal() {
        return data().resolve("standby.signal");
    }

    private Process process() {
        var process = server;
        if (process == null || !process.isAlive()) {
            throw new IllegalStateException(name + " does not run");
        }
        return process;
    }

    /**
     * Stops the postmaster and then, as it can start no more, everything below it. Each child of PostgreSQL leads a
     * process group of its own, so one signal to a group does not reach them.
     *
     * @return the numbers of the children
     */
    private List<Long> stopAll() {
        var postmaster = process().pid();
        Programs.signal("STOP", List.of(postmaster));
        await("stops at SIGSTOP", () -> Programs.state(postmaster) == 'T');
        var children = new HashSet<Long>();
        while (true) {
            var found = new HashSet<>(Programs.descendants(postmaster));
            found.removeAll(children);
            if (found.isEmpty()) {
                return List.copyOf(children);
            }
            Programs.signal("STOP", found);
            children.addAll(found);
        }
    }

    /** The postmaster tells in its lock file how far it is, as pg_ctl reads it: number in line 1, state in line 8. */
    private boolean isReady(long pid) {
        try {
            var lines = Files.readAllLines(data().resolve("postmaster.pid"));
            return lines.size() >= 8
                    && lines.getFirst().strip().equals(Long.toString(pid))
                    && lines.get(7).strip().equals("ready");
        } catch (IOException _) {
            return false; // not yet written, or being written
        }
    }

    private String endOfLog() {
        try {
            var lines = Files.readAllLines(log());
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 15), lines.size()));
        } catch (IOException _) {
            return "(no log)";
        }
    }

    private static void write(Path file, String text, StandardOpenOption option) {
        try {
            Files.writeString(file, text, StandardOpenOption.WRITE, option);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
