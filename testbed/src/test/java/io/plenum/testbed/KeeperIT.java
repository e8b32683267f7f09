package io.plenum.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class KeeperIT {
    /** The JVM that dies: it starts a cluster in an awkward state, says where, and waits. */
    static final class Victim {
        public static void main(String[] arguments) throws InterruptedException {
            var cluster = PostgresCluster.builder().standbys(2).start();
            cluster.nodes().get(1).freeze();
            cluster.nodes().get(2).kill9();
            System.out.println(cluster.primary().socketDirectory().getParent());
            System.out.println(
                    cluster.primary().processId() + " " + cluster.nodes().get(1).processId());
            Thread.sleep(Duration.ofMinutes(10));
        }
    }

    @Test
    void serversAndFilesAreGoneSoonAfterTheJvmWasKilled() throws Exception {
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var jvm = new ProcessBuilder(
                        java, "-cp", System.getProperty("java.class.path"), "-Xmx128m", Victim.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader out = jvm.inputReader()) {
            var directory = Path.of(out.readLine());
            List<Long> servers = Arrays.stream(out.readLine().split(" "))
                    .map(Long::parseLong)
                    .toList();
            assertThat(directory).isDirectory();
            assertThat(servers).noneMatch(Programs::isGone);

            jvm.destroyForcibly();

            Await.until(Duration.ofSeconds(20), () -> directory + " is gone", () -> !Files.exists(directory));
            Await.until(
                    Duration.ofSeconds(5),
                    () -> "servers are gone",
                    () -> servers.stream().allMatch(Programs::isGone));
        }
    }
}
