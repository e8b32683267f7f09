package io.plenum.testbed;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL primary and its streaming standbys as processes of this machine, in a temporary directory that is gone
 * when the cluster is closed or the JVM ends, even by kill -9.
 *
 * <p>The nodes listen on 127.0.0.1, 127.0.0.2 and so on, all on the same port, as the Pods behind a headless Service
 * do. There is a superuser {@value #SUPERUSER} without a password, a database {@code app} that belongs to a role {@code
 * app}, and one role for each way to log in: {@code trust_user, password_user, md5_user, scram_user}. A role's password
 * is its own name. fsync is off.
 *
 * <p>Nodes are added, removed and promoted by one thread at a time; the lists may be read by any.
 */
public final class PostgresCluster implements AutoCloseable {
    /** The superuser, let in from loopback addresses without a password; replication uses it too. */
    public static final String SUPERUSER = "postgres";

    private static final String VERSION_PROPERTY = "plenum.postgres.version";

    private final PostgresBinaries binaries;
    private final Keeper keeper;
    private final boolean samePort;
    private final List<ClaimedPort> ports = new ArrayList<>();
    private final List<PostgresNode> nodes = new CopyOnWriteArrayList<>();
    private volatile PostgresNode primary;
    private int created;

    private PostgresCluster(Builder builder) {
        binaries = PostgresBinaries.find(builder.version);
        keeper = new Keeper(builder.account == null ? ServerAccount.detect() : builder.account);
        samePort = builder.samePort;
        try {
            primary = newNode();
            initialise(primary, builder);
            primary.start();
            nodes.add(primary);
            addStandbys(builder.standbys);
        } catch (RuntimeException e) {
            try {
                close();
            } catch (RuntimeException more) {
                e.addSuppressed(more);
            }
            throw e;
        }
    }

    /** A primary alone, PostgreSQL 18 unless the system property {@code plenum.postgres.version} says otherwise. */
    public static Builder builder() {
        return new Builder();
    }

    /** What a cluster shall be. */
    public static final class Builder {
        private int version = Integer.getInteger(VERSION_PROPERTY, PostgresBinaries.DEFAULT_VERSION);
        private int standbys;
        private boolean samePort = true;
        private final List<String> hba = new ArrayList<>();
        private final Map<String, String> settings = new LinkedHashMap<>();
        private @Nullable ServerAccount account;

        private Builder() {
            settings.put("fsync", "off");
            settings.put("max_connections", "300");
            settings.put("shared_buffers", "32MB");
            settings.put("wal_level", "logical");
            settings.put("max_wal_senders", "32");
            settings.put("max_replication_slots", "32");
            settings.put("max_prepared_transactions", "32");
            // A node that becomes primary has no slots yet; this keeps the WAL that its new standbys still need.
            settings.put("wal_keep_size", "256MB");
            // A standby that never comes back must not fill the disk.
            settings.put("max_slot_wal_keep_size", "4GB");
            settings.put("wal_retrieve_retry_interval", "100ms"); // 5 s is long for a test
            settings.put("wal_receiver_status_interval", "1s");
            // In files of the data directory, not in /dev/shm, where a killed server's would stay.
            settings.put("dynamic_shared_memory_type", "mmap");
            settings.put("timezone", "UTC");
            settings.put("log_line_prefix", "%m [%p] %q%u@%d ");
        }

        /**
         * The major version, 17 or 18. A server named by the system property {@code plenum.postgres.home} is used
         * instead of either, so that a whole test run can be given another one.
         */
        public Builder version(int major) {
            version = major;
            return this;
        }

        /** How many standbys the cluster starts with. */
        public Builder standbys(int count) {
            standbys = count;
            return this;
        }

        /** Lines for pg_hba.conf. They stand before the usual ones and after those of the superuser. */
        public Builder hba(String... lines) {
            hba.addAll(List.of(lines));
            return this;
        }

        /** A server setting for all nodes, in place of ours or PostgreSQL's. */
        public Builder setting(String name, String value) {
            settings.put(name, value);
            return this;
        }

        /** True, as usual: each node its own loopback address, one port. False: all on 127.0.0.1, each its own port. */
        public Builder samePort(boolean same) {
            samePort = same;
            return this;
        }

        Builder account(ServerAccount serverAccount) {
            account = serverAccount;
            return this;
        }

        /** Starts all nodes; returns when the primary takes connections and each standby streams. */
        public PostgresCluster start() {
            return new PostgresCluster(this);
        }
    }

    /** The primary: the first node, later the one last promoted by {@link #promote}. It may be down. */
    public PostgresNode primary() {
        return primary;
    }

    /** The nodes whose data directory is a standby's, running or not, in the order of creation. */
    public List<PostgresNode> standbys() {
        return nodes.stream().filter(PostgresNode::isStandby).toList();
    }

    /** All nodes in the order of creation, running or not. */
    public List<PostgresNode> nodes() {
        return List.copyOf(nodes);
    }

    /** The major version that runs. */
    public int majorVersion() {
        return binaries.majorVersion();
    }

    /** Adds a standby to the running cluster; returns when it streams. */
    public PostgresNode addStandby() {
        return addStandbys(1).getFirst();
    }

    /** Kills a standby and forgets it, its data and its slot. Its address is not used again. */
    public void remove(PostgresNode standby) {
        if (standby == primary) {
            throw new IllegalArgumentException(standby + " is the primary");
        }
        if (standby.isRunning()) {
            standby.kill9();
        }
        nodes.remove(standby);
        Programs.run("rm", "-rf", standby.directory().toString());
        if (primary.isRunning() && !primary.isFrozen()) {
            var slot = "pg_replication_slots WHERE slot_name = '" + standby.slot() + "'";
            Await.until(
                    Duration.ofSeconds(10),
                    () -> primary + " notices that " + standby + " is gone",
                    () -> !"t".equals(primary.query("SELECT EXISTS (SELECT FROM " + slot + " AND active)")));
            primary.execute("SELECT pg_drop_replication_slot(slot_name) FROM " + slot);
        }
    }

    /**
     * The running standby that has most of the WAL of a primary that is gone. What that had sent is on its way for a moment
     * longer, so each is asked only when it receives nothing more: a standby that is promoted before another has read to the
     * end leaves that one ahead of itself, from where it can follow nobody.
     */
    public PostgresNode heir() {
        var candidates = standbys().stream()
                .filter(standby -> standby.isRunning() && !standby.isFrozen())
                .toList();
        candidates.forEach(PostgresNode::awaitNoReceiver);
        return candidates.stream()
                .max(Comparator.comparingLong(PostgresNode::received))
                .orElseThrow(() -> new IllegalStateException("no standby runs"));
    }

    /** Promotes a standby, whatever became of the old primary, and lets the other running standbys follow it. */
    public void promote(PostgresNode standby) {
        standby.promote();
        primary = standby;
        for (var other : standbys()) {
            if (other.isRunning() && !other.isFrozen()) {
                other.follow(standby);
            }
        }
    }

    /**
     * A planned switchover: the primary shuts down, the standby has all of its WAL and is promoted, the old primary
     * comes back as a standby.
     */
    public void switchOver(PostgresNode standby) {
        var old = primary;
        old.stop(StopMode.FAST); // returns only after each connected standby has received the shutdown checkpoint
        promote(standby);
        old.follow(standby);
        old.start();
        old.awaitStreaming();
    }

    /**
     * Makes a node that was primary, or one whose data is worth nothing, a standby by a fresh copy; returns when it
     * streams.
     */
    public void rejoinAsStandby(PostgresNode node) {
        if (node == primary) {
            throw new IllegalArgumentException(node + " is the primary");
        }
        if (node.isRunning()) {
            node.kill9();
        }
        Programs.run("rm", "-rf", node.data().toString());
        startAsStandbys(List.of(node));
    }

    /** Waits until every running standby has replayed what the primary has written so far. */
    public void awaitReplay() {
        var lsn = primary.lsn();
        for (var standby : standbys()) {
            if (standby.isRunning() && !standby.isFrozen()) {
                standby.awaitReplay(lsn);
            }
        }
    }

    /** Ends all servers at once and removes their files; does nothing the second time. */
    @Override
    public void close() {
        try {
            keeper.close();
        } finally {
            ports.forEach(ClaimedPort::close);
        }
    }

    private List<PostgresNode> addStandbys(int count) {
        List<PostgresNode> added = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            added.add(newNode());
        }
        startAsStandbys(added);
        nodes.addAll(added);
        return added;
    }

    private void startAsStandbys(List<PostgresNode> standbys) {
        if (standbys.isEmpty()) {
            return;
        }
        for (var standby : standbys) {
            primary.createSlot(standby.slot()); // before the copy, so that all WAL since then is kept
        }
        BaseCopy.take(primary, standbys.stream().map(PostgresNode::data).toList());
        for (var standby : standbys) {
            standby.follow(primary);
            keeper.account().give(standby.data());
            standby.launch();
        }
        standbys.forEach(PostgresNode::awaitReady);
        standbys.forEach(PostgresNode::awaitStreaming);
    }

    private PostgresNode newNode() {
        if (!samePort || ports.isEmpty()) {
            ports.add(ClaimedPort.claim());
        }
        int number = created++;
        var host = samePort ? "127.0.0." + (number + 1) : "127.0.0.1";
        var node = new PostgresNode("pg-" + number, host, ports.getLast().port(), binaries, keeper);
        try {
            Files.createDirectory(node.directory());
        } catch (IOException e) {
            throw new TestbedException("cannot make " + node.directory(), e);
        }
        keeper.account().give(node.directory());
        return node;
    }

    /**
     * Makes the first node's data directory, its roles too: a server in single-user mode needs no address and lets
     * nobody else in.
     */
    private void initialise(PostgresNode node, Builder builder) {
        var data = node.data().toString();
        runToEnd(
                node,
                "",
                List.of(
                        binaries.program("initdb"),
                        "-D",
                        data,
                        "-U",
                        SUPERUSER,
                        "-A",
                        "trust",
                        "-E",
                        "UTF8",
                        "--no-locale",
                        "--no-sync",
                        "--no-instructions"));
        var lines = new StringBuilder();
        builder.settings.forEach((name, value) -> lines.append(name)
                .append(" = '")
                .append(value.replace("'", "''"))
                .append("'\n"));
        write(node.data().resolve("postgresql.conf"), lines.toString(), StandardOpenOption.APPEND);
        write(node.data().resolve("pg_hba.conf"), hba(builder.hba), StandardOpenOption.TRUNCATE_EXISTING);
        // -j: a statement ends with a semicolon and an empty line, so that one can have several lines
        runToEnd(node, SETUP, List.of(binaries.program("postgres"), "--single", "-j", "-D", data, "postgres"));
    }

    private static final String SETUP = """
        SET password_encryption = 'scram-sha-256';

        CREATE ROLE app LOGIN PASSWORD 'app';

        CREATE ROLE trust_user LOGIN PASSWORD 'trust_user';

        CREATE ROLE password_user LOGIN PASSWORD 'password_user';

        CREATE ROLE scram_user LOGIN PASSWORD 'scram_user';

        SET password_encryption = 'md5';

        CREATE ROLE md5_user LOGIN PASSWORD 'md5_user';

        CREATE DATABASE app OWNER app;

        """;

    private static String hba(List<String> ofTheTest) {
        var lines = new ArrayList<String>();
        lines.add("local all         all           trust");
        lines.add("host  all         postgres      127.0.0.0/8 trust");
        lines.add("host  replication postgres      127.0.0.0/8 trust");
        lines.addAll(ofTheTest);
        lines.add("host  all         app           127.0.0.0/8 scram-sha-256");
        lines.add("host  all         password_user 127.0.0.0/8 password");
        lines.add("host  all         md5_user      127.0.0.0/8 md5");
        lines.add("host  all         scram_user    127.0.0.0/8 scram-sha-256");
        lines.add("host  all         all           127.0.0.0/8 trust");
        return String.join("\n", lines) + "\n";
    }

    private void runToEnd(PostgresNode node, String input, List<String> program) {
        var process = keeper.launch(node.directory(), node.log(), program);
        try (var out = process.outputWriter()) {
            out.write(input);
        } catch (IOException e) {
            throw node.failure("cannot be set up", e);
        }
        try {
            // A server in single-user mode goes on after an error and ends well; its log tells.
            if (process.waitFor() != 0 || Files.readString(node.log()).contains("ERROR: ")) {
                throw node.failure("cannot be set up", null);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw node.failure("was being set up when interrupted", e);
        } catch (IOException e) {
            throw node.failure("has no log", e);
        }
    }

    private static void write(Path file, String text, StandardOpenOption option) {
        try {
            Files.writeString(file, text, StandardOpenOption.WRITE, option);
        } catch (IOException e) {
            throw new TestbedException("cannot write " + file, e);
        }
    }
}
