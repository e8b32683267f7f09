package io.plenum.routing.balance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class OutliersTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);

    private final List<Standing> all = new ArrayList<>();
    private long now = Long.MAX_VALUE - 5 * SECOND; // the clock may wrap at any moment

    OutliersTest() {
        for (int i = 0; i < 4; i++) {
            var standing = new Standing();
            standing.join(now);
            all.add(standing);
        }
    }

    @Test
    void oneThatFailsThriceInARowIsLeftOutAndComesBack() {
        fail(all.get(1), 2);
        assertThat(fit()).containsExactly(true, true, true, true);
        fail(all.get(1), 1);
        assertThat(fit()).containsExactly(true, false, true, true);

        now += Standing.FIRST_OUT_NANOS;
        assertThat(fit()).containsExactly(true, true, true, true);
    }

    @Test
    void whoFailsAgainIsOutTwiceAsLong() {
        for (int times = 0; times < 8; times++) {
            fail(all.get(0), Standing.FAILURES);
            long length = Math.min(Standing.LONGEST_OUT_NANOS, Standing.FIRST_OUT_NANOS << times);
            now += length - MILLI;
            assertThat(fit()[0]).isFalse();
            now += MILLI;
            assertThat(fit()[0]).isTrue();
        }
    }

    @Test
    void failuresFarApartAreForgiven() {
        for (int i = 0; i < 10; i++) {
            fail(all.get(0), 1);
            now += 11 * SECOND;
        }
        assertThat(fit()).containsExactly(true, true, true, true);
    }

    @Test
    void noMoreThanHalfAreLeftOut() {
        all.forEach(standing -> fail(standing, Standing.FAILURES));

        assertThat(fit()).containsExactly(false, false, true, true);
    }

    @Test
    void silentOnesAreLeftOutHoweverMany() {
        fail(all.get(3), Standing.FAILURES);
        for (int i = 0; i < 3; i++) {
            all.get(i).setSilent(true, now);
        }

        assertThat(fit()).as("the floor is for those that answer").containsExactly(false, false, false, true);
    }

    @Test
    void muchSlowerOneIsLeftOutAndTriedAgain() {
        for (int i = 0; i < 4; i++) {
            answer(all.get(i), i == 2 ? 60 * MILLI : 5 * MILLI);
        }
        Outliers.judge(all, now);
        assertThat(fit()).containsExactly(true, true, false, true);

        now += Standing.FIRST_OUT_NANOS;
        assertThat(fit()).containsExactly(true, true, true, true);
    }

    @Test
    void threeTimesSlowerIsNoOutlierAndNorAreMicroseconds() {
        for (int i = 0; i < 4; i++) {
            answer(all.get(i), i == 2 ? 60 * MILLI : 20 * MILLI);
        }
        Outliers.judge(all, now);
        assertThat(fit()).containsExactly(true, true, true, true);

        now += 100 * SECOND;
        for (int i = 0; i < 4; i++) {
            answer(all.get(i), i == 2 ? 2 * MILLI : MILLI / 10);
        }
        Outliers.judge(all, now);
        assertThat(fit()).containsExactly(true, true, true, true);
    }

    @Test
    void shareOfANewOneGrowsFromATenth() {
        Standing fresh = all.get(0);
        assertThat(fresh.grown(10 * SECOND, now)).isEqualTo(0.1);
        now += 5 * SECOND;
        assertThat(fresh.grown(10 * SECOND, now)).isEqualTo(0.5, within(0.001));
        now += 5 * SECOND;
        assertThat(fresh.grown(10 * SECOND, now)).isEqualTo(1);

        fresh.leave();
        fresh.join(now);
        assertThat(fresh.grown(10 * SECOND, now)).isEqualTo(0.1);
        assertThat(fresh.grown(0, now)).as("off").isEqualTo(1);
    }

    @Test
    void meanFollowsASlowerAnswerAtOnceAndForgetsItWithTime() {
        var latency = new PeakEwma();
        assertThat(latency.valueAt(now)).isZero();
        latency.observe(MILLI, now);
        latency.observe(9 * MILLI, now);
        assertThat(latency.valueAt(now)).isEqualTo(9.0 * MILLI);
        now += 10 * SECOND;
        assertThat(latency.valueAt(now)).isEqualTo(9 * MILLI / Math.E, within(1_000.0));
        latency.observe(MILLI, now);
        assertThat(latency.valueAt(now)).isBetween(3.0 * MILLI, 4.0 * MILLI);
    }

    @Test
    void firstAnswersOfAColdCacheSayNothing() {
        for (int i = 0; i < 3; i++) {
            answer(all.get(i), 5 * MILLI);
        }
        for (int i = 0; i < Standing.FEWEST_ANSWERS - 1; i++) {
            all.get(3).onAnswer(500 * MILLI, now);
        }
        assertThat(Outliers.judge(all, now)).isFalse();
        all.get(3).onAnswer(500 * MILLI, now);
        assertThat(Outliers.judge(all, now)).isTrue();
    }

    private void answer(Standing standing, long took) {
        for (int i = 0; i < Standing.FEWEST_ANSWERS * 5; i++) {
            standing.onAnswer(took, now);
        }
    }

    private void fail(Standing standing, int times) {
        for (int i = 0; i < times; i++) {
            standing.onFailure(now);
        }
    }

    private boolean[] fit() {
        return Outliers.fit(all, now);
    }
}
