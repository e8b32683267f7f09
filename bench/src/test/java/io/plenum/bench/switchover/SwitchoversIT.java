package io.plenum.bench.switchover;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SwitchoversIT {
    @Test
    void plannedSwitchoverCostsWaitingAndNoWrite() {
        var report = Switchovers.run(Mode.PLANNED, 2, 2, 8, 200, _ -> {});

        assertThat(report.isInOrder())
                .as("%s %s", report.machineLine(), report.findings())
                .isTrue();
        assertThat(report.acknowledged()).isPositive();
        assertThat(report.stallMillis()).as(report.machineLine()).isLessThan(2_000); // 300 on a machine of its own
    }

    @Test
    void killedPrimaryCostsNothingThatWasAcknowledgedAndDoublesNothing() {
        var report = Switchovers.run(Mode.KILLED, 1, 2, 8, 200, _ -> {});

        assertThat(report.isInOrder())
                .as("%s %s", report.machineLine(), report.findings())
                .isTrue();
        assertThat(report.acknowledged()).isPositive();
        assertThat(report.firstMillis()).as(report.machineLine()).isLessThan(5_000); // 2,000 on a machine of its own
    }
}
