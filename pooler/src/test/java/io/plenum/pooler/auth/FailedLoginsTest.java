package io.plenum.pooler.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class FailedLoginsTest {
    private static final InetAddress HERE = InetAddress.ofLiteral("10.0.0.1");
    private static final InetAddress ELSEWHERE = InetAddress.ofLiteral("10.0.0.2");
    private static final long HALF_LIFE = FailedLogins.HALF_LIFE.toNanos();

    private final FailedLogins failures = new FailedLogins();

    @Test
    void failureWaitsTheLongerTheOfterOneUserFailsAtOneAddress() {
        for (int i = 0; i < FailedLogins.FREE; i++) {
            assertThat(failures.onFailure(HERE, "ann", 0)).isZero();
        }
        assertThat(failures.onFailure(HERE, "ann", 0))
                .isEqualTo(Duration.ofMillis(100).toNanos());
        assertThat(failures.onFailure(HERE, "ann", 0))
                .isEqualTo(Duration.ofMillis(200).toNanos());
        for (int i = 0; i < 40; i++) {
            assertThat(failures.onFailure(HERE, "ann", 0))
                    .isLessThanOrEqualTo(Duration.ofSeconds(2).toNanos());
        }
        assertThat(failures.onFailure(HERE, "bob", 0)).isZero();
        assertThat(failures.onFailure(ELSEWHERE, "ann", 0)).isZero();
        assertThat(failures.onFailure(null, "ann", 0)).isZero();
    }

    @Test
    void successMakesUpForWhatTheUserGotWrong() {
        for (int i = 0; i < 10; i++) {
            failures.onFailure(HERE, "ann", 0);
        }
        failures.onSuccess(HERE, "ann", false, 0);

        assertThat(failures.onFailure(HERE, "ann", 0)).isZero();
    }

    @Test
    void addressIsSuspectThatFailsOftenWhoeverItSaysItIs() {
        for (int i = 0; i <= FailedLogins.SUSPICIOUS; i++) {
            assertThat(failures.isSuspect(HERE, 0)).isFalse();
            failures.onFailure(HERE, "user" + i, 0);
        }
        assertThat(failures.isSuspect(HERE, 0)).isTrue();
        assertThat(failures.isSuspect(ELSEWHERE, 0)).isFalse();
        assertThat(failures.onFailure(HERE, "new", 0)).isPositive();

        assertThat(failures.isSuspect(HERE, 2 * HALF_LIFE)).isFalse();
    }

    @Test
    void newNamesCountUntilTheyAreProved() {
        for (int i = 0; i < 10 * FailedLogins.SUSPICIOUS; i++) {
            assertThat(failures.isSuspectToAsk(HERE, 0)).isFalse();
            failures.onSuccess(HERE, "user" + i, true, 0);
        }
        for (int i = 0; i < FailedLogins.SUSPICIOUS; i++) {
            assertThat(failures.isSuspectToAsk(HERE, 0)).isFalse();
        }
        assertThat(failures.isSuspectToAsk(HERE, 0)).isTrue();
    }

    @Test
    void halfIsForgottenEachTime() {
        for (int i = 0; i < 8; i++) {
            failures.onFailure(HERE, "ann", 0);
        }
        assertThat(failures.onFailure(HERE, "ann", HALF_LIFE)) // the fifth
                .isEqualTo(Duration.ofMillis(200).toNanos());
        assertThat(failures.onFailure(HERE, "ann", 100 * HALF_LIFE)).isZero();
    }
}
