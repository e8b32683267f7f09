package io.plenum.bench.process;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Programs of the system that run to their end. */
public final class Command {
    private Command() {}

    /**
     * Runs a program and gives all that it wrote.
     *
     * @param longest after which it is killed
     * @throws BenchException when it is missing, takes longer, or ends with a status other than 0; with its output
     */
    public static String run(Path directory, Duration longest, List<String> command) {
        var name = String.join(" ", command);
        Process process = null;
        try {
            var output = Files.createTempFile("plenum-bench", ".out");
            process = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .redirectInput(new File("/dev/null"))
                    .redirectOutput(output.toFile())
                    .start();
            var running = process;
            var hook = new Thread(running::destroyForcibly);
            Runtime.getRuntime().addShutdownHook(hook);
            boolean ended = process.waitFor(longest.toMillis(), TimeUnit.MILLISECONDS);
            Runtime.getRuntime().removeShutdownHook(hook);
            var text = Files.readString(output);
            Files.delete(output);
            if (!ended) {
                throw new BenchException("no end after %d s of %s%n%s".formatted(longest.toSeconds(), name, text));
            }
            if (process.exitValue() != 0) {
                throw new BenchException("status %d from %s%n%s".formatted(process.exitValue(), name, text));
            }
            return text;
        } catch (IOException e) {
            throw new BenchException("cannot run " + name, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted while running " + name, e);
        } finally {
            if (process != null) {
                process.destroyForcibly();
            }
        }
    }

    /** The program that a shell would start under this name. */
    public static Optional<Path> onPath(String program) {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .map(directory -> Path.of(directory, program))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
