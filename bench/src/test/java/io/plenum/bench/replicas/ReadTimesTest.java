package io.plenum.bench.replicas;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReadTimesTest {
    private static final long MILLI = 1_000_000;

    @Test
    void ninetyNineOfAHundredAreNoSlower() {
        List<ReadTimes.Read> reads = new ArrayList<>();
        for (int i = 1; i <= 200; i++) {
            reads.add(new ReadTimes.Read(i, i));
        }

        assertThat(ReadTimes.percentile99(reads)).isEqualTo(198);
        assertThat(ReadTimes.percentile99(List.of())).isZero();
    }

    @Test
    void readsHaveRecoveredWhenFromThenOnOneInAHundredIsSlowAtMost() {
        List<ReadTimes.Read> reads = new ArrayList<>();
        for (int i = 1; i <= 1_000; i++) {
            boolean slow = i <= 400 || i % 200 == 0; // now and then one is slow anyway
            reads.add(new ReadTimes.Read(i * MILLI, (slow ? 50 : 1) * MILLI));
        }
        var silence = new ReadTimes.Silence(0, 1_000 * MILLI, reads);

        long recovered = ReadTimes.recoveredAfterNanos(List.of(silence), 2 * MILLI) / MILLI;

        assertThat(recovered).isBetween(395L, 405L);
        assertThat(silence.longestNanos()).isEqualTo(50 * MILLI);
    }

    @Test
    void readsThatStaySlowDoNotRecoverBeforeTheEnd() {
        List<ReadTimes.Read> reads = new ArrayList<>();
        for (int i = 1; i <= 300; i++) {
            reads.add(new ReadTimes.Read(i * MILLI, (i % 10 == 0 ? 50 : 1) * MILLI));
        }

        var silence = new ReadTimes.Silence(0, 300 * MILLI, reads);

        assertThat(ReadTimes.recoveredAfterNanos(List.of(silence), 2 * MILLI)).isEqualTo(300 * MILLI);
    }

    @Test
    void aHiccupInOneSilenceIsNotThatOfAll() {
        List<ReadTimes.Silence> silences = new ArrayList<>();
        for (int silence = 0; silence < 10; silence++) {
            List<ReadTimes.Read> reads = new ArrayList<>();
            for (int i = 1; i <= 3_500; i++) {
                boolean slow = i < 900 || (silence == 3 && i > 3_300 && i <= 3_310);
                reads.add(new ReadTimes.Read(i * MILLI, (slow ? 50 : 1) * MILLI));
            }
            silences.add(new ReadTimes.Silence(0, 3_500 * MILLI, reads));
        }

        assertThat(ReadTimes.recoveredAfterNanos(silences, 2 * MILLI)).isEqualTo(1_000 * MILLI);
    }

    @Test
    void fewReadsThatHangOnceMoreAreSeen() {
        List<ReadTimes.Read> reads = new ArrayList<>();
        for (int i = 1; i <= 3_500; i++) {
            boolean hung = i == 900 || i == 2_900 || i == 2_901;
            reads.add(new ReadTimes.Read(i * MILLI, (hung ? 850 : 1) * MILLI));
        }
        var silence = new ReadTimes.Silence(0, 3_500 * MILLI, reads);

        assertThat(silence.hungLater(2_000 * MILLI)).isEqualTo(2);
        assertThat(silence.longestNanos()).isEqualTo(850 * MILLI);
    }
}
