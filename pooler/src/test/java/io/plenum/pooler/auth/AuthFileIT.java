package io.plenum.pooler.auth;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.RunningPooler;
import io.plenum.testbed.PostgresServer;
import io.plenum.testbed.ServerErrorException;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Users come and go with the file that names them, and nobody reloads. */
class AuthFileIT {
    private static final PostgresServer SERVER = RunningPooler.sharedServer();
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** Seldom enough that none of the failures before is held back for long. */
    private static final long STEP_MILLIS = 100;

    @TempDir
    private Path directory;

    @Test
    void fileThatIsMissingAtTheStartIsReadWhenItComesAndWheneverItChanges() throws Exception {
        Path users = directory.resolve("userlist.txt");
        try (var pooler = RunningPooler.start(SERVER, directory, "auth_type = plain", "auth_file = " + users)) {
            assertThat(letsIn(pooler, "one")).isFalse();

            Files.writeString(users, "\"postgres\" \"one\"\n");
            awaitLetsIn(pooler, "one");

            Path next = Files.writeString(directory.resolve("next"), "\"postgres\" \"two\"\n");
            Files.move(next, users, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            awaitLetsIn(pooler, "two");
            assertThat(letsIn(pooler, "one")).isFalse();
        }
    }

    private static void awaitLetsIn(RunningPooler pooler, String password) throws Exception {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!letsIn(pooler, password)) {
            assertThat(System.nanoTime()).as("not let in by " + password).isLessThan(deadline);
            Thread.sleep(STEP_MILLIS);
        }
    }

    private static boolean letsIn(RunningPooler pooler, String password) throws IOException {
        try (WireClient client = RunningPooler.wire(pooler.port(), Map.of(), password)) {
            return client.value("SELECT 1").equals("1");
        } catch (ServerErrorException refused) {
            return false;
        }
    }
}
