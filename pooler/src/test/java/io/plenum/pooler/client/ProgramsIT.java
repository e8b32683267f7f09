package io.plenum.pooler.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.LeakWatch;
import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.PostgresServer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** PostgreSQL's own programs, where they are installed, without a special setting. */
@ExtendWith(LeakWatch.class)
class ProgramsIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"simple", "extended", "prepared"})
    void pgbenchRunsItsBuiltInScripts(String mode) throws Exception {
        require("pgbench");
        // A server for each client: in prepared mode pgbench waits for one client's Parse while others are in
        // transactions.
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 8")) {
            run(pooler, "pgbench", "-i", "-q", "-s", "1");
            for (var script : List.of("tpcb-like", "simple-update", "select-only")) {
                var said = run(pooler, "pgbench", "-n", "-M", mode, "-b", script, "-c", "8", "-j", "2", "-t", "50");
                assertThat(said).contains("number of transactions actually processed: 400/400");
                assertThat(said).contains("number of failed transactions: 0");
            }
        }
    }

    @Test
    void psqlCopiesBothWays() throws Exception {
        require("psql");
        try (var pooler = RunningPooler.start(SERVER, "default_pool_size = 1")) {
            var file = directory.resolve("rows.csv");
            Files.writeString(file, "1,one\n2,two\n");
            var said = run(
                    pooler,
                    "psql",
                    "-X",
                    "-A",
                    "-t",
                    "-c",
                    "DROP TABLE IF EXISTS by_psql; CREATE TABLE by_psql (id int, name text)",
                    "-c",
                    "\\copy by_psql FROM '" + file + "' CSV",
                    "-c",
                    "\\copy (SELECT * FROM by_psql ORDER BY id DESC) TO STDOUT CSV",
                    "-c",
                    "\\d by_psql");
            assertThat(said).contains("COPY 2").contains("2,two\n1,one").contains("integer");
        }
    }

    private static void require(String program) throws Exception {
        boolean found = false;
        for (var folder : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
            found |= !folder.isEmpty() && Files.isExecutable(Path.of(folder, program));
        }
        Assumptions.assumeTrue(found, program + " is not installed, so this is not tested here");
    }

    private static String run(RunningPooler pooler, String... command) throws Exception {
        List<String> all = new ArrayList<>(List.of(command));
        all.addAll(1, List.of("-h", "127.0.0.1", "-p", Integer.toString(pooler.port()), "-U", "postgres"));
        if (command[0].equals("psql")) {
            all.addAll(List.of("-d", "app"));
        } else {
            all.add("app");
        }
        var process = new ProcessBuilder(all).redirectErrorStream(true).start();
        process.getOutputStream().close();
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as("%s: %s", all, said).isZero();
        return said;
    }
}
