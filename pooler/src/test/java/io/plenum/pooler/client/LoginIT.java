package io.plenum.pooler.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.ServerErrorException;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who gets in and who does not, and what the session is that they get. */
@ExtendWith(LeakWatch.class)
class LoginIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    @TempDir
    private Path directory;

    // --- proofs ----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({
        "plain, plain, trust_user",
        "plain, md5, trust_user",
        "md5, plain, md5_user",
        "md5, md5, md5_user",
        "md5, scram, scram_user",
        "scram-sha-256, plain, scram_user",
        "scram-sha-256, scram, scram_user",
        "scram-sha-256, plain, password_user",
        "scram-sha-256, plain, md5_user",
        "md5, plain, scram_user",
        "plain, plain, password_user",
        "plain, scram, scram_user"
    })
    void rightPasswordGetsIn(String authType, String secret, String user) throws Exception {
        try (var pooler = start(authType, user, secret);
                var client = connect(pooler, user, user)) {
            assertThat(client.value("SELECT session_user")).isEqualTo(user);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "plain, plain",
        "plain, md5",
        "plain, scram",
        "md5, plain",
        "md5, md5",
        "md5, scram",
        "scram-sha-256, plain",
        "scram-sha-256, scram"
    })
    void wrongPasswordAndUnknownUserHearTheSame(String authType, String secret) throws Exception {
        try (var pooler = start(authType, "scram_user", secret)) {
            for (var user : List.of("scram_user", "nobody")) {
                assertThatThrownBy(() -> connect(pooler, user, "wrong"))
                        .isInstanceOfSatisfying(ServerErrorException.class, refused -> {
                            assertThat(refused.sqlState()).isEqualTo("28P01");
                            assertThat(refused.response().field('M'))
                                    .isEqualTo("password authentication failed for user \"" + user + "\"");
                        });
            }
        }
    }

    @Test
    void emptyPasswordHearsWhatPostgresSays() throws Exception {
        try (var pooler = start("plain", "password_user", "plain")) {
            for (int port : new int[] {SERVER.port(), pooler.port()}) {
                assertThatThrownBy(() -> RunningPooler.wire(port, Map.of("user", "password_user"), ""))
                        .isInstanceOfSatisfying(ServerErrorException.class, refused -> {
                            assertThat(refused.sqlState()).isEqualTo("28P01");
                            assertThat(refused.response().field('M')).isEqualTo("empty password returned by client");
                        });
            }
        }
    }

    @Test
    void databaseThatIsMissingIsToldOnlyToThoseWhoAreIn() throws Exception {
        try (var pooler = start("scram-sha-256", "scram_user", "plain")) {
            assertThatThrownBy(() -> RunningPooler.wire(
                            pooler.port(), Map.of("user", "scram_user", "database", "nowhere"), "wrong"))
                    .hasMessageContaining("password authentication failed");
            assertThatThrownBy(() -> RunningPooler.wire(
                            pooler.port(), Map.of("user", "scram_user", "database", "nowhere"), "scram_user"))
                    .hasMessageContaining("nowhere");
        }
    }

    @Test
    void loginThatTheServerWillNeverTakeIsRefusedAtOnce() throws Exception {
        // a hash for MD5 and the answer to it: nothing that would open a server which wants SCRAM
        try (var pooler = start("md5", "scram_user", "md5")) {
            assertThatThrownBy(() -> connect(pooler, "scram_user", "scram_user"))
                    .isInstanceOfSatisfying(
                            ServerErrorException.class,
                            refused -> assertThat(refused.sqlState()).isEqualTo("08004"));
        }
    }

    private RunningPooler start(String authType, String user, String secret) throws Exception {
        Files.writeString(directory.resolve("userlist.txt"), "\"%s\" \"%s\"\n".formatted(user, secret(user, secret)));
        return RunningPooler.start(SERVER, directory, "auth_type = " + authType, "auth_file = userlist.txt");
    }

    private static String secret(String user, String kind) throws Exception {
        return switch (kind) {
            case "md5" ->
                "md5"
                        + HexFormat.of()
                                .formatHex(MessageDigest.getInstance("MD5")
                                        .digest((user + user).getBytes(StandardCharsets.UTF_8)));
            case "scram" -> {
                try (var control = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
                    yield control.value("SELECT rolpassword FROM pg_authid WHERE rolname = '" + user + "'");
                }
            }
            default -> user;
        };
    }

    private static WireClient connect(RunningPooler pooler, String user, String password) throws IOException {
        return RunningPooler.wire(pooler.port(), Map.of("user", user), password);
    }

    // --- first bytes -----------------------------------------------------------------------------------------------

    @Test
    void encryptionIsAnsweredWithNo() throws Exception {
        try (var pooler = RunningPooler.start(SERVER);
                var client = pooler.open()) {
            client.send(Frames.gssEncRequest());
            assertThat(client.readByte()).isEqualTo('N');
            client.send(Frames.sslRequest());
            assertThat(client.readByte()).isEqualTo('N');
            client.startup(Frames.PROTOCOL_3_0, Map.of("user", "postgres", "database", "app"), null);
            assertThat(client.value("SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void bytesBehindAnEncryptionRequestAreRefused() throws Exception {
        try (var pooler = RunningPooler.start(SERVER);
                var client = pooler.open()) {
            client.send(Frames.sslRequest(), Frames.startup(Frames.PROTOCOL_3_0, Map.of("user", "postgres")));
            assertThat(client.read().field('C')).isEqualTo("08P01");
        }
    }

    @Test
    void startupPacketMayComeByteByByte() throws Exception {
        try (var pooler = RunningPooler.start(SERVER);
                var client = pooler.open()) {
            byte[] packet = Frames.startup(Frames.PROTOCOL_3_0, Map.of("user", "postgres", "database", "app"));
            for (int i = 0; i < packet.length; i++) {
                client.sendPart(packet, i, i + 1);
            }
            assertThat(client.readUntilReady())
                    .last()
                    .satisfies(m -> assertThat(m.transactionStatus()).isEqualTo('I'));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {Frames.PROTOCOL_3_0, (3 << 16) | 1, Frames.PROTOCOL_3_2, (3 << 16) | 99})
    void versionIsNegotiatedAsPostgresDoes(int version) throws Exception {
        assertThat(negotiation(SERVER.port(), version, Map.of())).isEqualTo(viaPooler(version, Map.of()));
        assertThat(negotiation(SERVER.port(), version, Map.of("_pq_.unheard", "of")))
                .isEqualTo(viaPooler(version, Map.of("_pq_.unheard", "of")));
    }

    private static List<String> viaPooler(int version, Map<String, String> more) throws IOException {
        try (var pooler = RunningPooler.start(SERVER)) {
            return negotiation(pooler.port(), version, more);
        }
    }

    private static List<String> negotiation(int port, int version, Map<String, String> more) throws IOException {
        try (var client = WireClient.open("127.0.0.1", port)) {
            var parameters = new java.util.LinkedHashMap<>(Map.of("user", "postgres", "database", "app"));
            parameters.putAll(more);
            List<String> said = new ArrayList<>();
            for (var message : client.startup(version, parameters, null)) {
                switch (message.type()) {
                    case 'K' -> said.add("key of " + client.cancelSecret().length);
                    case 'S' -> said.add(message.text().startsWith("is_superuser") ? message.text() : "parameter");
                    default -> said.add(message.type() + HexFormat.of().formatHex(message.body()));
                }
            }
            return said;
        }
    }

    @Test
    void loginSaysWhatPostgresSays() throws Exception {
        var asked = Map.of("application_name", "me", "TimeZone", "Asia/Tokyo", "DateStyle", "sql,dmy");
        try (var pooler = RunningPooler.start(SERVER);
                var other = pooler.wire(Map.of("application_name", "someone else"));
                var via = pooler.wire(asked);
                var again = pooler.wire(asked);
                var direct = RunningPooler.wire(SERVER.port(), asked, null)) {
            assertThat(via.parameterStatus()).containsExactlyInAnyOrderEntriesOf(direct.parameterStatus());
            assertThat(again.parameterStatus()).containsExactlyInAnyOrderEntriesOf(direct.parameterStatus());
            assertThat(other.parameterStatus()).containsEntry("application_name", "someone else");
        }
    }

    @Test
    void unknownStartupParameterIsRefusedInPostgresWords() throws Exception {
        try (var pooler = RunningPooler.start(SERVER)) {
            assertThat(refusal(pooler.port(), Map.of("no_such_setting", "1")))
                    .isEqualTo(refusal(SERVER.port(), Map.of("no_such_setting", "1")));
            assertThat(refusal(pooler.port(), Map.of("DateStyle", "nonsense")))
                    .isEqualTo(refusal(SERVER.port(), Map.of("DateStyle", "nonsense")));
        }
    }

    private static @Nullable String refusal(int port, Map<String, String> parameters) {
        try (var client = RunningPooler.wire(port, parameters, null)) {
            return "let in: " + client.parameterStatus();
        } catch (ServerErrorException refused) {
            Message error = refused.response();
            return error.field('S') + error.field('C') + error.field('M');
        } catch (IOException e) {
            return e.toString();
        }
    }

    // --- settings of the session -----------------------------------------------------------------------------------

    @Test
    void startupSettingsHoldOnEveryServerAndForNobodyElse() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 2");
                var mine = pooler.wire(Map.of(
                        "application_name",
                        "mine",
                        "options",
                        "-c statement_timeout=12345 -c search_path=pg_temp\\ ,app --work-mem=3MB",
                        "extra_float_digits",
                        "2"));
                var plain = pooler.wire();
                var holder = pooler.wire()) {
            String all =
                    "SELECT current_setting('application_name') || '/' || current_setting('statement_timeout') || '/'"
                            + " || current_setting('search_path') || '/' || current_setting('work_mem') || '/'"
                            + " || current_setting('extra_float_digits')";
            String own = "mine/12345ms/pg_temp ,app/3MB/2";
            var defaults = plain.value(all);
            for (int i = 0; i < 10; i++) {
                assertThat(mine.value(all)).isEqualTo(own);
                holder.rows("BEGIN; SELECT 1"); // on the server that was used last
                assertThat(mine.value(all)).isEqualTo(own);
                assertThat(plain.value(all)).isEqualTo(defaults);
                holder.rows("COMMIT");
                assertThat(plain.value(all)).isEqualTo(defaults);
            }
            assertThat(defaults).doesNotContain("mine").doesNotContain("3MB");
        }
    }

    @Test
    void whereOptionsAreIgnoredWhatPgbouncerKeepsIsTakenOutOfThem() throws Exception {
        Map<String, String> asked =
                Map.of("options", "-c enable_seqscan=off -c TimeZone=Europe/Lisbon", "work_mem", "7MB");
        try (var pooler = RunningPooler.start(SERVER, "ignore_startup_parameters = Options");
                var client = RunningPooler.wire(pooler.port(), asked, null)) {
            assertThat(client.value("SHOW enable_seqscan")).isEqualTo("on");
            assertThat(client.value("SHOW TimeZone")).isEqualTo("Europe/Lisbon");
            assertThat(client.value("SHOW work_mem")).isEqualTo("7MB");
        }
    }

    @Test
    void valuesAreNeverText() throws Exception {
        String hostile = "'; DROP TABLE x; -- \\ \" $$ ü";
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.wire(Map.of("application_name", hostile, "my.setting", hostile));
                var direct = RunningPooler.wire(
                        SERVER.port(), Map.of("application_name", hostile, "my.setting", hostile), null);
                var other = pooler.wire()) {
            for (int i = 0; i < 3; i++) {
                assertThat(client.value("SHOW application_name")).isEqualTo(direct.value("SHOW application_name"));
                assertThat(client.value("SHOW my.setting")).isEqualTo(hostile);
                assertThat(other.value("SHOW application_name")).isEmpty();
            }
        }
    }

    @Test
    void resetGoesBackToTheStartupValue() throws Exception {
        var asked = Map.of("application_name", "start", "TimeZone", "Asia/Tokyo", "work_mem", "3MB");
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var via = pooler.wire(asked);
                var other = pooler.wire();
                var direct = RunningPooler.wire(SERVER.port(), asked, null)) {
            for (var sql : List.of(
                    "SET application_name = 'changed'",
                    "RESET application_name",
                    "SHOW application_name",
                    "SET TimeZone = 'Europe/Paris'",
                    "DISCARD ALL",
                    "SHOW TimeZone",
                    "SHOW work_mem",
                    "SHOW application_name")) {
                assertThat(via.query(sql)).as(sql).containsExactlyElementsOf(direct.query(sql));
                assertThat(other.value("SHOW TimeZone")).isEqualTo("UTC");
            }
        }
    }

    @Test
    void equalSettingsAreNotReplayed() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var client = pooler.wire(Map.of("application_name", "steady"));
                var control = RunningPooler.wire(SERVER.port(), Map.of(), null)) {
            client.rows("SELECT 1");
            client.rows("SELECT 2");
            assertThat(control.value("SELECT query FROM pg_stat_activity WHERE application_name = 'steady'"))
                    .isEqualTo("SELECT 2");
        }
    }

    @Test
    void queryBehindTheStartupPacketIsAnsweredWhoeverLoggedInBefore() throws Exception {
        var startup = Map.of("user", "postgres", "database", "app");
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1")) {
            for (int i = 0; i < 3; i++) { // the first has to ask a server how sessions begin
                try (var client = pooler.open()) {
                    client.timeout(Duration.ofSeconds(10));
                    client.send(Frames.startup(Frames.PROTOCOL_3_0, startup), Frames.query("SELECT 41 + 1"));
                    client.readUntilReady();
                    assertThat(client.readUntilReady()).anyMatch(m -> m.type() == 'D');
                }
            }
        }
    }

    @Test
    void loginsWithTheSamePacketFollowAReload() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, directory, named("before"))) {
            assertThat(applicationName(pooler.port())).isEqualTo("before");
            assertThat(applicationName(pooler.port())).isEqualTo("before");
            pooler.pooler().reload(RunningPooler.config(SERVER, directory, named("after")));
            assertThat(applicationName(pooler.port())).isEqualTo("after");
        }
    }

    private static String named(String application) {
        return "[databases]\napp = host=%s port=%d application_name=%s"
                .formatted(SERVER.host(), SERVER.port(), application);
    }

    private static @Nullable String applicationName(int port) throws IOException {
        try (var client = RunningPooler.wire(port, Map.of(), null)) {
            return client.value("SHOW application_name");
        }
    }

    @Test
    void deadClientsDoNotWaitForALogin() throws Exception {
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1");
                var holder = pooler.wire()) {
            holder.rows("BEGIN; SELECT 1");
            for (int i = 0; i < 10; i++) {
                var dead = pooler.open();
                dead.send(Frames.startup(Frames.PROTOCOL_3_0, Map.of("user", "postgres", "database", "app")));
                dead.kill();
            }
            holder.rows("COMMIT");
            assertThat(holder.value("SELECT 1")).isEqualTo("1");
            holder.timeout(Duration.ofSeconds(5));
        }
    }
}
