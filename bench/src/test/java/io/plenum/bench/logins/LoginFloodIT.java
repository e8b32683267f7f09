package io.plenum.bench.logins;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.bench.rig.Rig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LoginFloodIT {
    @Test
    void goodLoginIsQuickWhileOthersAttack() {
        List<String> settings = new ArrayList<>(LoginsCommand.SETTINGS);
        settings.addAll(List.of("http_listen_port = 0", "max_logins = 400", "max_logins_per_address = 100"));
        try (var rig = Rig.plenum(5, settings)) {
            var load = new LoginFlood.Load(500, 50, 10, Duration.ofSeconds(5));

            var report = LoginFlood.run(rig.target(), LoginsCommand.USER, LoginsCommand.USER, load, _ -> {});

            assertThat(report.findings()).isEmpty();
            assertThat(report.failed()).isZero();
            assertThat(report.letIn()).isZero();
            assertThat(report.good()).isGreaterThan(20);
            assertThat(report.wrong()).isGreaterThan(100);
            assertThat(report.worstMillis()).as(report.machineLine()).isLessThan(2_000); // a busy machine's bound
        }
    }
}
