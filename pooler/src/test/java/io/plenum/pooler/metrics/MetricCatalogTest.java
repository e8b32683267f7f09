package io.plenum.pooler.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.metrics.Census.HeldFacts;
import io.plenum.pooler.metrics.Census.PoolFacts;
import io.plenum.pooler.metrics.Census.ServerCounts;
import io.plenum.pooler.metrics.MetricCatalog.Kind;
import io.plenum.pooler.metrics.MetricCatalog.Metric;
import io.plenum.pooler.metrics.MetricCatalog.Reading;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MetricCatalogTest {
    private static final Installation NOBODY =
            new Installation("PgBouncer", PoolerConfig.defaults(), name -> false, name -> false, 0, 0, 0, 0, 0);

    @Test
    void namesAreUniqueAndTellTheirKind() {
        assertThat(MetricCatalog.all()).extracting(Metric::name).doesNotHaveDuplicates();
        assertThat(MetricCatalog.all())
                .allSatisfy(metric -> assertThat(metric.name())
                        .matches("(plenum|pgbouncer)_[a-z_]+")
                        .satisfies(name ->
                                assertThat(name.endsWith("_total")).as(name).isEqualTo(metric.kind() == Kind.COUNTER)));
    }

    @Test
    void poolsBeyondTheBoundCountTogetherAsOther() {
        List<PoolFacts> pools =
                IntStream.range(0, 10_000).mapToObj(i -> pool("user" + i, 1)).toList();
        Metric transactions = metric("plenum_transactions_total");

        var points = transactions.points().apply(reading(pools)).toList();

        assertThat(points).hasSize(MetricCatalog.MOST_POOLS);
        assertThat(points.getLast().labels()).containsExactly(MetricCatalog.OTHER, MetricCatalog.OTHER);
        assertThat(points.stream().mapToDouble(MetricCatalog.Point::value).sum())
                .isEqualTo(10_000);
    }

    @Test
    void everyPointHasAValueForEachLabelOfItsMetric() {
        Reading reading = reading(List.of(pool("ada", 5)));

        assertThat(MetricCatalog.all())
                .allSatisfy(metric -> assertThat(metric.points().apply(reading))
                        .allSatisfy(point -> assertThat(point.labels()).hasSameSizeAs(metric.labels())));
    }

    @Test
    void namesWithQuotesAndLineBreaksStayInsideTheirLabels() {
        String text = new PrometheusText().write(reading(List.of(pool("a\"b\\c\nd", 5))));

        assertThat(text).contains("plenum_transactions_total{database=\"app\",user=\"a\\\"b\\\\c\\nd\"} 5.0\n");
    }

    @Test
    void jsonQuotesWhatMustBeQuoted() {
        assertThat(Endpoints.quote("a\"b\\c\n<script>")).isEqualTo("\"a\\\"b\\\\c\\u000a\\u003cscript>\"");
    }

    private static Reading reading(List<PoolFacts> pools) {
        return new Reading("1", true, new Census(0, 0, pools, List.of(), List.of(), List.of()), List.of(), NOBODY);
    }

    private static Metric metric(String name) {
        return MetricCatalog.all().stream()
                .filter(metric -> metric.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static PoolFacts pool(String user, long transactions) {
        Totals totals = Totals.of(0, transactions, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        return new PoolFacts("app", user, totals, 0, 0, 0, 0, ServerCounts.NONE, 0, HeldFacts.NONE, Map.of(), Map.of());
    }
}
