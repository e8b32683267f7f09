package io.plenum.pooler;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The launcher {@code plenum}, in a checkout that is built, with a program in the place of the JVM. */
@EnabledOnOs(OS.LINUX) // /proc tells what a process ignores
class LauncherTest {
    @TempDir
    private Path home;

    @Test
    void poolerInTheBackgroundHearsSigint() throws Exception {
        runs("grep SigIgn /proc/self/status >" + home + "/ignored; echo 'plenum: ready'");

        assertThat(launch("-d", "some.ini")).isZero();

        long ignored = Long.parseLong(Files.readString(home.resolve("ignored")).split("\\s+", -1)[1], 16);
        assertThat(ignored & 0b110).as("SIGINT and SIGQUIT").isZero();
    }

    @Test
    void statusOfWhatFailsInTheBackgroundIsTheLaunchers() throws Exception {
        runs("exit 3");

        assertThat(launch("-d", "some.ini")).isEqualTo(3);
    }

    @Test
    void cacheOfTheJvmIsUsedWhereThereIsOne() throws Exception {
        runs("echo \"$@\" >" + home + "/options");
        assertThat(launch("some.ini")).isZero();
        assertThat(home.resolve("options")).content().doesNotContain("AOTCache");

        Path cache = Files.writeString(home.resolve("bench/target/plenum.aot"), "");
        assertThat(launch("some.ini")).isZero();
        assertThat(home.resolve("options")).content().contains("-XX:AOTCache=" + cache);
    }

    private void runs(String script) throws IOException {
        Files.createDirectories(home.resolve("bench/target"));
        Files.writeString(home.resolve("bench/target/runtime.classpath"), "some.jar");
        executable("plenum", Files.readString(Path.of("..", "plenum")));
        Files.createDirectories(home.resolve("jdk/bin"));
        Files.writeString(home.resolve("jdk/release"), "JAVA_VERSION=\"25\"\n");
        executable("jdk/bin/java", "#!/bin/sh\n" + script + "\n");
    }

    private void executable(String name, String text) throws IOException {
        Path file = Files.writeString(home.resolve(name), text);
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    private int launch(String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(home.resolve("plenum").toString()));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.redirectOutput(home.resolve("output").toFile());
        builder.environment().put("PLENUM_JAVA_HOME", home.resolve("jdk").toString());
        Process process = builder.start();
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }
}
