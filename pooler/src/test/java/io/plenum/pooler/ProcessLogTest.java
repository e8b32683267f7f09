package io.plenum.pooler;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.LoggerContext;
import io.plenum.pooler.config.PoolerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

class ProcessLogTest {
    private static final Logger LOG = LoggerFactory.getLogger("io.plenum.Example");

    @TempDir
    Path folder = Path.of("");

    @BeforeEach
    void quiet() {
        ProcessLog.options(0, true);
    }

    @AfterEach
    void asBefore() {
        ProcessLog.options(0, false);
        ProcessLog.apply(PoolerConfig.defaults());
    }

    @Test
    void eventIsOneLineWithTimeLevelAndItsWords() throws IOException {
        Path file = folder.resolve("log");
        ProcessLog.apply(config("logfile = " + file));

        LOG.info("event=login client={} user={}", 7, "eve\n\r INFO event=forged \u001b[31m\n");
        LOG.warn("event=broken", new IllegalStateException("why"));

        List<String> lines = written(file);
        assertThat(lines).hasSize(2);
        assertThat(lines.getFirst())
                .matches("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3} UTC \\["
                        + ProcessHandle.current().pid()
                        + "] LOG event=login client=7 user=eve \\| INFO event=forged \\?\\[31m");
        assertThat(lines.getLast()).contains("WARNING event=broken | java.lang.IllegalStateException: why | at ");
    }

    @Test
    void verboseAndTheCommandLineRaiseTheLevel() throws IOException {
        Path file = folder.resolve("log");
        ProcessLog.apply(config("logfile = " + file));
        LOG.debug("n=1");
        ProcessLog.apply(config("logfile = " + file + "\nverbose = 1"));
        LOG.debug("n=2");
        LOG.trace("n=3");
        ProcessLog.options(2, true);
        ProcessLog.apply(config("logfile = " + file));
        LOG.trace("n=4");

        assertThat(written(file))
                .extracting(line -> line.replaceAll(".*(n=\\d).*", "$1"))
                .containsExactly("n=2", "n=4");
    }

    @Test
    void reloadOpensTheFileAnewSoThatItCanBeRotated() throws IOException {
        Path file = folder.resolve("log");
        ProcessLog.apply(config("logfile = " + file));
        LOG.info("n=1");
        Files.move(file, folder.resolve("log.1"));
        ProcessLog.apply(config("logfile = " + file));
        LOG.info("n=2");

        assertThat(written(file)).singleElement().asString().contains("n=2");
        assertThat(Files.readAllLines(folder.resolve("log.1")))
                .singleElement()
                .asString()
                .contains("n=1");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void syslogGetsPriorityTimeNameProcessAndText() throws Exception {
        Path socket = folder.resolve("devlog");
        try (var daemon = UnixDatagrams.at(socket)) {
            ProcessLog.apply(config("syslog = 1\nsyslog_ident = bouncer\nsyslog_facility = local3"), socket.toString());

            LOG.warn("event=full\npool=app");

            assertThat(daemon.next())
                    .matches("<156>[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d bouncer\\["
                            + ProcessHandle.current().pid()
                            + "\\]: event=full \\| pool=app");
        }
    }

    @Test
    void quietTakesTheStandardErrorAwayAndNothingElse() {
        var root = ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger(Logger.ROOT_LOGGER_NAME);

        assertThat(root.getAppender(ProcessLog.STDERR)).isNull();
        ProcessLog.options(0, false);
        assertThat(root.getAppender(ProcessLog.STDERR)).isNotNull();
    }

    private static PoolerConfig config(String lines) {
        return PoolerConfig.parse("[pgbouncer]\n" + lines + "\n", Path.of(""));
    }

    /** Closes the file, which empties the queue in front of it. */
    private static List<String> written(Path file) throws IOException {
        ProcessLog.apply(PoolerConfig.defaults());
        return Files.readAllLines(file);
    }
}
