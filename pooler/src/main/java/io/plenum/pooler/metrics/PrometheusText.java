package io.plenum.pooler.metrics;

import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.plenum.pooler.metrics.MetricCatalog.Metric;
import io.plenum.pooler.metrics.MetricCatalog.Point;
import io.plenum.pooler.metrics.MetricCatalog.Reading;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.List;

/** The answer of {@code /metrics}: those of the catalogue from one reading, and those of the Java process. One thread. */
final class PrometheusText {
    static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private static final String TOTAL = "_total";

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private MetricSnapshots current = new MetricSnapshots();

    PrometheusText() {
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        registry.getPrometheusRegistry().register(() -> current);
    }

    String write(Reading reading) {
        current = new MetricSnapshots(MetricCatalog.all().stream()
                .map(metric -> snapshot(metric, reading))
                .toList());
        return registry.scrape();
    }

    private static MetricSnapshot snapshot(Metric metric, Reading reading) {
        List<Point> points = metric.points().apply(reading).toList();
        return switch (metric.kind()) {
            case COUNTER -> {
                var counter = CounterSnapshot.builder()
                        .name(metric.name().substring(0, metric.name().length() - TOTAL.length()))
                        .help(metric.help());
                points.forEach(point -> counter.dataPoint(CounterDataPointSnapshot.builder()
                        .labels(labels(metric, point))
                        .value(point.value())
                        .build()));
                yield counter.build();
            }
            case GAUGE -> {
                var gauge = GaugeSnapshot.builder().name(metric.name()).help(metric.help());
                points.forEach(point -> gauge.dataPoint(GaugeDataPointSnapshot.builder()
                        .labels(labels(metric, point))
                        .value(point.value())
                        .build()));
                yield gauge.build();
            }
        };
    }

    private static Labels labels(Metric metric, Point point) {
        return Labels.of(metric.labels(), point.labels());
    }
}
