package io.plenum.bench.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.bench.process.PoolerProcess;
import java.io.PrintStream;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class BalanceExperimentIT {
    @Test
    void podsThatJoinGetTheirShareOfConnectionsThatWereOpenBefore() throws Exception {
        try (var cluster = DemoCluster.start(BalanceExperiment.REPLICAS, PoolerProcess.freePort(), 0)) {
            var board = new Board(new PrintStream(PrintStream.nullOutputStream()), false);

            var verdict = new BalanceExperiment(cluster, board, Duration.ofSeconds(2)).run();

            assertThat(verdict.workingWithout()).isEqualTo(2);
            assertThat(verdict.working()).isEqualTo(7);
            assertThat(verdict.variation()).isLessThanOrEqualTo(0.05);
            assertThat(verdict.fairShareAfter()).isLessThanOrEqualTo(Duration.ofSeconds(2));
        }
    }
}
