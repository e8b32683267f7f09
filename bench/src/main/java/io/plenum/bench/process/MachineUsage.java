package io.plenum.bench.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Ticks of all processors of the machine since it started.
 *
 * @param steal ticks that the hypervisor gave to others
 */
public record MachineUsage(long total, long idle, long steal) {
    /** Reads it from /proc/stat. */
    public static MachineUsage now() {
        try (var lines = Files.lines(Path.of("/proc/stat"))) {
            // cpu user nice system idle iowait irq softirq steal guest guest_nice; guest time is part of user time
            var ticks = lines.filter(line -> line.startsWith("cpu "))
                    .flatMapToLong(line -> Arrays.stream(line.trim().split(" +"))
                            .skip(1)
                            .limit(8)
                            .mapToLong(Long::parseLong))
                    .toArray();
            return new MachineUsage(Arrays.stream(ticks).sum(), ticks[3] + ticks[4], ticks[7]);
        } catch (IOException e) {
            throw new BenchException("cannot read /proc/stat", e);
        }
    }

    /** Share of the time since then in which a processor had nothing to do, 0 to 1. */
    public double idleShareSince(MachineUsage earlier) {
        return share(idle - earlier.idle, earlier);
    }

    /** Share of the time since then that the hypervisor took, 0 to 1. */
    public double stealShareSince(MachineUsage earlier) {
        return share(steal - earlier.steal, earlier);
    }

    private double share(long part, MachineUsage earlier) {
        return total == earlier.total ? 0 : (double) part / (total - earlier.total);
    }
}
