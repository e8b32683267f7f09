package io.plenum.testbed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.sql.DriverManager;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.testcontainers.postgresql.PostgreSQLContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * The official image instead of our binaries, where a container engine has it. Nothing is pulled: a test run must not
 * wait for a registry.
 */
class PostgresContainerIT {
    private static final String IMAGE = System.getProperty("plenum.postgres.image", "postgres:18");

    @BeforeAll
    static void onlyWhereAnEngineHasTheImage() {
        // Testcontainers itself would try for minutes where the engine is there and the image is not.
        assumeTrue(
                Programs.works("docker", "image", "inspect", IMAGE),
                "skipped: no container engine answers here, or it has no image " + IMAGE + " (docker pull " + IMAGE
                        + ")");
    }

    @Test
    void rawClientAndDriverTalkToPostgresInAContainer() throws Exception {
        try (var postgres = new PostgreSQLContainer(DockerImageName.parse(IMAGE).asCompatibleSubstituteFor("postgres"))
                .withUsername("app")
                .withPassword("app")
                .withDatabaseName("app")) {
            postgres.start();

            try (var connection = DriverManager.getConnection(postgres.getJdbcUrl(), "app", "app");
                    var statement = connection.createStatement()) {
                statement.execute("CREATE TABLE t AS SELECT 42 AS answer");
            }
            try (var client =
                    WireClient.connect(postgres.getHost(), postgres.getMappedPort(5432), "app", "app", "app")) {
                assertThat(client.value("SELECT answer FROM t")).isEqualTo("42");
            }
        }
    }
}
