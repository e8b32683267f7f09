package io.plenum.pooler;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.config.LoadResult;
import io.plenum.pooler.config.PoolerConfig;
import io.plenum.pooler.config.Settings;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class MainTest {
    @TempDir
    Path folder = Path.of("");

    private final Recorder pooler = new Recorder();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @AfterEach
    void logAsBefore() {
        ProcessLog.options(0, false);
        ProcessLog.apply(PoolerConfig.defaults());
    }

    @Test
    void checkOfAGoodFileShowsItsWarningsAndSucceeds() throws IOException {
        Path file =
                write("[pgbouncer]\nlisten_addr = *\npkt_buf = 1\nauth_file = users.txt\n[databases]\na = host=b\n");
        Files.writeString(folder.resolve("users.txt"), "\"ada\" \"secret\"\n");

        assertThat(execute("check", file.toString())).isZero();

        assertThat(out.toString().lines())
                .containsExactly(
                        "warning: " + file + ":3: pkt_buf is accepted but has no meaning here: buffers grow and shrink"
                                + " with what they carry",
                        file + ": good, 1 database, 1 user in auth_file, 1 warning");
    }

    @Test
    void checkOfAWrongFileShowsEveryFaultAndFails() throws IOException {
        Path file = write("[pgbouncer]\npool_moed = session\nlisten_port = no\n");

        assertThat(execute("check", file.toString())).isEqualTo(1);

        assertThat(out.toString().lines())
                .containsExactly(
                        "error: " + file + ":2: unknown setting \"pool_moed\"; did you mean pool_mode?",
                        "error: " + file
                                + ":3: listen_port = \"no\" is not a whole number; allowed: a whole number from"
                                + " 0 to 65535",
                        file + ": 2 errors");
        assertThat(pooler.calls).isEmpty();
    }

    @Test
    void checkOfAMissingFileFails() {
        assertThat(execute("check", folder.resolve("none.ini").toString())).isEqualTo(1);
        assertThat(out.toString()).contains("none.ini: does not exist");
    }

    @Test
    void fileAloneRunsThePoolerAsPgbouncerDoes() throws IOException {
        pooler.ended.countDown();

        assertThat(execute("-q", write("[pgbouncer]\nmax_client_conn = 7\n").toString()))
                .isZero();

        assertThat(pooler.config().get(Settings.MAX_CLIENT_CONN)).isEqualTo(7);
        assertThat(pooler.calls).containsExactly("start");
    }

    @Test
    void runRunsThePooler() throws IOException {
        pooler.ended.countDown();

        assertThat(execute("run", "-q", "-v", "-v", "-R", write("[pgbouncer]\n").toString()))
                .isZero();

        assertThat(pooler.calls).containsExactly("start");
    }

    @Test
    void environmentOverridesTheFile() throws IOException {
        pooler.ended.countDown();

        Main.commandLine(pooler::start, Map.of("PLENUM_MAX_CLIENT_CONN", "9"))
                .execute("-q", write("[pgbouncer]\nmax_client_conn = 7\n").toString());

        assertThat(pooler.config().get(Settings.MAX_CLIENT_CONN)).isEqualTo(9);
    }

    @Test
    void runOfAWrongFileShowsTheFaultsAndStartsNothing() throws IOException {
        assertThat(execute("run", "-q", write("[pgbouncer]\nx = 1\ny = 2\n").toString()))
                .isEqualTo(1);

        assertThat(err.toString().lines()).hasSize(2).allMatch(line -> line.startsWith("plenum: "));
        assertThat(pooler.calls).isEmpty();
    }

    @Test
    void poolerThatCannotStartEndsTheProcessWithItsReasonAndWithoutPidFile() throws IOException {
        Path pidFile = folder.resolve("pid");
        pooler.refusal = "cannot listen";

        assertThat(execute(
                        "-q", write("[pgbouncer]\npidfile = " + pidFile + "\n").toString()))
                .isEqualTo(1);

        assertThat(err.toString()).isEqualTo("plenum: cannot listen: port in use" + System.lineSeparator());
        assertThat(pidFile).doesNotExist();
    }

    @Test
    void poolerThatCannotStartForABugOfOursEndsTheProcessToo() throws IOException {
        String file = write("[pgbouncer]\n").toString();

        int status = Main.commandLine(
                        config -> {
                            throw new NoSuchMethodError("renamed");
                        },
                        Map.of())
                .setErr(new PrintWriter(err, true))
                .execute("-q", file);

        assertThat(status).isEqualTo(1);
        assertThat(err.toString()).contains("NoSuchMethodError: renamed");
    }

    @Test
    void optionsWithoutMeaningSaySo() throws IOException {
        String file = write("[pgbouncer]\n").toString();

        assertThat(execute("-d", file)).isEqualTo(2);
        assertThat(err.toString()).contains("-d is not possible here").contains("The launcher");
        assertThat(execute("-q", "-u", "somebody-else", file)).isEqualTo(1);
        assertThat(err.toString()).contains("start it as somebody-else");
        assertThat(pooler.calls).isEmpty();
    }

    @Test
    void userOfTheFileMustBeWhoRuns() throws IOException {
        pooler.ended.countDown();

        assertThat(execute("-q", write("[pgbouncer]\nuser = somebody-else\n").toString()))
                .isEqualTo(1);
        assertThat(execute(
                        "-q",
                        write("[pgbouncer]\nuser = " + System.getProperty("user.name"))
                                .toString()))
                .isZero();
    }

    @Test
    void wrongCommandLineIsExplained() {
        assertThat(execute()).isEqualTo(2);
        assertThat(err.toString()).contains("no configuration file").contains("Usage: plenum");
        assertThat(execute("--wibble", "a.ini")).isEqualTo(2);
        assertThat(execute("run")).isEqualTo(2);
        assertThat(execute("check", "a.ini", "b.ini")).isEqualTo(2);
    }

    @Test
    void versionAndHelpAreToldAndNothingElseIsDone() {
        assertThat(execute("-V")).isZero();
        assertThat(out.toString().lines()).hasSize(4).first().asString().startsWith("PgBouncer 1.26.1 (Plenum ");
        assertThat(execute("-h")).isZero();
        assertThat(out.toString()).contains("Usage: plenum").contains("check").contains("--quiet");
        assertThat(pooler.calls).isEmpty();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void signalsSteerThePoolerAndARefusedReloadChangesNothing() throws Exception {
        Path file = write("[pgbouncer]\nmax_client_conn = 1\n");
        Path pidFile = folder.resolve("pid");
        Thread main = Thread.ofPlatform()
                .start(() -> Main.commandLine(pooler::start, Map.of("PLENUM_PIDFILE", pidFile.toString()))
                        .execute("-q", file.toString()));
        pooler.await("start");
        // The handlers are in place a moment after the start: the first call answers when they are.
        pooler.awaitHandlers();
        String self = Long.toString(ProcessHandle.current().pid());
        assertThat(pidFile).hasContent(self);

        kill(self, "USR1", "pause");
        kill(self, "USR2", "resume");
        Files.writeString(file, "[pgbouncer]\nmax_client_conn = 2\n");
        kill(self, "HUP", "reload");
        assertThat(pooler.config().get(Settings.MAX_CLIENT_CONN)).isEqualTo(2);
        Files.writeString(file, "[pgbouncer]\nmax_client_conn = many\n");
        new ProcessBuilder("kill", "-HUP", self).start().waitFor();
        kill(self, "TERM", "stopWhenClientsAreGone");
        new ProcessBuilder("kill", "-USR2", self).start().waitFor();
        kill(self, "INT", "stopNow");
        main.join(TimeUnit.SECONDS.toMillis(10));

        assertThat(main.isAlive()).isFalse();
        assertThat(pooler.calls)
                .containsExactly("start", "pause", "resume", "reload", "stopWhenClientsAreGone", "stopNow");
        assertThat(pidFile).doesNotExist();
    }

    private void kill(String process, String signal, String call) throws Exception {
        new ProcessBuilder("kill", "-" + signal, process).start().waitFor();
        pooler.await(call);
    }

    private int execute(String... arguments) {
        return Main.commandLine(pooler::start, Map.of())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("plenum.ini"), text);
    }

    /** Stands for the pooler: notes what is asked of it. */
    private static final class Recorder implements PoolerControl {
        final List<String> calls = Collections.synchronizedList(new ArrayList<>());
        final CountDownLatch ended = new CountDownLatch(1);
        private final CountDownLatch waiting = new CountDownLatch(1);
        private volatile PoolerConfig config = PoolerConfig.defaults();
        private String refusal = "";

        PoolerControl start(PoolerConfig config) throws IOException {
            if (!refusal.isEmpty()) {
                throw new IOException(refusal, new IllegalStateException("port in use"));
            }
            this.config = config;
            calls.add("start");
            return this;
        }

        void await(String call) throws InterruptedException {
            for (int i = 0; i < 1000 && !calls.contains(call); i++) {
                Thread.sleep(10);
            }
            assertThat(calls).contains(call);
        }

        void awaitHandlers() throws InterruptedException {
            assertThat(waiting.await(10, TimeUnit.SECONDS)).isTrue();
        }

        @Override
        public PoolerConfig config() {
            return config;
        }

        @Override
        public CompletableFuture<LoadResult> change(Function<PoolerConfig, LoadResult> change) {
            LoadResult result = change.apply(config);
            if (result instanceof LoadResult.Loaded(PoolerConfig changed)) {
                config = changed;
                calls.add("reload");
            }
            return CompletableFuture.completedFuture(result);
        }

        @Override
        public void pause() {
            calls.add("pause");
        }

        @Override
        public void resume() {
            calls.add("resume");
        }

        @Override
        public boolean isPaused() {
            return calls.contains("pause") && !calls.contains("resume");
        }

        @Override
        public boolean isStopping() {
            return calls.stream().anyMatch(call -> call.startsWith("stop"));
        }

        @Override
        public void stopWhenClientsAreGone() {
            calls.add("stopWhenClientsAreGone");
        }

        @Override
        public void stopWhenServersAreFree() {
            calls.add("stopWhenServersAreFree");
        }

        @Override
        public void stopNow() {
            calls.add("stopNow");
            ended.countDown();
        }

        @Override
        public void awaitTermination() throws InterruptedException {
            waiting.countDown();
            ended.await();
        }
    }
}
