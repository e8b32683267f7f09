package io.plenum.pooler.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.admin.Verb.Right;
import io.plenum.testbed.Message;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every command with every right, made from the table of commands: none can be forgotten. */
class ConsoleRightsIT {
    private static AdministeredPooler pooler;

    @BeforeAll
    static void start(@TempDir Path directory) throws IOException {
        pooler = AdministeredPooler.start(directory);
    }

    @AfterAll
    static void stop() {
        pooler.close();
    }

    static Stream<Arguments> commands() {
        Stream<Arguments> verbs = Stream.of(Verb.values())
                .filter(verb -> verb.form() != Verb.Form.TABLE)
                .map(verb -> Arguments.of(text(verb), verb.right()));
        Stream<Arguments> tables =
                ShowTables.all().stream().map(table -> Arguments.of("SHOW " + table.word(), table.right()));
        return Stream.concat(verbs, tables);
    }

    private static String text(Verb verb) {
        return switch (verb.form()) {
            case ASSIGNMENT -> verb == Verb.SET ? "SET query_timeout = 0" : "SET extra_float_digits = 3";
            case CLIENT -> "KILL_CLIENT 999999999";
            case DATABASE -> verb + " app";
            case NOTHING, OPTIONAL_DATABASE, TABLE, WORDS -> verb.usage().replaceAll(" \\[?<.*", "");
        };
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("commands")
    void whoMayReadMayDoNothingElse(String text, Right needed) throws IOException {
        try (WireClient console = pooler.console(AdministeredPooler.STATS)) {
            List<Message> answer = console.query(text);

            Message error = answer.stream()
                    .filter(message -> message.type() == 'E')
                    .findFirst()
                    .orElse(null);
            if (needed == Right.READ) {
                assertThat(error).isNull();
            } else {
                assertThat(error).isNotNull();
                assertThat(error.field('C')).isEqualTo("08P01");
                assertThat(error.field('M')).isEqualTo("admin access needed");
            }
        }
    }

    @Test
    void nothingThatWasRefusedHappened() throws IOException {
        try (WireClient console = pooler.console(AdministeredPooler.STATS);
                WireClient user = pooler.wire("app")) {
            for (Verb verb : Verb.values()) {
                if (verb.right() == Right.ADMIN) {
                    console.query(text(verb));
                }
            }

            assertThat(user.value("SELECT 1")).isEqualTo("1");
            assertThat(console.rows("SHOW STATE")).containsExactly(List.of("active", "yes"), List.of("paused", "no"));
            assertThat(AdministeredPooler.cell(console, "DATABASES", "app", "disabled"))
                    .isEqualTo("0");
        }
    }

    @Test
    void rightThatAReloadTakesAwayIsGoneAtOnce() throws Exception {
        try (WireClient console = pooler.console(AdministeredPooler.ADMIN)) {
            console.query("SET admin_users = 'somebody'");

            assertThat(console.query("RELOAD").getFirst().field('M')).isEqualTo("admin access needed");
            assertThat(console.query("SHOW STATE").getFirst().field('M')).isEqualTo("admin access needed");
        } finally {
            pooler.set("admin_users", "admin");
        }
    }

    @Test
    void whatIsForAdministratorsIsNotShownBySelectEither() throws IOException {
        try (WireClient console = pooler.console(AdministeredPooler.STATS)) {
            for (String text : List.of("SELECT fds", "select PREPARED_STATEMENTS;", "SHOW \"fds\"")) {
                assertThat(console.query(text).getFirst().field('M')).as(text).isEqualTo("admin access needed");
            }
        }
    }

    @Test
    void withAuthTypeAnyEverybodyMay(@TempDir Path directory) throws Exception {
        try (var open = AdministeredPooler.start(
                        directory, "auth_type = any", "[databases]", "app = user=postgres", "other = user=postgres");
                WireClient console = open.console("stranger")) {
            assertThat(console.query("PAUSE app").getFirst().commandTag()).isEqualTo("PAUSE");
        }
    }
}
