package io.plenum.pooler;

import io.plenum.pooler.config.LoadResult;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.net.Transport;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/** A pooler in this JVM, in front of a real server, on a port that the kernel chose. */
public final class RunningPooler implements AutoCloseable {
    private static final String SUPERUSER = "postgres";

    private final Pooler pooler;
    private final int port;

    private RunningPooler(Pooler pooler) {
        this.pooler = pooler;
        this.port = pooler.addresses().getFirst().getPort();
    }

    /** The server of all tests that leave it as they found it; it ends with the JVM. */
    public static PostgresServer sharedServer() {
        return Shared.SERVER;
    }

    private static final class Shared {
        static final PostgresServer SERVER = PostgresServer.start();
    }

    /** The same of PostgreSQL 17. */
    public static PostgresServer sharedServer17() {
        return Shared17.SERVER;
    }

    private static final class Shared17 {
        static final PostgresServer SERVER =
                PostgresServer.start(PostgresCluster.builder().version(17));
    }

    /**
     * Starts a pooler whose database {@code app}, and every other name, is the server's; whoever names a user is let in.
     *
     * @param settings lines of the section {@code [pgbouncer]}; a line that begins with {@code [} opens another one
     */
    public static RunningPooler start(PostgresServer server, String... settings) {
        return start(server, Path.of(System.getProperty("java.io.tmpdir")), settings);
    }

    /** The same, with the directory that relative paths in the settings begin at. */
    public static RunningPooler start(PostgresServer server, Path directory, String... settings) {
        return new RunningPooler(Pooler.start(config(server, directory, settings)));
    }

    /** What such a pooler is started with, for another to be taken over by a reload. */
    public static PoolerConfig config(PostgresServer server, Path directory, String... settings) {
        String ini = """
            [databases]
            * = host=%s port=%d

            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = 0
            auth_type = trust
            http_listen_port = 0
            event_loops = 1
            %s
            """.formatted(server.host(), server.port(), String.join("\n", settings));
        return PoolerConfig.parse(ini, directory);
    }

    /** The line of settings for this transport; a test of one that is not to be had on this machine ends here. */
    public static String on(Transport transport) {
        Assumptions.assumeTrue(transport.isAvailable(), transport + " is not to be had on this machine");
        return "transport = " + transport.name().toLowerCase(Locale.ROOT);
    }

    /** Starts a pooler with these lines of {@code [databases]}; whoever names a user is let in. */
    public static RunningPooler ofDatabases(String databases, String... settings) {
        String ini = """
            [databases]
            %s

            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = 0
            auth_type = trust
            http_listen_port = 0
            %s
            """.formatted(databases, String.join("\n", settings));
        return new RunningPooler(Pooler.start(PoolerConfig.parse(ini, Path.of(""))));
    }

    /** What SET does on the console: in force when this returns. */
    public void set(String setting, String text) {
        set(pooler, setting, text);
    }

    /** The same for a pooler that was started otherwise. */
    public static void set(Pooler pooler, String setting, String text) {
        LoadResult result = pooler.set(setting, text).toCompletableFuture().join();
        if (result instanceof LoadResult.Refused refused) {
            throw new IllegalArgumentException(refused.text());
        }
    }

    public int port() {
        return port;
    }

    public Pooler pooler() {
        return pooler;
    }

    /** A driver's session of the superuser in the database {@code app}. */
    public Connection connect() throws SQLException {
        return connect("");
    }

    /** The same with parameters of the driver's URL: {@code a=b&c=d}. */
    public Connection connect(String parameters) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", SUPERUSER);
        return DriverManager.getConnection(jdbcUrl() + "?" + parameters, properties);
    }

    public String jdbcUrl() {
        return "jdbc:postgresql://127.0.0.1:" + port + "/app";
    }

    /** A raw session of the superuser in the database {@code app}. */
    public WireClient wire() throws IOException {
        return wire(Map.of());
    }

    /** The same with more in the startup packet. */
    public WireClient wire(Map<String, String> parameters) throws IOException {
        return wire(port, parameters, null);
    }

    /** A raw session at any port of this machine, pooler or server. */
    public static WireClient wire(int port, Map<String, String> parameters, @Nullable String password)
            throws IOException {
        Map<String, String> all = new HashMap<>(Map.of("user", SUPERUSER, "database", "app"));
        all.putAll(parameters);
        return WireClient.connect("127.0.0.1", port, all, password);
    }

    /** A raw session that has said nothing yet. */
    public WireClient open() throws IOException {
        return WireClient.open("127.0.0.1", port);
    }

    @Override
    public void close() {
        pooler.close();
    }
}
