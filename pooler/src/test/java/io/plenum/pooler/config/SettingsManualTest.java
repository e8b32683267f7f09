package io.plenum.pooler.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.admin.PgbouncerManual;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class SettingsManualTest {
    private static final Path DOCS = Path.of("..", "docs");
    private static final String REWRITE = "mvn -Pquick -pl pooler -am test -Dtest=SettingsManualTest"
            + " -Dsurefire.failIfNoSpecifiedTests=false -Dwrite-docs=true";

    @Test
    void manualPageIsWhatTheTableSays() throws IOException {
        check(DOCS.resolve("settings.md"), SettingsManual.page());
    }

    @Test
    void sampleFileIsWhatTheTableSays() throws IOException {
        check(DOCS.resolve("plenum.ini"), SettingsManual.sample());
    }

    @Test
    void sampleFileIsGoodAsItIsAndWithEveryLineInUse() {
        String sample = SettingsManual.sample();
        String inUse = sample.replaceAll("(?m)^;(?=[a-z*])", "").replaceAll("(?m)^(user|conffile|pidfile) = ?.*$", "");

        assertThat(PoolerConfig.parse(sample, Path.of("")).databases()).isEmpty();
        PoolerConfig config = PoolerConfig.parse(inUse, Path.of(""));
        assertThat(config.databases()).extracting(DatabaseConfig::name).containsExactly("app", "report");
        assertThat(config.warnings()).extracting(Fault::message).noneMatch(text -> text.contains("accepted but"));
        for (Setting<?> setting : Settings.global()) {
            assertThat((Object) config.get(setting)).as(setting.name()).isEqualTo(setting.defaultValue());
        }
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
                .as("%s is not what the table of settings says. Rewrite it: %s", file, REWRITE)
                .isEqualTo(text);
    }
}
