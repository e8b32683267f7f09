package io.plenum.routing.causal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class FallbackShareTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final FallbackShare share = new FallbackShare(0);

    @Test
    void fewReadsSayNothing() {
        count(99, true, 0);

        assertThat(share.isOver(50, 0)).isFalse();
    }

    @Test
    void moreThanTheShareIsOver() {
        count(100, false, 0);
        count(100, true, SECOND);

        assertThat(share.isOver(50, SECOND)).isFalse();

        count(1, true, SECOND);

        assertThat(share.isOver(50, SECOND)).isTrue();
        assertThat(share.isOver(100, SECOND)).isFalse();
    }

    @Test
    void whatIsOlderThanTheWindowIsForgotten() {
        count(1000, true, 0);

        assertThat(share.isOver(50, (FallbackShare.SECONDS - 1) * SECOND)).isTrue();
        assertThat(share.isOver(50, FallbackShare.SECONDS * SECOND)).isFalse();
        count(1000, true, 3600 * SECOND);
        assertThat(share.isOver(50, 3600 * SECOND)).isTrue();
        assertThat(share.isOver(50, 7200 * SECOND)).isFalse();
    }

    private void count(int reads, boolean fellBack, long now) {
        for (int i = 0; i < reads; i++) {
            share.count(fellBack, now);
        }
    }
}
