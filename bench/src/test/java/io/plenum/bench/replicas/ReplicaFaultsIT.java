package io.plenum.bench.replicas;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReplicaFaultsIT {
    @Test
    void noClientSeesWhatBefallsAStandby() {
        ReplicaFault[] kinds = ReplicaFault.values();

        var report = ReplicaFaults.run(kinds.length, kinds, 2, 10, 1, _ -> {});

        assertThat(report.findings()).isEmpty();
        assertThat(report.isClean()).as(report.machineLine()).isTrue();
        assertThat(report.faults()).containsOnlyKeys(kinds);
        // Faults that nothing had to be done about would prove nothing.
        assertThat(report.reruns()).as(report.machineLine()).isPositive();
        assertThat(report.conflicts()).as(report.machineLine()).isPositive();
        // How fast that is, only a machine of its own can tell: the program does.
        assertThat(report.hungLate()).as(report.machineLine()).isZero();
    }
}
