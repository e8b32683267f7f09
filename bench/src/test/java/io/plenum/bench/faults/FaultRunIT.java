package io.plenum.bench.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.bench.rig.Rig;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FaultRunIT {
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void everyReplyReachesItsClientWhileServersAndClientsDie(int eventLoops) {
        try (var rig = Rig.plenum(4, List.of("event_loops = " + eventLoops, "http_listen_port = 0"))) {
            var report = FaultRun.run(rig.target(), options(100, 4, Duration.ofSeconds(8)));

            assertThat(report.findings()).isEmpty();
            assertThat(report.isClean()).as(report.machineLine()).isTrue();
            assertThat(report.replies()).isGreaterThan(1_000);
            assertThat(report.settings()).isGreaterThan(100);
            assertThat(report.pins()).isPositive();
            assertThat(report.notifications()).isPositive();
            assertThat(report.counts())
                    .containsKeys(
                            "fault: server killed", "fault: client killed", "fault: cancel", "fault: listener killed");
        }
    }

    /** The judge is judged by PostgreSQL: what it calls wrong must not be what the server itself does. */
    @Test
    void postgresItselfIsFoundInOrder() {
        try (var rig = Rig.postgres()) {
            var report = FaultRun.run(rig.target(), options(20, 20, Duration.ofSeconds(4)));

            assertThat(report.findings()).isEmpty();
            assertThat(report.isClean()).as(report.machineLine()).isTrue();
        }
    }

    private static FaultOptions options(int clients, int poolSize, Duration length) {
        return new FaultOptions(clients, poolSize, length, 0, Duration.ofMillis(100), Duration.ZERO, true, 1);
    }
}
