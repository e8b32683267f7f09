package io.plenum.pooler.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TotalsTest {
    private static final long TEN_SECONDS = 10_000_000_000L;

    @Test
    void averagesArePerSecondAndTimesPerWhatTookThem() {
        // assignments, transactions, queries, received, sent, transaction, query and wait time, parses, binds, logins
        Totals counted = Totals.of(50, 100, 400, 1000, 5000, 200_000, 120_000, 10_000, 30, 20, 10, 5);

        assertThat(counted.averages(TEN_SECONDS)).isEqualTo(Totals.of(5, 10, 40, 100, 500, 2000, 300, 200, 3, 2, 1, 0));
    }

    @Test
    void nothingCountedHasNoAverage() {
        assertThat(Totals.ZERO.averages(TEN_SECONDS)).isEqualTo(Totals.ZERO);
        assertThat(Totals.ZERO.averages(0)).isEqualTo(Totals.ZERO);
    }

    @Test
    void whatShrankCountsAsNothing() {
        Totals more = Totals.of(9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9);

        assertThat(Totals.ZERO.since(more)).isEqualTo(Totals.ZERO);
        assertThat(more.since(Totals.ZERO).plus(Totals.ZERO)).isEqualTo(more);
    }
}
