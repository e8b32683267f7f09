package io.plenum.pooler.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.config.Settings;
import io.plenum.pooler.metrics.MetricCatalog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ConsoleManualTest {
    private static final Path DOCS = Path.of("..", "docs");
    private static final String REWRITE = "mvn -Pquick -pl pooler -am test -Dtest=ConsoleManualTest"
            + " -Dsurefire.failIfNoSpecifiedTests=false -Dwrite-docs=true";

    @Test
    void pageOfTheConsoleIsWhatItsTablesSay() throws IOException {
        check(DOCS.resolve("console.md"), ConsoleManual.page());
    }

    @Test
    void pageOfTheMetricsIsWhatTheCatalogueSays() throws IOException {
        check(DOCS.resolve("metrics.md"), MetricCatalog.manual());
    }

    @Test
    void everySettingThatIsCalledBetterExists() {
        assertThat(PgbouncerManual.BETTER.keySet())
                .allSatisfy(name -> assertThat(Settings.find(name)).as(name).isNotNull());
    }

    @Test
    void pageForThoseWhoComeFromPgbouncerIsWhatTheTablesSay() throws IOException {
        check(DOCS.resolve("pgbouncer.md"), PgbouncerManual.page());
    }

    private static void check(Path file, String text) throws IOException {
        if (Boolean.getBoolean("write-docs")) {
            Files.createDirectories(DOCS);
            Files.writeString(file, text);
        }
        assertThat(Files.exists(file) ? Files.readString(file) : "")
                .as("%s is not what the tables say. Rewrite it: %s", file, REWRITE)
                .isEqualTo(text);
    }
}
