package io.plenum.bench.compare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** All samples of a comparison, and the ratios inside each round. */
final class Results {
    /**
     * The ratio of a figure to the baseline's in the same round, over all rounds.
     *
     * @param median of the rounds
     */
    record Ratio(double median, double lowest, double highest) {}

    private final String baseline;
    private final Map<Workload, List<Map<String, Sample>>> rounds = new EnumMap<>(Workload.class);

    /** @param baseline the name of the rival to which all others are compared */
    Results(String baseline) {
        this.baseline = baseline;
    }

    /** Adds the samples of one round, one of each rival. */
    void add(Workload workload, Map<String, Sample> round) {
        rounds.computeIfAbsent(workload, _ -> new ArrayList<>()).add(new LinkedHashMap<>(round));
    }

    List<Workload> workloads() {
        return List.copyOf(rounds.keySet());
    }

    List<Map<String, Sample>> rounds(Workload workload) {
        return rounds.getOrDefault(workload, List.of());
    }

    String baseline() {
        return baseline;
    }

    double median(Workload workload, String rival, ToDoubleFunction<Sample> figure) {
        return median(rounds(workload).stream()
                .mapToDouble(round -> figure.applyAsDouble(sample(round, rival)))
                .toArray());
    }

    /** Over all samples of all rivals. */
    double median(ToDoubleFunction<Sample> figure) {
        return median(rounds.values().stream()
                .flatMap(List::stream)
                .flatMap(round -> round.values().stream())
                .mapToDouble(figure)
                .toArray());
    }

    Ratio ratio(Workload workload, String rival, ToDoubleFunction<Sample> figure) {
        var ratios = rounds(workload).stream()
                .mapToDouble(round ->
                        figure.applyAsDouble(sample(round, rival)) / figure.applyAsDouble(sample(round, baseline)))
                .toArray();
        return new Ratio(
                median(ratios),
                Arrays.stream(ratios).min().orElse(Double.NaN),
                Arrays.stream(ratios).max().orElse(Double.NaN));
    }

    private static Sample sample(Map<String, Sample> round, String rival) {
        var sample = round.get(rival);
        if (sample == null) {
            throw new IllegalStateException("no sample of " + rival);
        }
        return sample;
    }

    /** The middle, or the mean of the two in the middle; NaN of nothing. */
    static double median(double[] values) {
        if (values.length == 0) {
            return Double.NaN;
        }
        var sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
