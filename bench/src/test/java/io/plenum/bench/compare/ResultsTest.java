package io.plenum.bench.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ResultsTest {
    @Test
    void ratioIsTakenInsideEachRoundBeforeTheMedian() {
        var results = new Results("rival");
        // A machine that slows down by half in the third round changes both and no ratio.
        results.add(Workload.SIMPLE, Map.of("rival", perSecond(1000), "plenum", perSecond(1100)));
        results.add(Workload.SIMPLE, Map.of("rival", perSecond(1000), "plenum", perSecond(1300)));
        results.add(Workload.SIMPLE, Map.of("rival", perSecond(500), "plenum", perSecond(600)));

        var ratio = results.ratio(Workload.SIMPLE, "plenum", Sample::perSecond);

        assertThat(ratio.median()).isCloseTo(1.2, within(1e-9));
        assertThat(ratio.lowest()).isCloseTo(1.1, within(1e-9));
        assertThat(ratio.highest()).isCloseTo(1.3, within(1e-9));
    }

    @Test
    void medianOfAnEvenNumberIsTheMeanOfTheMiddle() {
        assertThat(Results.median(new double[] {9, 1, 3, 2})).isEqualTo(2.5);
        assertThat(Results.median(new double[] {})).isNaN();
    }

    private static Sample perSecond(double perSecond) {
        return new Sample(1, perSecond, 1, 1, 1, 1, 1, 1, 0, 0);
    }
}
