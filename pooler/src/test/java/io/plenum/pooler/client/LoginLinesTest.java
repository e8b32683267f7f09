package io.plenum.pooler.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LoginLinesTest {
    private final LoginLines lines = new LoginLines();

    @Test
    void floodIsLeftOutUntilTheSecondIsOver() {
        assertThat(told(7, 3 * LoginLines.PER_SECOND)).isEqualTo(LoginLines.PER_SECOND);
        assertThat(told(8, 5)).isEqualTo(5);
        assertThat(told(-1, LoginLines.PER_SECOND + 1)).as("a clock below zero").isEqualTo(LoginLines.PER_SECOND);
    }

    private long told(long second, int logins) {
        long now = TimeUnit.SECONDS.toNanos(second) + TimeUnit.MILLISECONDS.toNanos(second < 0 ? -500 : 500);
        return IntStream.range(0, logins).filter(_ -> lines.mayTell(now)).count();
    }
}
