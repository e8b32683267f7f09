package io.plenum.bench.demo;

import io.plenum.bench.process.BenchException;
import io.plenum.pooler.Pooler;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import io.plenum.testbed.TestDns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A primary, its standbys, a name server that answers for them as Kubernetes does for a headless Service, and Plenum, which knows nothing but
 * that name.
 *
 * <p>One thread at a time.
 */
final class DemoCluster implements AutoCloseable {
    static final String DATABASE = "app";
    static final String USER = "app";
    static final String PASSWORD = "app";

    private static final String SERVICE = "pg-headless.demo.svc";
    /** How long an answer of the name server may be kept; Kubernetes' own says 5 or 30 s unless told. */
    private static final Duration TIME_TO_LIVE = Duration.ofSeconds(1);

    private final PostgresCluster cluster;
    private final TestDns dns;
    private final Path directory;
    private final Pooler pooler;
    private final int port;
    private final int httpPort;

    private DemoCluster(PostgresCluster cluster, TestDns dns, Path directory, Pooler pooler, int port, int httpPort) {
        this.cluster = cluster;
        this.dns = dns;
        this.directory = directory;
        this.pooler = pooler;
        this.port = port;
        this.httpPort = httpPort;
    }

    /**
     * Starts everything.
     *
     * @param httpPort of Plenum's page and metrics, 0 for none
     */
    static DemoCluster start(int standbys, int port, int httpPort) {
        var cluster = PostgresCluster.builder().standbys(standbys).start();
        try {
            var dns = TestDns.start();
            try {
                return start(cluster, dns, port, httpPort);
            } catch (IOException | RuntimeException e) {
                dns.close();
                throw e;
            }
        } catch (IOException e) {
            cluster.close();
            throw new BenchException("cannot start the demo", e);
        } catch (RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    private static DemoCluster start(PostgresCluster cluster, TestDns dns, int port, int httpPort) throws IOException {
        dns.ttl(TIME_TO_LIVE);
        dns.addresses(SERVICE, cluster.nodes());
        var directory = Files.createTempDirectory("plenum-demo");
        Files.writeString(directory.resolve("userlist.txt"), "\"%s\" \"%s\"\n".formatted(USER, PASSWORD));
        var ini = """
            [databases]
            %s = host=%s port=%d

            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = %d
            unix_socket_dir =
            auth_type = scram-sha-256
            auth_file = %s
            admin_users = %s

            [plenum]
            dns_servers = 127.0.0.1:%d
            http_listen_addr = 127.0.0.1
            http_listen_port = %d
            """.formatted(
                        DATABASE,
                        SERVICE,
                        cluster.primary().port(),
                        port,
                        directory.resolve("userlist.txt"),
                        USER,
                        dns.port(),
                        httpPort);
        var pooler = Pooler.start(PoolerConfig.parse(ini, directory));
        return new DemoCluster(cluster, dns, directory, pooler, port, httpPort);
    }

    PostgresNode primary() {
        return cluster.primary();
    }

    List<PostgresNode> standbys() {
        return cluster.standbys();
    }

    int majorVersion() {
        return cluster.majorVersion();
    }

    int port() {
        return port;
    }

    int httpPort() {
        return httpPort;
    }

    String service() {
        return SERVICE;
    }

    /** Starts standbys that the name server does not know yet; gives them when they stream. */
    List<PostgresNode> startHiddenStandbys(int count) {
        return IntStream.range(0, count).mapToObj(_ -> cluster.addStandby()).toList();
    }

    /** The name server names all nodes from now on. */
    void publish() {
        dns.addresses(SERVICE, cluster.nodes());
    }

    @Override
    public void close() {
        try (cluster;
                dns) {
            pooler.close();
            Files.deleteIfExists(directory.resolve("userlist.txt"));
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            throw new BenchException("cannot end the demo in order", e);
        }
    }
}
