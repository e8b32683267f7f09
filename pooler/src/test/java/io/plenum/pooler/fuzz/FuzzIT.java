package io.plenum.pooler.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.catalog.SecondParser;
import io.plenum.routing.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/**
 * Jazzer, guided by what code an input reaches, on every target: some thousand executions each here, or for as long as one likes.
 *
 * <p>{@code -Dfuzz.for=600} fuzzes each target for so many seconds, {@code -Dfuzz.runs=5000000} so often, {@code
 * -Dfuzz.only=sql} one target alone. Each has a process of its own. What is found lies in {@code target/fuzz/TARGET/found}; once
 * mended, it goes to {@code src/test/resources/io/plenum/pooler/fuzz/TARGET}. The corpora in {@code target/fuzz/TARGET/corpus}
 * grow from run to run until they are cleaned away.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FuzzIT {
    private static final Path HOME = Path.of("target", "fuzz");
    private static final String RUNS = System.getProperty("fuzz.runs", "");
    private static final int SECONDS = Integer.getInteger("fuzz.for", 0);
    private static final String ONLY = System.getProperty("fuzz.only", "");

    private static final int LONGEST_SECONDS = 20;
    private static final Pattern DONE = Pattern.compile("Done (\\d+) runs in \\d+ second");

    /** Those that look for file names and regular expressions of strangers: who writes a configuration may have both. */
    private static final String HOOKS_WITHOUT_MEANING = Stream.of(
                    "FilePathTraversal", "RegexInjection", "RegexRoadblocks", "ServerSideRequestForgery")
            .map("com.code_intelligence.jazzer.sanitizers."::concat)
            .reduce((one, other) -> one + ":" + other)
            .orElseThrow();

    private record Outcome(int status, List<String> lines) {
        long runs() {
            Matcher done = DONE.matcher(String.join("\n", lines));
            return done.find() ? Long.parseLong(done.group(1)) : 0;
        }
    }

    private final Map<FuzzTarget, Outcome> outcomes = new EnumMap<>(FuzzTarget.class);

    private static List<FuzzTarget> targets() {
        return Stream.of(FuzzTarget.values())
                .filter(target -> ONLY.isEmpty() || ONLY.equals(target.word()))
                .toList();
    }

    @BeforeAll
    void fuzz() throws Exception {
        Files.createDirectories(HOME);
        Files.writeString(HOME.resolve("quiet.xml"), "<configuration><root level=\"OFF\"/></configuration>\n");
        Map<FuzzTarget, Future<Outcome>> running = new EnumMap<>(FuzzTarget.class);
        try (var processes = Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors())) {
            for (FuzzTarget target : targets()) {
                running.put(target, processes.submit((Callable<Outcome>) () -> fuzz(target)));
            }
        }
        for (Map.Entry<FuzzTarget, Future<Outcome>> entry : running.entrySet()) {
            outcomes.put(entry.getKey(), entry.getValue().get());
        }
    }

    @ParameterizedTest
    @MethodSource("targets")
    void nothingIsFound(FuzzTarget target) {
        Outcome outcome = outcomes.get(target);

        assertThat(outcome).isNotNull();
        assertThat(outcome.status())
                .as(() -> String.join("\n", last(outcome.lines(), 60)))
                .isZero();
        assertThat(outcome.runs())
                .as(() -> String.join("\n", last(outcome.lines(), 60)))
                .isPositive();
    }

    @Test
    void theTargetsTogetherWereRunTwoHundredThousandTimes() {
        if (ONLY.isEmpty() && RUNS.isEmpty() && SECONDS == 0) {
            assertThat(outcomes.values().stream().mapToLong(Outcome::runs).sum())
                    .isGreaterThanOrEqualTo(200_000);
        }
    }

    /** What the fuzzer kept, because it reached something new, goes to PostgreSQL's own parser. */
    @Test
    void noTextThatTheFuzzerKeptIsAReadForUsAndAWriteForPostgres() throws Exception {
        SecondParser.require();
        List<String> reads = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder(FuzzTarget.SQL, "corpus"))) {
            for (Path file : files.sorted().toList()) {
                String text = text(Files.readAllBytes(file));
                byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
                if (!text.isEmpty() && text.indexOf('\0') < 0 && SqlFuzz.reason(bytes) == Reason.READ) {
                    reads.add(text);
                }
            }
        }
        List<JsonNode> answers = SecondParser.ask(reads);
        List<String> writes = new ArrayList<>();
        for (int i = 0; i < reads.size(); i++) {
            if (!answers.get(i).isNull() && !answers.get(i).path("reads").asBoolean()) {
                writes.add(reads.get(i));
            }
        }
        assertThat(writes).isEmpty();
    }

    /** Behind the byte that chooses; empty if it is no UTF-8. */
    private static String text(byte[] input) {
        try {
            return input.length == 0
                    ? ""
                    : StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(input, 1, input.length - 1))
                            .toString();
        } catch (CharacterCodingException e) {
            return "";
        }
    }

    private static Path folder(FuzzTarget target, String name) throws IOException {
        return Files.createDirectories(HOME.resolve(target.word()).resolve(name));
    }

    private static Outcome fuzz(FuzzTarget target) throws IOException, InterruptedException {
        Path seeds = folder(target, "seeds");
        List<byte[]> inputs = new ArrayList<>(target.seeds());
        inputs.addAll(Seeds.found(target));
        for (int i = 0; i < inputs.size(); i++) {
            Files.write(seeds.resolve("seed-" + i), inputs.get(i));
        }
        Path log = HOME.resolve(target.word()).resolve("log");
        Process process = new ProcessBuilder(command(target, seeds))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            int most = SECONDS > 0 ? SECONDS + 300 : RUNS.isEmpty() ? 600 : 24 * 3600;
            boolean ended = process.waitFor(most, TimeUnit.SECONDS);
            return new Outcome(
                    ended ? process.exitValue() : -1,
                    new String(Files.readAllBytes(log), StandardCharsets.ISO_8859_1)
                            .lines()
                            .toList());
        } finally {
            process.destroyForcibly();
        }
    }

    private static List<String> command(FuzzTarget target, Path seeds) throws IOException {
        Path found = folder(target, "found");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-XX:+EnableDynamicAgentLoading",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Dio.netty.leakDetection.level=disabled", // the allocator of the targets counts, and is quick
                "-Dlogback.configurationFile=" + HOME.resolve("quiet.xml"),
                "-cp",
                System.getProperty("java.class.path"),
                "com.code_intelligence.jazzer.Jazzer",
                "--target_class=" + target.className(),
                "--instrumentation_includes=io.plenum.**",
                "--custom_hook_includes=io.plenum.**",
                "--disabled_hooks=" + HOOKS_WITHOUT_MEANING,
                "--reproducer_path=" + found,
                "-artifact_prefix=" + found + "/",
                "-max_len=" + target.longest(),
                "-timeout=" + LONGEST_SECONDS,
                "-rss_limit_mb=0", // the heap has a limit of its own
                "-use_value_profile=" + (SECONDS > 0 || !RUNS.isEmpty() ? 1 : 0), // finds more, and costs more
                "-print_final_stats=1"));
        if (SECONDS > 0) {
            command.add("-max_total_time=" + SECONDS);
        } else {
            command.add("-runs=" + (RUNS.isEmpty() ? String.valueOf(target.usualRuns()) : RUNS));
            command.add("-seed=17"); // so that the suite does the same each time
        }
        command.add(folder(target, "corpus").toString());
        command.add(seeds.toString());
        return command;
    }

    private static List<String> last(List<String> lines, int most) {
        return lines.subList(Math.max(0, lines.size() - most), lines.size());
    }
}
