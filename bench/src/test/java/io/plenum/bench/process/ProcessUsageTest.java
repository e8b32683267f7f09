package io.plenum.bench.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ProcessUsageTest {
    @Test
    void processorTimeOfThisJvmIsWhatTheJvmSays() {
        var jvm = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

        long before = TimeUnit.NANOSECONDS.toMicros(jvm.getProcessCpuTime());
        var usage = ProcessUsage.of(ProcessHandle.current().pid());
        long after = TimeUnit.NANOSECONDS.toMicros(jvm.getProcessCpuTime());

        // Both times are cut down to steps of 10 ms.
        assertThat(usage.totalMicros()).isBetween(before - 50_000, after + 50_000);
        assertThat(usage.residentKib()).isGreaterThan(10_000);
    }

    @Test
    void sharesAreOfTheTimeBetweenTwoReadings() {
        var earlier = new MachineUsage(1000, 400, 10);
        var now = new MachineUsage(1200, 450, 20);

        assertThat(now.idleShareSince(earlier)).isEqualTo(0.25);
        assertThat(now.stealShareSince(earlier)).isEqualTo(0.05);
        assertThat(earlier.idleShareSince(earlier)).isZero();
    }
}
