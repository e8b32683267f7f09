package io.plenum.house;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The way of a query as the document tells it is the way that the code has. */
final class LifeOfAQueryTest {
    private static final Pattern SOURCE_FILE = Pattern.compile("`([a-z-]+/src/main/java/[^`]+\\.java)`");

    @Test
    void everyFileThatTheDocumentNamesExists() throws IOException {
        Path root = Path.of("..").toAbsolutePath().normalize();
        String document = Files.readString(root.resolve("docs/life-of-a-query.md"));

        List<String> named = SOURCE_FILE
                .matcher(document)
                .results()
                .map(match -> match.group(1))
                .toList();

        assertThat(named)
                .hasSizeGreaterThan(15)
                .allSatisfy(file -> assertThat(root.resolve(file)).isRegularFile());
    }
}
