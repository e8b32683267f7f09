package io.plenum.pooler.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RefusedReadsTest {
    private static final long HOUR = TimeUnit.HOURS.toNanos(1);

    private final RefusedReads reads = new RefusedReads();

    @Test
    void isForgottenAnHourAfterItWasRefusedLast() {
        reads.add(7, 0);
        reads.add(7, HOUR);
        assertThat(reads.contains(7, 2 * HOUR)).isTrue();
        assertThat(reads.contains(8, HOUR)).isFalse();
        assertThat(reads.contains(7, 2 * HOUR + 1)).isFalse();
        assertThat(reads.isEmpty()).isTrue();
    }

    @Test
    void whatIsTooOldGoesWhenAnotherComes() {
        for (int i = 0; i < 100; i++) {
            reads.add(i, i);
        }
        reads.add(1_000, HOUR + 50);
        for (int i = 0; i < 100; i++) {
            assertThat(reads.contains(i, HOUR)).as("%d", i).isEqualTo(i >= 50);
        }
    }

    @Test
    void oldestMakesRoomWhenThereAreTooMany() {
        for (int i = 0; i <= 20_000; i++) {
            reads.add(i, i);
        }
        assertThat(reads.contains(0, 20_000)).isFalse();
        assertThat(reads.contains(1, 20_000)).isTrue();
        assertThat(reads.contains(20_000, 20_000)).isTrue();
    }
}
