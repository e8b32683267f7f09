package io.plenum.bench.compare;

import io.plenum.bench.process.BenchException;
import io.plenum.bench.process.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * System calls of a pooler per transaction, counted by strace.
 *
 * <p>strace makes everything slow, so time means nothing here; the number of calls hardly depends on it.
 *
 * @param perTransaction by the name of the call
 */
record SystemCalls(Map<String, Double> perTransaction) {

    static boolean canBeCounted() {
        return Command.onPath("strace").isPresent();
    }

    /**
     * Counts while a load runs.
     *
     * @param load runs the load and gives the number of transactions
     */
    static SystemCalls during(long pid, Path directory, LongSupplier load) {
        var counts = directory.resolve("strace");
        try {
            var strace = new ProcessBuilder("strace", "-c", "-f", "-p", Long.toString(pid), "-o", counts.toString())
                    .redirectErrorStream(true)
                    .start();
            // "strace: Process 42 attached", once for each thread; then silence
            strace.inputReader().readLine();
            Thread.sleep(500);
            long transactions = load.getAsLong();
            new ProcessBuilder("kill", "-INT", Long.toString(strace.pid()))
                    .start()
                    .waitFor();
            if (!strace.waitFor(10, TimeUnit.SECONDS)) {
                strace.destroyForcibly();
                throw new BenchException("strace does not end");
            }
            return new SystemCalls(parse(Files.readAllLines(counts), transactions));
        } catch (IOException e) {
            throw new BenchException("cannot count system calls", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted", e);
        }
    }

    /** Reads strace's table: percent, seconds, µs per call, calls, errors (blank for none), name; a total comes last. */
    static Map<String, Double> parse(List<String> lines, long transactions) {
        Map<String, Double> calls = new HashMap<>();
        for (var line : lines) {
            var columns = line.trim().split(" +", -1);
            if (columns.length >= 5 && columns[3].matches("\\d+") && !columns[columns.length - 1].equals("total")) {
                calls.put(columns[columns.length - 1], Double.parseDouble(columns[3]) / transactions);
            }
        }
        return calls;
    }

    double total() {
        return perTransaction.values().stream().mapToDouble(Double::doubleValue).sum();
    }

    /** The calls that happen at least once in twenty transactions, the most frequent first. */
    String mostFrequent() {
        return perTransaction.entrySet().stream()
                .filter(call -> call.getValue() >= 0.05)
                .sorted(Map.Entry.<String, Double>comparingByValue(Comparator.reverseOrder()))
                .map(call -> "%s %.2f".formatted(call.getKey(), call.getValue()))
                .collect(Collectors.joining(", "));
    }
}
