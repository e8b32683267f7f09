package io.plenum.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PostgresClusterIT {
    @Test
    void standbysSeeWhatThePrimaryWrote() {
        try (var cluster = PostgresCluster.builder().standbys(2).start()) {
            cluster.primary().execute("CREATE TABLE t AS SELECT 42 AS answer");

            cluster.awaitReplay();

            assertThat(cluster.standbys()).hasSize(2);
            assertThat(cluster.standbys()).allSatisfy(standby -> assertThat(standby.query("SELECT answer FROM t"))
                    .isEqualTo("42"));
        }
    }
}
