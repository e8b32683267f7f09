package io.plenum.bench.compare;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PgbenchTest {
    @Test
    void percentileIsTheLatencyThatThisShareDidNotExceed() {
        var result = new Pgbench.Result(1000, 1, IntStream.rangeClosed(1, 1000).toArray());

        assertThat(result.percentile(0.50)).isEqualTo(500);
        assertThat(result.percentile(0.99)).isEqualTo(990);
        assertThat(result.percentile(1)).isEqualTo(1000);
        assertThat(new Pgbench.Result(1, 1, new int[] {7}).percentile(0.99)).isEqualTo(7);
        assertThat(new Pgbench.Result(0, 0, new int[] {}).percentile(0.99)).isZero();
    }
}
