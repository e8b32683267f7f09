package io.plenum.bench.compare;

import io.plenum.bench.process.BenchException;
import io.plenum.bench.process.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/** pgbench: makes the tables, runs a load, gives what it counted. */
final class Pgbench {
    /**
     * What pgbench saw.
     *
     * @param latencies of each transaction in µs, ascending
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Result(long transactions, double perSecond, int[] latencies) {
        /** The latency in µs that this share (0 to 1) of the transactions did not exceed. */
        long percentile(double share) {
            return latencies.length == 0
                    ? 0
                    : latencies[Math.min(latencies.length - 1, (int) Math.ceil(share * latencies.length) - 1)];
        }
    }

    private static final Pattern TRANSACTIONS = Pattern.compile("transactions actually processed: (\\d+)");
    private static final Pattern PER_SECOND = Pattern.compile("(?m)^tps = ([0-9.]+)");
    private static final Pattern FAILED = Pattern.compile("number of failed transactions: (\\d+)");

    /** For what has no time of its own, and beyond it for what has one: then the target hangs. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Path program;
    private final Path directory;
    private final String database;
    private final String user;

    /** @param directory for scripts and logs, its own */
    Pgbench(Path program, Path directory, String database, String user) {
        this.program = program;
        this.directory = directory;
        this.database = database;
        this.user = user;
    }

    /** Makes pgbench's four tables with 100,000 accounts per unit of scale. */
    void initialise(String host, int port, int scale) {
        run(host, port, PATIENCE, List.of("-i", "-q", "-s", Integer.toString(scale)));
    }

    /** Runs a workload for a time. The log of each transaction gives the latencies; its cost is the same for every target. */
    Result run(Workload workload, String host, int port, int clients, int seconds) {
        var prefix = directory.resolve("log");
        var options = new ArrayList<>(options(workload, clients));
        options.addAll(List.of("-T", Integer.toString(seconds), "-l", "--log-prefix=" + prefix));
        try {
            deleteLogs();
            var output = run(host, port, PATIENCE.plusSeconds(seconds), options);
            var result = new Result(
                    Long.parseLong(find(TRANSACTIONS, output)),
                    Double.parseDouble(find(PER_SECOND, output)),
                    latencies());
            deleteLogs();
            return result;
        } catch (IOException e) {
            throw new BenchException("cannot read pgbench's log under " + directory, e);
        }
    }

    /** Runs a workload for a number of transactions per client; gives how many ended. */
    long runCount(Workload workload, String host, int port, int clients, int perClient) {
        var options = new ArrayList<>(options(workload, clients));
        options.addAll(List.of("-t", Integer.toString(perClient)));
        return Long.parseLong(find(TRANSACTIONS, run(host, port, PATIENCE, options)));
    }

    private List<String> options(Workload workload, int clients) {
        List<String> options = new ArrayList<>(workload.options());
        int threads = Math.min(clients, Runtime.getRuntime().availableProcessors());
        options.addAll(List.of("-n", "-c", Integer.toString(clients), "-j", Integer.toString(threads)));
        if (!workload.script().isEmpty()) {
            var script = directory.resolve(workload.label() + ".sql");
            try {
                Files.writeString(script, workload.script());
            } catch (IOException e) {
                throw new BenchException("cannot write " + script, e);
            }
            options.addAll(List.of("-f", script.toString()));
        }
        return options;
    }

    private String run(String host, int port, Duration longest, List<String> options) {
        List<String> command =
                new ArrayList<>(List.of(program.toString(), "-h", host, "-p", Integer.toString(port), "-U", user));
        command.addAll(options);
        command.add(database);
        var output = Command.run(directory, longest, command);
        var failed = FAILED.matcher(output);
        // A run in which transactions failed measures something else.
        if ((failed.find() && !failed.group(1).equals("0")) || output.contains("aborted")) {
            throw new BenchException("transactions failed in " + String.join(" ", command) + "\n" + output);
        }
        return output;
    }

    private int[] latencies() throws IOException {
        var latencies = new int[1 << 16];
        int count = 0;
        for (var log : logs()) {
            try (var lines = Files.newBufferedReader(log)) {
                for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (count == latencies.length) {
                        latencies = Arrays.copyOf(latencies, count * 2);
                    }
                    latencies[count++] = Integer.parseInt(field(line, 2)); // client, transaction number, µs, …
                }
            }
        }
        latencies = Arrays.copyOf(latencies, count);
        Arrays.sort(latencies);
        return latencies;
    }

    private static String field(String line, int number) {
        int start = 0;
        for (int i = 0; i < number; i++) {
            start = line.indexOf(' ', start) + 1;
        }
        return line.substring(start, line.indexOf(' ', start));
    }

    private List<Path> logs() throws IOException {
        try (var files = Files.list(directory)) {
            return files.filter(file -> file.getFileName().toString().startsWith("log."))
                    .toList();
        }
    }

    private void deleteLogs() throws IOException {
        for (var log : logs()) {
            Files.delete(log);
        }
    }

    private static String find(Pattern pattern, String output) {
        var matcher = pattern.matcher(output);
        if (!matcher.find()) {
            throw new BenchException("pgbench wrote nothing like " + pattern + ":\n" + output);
        }
        return matcher.group(1);
    }
}
