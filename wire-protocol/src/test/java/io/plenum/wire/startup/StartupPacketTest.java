package io.plenum.wire.startup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.backend.NegotiateProtocolVersion;
import io.plenum.wire.frontend.FrontendMessages;
import io.plenum.wire.recording.Recording;
import io.plenum.wire.recording.Recording.Message;
import io.plenum.wire.recording.Recording.Sender;
import io.plenum.wire.recording.StartupOutcomes;
import io.plenum.wire.startup.StartupPacket.Startup;
import io.plenum.wire.startup.StartupParameters.Replication;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StartupPacketTest {
    @Test
    void packetsAreTakenAndRefusedAsPostgresDoes() throws IOException {
        List<String> lines;
        try (InputStream file = StartupPacketTest.class.getResourceAsStream("/startup-outcomes.txt")) {
            lines = new String(Objects.requireNonNull(file).readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
        }
        SoftAssertions differences = new SoftAssertions();
        for (String line : lines.subList(1, lines.size())) {
            int space = line.indexOf(' ');
            byte[] packet = HexFormat.of().parseHex(line, 0, space);
            String server = line.substring(space + 1);
            String ours = StartupOutcomes.ours(packet);
            differences
                    .assertThat(StartupOutcomes.agree(server, ours))
                    .as("%s%n  server: %s%n  ours:   %s", line.substring(0, space), server, ours)
                    .isTrue();
        }
        assertThat(lines.size()).isGreaterThan(400);
        differences.assertAll();
    }

    @Test
    void recordedStartupPacketsOfLibpqAreUnderstood() {
        Message message = Recording.ofServer(18).stream()
                .filter(recording -> recording.name().endsWith("libpq-psql.hex"))
                .findFirst()
                .orElseThrow()
                .from(Sender.FRONTEND)
                .getFirst();

        Startup startup = (Startup) parse(Unpooled.wrappedBuffer(message.bytes()));

        assertThat(startup.version()).isEqualTo(ProtocolVersion.V3_0);
        assertThat(startup.parameters().user()).isEqualTo("postgres");
        assertThat(startup.parameters().database()).isEqualTo("postgres");
        assertThat(startup.parameters().settings()).containsExactlyEntriesOf(Map.of("application_name", "psql"));
    }

    @Test
    void requestsHaveTheBytesOfTheManual() {
        ByteBuf out = Unpooled.buffer();
        FrontendMessages.sslRequest(out);
        assertThat(out).isEqualTo(hex("0000000804d2162f"));
        assertThat(parse(out)).isEqualTo(new StartupPacket.Ssl());

        out.clear();
        FrontendMessages.gssEncRequest(out);
        assertThat(out).isEqualTo(hex("0000000804d21630"));
        assertThat(parse(out)).isEqualTo(new StartupPacket.GssEncryption());

        out.clear();
        FrontendMessages.cancelRequest(out, new CancelKey(-2, new byte[] {1, 2, 3, 4}));
        assertThat(out).isEqualTo(hex("0000001004d2162efffffffe01020304"));
        assertThat(parse(out)).isEqualTo(new StartupPacket.Cancel(new CancelKey(-2, new byte[] {1, 2, 3, 4})));

        out.clear();
        FrontendMessages.startup(out, ProtocolVersion.V3_2, Map.of("user", "u"));
        assertThat(out).isEqualTo(hex("000000100003000275736572007500" + "00"));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 32, 256})
    void cancelKeysOfEveryLengthOfTheProtocolAreTaken(int length) {
        CancelKey key = new CancelKey(7, new byte[length]);
        ByteBuf out = Unpooled.buffer();
        FrontendMessages.cancelRequest(out, key);

        assertThat(parse(out)).isEqualTo(new StartupPacket.Cancel(key));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 257, 1000})
    void cancelKeysOfOtherLengthsAreRefused(int length) {
        ByteBuf packet = Unpooled.buffer();
        packet.writeInt(12 + length)
                .writeInt(StartupPacket.CANCEL_REQUEST)
                .writeInt(7)
                .writeZero(length);

        assertThatExceptionOfType(ProtocolException.class).isThrownBy(() -> parse(packet));
        assertThatIllegalArgumentException().isThrownBy(() -> new CancelKey(7, new byte[length]));
    }

    @Test
    void cancelKeysAreEqualByContentAndNeverPrinted() {
        CancelKey key = new CancelKey(7, new byte[] {65, 66, 67, 68});

        assertThat(key)
                .isEqualTo(new CancelKey(7, new byte[] {65, 66, 67, 68}))
                .hasSameHashCodeAs(new CancelKey(7, new byte[] {65, 66, 67, 68}))
                .isNotEqualTo(new CancelKey(7, new byte[] {65, 66, 67, 69}))
                .isNotEqualTo(new CancelKey(7, new byte[] {65, 66, 67, 68, 0}))
                .isNotEqualTo(new CancelKey(8, new byte[] {65, 66, 67, 68}))
                .hasToString("CancelKey[7, 4 secret bytes]");
    }

    @Test
    void versionsAreNegotiatedAsTheServersOfTheRecordingsDid() {
        // PostgreSQL 15 and 17 end at 3.0 and so negotiate what 18 takes; we do as 18 does.
        for (Recording recording : Recording.ofServer(18)) {
            if (!recording.name().contains("version-")) {
                continue;
            }
            Message first = recording.from(Sender.FRONTEND).getFirst();
            Startup startup = (Startup) parse(Unpooled.wrappedBuffer(first.bytes()));
            Message answer = recording.from(Sender.BACKEND).getFirst();

            boolean asked = !startup.version().negotiated().equals(startup.version())
                    || !startup.parameters().unknownProtocolOptions().isEmpty();
            assertThat(answer.type()).as(recording.name()).isEqualTo(asked ? 'v' : 'R');
            if (asked) {
                assertThat(NegotiateProtocolVersion.parse(
                                Unpooled.wrappedBuffer(answer.bytes()), 5, answer.bytes().length))
                        .isEqualTo(new NegotiateProtocolVersion(
                                startup.version().negotiated(),
                                startup.parameters().unknownProtocolOptions()));
            }
            int secret = recording.from(Sender.BACKEND).stream()
                    .filter(message -> message.type() == 'K')
                    .mapToInt(message -> message.bytes().length - 9)
                    .findFirst()
                    .orElseThrow();
            assertThat(startup.version().negotiated().hasLongCancelKeys()).isEqualTo(secret > CancelKey.OLD_SECRET);
        }
    }

    @Test
    void databaseDefaultsToTheUser() {
        assertThat(parameters("user", "app").database()).isEqualTo("app");
        assertThat(parameters("user", "app", "database", "").database()).isEqualTo("app");
        assertThat(parameters("user", "app", "database", "shop").database()).isEqualTo("shop");
    }

    @Test
    void longNamesAreCutWherePostgresCutsThem() {
        assertThat(parameters("user", "u".repeat(64)).user()).isEqualTo("u".repeat(63));
        assertThat(parameters("user", "u".repeat(62) + "ä").user()).isEqualTo("u".repeat(62));
        assertThat(parameters("user", "u", "database", "d".repeat(100)).database())
                .isEqualTo("d".repeat(63));
    }

    @Test
    void settingsAreAllButTheReservedNamesAndWinOverOptions() {
        StartupParameters parameters = parameters(
                "user",
                "u",
                "database",
                "d",
                "replication",
                "false",
                "_pq_.x",
                "y",
                "options",
                "-c work_mem=1MB --search-path=a\\ b -c TimeZone=UTC",
                "Work_Mem",
                "2MB",
                "application_name",
                "");

        Map<String, String> expected = new LinkedHashMap<>();
        expected.put("work_mem", "2MB");
        expected.put("search_path", "a b");
        expected.put("timezone", "UTC");
        expected.put("application_name", "");
        assertThat(parameters.settings()).containsExactlyEntriesOf(expected);
        assertThat(parameters.unknownProtocolOptions()).containsExactly("_pq_.x");
        assertThat(parameters.replication()).isEqualTo(Replication.NONE);
        assertThat(parameters.toString()).doesNotContain("MB", "UTC");
    }

    @ParameterizedTest
    @CsvSource({
        "database, DATABASE",
        "true, PHYSICAL",
        "T, PHYSICAL",
        "on, PHYSICAL",
        "yes, PHYSICAL",
        "1, PHYSICAL",
        "false, NONE",
        "of, NONE",
        "n, NONE",
        "0, NONE"
    })
    void replicationIsReadAsPostgresReadsIt(String value, Replication expected) {
        assertThat(parameters("user", "u", "replication", value).replication()).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "-c a.b=c | a.b=c",
                "-ca.b=c | a.b=c",
                "--a.b=c | a.b=c",
                "--a-b.c=d=e | a_b.c=d=e",
                "-c a.b=\\\\ | a.b=\\",
                "-c a.b=\\ \\  | a.b=  ",
                "-es -S 64 | datestyle=euro,log_statement_stats=true,work_mem=64",
                "-fseq -tpl | enable_seqscan=false,log_planner_stats=true",
                "-- | ''",
            })
    void optionsAreReadAsACommandLine(String options, String expected) {
        String settings = parameters("user", "u", "options", options).settings().entrySet().stream()
                .map(setting -> setting.getKey() + "=" + setting.getValue())
                .reduce((a, b) -> a + "," + b)
                .orElse("");

        assertThat(settings.strip()).isEqualTo(expected.strip());
    }

    @Test
    void valuesOfOptionsSurviveEscapingWhateverTheyHold() {
        Random random = new Random(8);
        for (int round = 0; round < 10_000; round++) {
            StringBuilder value = new StringBuilder();
            for (int i = random.nextInt(12); i > 0; i--) {
                value.append(" \t\n\\'\"=;-äx\u0001".charAt(random.nextInt(12)));
            }
            String escaped = value.toString().replace("\\", "\\\\").replaceAll("([ \t\n])", "\\\\$1");

            assertThat(parameters("user", "u", "options", "-c a.b=" + escaped + " -c c.d=e")
                            .settings())
                    .containsEntry("a.b", value.toString())
                    .containsEntry("c.d", "e");
        }
    }

    @Test
    void deeplyDottedNameIsNoTrouble() {
        String name = "a." + "b.".repeat(4000) + "c";

        assertThat(parameters("user", "u", name, "x").settings()).containsEntry(name, "x");
    }

    @Test
    void anyBytesGiveAPacketOrOneProtocolException() {
        Random random = new Random(99);
        ByteBuf packet = Unpooled.buffer();
        FrontendMessages.startup(packet, ProtocolVersion.V3_0, Map.of("user", "app", "options", "-c a.b=c"));
        for (int round = 0; round < 50_000; round++) {
            ByteBuf damaged = packet.copy();
            for (int damage = random.nextInt(5); damage >= 0; damage--) {
                damaged.setByte(random.nextInt(damaged.writerIndex()), random.nextInt(256));
            }
            try {
                if (StartupPacket.parse(damaged, 0, damaged.readableBytes()) instanceof Startup startup) {
                    assertThat(startup.parameters().user()).isNotEmpty();
                    startup.parameters().settings();
                }
            } catch (ProtocolException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    }

    private static StartupPacket parse(ByteBuf packet) {
        return StartupPacket.parse(packet, packet.readerIndex(), packet.readableBytes());
    }

    private static StartupParameters parameters(String... namesAndValues) {
        ByteBuf packet = Unpooled.buffer();
        packet.writeZero(8);
        Stream.of(namesAndValues).forEach(text -> {
            packet.writeCharSequence(text, StandardCharsets.UTF_8);
            packet.writeByte(0);
        });
        packet.writeByte(0);
        packet.setInt(0, packet.writerIndex()).setInt(4, 3 << 16);
        return ((Startup) parse(packet)).parameters();
    }

    private static ByteBuf hex(String digits) {
        return Unpooled.wrappedBuffer(HexFormat.of().parseHex(digits));
    }
}
