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
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import tools.jackson.databind.JsonNode;

/**
 * PostgreSQL's own parser, in WebAssembly where Node.js is installed, has the second word on all SQL text of the tests: what
 * it sees to write, to lock or to be no query is no read for the classifier either, and the other way round.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SecondParserIT {
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
        SecondParser.require();
        List<String> texts = new ArrayList<>(texts());
        List<JsonNode> answers = SecondParser.ask(texts);
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
            JsonNode answer = answers.get(i);
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
}
