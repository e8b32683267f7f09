package io.plenum.pooler.auth;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.testbed.Frames;
import io.plenum.testbed.Message;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.WireClient;
import io.plenum.wire.auth.ScramSecret;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What somebody who knows no password can tell of who exists: nothing, by what is said or by when. */
@ExtendWith(LeakWatch.class)
class StrangersIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    /** Takes far longer than a login that hashes nothing, and far less than the time that a start may take. */
    private static final int SLOW = 1_000_000;

    /** Whoever is answered within it did not wait for hashes on this machine, and whoever is not has. */
    private static final Duration HALF = halfOfTheHashing();

    @TempDir
    private Path directory;

    @Test
    void firstLoginOfAPlainPasswordsUserIsAnsweredAsSoonAsThatOfNobody() throws Exception {
        userList("scram_user");
        try (var pooler = start("auth_type = scram-sha-256", "scram_iterations = " + SLOW)) {
            assertThat(untilAsked(pooler, "scram_user")).isLessThan(HALF);
            assertThat(untilAsked(pooler, "nobody")).isLessThan(HALF);
            try (var in = RunningPooler.wire(pooler.port(), Map.of("user", "scram_user"), "scram_user")) {
                assertThat(in.parameterStatus()).isNotEmpty();
            }
        }
    }

    @Test
    void whereThatWouldTakeTooLongNobodyIsAnsweredAsLateAsAUserEachTime() throws Exception {
        userList("scram_user", "b", "c", "d", "e");
        try (var pooler = start("auth_type = scram-sha-256", "scram_iterations = " + SLOW)) {
            for (int i = 0; i < 2; i++) {
                assertThat(untilAsked(pooler, "scram_user")).isGreaterThan(HALF);
                assertThat(untilAsked(pooler, "nobody")).isGreaterThan(HALF);
            }
        }
    }

    @Test
    void usersOfAChangedFileAreAnsweredAsSoonToo() throws Exception {
        userList("password_user");
        try (var pooler = start("auth_type = scram-sha-256", "scram_iterations = " + SLOW)) {
            assertThat(untilAsked(pooler, "password_user")).isLessThan(HALF);
            userList("scram_user");
            pooler.pooler().reload(config("auth_type = scram-sha-256", "scram_iterations = " + SLOW));
            assertThat(untilAsked(pooler, "scram_user")).isLessThan(HALF);
            try (var in = RunningPooler.wire(pooler.port(), Map.of("user", "scram_user"), "scram_user")) {
                assertThat(in.parameterStatus()).isNotEmpty();
            }
        }
    }

    @Test
    void nobodyIsAskedAndRefusedInTheWordsAndTheOrderOfAUser() throws Exception {
        userList("plain");
        for (String type : List.of("plain", "md5", "scram-sha-256", "trust")) {
            try (var pooler = start("auth_type = " + type)) {
                if (type.equals("trust")) {
                    assertThat(refusal(pooler, "nobody"))
                            .containsExactly("E 28000 \"trust\" authentication failed", "closed");
                } else {
                    assertThat(refusal(pooler, "nobody")).hasSizeGreaterThan(2).isEqualTo(refusal(pooler, "plain"));
                }
            }
        }
    }

    /** All that is said to somebody who answers wrongly, without what is random. */
    private static List<String> refusal(RunningPooler pooler, String user) throws IOException {
        List<String> heard = new ArrayList<>();
        try (var client = pooler.open()) {
            client.send(Frames.startup(Frames.PROTOCOL_3_0, Map.of("user", user, "database", "app")));
            Message asked = client.read();
            while (asked.type() == 'R') {
                heard.add("R " + asked.body()[3] + " of " + asked.body().length);
                client.send(Frames.password(answer(asked, heard)));
                asked = client.read();
            }
            heard.add("E " + asked.field('C') + " "
                    + String.valueOf(asked.field('M')).replace("\"" + user + "\"", "USER"));
            heard.add(client.isClosedWithin(Duration.ofSeconds(5)) ? "closed" : "open");
        }
        return heard;
    }

    private static byte[] answer(Message asked, List<String> heard) {
        switch (asked.body()[3]) {
            case 3 -> {
                return "wrong\0".getBytes(StandardCharsets.US_ASCII);
            }
            case 5 -> {
                return ("md5" + "0".repeat(32) + "\0").getBytes(StandardCharsets.US_ASCII);
            }
            case 10 -> {
                byte[] data = "n,,n=,r=abc".getBytes(StandardCharsets.US_ASCII);
                var body = ByteBuffer.allocate("SCRAM-SHA-256".length() + 5 + data.length);
                body.put("SCRAM-SHA-256\0".getBytes(StandardCharsets.US_ASCII))
                        .putInt(data.length)
                        .put(data);
                return body.array();
            }
            default -> {
                String first = new String(asked.body(), 4, asked.body().length - 4, StandardCharsets.US_ASCII);
                heard.add(first.replaceAll("r=[^,]*", "r=").replaceAll("s=[^,]{24},", "s=,"));
                String nonce = first.substring(2, first.indexOf(','));
                return ("c=biws,r=" + nonce + ",p=" + "A".repeat(43) + "=").getBytes(StandardCharsets.US_ASCII);
            }
        }
    }

    private static Duration halfOfTheHashing() {
        long before = 0;
        for (int time = 0; time < 2; time++) { // the first is slow, for it is not compiled yet
            before = System.nanoTime();
            assertThat(ScramSecret.derive("password", new byte[16], SLOW).iterations())
                    .isEqualTo(SLOW);
        }
        return Duration.ofNanos((System.nanoTime() - before) / 2);
    }

    /** The time from the startup packet to the request for a proof. */
    private static Duration untilAsked(RunningPooler pooler, String user) throws IOException {
        try (WireClient client = pooler.open()) {
            long before = System.nanoTime();
            client.send(Frames.startup(Frames.PROTOCOL_3_0, Map.of("user", user, "database", "app")));
            assertThat(client.read().type()).isEqualTo('R');
            return Duration.ofNanos(System.nanoTime() - before);
        }
    }

    /** Each has its name for a password. */
    private void userList(String... users) throws IOException {
        var lines = new StringBuilder();
        for (String user : users) {
            lines.append("\"%1$s\" \"%1$s\"\n".formatted(user));
        }
        Files.writeString(directory.resolve("userlist.txt"), lines);
    }

    private RunningPooler start(String... settings) {
        return RunningPooler.start(SERVER, directory, withUsers(settings));
    }

    private PoolerConfig config(String... settings) {
        return RunningPooler.config(SERVER, directory, withUsers(settings));
    }

    private static String[] withUsers(String... settings) {
        List<String> lines = new ArrayList<>(List.of("auth_file = userlist.txt"));
        lines.addAll(List.of(settings));
        return lines.toArray(String[]::new);
    }
}
