package io.plenum.pooler.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LoginRetryTest {
    private static final long ALLOWED = TimeUnit.SECONDS.toNanos(15);

    private final LoginRetry retry = new LoginRetry();

    @Test
    void loginsThatWereUnderWayTogetherFailOnce() {
        long begun = System.nanoTime();

        for (int i = 0; i < 4; i++) {
            retry.onFailed(begun, ALLOWED);
        }

        assertThat(retry.pauseMillis()).isEqualTo(50);
    }

    @Test
    void eachPauseIsTwiceTheOneBeforeUpToOneSecond() {
        long[] pauses = new long[7];
        for (int i = 0; i < pauses.length; i++) {
            retry.onFailed(System.nanoTime() + 1, ALLOWED);
            pauses[i] = retry.pauseMillis();
        }

        assertThat(pauses).containsExactly(50, 100, 200, 400, 800, 1_000, 1_000);
    }

    @Test
    void loginThatSucceedsEndsThePause() {
        retry.onFailed(System.nanoTime(), ALLOWED);

        retry.onGood();

        assertThat(retry.isDue(System.nanoTime())).isTrue();
        assertThat(retry.isAhead()).isFalse();
    }

    @Test
    void failureBehindASuccessCountsFromTheBeginning() {
        long begun = System.nanoTime();
        retry.onFailed(begun, ALLOWED);
        retry.onFailed(System.nanoTime() + 1, ALLOWED);
        retry.onGood();

        retry.onFailed(begun, ALLOWED);

        assertThat(retry.pauseMillis()).isEqualTo(50);
    }
}
