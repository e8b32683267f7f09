package io.plenum.pooler;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.testbed.Frames;
import io.plenum.testbed.PostgresCluster;
import io.plenum.testbed.PostgresNode;
import io.plenum.testbed.WireClient;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The primary says nothing more and closes nothing, as when its machine has lost its network. */
@ExtendWith(LeakWatch.class)
class FrozenPrimaryIT {
    /** What was asked of it is asked of a standby as soon as it is known to be gone. */
    @Test
    void userWhoIsKnownToTheServersAloneLogsInWithoutIt() throws Exception {
        try (var cluster = PostgresCluster.builder().standbys(1).start()) {
            String hosts = cluster.nodes().stream().map(PostgresNode::host).collect(Collectors.joining(","));
            try (var pooler = RunningPooler.ofDatabases(
                    "app = host=%s port=%d monitor_user=postgres auth_user=postgres"
                            .formatted(hosts, cluster.primary().port()),
                    "auth_type = scram-sha-256")) {
                logIn(pooler).close();
                cluster.primary().freeze();

                try (WireClient late = logIn(pooler)) {
                    assertThat(late.transactionStatus()).isEqualTo('I');
                }
            }
        }
    }

    /** The catalogue was being read there, and until it is read again what is defined is not known to be harmless. */
    @Test
    void whatItsSuccessorDefinesIsSoonKnown() throws Exception {
        try (var cluster = PostgresCluster.builder().standbys(2).start()) {
            String hosts = cluster.nodes().stream().map(PostgresNode::host).collect(Collectors.joining(","));
            try (var pooler = RunningPooler.ofDatabases(
                            "app = host=%s port=%d monitor_user=postgres"
                                    .formatted(hosts, cluster.primary().port()),
                            "admin_users = postgres",
                            "catalog_refresh = 1");
                    WireClient client = pooler.wire();
                    WireClient console = RunningPooler.wire(pooler.port(), Map.of("database", "pgbouncer"), null)) {
                client.query("CREATE TABLE written (id int)");
                awaitRead(console);
                cluster.primary().freeze();
                TimeUnit.MILLISECONDS.sleep(1_500);
                PostgresNode next = cluster.standbys().getFirst();
                cluster.promote(next);
                while (console.rows("SHOW NODES").stream()
                        .noneMatch(node -> String.valueOf(node.get(1)).startsWith(next.host() + ":")
                                && "primary".equals(node.get(3)))) {
                    TimeUnit.MILLISECONDS.sleep(10);
                }

                assertThat(client.query("CREATE TABLE another (id int)")
                                .getFirst()
                                .commandTag())
                        .isEqualTo("CREATE TABLE");
                long defined = System.nanoTime();
                awaitRead(console);

                assertThat(Duration.ofNanos(System.nanoTime() - defined)).isLessThan(Duration.ofSeconds(5));
            }
        }
    }

    private static void awaitRead(WireClient console) throws Exception {
        while (!"read"
                .equals(console.rows("EXPLAIN ROUTE SELECT id FROM written")
                        .getFirst()
                        .get(2))) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    private static WireClient logIn(RunningPooler pooler) throws Exception {
        return WireClient.connect("127.0.0.1", pooler.port(), "app", "scram_user", "scram_user");
    }

    /** They would be waited for as long as server_connect_timeout says, and hold all that max_db_connections allows. */
    @Test
    void loginsThatItDoesNotAnswerKeepNobodyFromTheNextPrimary() throws Exception {
        try (var cluster = PostgresCluster.builder().standbys(1).start()) {
            PostgresNode old = cluster.primary();
            try (var connection = old.connect("app", PostgresCluster.SUPERUSER, "");
                    var statement = connection.createStatement()) {
                statement.execute("CREATE TABLE written (id int)");
            }
            cluster.awaitReplay();
            String hosts = cluster.nodes().stream().map(PostgresNode::host).collect(Collectors.joining(","));
            // With a lifetime of 0 each transaction logs in.
            try (var pooler = RunningPooler.ofDatabases(
                            "app = host=%s port=%d max_db_connections=2 monitor_user=postgres"
                                    .formatted(hosts, old.port()),
                            "event_loops = 1",
                            "server_lifetime = 0",
                            "server_connect_timeout = 15");
                    WireClient one = pooler.wire();
                    WireClient other = pooler.wire()) {
                assertThat(one.query("INSERT INTO written VALUES (1)")
                                .getFirst()
                                .commandTag())
                        .isEqualTo("INSERT 0 1");
                one.timeout(Duration.ofSeconds(30));
                other.timeout(Duration.ofSeconds(30));
                old.freeze();
                one.send(Frames.query("INSERT INTO written VALUES (2)"));
                other.send(Frames.query("INSERT INTO written VALUES (3)"));
                TimeUnit.MILLISECONDS.sleep(200);

                cluster.promote(cluster.standbys().getFirst());
                long promoted = System.nanoTime();

                assertThat(one.readUntilReady().getFirst().commandTag()).isEqualTo("INSERT 0 1");
                assertThat(other.readUntilReady().getFirst().commandTag()).isEqualTo("INSERT 0 1");
                assertThat(Duration.ofNanos(System.nanoTime() - promoted)).isLessThan(Duration.ofSeconds(9));
            }
        }
    }
}
