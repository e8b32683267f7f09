package io.plenum.bench.process;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a process has used since it began, over all its threads, those that ended included.
 *
 * @param userMicros processor time in its own code; the kernel counts it in steps of 10 ms
 * @param systemMicros processor time in the kernel on its behalf
 * @param residentKib memory that it holds now
 */
public record ProcessUsage(long userMicros, long systemMicros, long residentKib) {
    /** Linux reports in hundredths of a second to every program, whatever the kernel's own tick. */
    private static final long MICROS_PER_TICK = 10_000;

    /** Reads it from /proc. */
    public static ProcessUsage of(long pid) {
        var directory = Path.of("/proc", Long.toString(pid));
        try {
            var stat = Files.readString(directory.resolve("stat"), StandardCharsets.ISO_8859_1);
            // The program's name is the second field and may hold blanks; what follows its bracket begins with field 3.
            var fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            var resident = Files.readAllLines(directory.resolve("status"), StandardCharsets.ISO_8859_1).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                    .findFirst()
                    .orElse(0);
            return new ProcessUsage(
                    Long.parseLong(fields[11]) * MICROS_PER_TICK,
                    Long.parseLong(fields[12]) * MICROS_PER_TICK,
                    resident);
        } catch (IOException e) {
            throw new BenchException("process " + pid + " has ended", e);
        }
    }

    public long totalMicros() {
        return userMicros + systemMicros;
    }
}
