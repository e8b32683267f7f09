package io.plenum.bench.cancel;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.bench.rig.Rig;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CancelRacesIT {
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void cancelNeverHitsTheClientThatHasTheServerNext(int eventLoops) {
        try (var rig = Rig.plenum(1, List.of("event_loops = " + eventLoops, "http_listen_port = 0"))) {
            var report = CancelRaces.run(rig.target(), 1_000, 1, _ -> {});

            assertThat(report.findings()).isEmpty();
            assertThat(report.wrong()).isZero();
            assertThat(report.delivered()).isPositive();
        }
    }
}
