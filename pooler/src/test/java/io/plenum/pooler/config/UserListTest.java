package io.plenum.pooler.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class UserListTest {
    private static final Path FILE = Path.of("userlist.txt");
    private static final String SCRAM = "SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$"
            + "QJJQZEoXSYsMsm2bqUa8kpnySyKQfpLRzsc7ZTpqHTE=:" + "rVKmLrTB7DGLKyYtJXQh9S3A3jzC8qWLgyzoQ8Iu1Mo=";

    static Stream<Arguments> goodLines() {
        return Stream.of(
                Arguments.of("\"ada\" \"secret\"", new Secret.Plain("secret")),
                Arguments.of("  \"ada\"\t\"secret\"  ", new Secret.Plain("secret")),
                Arguments.of("\"ada\" \"secret\" \"ignored\" more", new Secret.Plain("secret")),
                Arguments.of("\"ada\" = \"secret\"", new Secret.Plain("secret")),
                Arguments.of("; \"ada\" \"old\"\n\n\"ada\" \"secret\"\r", new Secret.Plain("secret")),
                Arguments.of("\"ada\" \"a\"\"b\"", new Secret.Plain("a\"b")),
                Arguments.of("\"ada\" \"pässword; # x\"", new Secret.Plain("pässword; # x")),
                Arguments.of(
                        "\"ada\" \"md545f2603610AF569b6155c45067268c6b\"",
                        new Secret.Md5("45f2603610af569b6155c45067268c6b")),
                Arguments.of("\"ada\" \"md5short\"", new Secret.Plain("md5short")),
                Arguments.of("\"ada\" \"" + SCRAM + "\"", new Secret.Scram(SCRAM)),
                Arguments.of("\"ada\" \"old\"\n\"ada\" \"new\"", new Secret.Plain("new")));
    }

    @ParameterizedTest
    @MethodSource("goodLines")
    void goodLineIsRead(String text, Secret secret) {
        Findings findings = new Findings();

        UserList users = UserList.parse(FILE, text, findings);

        assertThat(findings.faults()).isEmpty();
        assertThat(users.secret("ada")).isEqualTo(secret);
        assertThat(users.size()).isEqualTo(1);
    }

    @Test
    void userWithAnEmptySecretIsKnownButHasNone() {
        UserList users = UserList.parse(FILE, "\"ada\" \"\"", new Findings());

        assertThat(users.knows("ada")).isTrue();
        assertThat(users.secret("ada")).isNull();
        assertThat(users.knows("grace")).isFalse();
        assertThat(users.secret("grace")).isNull();
    }

    @Test
    void quotesInsideANameAreDoubled() {
        UserList users = UserList.parse(FILE, "\"the \"\"countess\"\"\" \"x\"", new Findings());

        assertThat(users.knows("the \"countess\"")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ada hunter2",
                "\"ada\"",
                "\"ada\" hunter2",
                "\"ada hunter2",
                "\"ada\" \"hunter2",
                "\"\" \"hunter2\"",
                "\"ada\" \"SCRAM-SHA-256$4096:c2FsdA==$hunter2\"",
                "# \"ada\" \"hunter2\""
            })
    void badLineIsRefusedWithItsNumberAndWithoutTheSecret(String line) {
        Findings findings = new Findings();

        UserList users = UserList.parse(FILE, "\"grace\" \"x\"\n" + line + "\n\"edsger\" \"y\"\n", findings);

        assertThat(findings.faults()).singleElement().satisfies(fault -> {
            assertThat(fault.line()).isEqualTo(2);
            assertThat(fault.toString()).doesNotContain("hunter2").startsWith("userlist.txt:2: ");
        });
        assertThat(users.knows("grace")).isTrue();
        assertThat(users.knows("edsger")).isTrue();
    }

    @Test
    void namesAndSecretsAreBounded() {
        Findings findings = new Findings();

        UserList.parse(
                FILE,
                "\"" + "u".repeat(128) + "\" \"x\"\n\"u\" \"" + "x".repeat(2048) + "\"\n\"v\" \"" + "x".repeat(2047)
                        + "\"",
                findings);

        assertThat(findings.faults()).extracting(Fault::line).containsExactly(1, 2);
    }

    @Test
    void repeatedUserIsAWarning() {
        Findings findings = new Findings();

        UserList.parse(FILE, "\"ada\" \"a\"\n\"ada\" \"b\"", findings);

        assertThat(findings.warnings()).singleElement().asString().contains("stood in line 1 already");
    }

    @Test
    void randomTextNeverThrows() {
        Random random = new Random(11);
        String alphabet = "\"\"\"\n\r\t ;=ab\\\0é";
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int j = random.nextInt(40); j > 0; j--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            Findings findings = new Findings();
            UserList users = UserList.parse(FILE, text.toString(), findings);
            assertThat(users.size() + findings.faults().size()).isLessThanOrEqualTo(text.length());
        }
    }

    @Test
    void noSecretIsShown() {
        assertThat(new Secret.Plain("hunter2") + "" + new Secret.Md5("hunter2") + new Secret.Scram("hunter2"))
                .isEqualTo("*********");
    }
}
