package io.plenum.bench.causal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class CausalRunIT {
    @Test
    void noReadIsStaleOrGoesBackWhileStandbysLagAndOneTakesOver() {
        var report = run("monotonic", 2_000, 1);

        assertThat(report.findings()).isEmpty();
        assertThat(report.stale()).isZero();
        assertThat(report.backward()).isZero();
        assertThat(report.switchovers()).isEqualTo(1);
    }

    /** Without which the test before would prove nothing. */
    @Test
    void eventualReadsAreStale() {
        assertThat(run("eventual", 500, 0).stale()).isPositive();
    }

    @Test
    void cleanReadsGoToStandbys() {
        var cost = CausalCost.measure(1, Duration.ofSeconds(1), 2, _ -> {});

        assertThat(cost.cleanReads()).isGreaterThan(20);
        assertThat(cost.needlessPercent()).as(cost.counts()).isLessThan(20); // 5 where the machine has time
    }

    private static CausalReport run(String consistency, long pairs, int switchovers) {
        return CausalRun.run(
                new CausalOptions(
                        consistency,
                        pairs,
                        8,
                        Duration.ofMillis(20),
                        Duration.ofMillis(500),
                        Duration.ofMillis(200),
                        switchovers,
                        1),
                _ -> {});
    }
}
