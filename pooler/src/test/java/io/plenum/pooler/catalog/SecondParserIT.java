package io.plenum.pooler.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.plenum.routing.Catalog;
import io.plenum.routing.CatalogBuilder;
import io.plenum.routing.Reason;
import io.plenum.routing.StatementClassifier;
import io.plenum.routing.Target;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * PostgreSQL's own parser, in WebAssembly where Node.js is installed, has the second word on all SQL text of the tests: what
 * it sees to write, to lock or to be no query is no read for the classifier either, and the other way round.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SecondParserIT {
    private static final Path SCRIPTS = Path.of("src", "test", "parser");
    private static final Path INSTALLED = Path.of("target", "parser");
    private static final Path ROUTING = Path.of("../routing/src/test/resources/corpus/statements.txt");
    private static final Path OWN = Path.of("src/test/resources/io/plenum/pooler/catalog/statements.txt");
    private static final Path CONVERSATIONS = Path.of("src/test/resources/io/plenum/pooler/link/scripts");
    private static final Pattern QUOTED = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"");

    /** Functions of users that the texts call, some of them with names of the grammar. */
    private static final Set<String> USERS =
            Set.of("touch", "first", "key", "isnull", "values", "swallow", "bump", "net", "owed", "join");

    private record Opinion(String sql, boolean understood, boolean reads, List<String> calls, Reason ours) {}

    private final List<Opinion> opinions = new ArrayList<>();

    @BeforeAll
    void ask() throws Exception {
        require("node");
        require("npm");
        Files.createDirectories(INSTALLED);
        Path lock = INSTALLED.resolve("package-lock.json");
        boolean current = Files.exists(INSTALLED.resolve("node_modules"))
                && Files.exists(lock)
                && Files.mismatch(SCRIPTS.resolve("package-lock.json"), lock) < 0;
        for (String file : List.of("package.json", "package-lock.json", "kinds.js")) {
            Files.copy(SCRIPTS.resolve(file), INSTALLED.resolve(file), StandardCopyOption.REPLACE_EXISTING);
        }
        if (!current) {
            run("", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline");
        }
        List<String> texts = new ArrayList<>(texts());
        JsonMapper json = JsonMapper.builder().build();
        List<String> answers = run(json.writeValueAsString(texts), "node", "kinds.js");
        assertThat(answers).hasSameSizeAs(texts);
        var builder = new CatalogBuilder();
        long oid = 20_000;
        for (String user : USERS) {
            builder.function(oid++, user, false, false, 'v', "c", null);
        }
        Catalog catalog = builder.build();
        var classifier = new StatementClassifier();
        for (int i = 0; i < texts.size(); i++) {
            byte[] sql = texts.get(i).getBytes(StandardCharsets.UTF_8);
            Reason ours = classifier.classify(Unpooled.wrappedBuffer(sql), 0, sql.length, true, catalog);
            JsonNode answer = json.readTree(answers.get(i));
            List<String> calls = new ArrayList<>();
            answer.path("calls").forEach(call -> calls.add(call.asString()));
            opinions.add(new Opinion(
                    texts.get(i), !answer.isNull(), answer.path("reads").asBoolean(), calls, ours));
        }
    }

    @Test
    void thereIsMuchTextThatItUnderstands() {
        assertThat(opinions.stream().filter(Opinion::understood)).hasSizeGreaterThan(1_500);
    }

    @Test
    void whatItSeesToWriteIsNoReadForUs() {
        assertThat(opinions)
                .filteredOn(opinion -> opinion.understood() && !opinion.reads())
                .filteredOn(opinion -> opinion.ours() == Reason.READ)
                .isEmpty();
    }

    @Test
    void functionsOfUsersThatItSeesAreSeen() {
        assertThat(opinions)
                .filteredOn(opinion -> opinion.calls().stream()
                        .map(call -> call.substring(call.lastIndexOf('.') + 1))
                        .anyMatch(USERS::contains))
                .isNotEmpty()
                .filteredOn(opinion -> opinion.ours().target() == Target.REPLICA)
                .isEmpty();
    }

    /** A column that is called as a word which writes may be taken for it: that is safe, and rare. */
    @Test
    void whatItSeesToReadIsForUsNoWrite() {
        List<Opinion> doubted = opinions.stream()
                .filter(opinion -> opinion.understood() && opinion.reads())
                .filter(opinion -> switch (opinion.ours()) {
                    case WRITE, COPY, NOT_UNDERSTOOD, TRANSACTION, TRANSACTION_END, SERIALIZABLE -> true;
                    default -> false;
                })
                .toList();
        assertThat(doubted).hasSizeLessThan(opinions.size() / 200);
    }

    /** All of both corpora, and what stands in the written conversations. */
    private static Set<String> texts() throws IOException {
        Set<String> texts = new LinkedHashSet<>();
        for (Path corpus : List.of(OWN, ROUTING)) {
            for (String line : Files.readAllLines(corpus)) {
                if (!line.isEmpty() && !line.startsWith("== ") && !line.startsWith("# ")) {
                    texts.add(line.replace('⏎', '\n').replace('→', '\t'));
                }
            }
        }
        try (var scripts = Files.list(CONVERSATIONS)) {
            for (Path script : scripts.sorted().toList()) {
                Matcher quoted = QUOTED.matcher(Files.readString(script));
                while (quoted.find()) {
                    String text = quoted.group(1)
                            .replace("\\\"", "\"")
                            .replace("\\n", "\n")
                            .replace("\\\\", "\\");
                    if (text.contains(" ") && !text.contains("\\")) {
                        texts.add(text);
                    }
                }
            }
        }
        return texts;
    }

    private static void require(String program) {
        boolean found = false;
        for (String folder : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
            found |= !folder.isEmpty() && Files.isExecutable(Path.of(folder, program));
        }
        Assumptions.assumeTrue(found, program + " is not installed, so no second parser is asked here");
    }

    /** The lines that a program prints to this input; it must end well, and in time. */
    private static List<String> run(String input, String... command) throws IOException, InterruptedException {
        Path in = Files.createTempFile("parser", ".in");
        Path out = Files.createTempFile("parser", ".out");
        try {
            Files.writeString(in, input);
            Process process = new ProcessBuilder(command)
                    .directory(INSTALLED.toFile())
                    .redirectInput(in.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(out.toFile())
                    .start();
            boolean ended = process.waitFor(240, TimeUnit.SECONDS);
            if (!ended) {
                process.destroyForcibly().waitFor();
            }
            List<String> lines = Files.readAllLines(out);
            assertThat(ended).as("%s did not end: %s", List.of(command), lines).isTrue();
            assertThat(process.exitValue())
                    .as("%s: %s", List.of(command), String.join("\n", lines).toLowerCase(Locale.ROOT))
                    .isZero();
            return lines;
        } finally {
            Files.delete(in);
            Files.delete(out);
        }
    }
}
