package io.plenum.testbed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresClusterIT {
    @ParameterizedTest
    @ValueSource(ints = {17, 18})
    void standbysOfEachVersionSeeWhatThePrimaryWrote(int version) {
        try (var cluster =
                PostgresCluster.builder().version(version).standbys(2).start()) {
            cluster.primary().execute("CREATE TABLE t AS SELECT 42 AS answer");

            cluster.awaitReplay();

            assertThat(cluster.standbys())
                    .hasSize(2)
                    .allSatisfy(standby ->
                            assertThat(standby.query("SELECT answer FROM t")).isEqualTo("42"));
            if (System.getProperty("plenum.postgres.home") == null) {
                assertThat(cluster.majorVersion()).isEqualTo(version);
                assertThat(cluster.primary().query("SHOW server_version")).startsWith(version + ".");
            }
        }
    }

    @Test
    void nodesShareOnePortOnAddressesOfTheirOwn() {
        var cluster = SharedPostgres.get();

        assertThat(cluster.nodes())
                .extracting(PostgresNode::host)
                .containsExactly("127.0.0.1", "127.0.0.2", "127.0.0.3");
        assertThat(cluster.nodes()).extracting(PostgresNode::name).containsExactly("pg-0", "pg-1", "pg-2");
        assertThat(cluster.nodes())
                .extracting(PostgresNode::port)
                .containsOnly(cluster.primary().port());
    }

    @Test
    void nodesCanHavePortsOfTheirOwnOnOneAddress() {
        try (var cluster = PostgresCluster.builder().standbys(1).samePort(false).start()) {
            assertThat(cluster.nodes()).extracting(PostgresNode::host).containsOnly("127.0.0.1");
            assertThat(cluster.nodes()).extracting(PostgresNode::port).doesNotHaveDuplicates();
        }
    }

    @Test
    void standbyRefusesToWrite() {
        var standby = SharedPostgres.get().standbys().getFirst();

        var refused = catchThrowableOfType(SQLException.class, () -> {
            try (var connection = standby.connect();
                    var statement = connection.createStatement()) {
                statement.execute("CREATE TABLE never (i int)");
            }
        });

        assertThat(refused.getSQLState()).isEqualTo("25006");
    }

    @Test
    void replayCanBePausedAndDelayed() {
        try (var cluster = PostgresCluster.builder().standbys(1).start()) {
            var primary = cluster.primary();
            var standby = cluster.standbys().getFirst();
            primary.execute("CREATE TABLE t (i int)");
            cluster.awaitReplay();

            standby.pauseReplay();
            primary.execute("INSERT INTO t VALUES (1)");
            var written = primary.lsn();
            assertThat(standby.lsn()).isNotEqualTo(written);
            assertThat(standby.query("SELECT count(*) FROM t")).isEqualTo("0");

            standby.resumeReplay();
            standby.awaitReplay(written);
            assertThat(standby.query("SELECT count(*) FROM t")).isEqualTo("1");

            standby.delayReplay(Duration.ofHours(1));
            primary.execute("INSERT INTO t VALUES (2)");
            assertThatThrownBy(() -> Await.until(
                            Duration.ofMillis(300),
                            () -> "the second row",
                            () -> "2".equals(standby.query("SELECT count(*) FROM t"))))
                    .isInstanceOf(TestbedException.class);

            standby.delayReplay(Duration.ZERO);
            cluster.awaitReplay();
            assertThat(standby.query("SELECT count(*) FROM t")).isEqualTo("2");
        }
    }

    @Test
    void frozenNodeTakesConnectionsAndAnswersOnlyWhenThawed() throws Exception {
        try (var server = PostgresServer.start();
                var client = superuser(server.node())) {
            server.node().freeze();
            client.timeout(Duration.ofMillis(300));

            assertThatThrownBy(() -> client.query("SELECT 1")).isInstanceOf(SocketTimeoutException.class);
            try (var second = WireClient.open(server.host(), server.port())) {
                assertThat(second.isClosedWithin(Duration.ofMillis(100))).isFalse();
            }
            assertThat(server.node().isRunning()).isTrue();

            server.node().thaw();
            client.timeout(Duration.ofSeconds(30));

            assertThat(client.readUntilReady()).extracting(Message::type).containsExactly('T', 'D', 'C', 'Z');
        }
    }

    @Test
    void killedNodeClosesItsConnectionsAndStartsAgainWithWhatWasCommitted() throws Exception {
        try (var server = PostgresServer.start();
                var client = superuser(server.node())) {
            server.node().execute("CREATE TABLE t AS SELECT 7 AS i");

            server.node().kill9();

            assertThat(client.isClosedWithin(Duration.ofSeconds(2))).isTrue();
            assertThatThrownBy(() -> WireClient.open(server.host(), server.port()))
                    .isInstanceOf(ConnectException.class);

            server.node().start();

            assertThat(server.node().query("SELECT i FROM t")).isEqualTo("7");
        }
    }

    @Test
    void frozenNodeCanBeKilled() {
        try (var server = PostgresServer.start()) {
            server.node().freeze();

            server.node().kill9();
            server.node().start();

            assertThat(server.node().query("SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void eachStopModeTreatsSessionsAsPostgresDoes() throws Exception {
        try (var server = PostgresServer.start()) {
            var node = server.node();
            try (var client = superuser(node)) {
                node.stop(StopMode.FAST);
                assertThat(client.read().text())
                        .isEqualTo("FATAL 57P01 terminating connection due to administrator command");
            }
            node.start();
            try (var client = superuser(node)) {
                assertThat(node.log()).content().doesNotContain("automatic recovery in progress");
                node.stop(StopMode.IMMEDIATE);
                assertThat(client.isClosedWithin(Duration.ofSeconds(1))
                                || client.read().type() == 'N')
                        .isTrue();
            }
            node.start();
            assertThat(node.log()).content().contains("automatic recovery in progress");
            try (var client = superuser(node)) {
                node.beginStop(StopMode.SMART);
                assertThat(client.value("SELECT 1")).isEqualTo("1");
            }
            Await.until(Duration.ofSeconds(10), () -> "down", () -> !node.isRunning());
        }
    }

    @Test
    void standbyTakesOverTheOthersFollowAndTheOldPrimaryRejoins() {
        try (var cluster = PostgresCluster.builder().standbys(2).start()) {
            var old = cluster.primary();
            var heir = cluster.nodes().get(1);
            var other = cluster.nodes().get(2);
            old.execute("CREATE TABLE t AS SELECT 1 AS i");
            cluster.awaitReplay();

            old.kill9();
            cluster.promote(heir);
            heir.execute("INSERT INTO t VALUES (2)");
            cluster.awaitReplay();

            assertThat(cluster.primary()).isSameAs(heir);
            assertThat(cluster.standbys()).containsExactly(other);
            assertThat(other.query("SELECT count(*) FROM t")).isEqualTo("2");

            cluster.rejoinAsStandby(old);
            heir.execute("INSERT INTO t VALUES (3)");
            cluster.awaitReplay();

            assertThat(cluster.standbys()).containsExactly(old, other);
            assertThat(old.query("SELECT count(*) FROM t")).isEqualTo("3");
        }
    }

    /** Were the other promoted, this one would be ahead of it, and could follow nobody. */
    @Test
    void heirIsTheStandbyThatHasMostOnceAllThatTheDeadPrimaryHadSentIsRead() throws Exception {
        try (var cluster = PostgresCluster.builder().standbys(2).start()) {
            var old = cluster.primary();
            var cutOff = cluster.standbys().getFirst();
            var late = cluster.standbys().getLast();
            cutOff.set("primary_conninfo", "host=127.0.0.99 port=1"); // where nobody is
            cutOff.awaitNoReceiver();
            var receiver = List.of(Long.parseLong(String.valueOf(late.query("SELECT pid FROM pg_stat_wal_receiver"))));
            Programs.signal("STOP", receiver);
            old.execute("CREATE TABLE t AS SELECT 1 AS i");
            Await.until(
                    Duration.ofSeconds(10),
                    () -> "all is sent to " + late,
                    () -> "t"
                            .equals(old.query(
                                    "SELECT coalesce(bool_or(sent_lsn >= pg_current_wal_flush_lsn()), false) FROM"
                                            + " pg_stat_replication WHERE application_name = '" + late.name() + "'")));
            old.kill9();
            var reading = Thread.ofVirtual().start(() -> {
                try {
                    Thread.sleep(300);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                Programs.signal("CONT", receiver);
            });

            var heir = cluster.heir();
            reading.join();
            cluster.promote(heir);

            assertThat(heir).isSameAs(late);
            cluster.awaitReplay();
            assertThat(cutOff.query("SELECT i FROM t")).isEqualTo("1");
        }
    }

    @Test
    void plannedSwitchoverLosesNothingAndTurnsTheRolesRound() {
        try (var cluster = PostgresCluster.builder().standbys(1).start()) {
            var old = cluster.primary();
            var heir = cluster.standbys().getFirst();
            old.execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS i");

            cluster.switchOver(heir);

            assertThat(heir.query("SELECT count(*) FROM t")).isEqualTo("1000");
            heir.execute("INSERT INTO t VALUES (0)");
            cluster.awaitReplay();
            assertThat(cluster.standbys()).containsExactly(old);
            assertThat(old.query("SELECT count(*) FROM t")).isEqualTo("1001");
        }
    }

    @Test
    void standbyAddedUnderWritesCatchesUpAndOneRemovedLeavesNoSlot() throws Exception {
        try (var cluster = PostgresCluster.builder().start();
                var writer = superuser(cluster.primary())) {
            writer.query("CREATE TABLE t (i int)");
            writer.timeout(Duration.ofMinutes(1));
            writer.send(Frames.query(
                    "DO $$ BEGIN FOR n IN 1..30 LOOP INSERT INTO t SELECT generate_series(1, 1000); COMMIT;"
                            + " PERFORM pg_sleep(0.02); END LOOP; END $$"));

            var added = cluster.addStandby();
            writer.readUntilReady();
            cluster.awaitReplay();

            assertThat(added.host()).isEqualTo("127.0.0.2");
            assertThat(added.query("SELECT count(*) FROM t")).isEqualTo("30000");

            cluster.remove(added);

            assertThat(cluster.nodes()).containsExactly(cluster.primary());
            assertThat(cluster.primary().query("SELECT count(*) FROM pg_replication_slots"))
                    .isEqualTo("0");
        }
    }

    @Test
    void settingsAndHbaLinesOfTheTestReachEveryNode() throws Exception {
        try (var cluster = PostgresCluster.builder()
                .standbys(1)
                .setting("work_mem", "7MB")
                .hba("host app app 127.0.0.0/8 reject")
                .start()) {
            for (var node : cluster.nodes()) {
                assertThat(node.query("SHOW work_mem")).isEqualTo("7MB");
                var refused = catchThrowableOfType(
                        ServerErrorException.class,
                        () -> WireClient.connect(node.host(), node.port(), "app", "app", "app"));
                assertThat(refused.sqlState()).isEqualTo("28000");
            }
        }
    }

    @Test
    void badSettingIsToldWithTheServersOwnWords() {
        assertThatThrownBy(() ->
                        PostgresCluster.builder().setting("work_memory", "1MB").start())
                .isInstanceOf(TestbedException.class)
                .hasMessageContaining("unrecognized configuration parameter \"work_memory\"");
    }

    @Test
    void serverRunsAsNobodyWhereRootMayNotMakeNamespaces() {
        var account =
                ServerAccount.detect() == ServerAccount.SAME_USER ? ServerAccount.SAME_USER : ServerAccount.NOBODY;
        try (var cluster =
                PostgresCluster.builder().standbys(1).account(account).start()) {
            cluster.primary().execute("CREATE TABLE t AS SELECT 1 AS i");
            cluster.switchOver(cluster.standbys().getFirst());
            cluster.rejoinAsStandby(cluster.standbys().getFirst());

            assertThat(cluster.standbys().getFirst().query("SELECT i FROM t")).isEqualTo("1");
        }
    }

    @Test
    void closedClusterLeavesNeitherProcessNorFile() {
        var cluster = PostgresCluster.builder().standbys(1).start();
        var processes = cluster.nodes().stream().map(PostgresNode::processId).toList();
        Path directory = cluster.primary().socketDirectory().getParent();
        cluster.standbys().getFirst().freeze();

        cluster.close();

        assertThat(processes).allMatch(Programs::isGone);
        assertThat(directory).doesNotExist();
    }

    private static WireClient superuser(PostgresNode node) throws Exception {
        return WireClient.connect(node.host(), node.port(), "postgres", "postgres", null);
    }
}
