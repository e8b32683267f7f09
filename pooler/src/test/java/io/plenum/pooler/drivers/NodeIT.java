package io.plenum.pooler.drivers;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The drivers of Node.js, where it is installed. The scripts are in {@code src/test/node}; they and what npm installs
 * for them lie in {@code target/node}.
 */
@ExtendWith(LeakWatch.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class NodeIT {
    private static final Path SCRIPTS = Path.of("src", "test", "node");
    private static final Path INSTALLED = Path.of("target", "node");
    private static final String LOCK = "package-lock.json";

    private @Nullable TwoWays ways;

    @BeforeAll
    void start() throws Exception {
        require("node");
        require("npm");
        install();
        ways = TwoWays.start("node");
    }

    @AfterAll
    void stop() throws Exception {
        if (ways != null) {
            ways.close();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "namedStatements",
                "queuedRequests",
                "pipelinedRequests",
                "valuesOfEveryKind",
                "poolOfClients",
                "cursors",
                "streams",
                "transactionsAndFailures",
                "notifications",
                "settingsOfTheClient"
            })
    void nodePostgresCannotTell(String scenario) throws Exception {
        play(scenario);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "tagged",
                "taggedWithoutNames",
                "taggedAllAtOnce",
                "taggedTransactions",
                "taggedCursors",
                "taggedCopy",
                "taggedNotifications",
                "taggedCancel",
                "taggedSettings"
            })
    void postgresJsCannotTell(String scenario) throws Exception {
        play(scenario);
    }

    private void play(String scenario) throws Exception {
        var both = ways;
        assertThat(both).isNotNull();
        both.play((way, notes) -> run(
                        60, "node", "run.js", scenario, way.host(), Integer.toString(way.port()), way.database())
                .forEach(notes::add));
    }

    /** Installs what the lock file names, unless that is what lies there already. */
    private static void install() throws IOException, InterruptedException {
        var lock = SCRIPTS.resolve(LOCK);
        var known = INSTALLED.resolve(LOCK);
        boolean current = Files.exists(INSTALLED.resolve("node_modules").resolve(".package-lock.json"))
                && Files.exists(known)
                && Files.mismatch(lock, known) < 0;
        Files.createDirectories(INSTALLED);
        try (var scripts = Files.list(SCRIPTS)) {
            for (var script : scripts.filter(Files::isRegularFile).toList()) {
                Files.copy(script, INSTALLED.resolve(script.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        if (!current) {
            run(240, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline");
        }
    }

    private static void require(String program) {
        boolean found = false;
        for (var folder : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
            found |= !folder.isEmpty() && Files.isExecutable(Path.of(folder, program));
        }
        Assumptions.assumeTrue(found, program + " is not installed, so the drivers of Node.js are not tested here");
    }

    /** The lines that a program prints; it must end well, and in time. */
    private static List<String> run(int seconds, String... command) throws IOException, InterruptedException {
        var out = Files.createTempFile("node", ".out");
        try {
            var builder = new ProcessBuilder(command)
                    .directory(INSTALLED.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(out.toFile());
            builder.environment().put("NODE_NO_WARNINGS", "1"); // they hold process ids
            var process = builder.start();
            boolean ended = process.waitFor(seconds, TimeUnit.SECONDS);
            if (!ended) {
                process.destroyForcibly().waitFor();
            }
            var lines = Files.readAllLines(out);
            assertThat(ended).as("%s did not end: %s", List.of(command), lines).isTrue();
            assertThat(process.exitValue())
                    .as("%s: %s", List.of(command), String.join("\n", lines))
                    .isZero();
            return lines;
        } finally {
            Files.delete(out);
        }
    }
}
