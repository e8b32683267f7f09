package io.plenum.bench.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SharesTest {
    private static final List<String> SEVEN = List.of("a", "b", "c", "d", "e", "f", "g");

    @Test
    void twoOfSevenThatDoAllTheWorkVaryByTheRootOfTwoAndAHalf() {
        var tied = new Shares(Map.of("a", 500L, "b", 500L));

        assertThat(tied.variation(SEVEN)).isCloseTo(Math.sqrt(2.5), within(1e-9));
        assertThat(tied.working(SEVEN)).isEqualTo(2);
    }

    @Test
    void equalCountsDoNotVary() {
        assertThat(new Shares(Map.of("a", 9L, "b", 9L)).variation(List.of("a", "b")))
                .isZero();
    }

    @Test
    void aPodThatWasNotThereBeforeCountsFromNothing() {
        var earlier = new Shares(Map.of("a", 100L));
        var later = new Shares(Map.of("a", 130L, "b", 10L));

        var between = later.since(earlier);

        assertThat(between.counts()).isEqualTo(Map.of("a", 30L, "b", 10L));
        assertThat(between.share("b")).isEqualTo(0.25);
        assertThat(between.share("c")).isZero();
    }
}
