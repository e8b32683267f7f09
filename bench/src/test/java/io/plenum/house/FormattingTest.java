package io.plenum.house;

import static org.assertj.core.api.Assertions.assertThat;

import com.palantir.javaformat.java.Formatter;
import com.palantir.javaformat.java.FormatterException;
import com.palantir.javaformat.java.JavaFormatterOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Holds every Java file of every module to palantir-java-format, and rewrites them with {@code -Dformat=apply}.
 *
 * <p>It is a test and not a Maven plugin because a formatter parses with the compiler of the JVM that it runs in: tests run on JDK 25
 * whatever JDK runs Maven.
 */
class FormattingTest {
    private static final String REWRITE =
            "mvn -q -Pquick -pl bench -am test -Dtest=FormattingTest -Dsurefire.failIfNoSpecifiedTests=false"
                    + " -Dformat=apply";

    private static final Path ACCEPTED = Path.of("target", "house", "laid-out");

    private final Formatter formatter = Formatter.createFormatter(JavaFormatterOptions.builder()
            .style(JavaFormatterOptions.Style.PALANTIR)
            .build());

    /** What became of a file: as it must be, otherwise, or the reason why the formatter cannot tell. */
    private record Finding(Path file, boolean differs, String refusal) {}

    @Test
    void everySourceFileIsLaidOutByTheFormatter() throws IOException {
        boolean apply = "apply".equals(System.getProperty("format"));
        var root = root();
        var files = sourceFiles(root);
        assertThat(files).as("source files under %s", root).isNotEmpty();

        var accepted = accepted();
        var findings = files.parallelStream()
                .map(file -> examine(file, apply, accepted))
                .toList();
        Files.createDirectories(ACCEPTED.getParent());
        Files.write(ACCEPTED, accepted);

        var differing = findings.stream().filter(Finding::differs).map(finding -> root.relativize(finding.file()));
        if (apply) {
            differing.forEach(file -> System.out.println("formatted " + file));
        } else {
            assertThat(differing)
                    .as("files laid out otherwise; this rewrites them: %s", REWRITE)
                    .isEmpty();
        }
        assertThat(findings.stream()
                        .filter(finding -> !finding.refusal().isEmpty())
                        .map(finding -> root.relativize(finding.file()) + ":" + finding.refusal()))
                .as("files with something that the formatter does not understand (for a pattern `_`, write `var _`)")
                .isEmpty();
    }

    private Finding examine(Path file, boolean apply, Set<String> accepted) {
        try {
            var source = Files.readString(file);
            var digest = digest(source);
            if (accepted.contains(digest)) {
                return new Finding(file, false, "");
            }
            var formatted = formatter.formatSourceAndFixImports(source);
            boolean differs = !formatted.equals(source);
            if (differs && apply) {
                // A file is never seen half written, whatever ends this JVM.
                var beside = Files.writeString(file.resolveSibling(file.getFileName() + ".formatted"), formatted);
                Files.move(beside, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
            }
            accepted.add(digest(formatted));
            return new Finding(file, differs, "");
        } catch (FormatterException e) {
            return new Finding(file, false, String.valueOf(e.getMessage()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Digests of what the formatter has accepted before: it takes a while over all, and most files are as they were. */
    private static Set<String> accepted() throws IOException {
        Set<String> digests = ConcurrentHashMap.newKeySet();
        if (Files.exists(ACCEPTED)) {
            digests.addAll(Files.readAllLines(ACCEPTED));
        }
        return digests;
    }

    private static String digest(String source) {
        try {
            var digest = MessageDigest.getInstance("SHA-256").digest(source.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static List<Path> sourceFiles(Path root) throws IOException {
        try (Stream<Path> modules = Files.list(root)) {
            return modules.map(module -> module.resolve("src"))
                    .filter(Files::isDirectory)
                    .flatMap(FormattingTest::javaFilesUnder)
                    .sorted()
                    .toList();
        }
    }

    private static Stream<Path> javaFilesUnder(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The checkout: where the top pom with its modules is. Surefire runs a test in the directory of its module. */
    private static Path root() {
        return Objects.requireNonNull(Path.of("").toAbsolutePath().getParent());
    }
}
