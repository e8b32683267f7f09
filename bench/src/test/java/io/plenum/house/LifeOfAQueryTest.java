package io.plenum.house;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The way of a query as the document tells it is the way that the code has. */
final class LifeOfAQueryTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    private static final Pattern SOURCE_FILE = Pattern.compile("`([a-z-]+/src/main/java/[^`]+\\.java)`");

    private static final Pattern CLASS = Pattern.compile("\\b[A-Z]\\w+");

    @Test
    void everyFileThatTheDocumentNamesExists() throws IOException {
        assertThat(filesNamed())
                .hasSizeGreaterThan(15)
                .allSatisfy(file -> assertThat(ROOT.resolve(file)).isRegularFile());
    }

    @Test
    void everyClassOfTheDrawingIsExplainedByTheText() throws IOException {
        List<String> explained = filesNamed().stream()
                .map(file -> file.substring(file.lastIndexOf('/') + 1).replace(".java", ""))
                .toList();
        String document = document();
        int drawing = document.indexOf("```");
        String drawn = document.substring(drawing, document.indexOf("```", drawing + 1));

        assertThat(CLASS.matcher(drawn).results().map(MatchResult::group))
                .hasSizeGreaterThan(5)
                .filteredOn(name -> !name.equals("PostgreSQL"))
                .isSubsetOf(explained);
    }

    private static String document() throws IOException {
        return Files.readString(ROOT.resolve("docs/life-of-a-query.md"));
    }

    private static List<String> filesNamed() throws IOException {
        return SOURCE_FILE
                .matcher(document())
                .results()
                .map(match -> match.group(1))
                .toList();
    }
}
