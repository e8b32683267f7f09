package io.plenum.pooler.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** PostgreSQL's own parser in WebAssembly, where Node.js is installed. */
public final class SecondParser {
    private static final Path SCRIPTS = Path.of("src", "test", "parser");
    private static final Path INSTALLED = Path.of("target", "parser");

    private SecondParser() {}

    /** Skips the test where there is no Node.js. */
    public static void require() {
        require("node");
        require("npm");
    }

    /** What it says of each text: null if it refuses it, else {@code reads} and {@code calls}. */
    public static List<JsonNode> ask(List<String> texts) throws IOException, InterruptedException {
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
        JsonMapper json = JsonMapper.builder().build();
        List<String> answers = run(json.writeValueAsString(texts), "node", "kinds.js");
        assertThat(answers).hasSameSizeAs(texts);
        List<JsonNode> read = new ArrayList<>();
        answers.forEach(answer -> read.add(json.readTree(answer)));
        return read;
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
