package io.plenum.bench.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** What a comparison found, as lines for a terminal, a page and a machine. */
final class Report {
    private final Results results;
    private final List<String> rivals;
    private final Map<Workload, Map<String, SystemCalls>> systemCalls;
    private final Map<String, IdleClients> idleClients;

    /** @param rivals names in the order of the tables, the baseline among them */
    Report(
            Results results,
            List<String> rivals,
            Map<Workload, Map<String, SystemCalls>> systemCalls,
            Map<String, IdleClients> idleClients) {
        this.results = results;
        this.rivals = rivals;
        this.systemCalls = systemCalls;
        this.idleClients = idleClients;
    }

    /** One sample in one line. */
    static String line(Sample sample) {
        return String.format(
                Locale.ROOT,
                "%9.0f TPS  p50 %6.2f  p95 %6.2f  p99 %6.2f ms  CPU %7.1f µs (user %.1f)  %4.0f MiB  idle %2.0f%%"
                        + " steal %2.0f%%",
                sample.perSecond(),
                sample.p50Micros() / 1000.0,
                sample.p95Micros() / 1000.0,
                sample.p99Micros() / 1000.0,
                sample.cpuMicros(),
                sample.userMicros(),
                sample.residentMib(),
                100 * sample.idleShare(),
                100 * sample.stealShare());
    }

    /** The medians as a Markdown table, which a terminal shows well too. */
    List<String> medians() {
        List<String> lines = new ArrayList<>(List.of(
                "| Workload | | TPS | × | p50 ms | p95 ms | p99 ms | × | CPU µs | × | of it user | RSS MiB | system"
                        + " calls |",
                "| --- | --- | ---: | :---: | ---: | ---: | ---: | :---: | ---: | :---: | ---: | ---: | ---: |"));
        for (var workload : results.workloads()) {
            for (var rival : rivals) {
                var calls = systemCalls.getOrDefault(workload, Map.of()).get(rival);
                boolean pooled = median(workload, rival, Sample::residentMib) > 0;
                lines.add("| %s | %s | %.0f | %s | %.2f | %.2f | %.2f | %s | %s | %s | %s | %s | %s |"
                        .formatted(
                                rival.equals(rivals.getFirst()) ? workload.label() : "",
                                rival,
                                median(workload, rival, Sample::perSecond),
                                ratio(workload, rival, Sample::perSecond),
                                median(workload, rival, Sample::p50Micros) / 1000,
                                median(workload, rival, Sample::p95Micros) / 1000,
                                median(workload, rival, Sample::p99Micros) / 1000,
                                ratio(workload, rival, Sample::p99Micros),
                                pooled ? "%.1f".formatted(median(workload, rival, Sample::cpuMicros)) : "",
                                pooled ? ratio(workload, rival, Sample::cpuMicros) : "",
                                pooled ? "%.1f".formatted(median(workload, rival, Sample::userMicros)) : "",
                                pooled ? "%.0f".formatted(median(workload, rival, Sample::residentMib)) : "",
                                calls == null ? "" : "%.2f".formatted(calls.total())));
            }
        }
        return lines;
    }

    /** Which system calls, as a Markdown list; nothing where none were counted. */
    List<String> systemCallNames() {
        List<String> lines = new ArrayList<>();
        systemCalls.forEach((workload, ofWorkload) -> ofWorkload.forEach(
                (rival, calls) -> lines.add("- %s, %s: %s".formatted(workload.label(), rival, calls.mostFrequent()))));
        return lines;
    }

    /** Memory per idle client, as a Markdown list; nothing where it was not measured. */
    List<String> idleClientCosts() {
        return idleClients.entrySet().stream()
                .map(cost -> "- %s: %.1f KiB for each of %d idle clients"
                        .formatted(
                                cost.getKey(),
                                cost.getValue().kibPerClient(),
                                cost.getValue().clients()))
                .toList();
    }

    double idleShare() {
        return results.median(Sample::idleShare);
    }

    double stealShare() {
        return results.median(Sample::stealShare);
    }

    /** The line for machines: ratios of each rival to the baseline, {@code workload_figure=ratio}; the first pooler needs no name. */
    String machineLine() {
        var line = new StringBuilder("compare:");
        boolean first = true;
        for (var rival : rivals) {
            if (rival.equals(results.baseline()) || rival.equals(Comparison.DIRECT)) {
                continue;
            }
            var prefix = first ? "" : rival.replace("plenum-", "") + "_";
            first = false;
            for (var workload : results.workloads()) {
                append(line, prefix + workload.label() + "_cpu", workload, rival, Sample::cpuMicros);
                append(line, prefix + workload.label() + "_tps", workload, rival, Sample::perSecond);
                append(line, prefix + workload.label() + "_p99", workload, rival, Sample::p99Micros);
                var calls = systemCalls.getOrDefault(workload, Map.of()).get(rival);
                if (calls != null) {
                    line.append(" %s%s_syscalls=%.2f".formatted(prefix, workload.label(), calls.total()));
                }
            }
            var idle = idleClients.get(rival);
            if (idle != null) {
                line.append(" %sidle_client_kib=%.1f".formatted(prefix, idle.kibPerClient()));
            }
        }
        return line.toString();
    }

    private void append(
            StringBuilder line, String key, Workload workload, String rival, ToDoubleFunction<Sample> figure) {
        line.append(
                " %s=%.2f".formatted(key, results.ratio(workload, rival, figure).median()));
    }

    private double median(Workload workload, String rival, ToDoubleFunction<Sample> figure) {
        return results.median(workload, rival, figure);
    }

    private String ratio(Workload workload, String rival, ToDoubleFunction<Sample> figure) {
        if (rival.equals(results.baseline())) {
            return "1";
        }
        var ratio = results.ratio(workload, rival, figure);
        var median = "**%.2f**".formatted(ratio.median());
        return results.rounds(workload).size() == 1
                ? median
                : median + " (%.2f–%.2f)".formatted(ratio.lowest(), ratio.highest());
    }
}
