package io.plenum.pooler.admin;

import io.plenum.pooler.Pooler;
import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.testbed.PostgresNode;
import io.plenum.testbed.SharedPostgres;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Properties;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** A pooler in this JVM with a console, in front of the shared cluster's primary, with a configuration file of its own. */
public final class AdministeredPooler implements AutoCloseable {
    public static final String ADMIN = "admin";
    public static final String STATS = "stats";
    public static final String NOBODY = "postgres";

    private final Path file;
    private final Pooler pooler;

    private AdministeredPooler(Path directory, String... settings) throws IOException {
        file = directory.resolve("plenum.ini");
        Files.writeString(directory.resolve("users.txt"), "\"admin\" \"\"\n\"stats\" \"\"\n\"postgres\" \"\"\n");
        write(settings);
        pooler = Pooler.start(PoolerConfig.parse(Files.readString(file), directory));
    }

    /** Two databases, {@code app} and {@code other}, on the same server; {@code settings} are lines of [pgbouncer]. */
    public static AdministeredPooler start(Path directory, String... settings) throws IOException {
        return new AdministeredPooler(directory, settings);
    }

    /** Writes the file anew; nothing happens before a reload. */
    public void write(String... settings) throws IOException {
        PostgresNode server = SharedPostgres.get().primary();
        Files.writeString(file, """
            [databases]
            app = host=%1$s port=%2$d
            other = host=%1$s port=%2$d dbname=app pool_size=3
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = 0
            http_listen_port = 0
            auth_type = trust
            auth_file = users.txt
            admin_users = admin
            stats_users = stats
            event_loops = 2
            drain_delay = 0
            %3$s
            """.formatted(server.host(), server.port(), String.join("\n", settings)));
    }

    public Pooler pooler() {
        return pooler;
    }

    /** What SET does on the console: in force when this returns. */
    public void set(String setting, String text) {
        RunningPooler.set(pooler, setting, text);
    }

    public int port() {
        return pooler.addresses().getFirst().getPort();
    }

    /** A raw session of the console. */
    public WireClient console(String user) throws IOException {
        return WireClient.connect("127.0.0.1", port(), "pgbouncer", user, null);
    }

    /** A raw session of the superuser. */
    public WireClient wire(String database) throws IOException {
        return WireClient.connect("127.0.0.1", port(), database, NOBODY, null);
    }

    /** A session of pgjdbc. */
    public Connection jdbc(String database, String user, String parameters) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", user);
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + port() + "/" + database + "?" + parameters, properties);
    }

    /** The cell of a table of the console where the first column has this value; null if there is no such row. */
    public static @Nullable String cell(WireClient console, String table, String first, String column)
            throws IOException {
        List<String> names = console.query("SHOW " + table).getFirst().columnNames();
        for (List<@Nullable String> row : console.rows("SHOW " + table)) {
            if (first.equals(row.getFirst())) {
                return row.get(names.indexOf(column));
            }
        }
        return null;
    }

    /** Looks every few milliseconds until it holds. */
    public static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("20 s and still not: " + what);
            }
            Thread.sleep(5);
        }
    }

    /** A port that was free a moment ago. */
    public static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    @Override
    public void close() {
        pooler.close();
    }
}
