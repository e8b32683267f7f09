package io.plenum.pooler.auth;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.Pooler;
import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.config.LoadResult;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.pam.Pam;
import io.plenum.testbed.Frames;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.ServerErrorException;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Logins by rules, by PAM, and under attack. */
@ExtendWith(LeakWatch.class)
class LoginRulesIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    @TempDir
    private Path directory;

    // --- auth_type = hba -------------------------------------------------------------------------------------------

    @Test
    void firstRuleThatMatchesDecides() throws Exception {
        hba("""
            host app trust_user    127.0.0.1/32 reject
            host app password_user all          password
            host app scram_user    all          scram-sha-256
            host app md5_user      all          md5
            host app postgres      all          cert
            host postgres,sameuser all all      trust
            """);
        try (var pooler = start("auth_type = hba", "auth_hba_file = hba.conf")) {
            assertThat(outcome(pooler, "trust_user", "app", "trust_user")).isEqualTo("28000 login rejected");
            assertThat(outcome(pooler, "password_user", "app", "password_user")).isEqualTo("in");
            assertThat(outcome(pooler, "scram_user", "app", "scram_user")).isEqualTo("in");
            assertThat(outcome(pooler, "md5_user", "app", "md5_user")).isEqualTo("in");
            assertThat(outcome(pooler, "md5_user", "app", "wrong")).startsWith("28P01");
            assertThat(outcome(pooler, "postgres", "app", "x")).isEqualTo("28000 certificate authentication failed");
            assertThat(outcome(pooler, "trust_user", "postgres", "x")).isEqualTo("in");
            assertThat(outcome(pooler, "nobody", "postgres", "x")).isEqualTo("28000 \"trust\" authentication failed");
            assertThat(outcome(pooler, "trust_user", "template1", "x"))
                    .isEqualTo("28000 no auth_hba_file entry for host \"127.0.0.1\", user \"trust_user\","
                            + " database \"template1\", no encryption");
        }
    }

    @Test
    void rulesAreReadAnewAtAReloadAndKeptWhenTheyAreWrong() throws Exception {
        Path ini = directory.resolve("plenum.ini");
        userList();
        hba("host all all all trust\n");
        Files.writeString(ini, """
            [databases]
            * = host=%s port=%d
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = 0
            http_listen_port = 0
            auth_type = hba
            auth_hba_file = hba.conf
            auth_file = userlist.txt
            """.formatted(SERVER.host(), SERVER.port()));
        try (var pooler = Pooler.start(PoolerConfig.parse(Files.readString(ini), directory))) {
            int port = pooler.addresses().getFirst().getPort();
            assertThat(outcome(port, "trust_user", "app", "wrong")).isEqualTo("in");

            hba("host all all all scram-sha-256\nhost all all nonsense trust\n");
            LoadResult refused = pooler.reload().toCompletableFuture().get(30, TimeUnit.SECONDS);
            assertThat(refused)
                    .isInstanceOfSatisfying(
                            LoadResult.Refused.class,
                            result -> assertThat(result.text()).contains("hba.conf:2: \"nonsense\" is no address"));
            assertThat(outcome(port, "trust_user", "app", "wrong")).isEqualTo("in");

            hba("host all all all scram-sha-256\n");
            pooler.reload().toCompletableFuture().get(30, TimeUnit.SECONDS);
            assertThat(outcome(port, "trust_user", "app", "wrong")).startsWith("28P01");
            assertThat(outcome(port, "trust_user", "app", "trust_user")).isEqualTo("in");
        }
    }

    @Test
    void replicationNeedsItsKeyword() throws Exception {
        hba("host all all all trust\n");
        try (var pooler = start("auth_type = hba", "auth_hba_file = hba.conf")) {
            assertThat(outcome(pooler.port(), Map.of("user", "postgres", "replication", "true"), "x"))
                    .startsWith("28000 no auth_hba_file entry");
        }
        hba("host replication postgres all trust\n");
        try (var pooler = start("auth_type = hba", "auth_hba_file = hba.conf")) {
            assertThat(outcome(pooler.port(), Map.of("user", "postgres", "replication", "true"), "x"))
                    .isEqualTo("in");
            assertThat(outcome(pooler, "postgres", "app", "x")).startsWith("28000 no auth_hba_file entry");
        }
    }

    // --- auth_type = any, pam --------------------------------------------------------------------------------------

    @Test
    void anyNameIsTheUserOfTheDatabase() throws Exception {
        String one = "[databases]\n* = host=%s port=%d user=trust_user\n".formatted(SERVER.host(), SERVER.port());
        try (var pooler = RunningPooler.start(SERVER, directory, "auth_type = any", one);
                var client = RunningPooler.wire(pooler.port(), Map.of("user", "whoever"), null)) {
            assertThat(client.value("SELECT session_user")).isEqualTo("trust_user");
        }
    }

    @Test
    void pamDecidesWhereItIsInstalled() throws Exception {
        Path services = Files.createDirectory(directory.resolve("pam.d"));
        Files.writeString(
                services.resolve("pgbouncer"), "auth required pam_permit.so\naccount required pam_permit.so\n");
        String[] settings = {"auth_type = pam", "auth_pam_confdir = " + services};
        if (Pam.unavailability() != null) {
            org.assertj.core.api.Assertions.assertThatThrownBy(() -> start(settings))
                    .hasMessageContaining("libpam");
            return;
        }
        try (var pooler = start(settings)) {
            assertThat(outcome(pooler, "password_user", "app", "password_user")).isEqualTo("in"); // and gets through
            Files.writeString(
                    services.resolve("pgbouncer"), "auth required pam_deny.so\naccount required pam_deny.so\n");
            assertThat(outcome(pooler, "password_user", "app", "password_user"))
                    .isEqualTo("28P01 PAM authentication failed for user \"password_user\"");
        }
    }

    // --- limits before trust ---------------------------------------------------------------------------------------

    @Test
    void whoeverHoldsConnectionsOpenPushesOutTheirOwn() throws Exception {
        List<WireClient> held = new ArrayList<>();
        try (var pooler = start(
                "auth_type = scram-sha-256",
                "tcp_defer_accept = 0", // those who say nothing count too
                "max_client_conn = 2",
                "max_logins = 100",
                "max_logins_per_address = 20")) {
            for (int i = 0; i < 30; i++) {
                WireClient client = pooler.open();
                held.add(client);
                if (i % 2 == 0) {
                    client.send(Frames.startup(Frames.PROTOCOL_3_0, Map.of("user", "postgres", "database", "app")));
                    assertThat(client.read().type()).isEqualTo('R');
                }
            }
            try (var one = RunningPooler.wire(pooler.port(), Map.of("user", "scram_user"), "scram_user");
                    var two = RunningPooler.wire(pooler.port(), Map.of("user", "scram_user"), "scram_user")) {
                assertThat(one.value("SELECT 1")).isEqualTo(two.value("SELECT 1"));
                assertThat(outcome(pooler, "scram_user", "app", "scram_user")).startsWith("53300 max_client_conn");
            }
            assertThat(held.get(1).read().field('C')).isEqualTo("53300");
            assertThat(held.get(29).isClosedWithin(Duration.ofMillis(200))).isFalse();
        } finally {
            for (WireClient client : held) {
                client.close();
            }
        }
    }

    @Test
    void wrongPasswordWaitsEverLongerAndARightOneNever() throws Exception {
        try (var pooler = start("auth_type = scram-sha-256")) {
            for (int i = 0; i < FailedLogins.FREE + 2; i++) {
                assertThat(outcome(pooler, "scram_user", "app", "wrong")).startsWith("28P01");
            }
            long before = System.nanoTime();
            assertThat(outcome(pooler, "scram_user", "app", "wrong")).startsWith("28P01");
            assertThat(System.nanoTime() - before).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(390));
            try (var wrong = pooler.open()) {
                wrong.send(Frames.startup(Frames.PROTOCOL_3_0, Map.of("user", "nobody", "database", "app")));
                before = System.nanoTime();
                assertThat(outcome(pooler, "scram_user", "app", "scram_user")).isEqualTo("in");
            }
        }
    }

    @Test
    void passwordIsNotWaitedForBeyondItsLength() throws Exception {
        try (var pooler = start("auth_type = md5");
                var client = pooler.open()) {
            client.send(Frames.startup(Frames.PROTOCOL_3_0, Map.of("user", "nobody", "database", "app")));
            assertThat(client.read().type()).isEqualTo('R');
            client.sendRaw(new byte[] {'p', 0, 0, (byte) 0xff, 0});
            assertThat(client.read().field('C')).isEqualTo("08P01");
        }
    }

    // --- rig -------------------------------------------------------------------------------------------------------

    private void hba(String rules) throws IOException {
        Files.writeString(directory.resolve("hba.conf"), rules);
    }

    private void userList() throws IOException {
        var lines = new StringBuilder();
        for (var user : List.of("trust_user", "password_user", "md5_user", "scram_user")) {
            lines.append("\"%1$s\" \"%1$s\"\n".formatted(user));
        }
        Files.writeString(directory.resolve("userlist.txt"), lines.append("\"postgres\" \"x\"\n"));
    }

    private RunningPooler start(String... settings) throws IOException {
        userList();
        List<String> lines = new ArrayList<>(List.of("auth_file = userlist.txt"));
        lines.addAll(List.of(settings));
        return RunningPooler.start(SERVER, directory, lines.toArray(String[]::new));
    }

    private static String outcome(RunningPooler pooler, String user, String database, String password) {
        return outcome(pooler.port(), user, database, password);
    }

    private static String outcome(int port, String user, String database, String password) {
        return outcome(port, Map.of("user", user, "database", database), password);
    }

    /** {@code in}, or SQLSTATE and message. */
    private static String outcome(int port, Map<String, String> who, String password) {
        try (var client = RunningPooler.wire(port, who, password)) {
            return who.containsKey("replication") || client.value("SELECT 1").equals("1") ? "in" : "odd";
        } catch (ServerErrorException refused) {
            return refused.sqlState() + " " + refused.response().field('M');
        } catch (IOException e) {
            return e.toString();
        }
    }
}
