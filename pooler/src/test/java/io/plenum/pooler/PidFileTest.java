package io.plenum.pooler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PidFileTest {
    @TempDir
    Path folder = Path.of("");

    @Test
    void holdsOurProcessIdUntilItIsClosed() throws IOException {
        Path path = folder.resolve("pid");

        try (PidFile _ = PidFile.create(path)) {
            assertThat(path).hasContent(Long.toString(ProcessHandle.current().pid()));
        }

        assertThat(path).doesNotExist();
    }

    @Test
    void fileOfALivingProcessOrOfSomebodyElseIsLeftAlone() throws IOException {
        Path path = folder.resolve("pid");
        for (String text : new String[] {Long.toString(livingProcess()), "", "hello", "-1"}) {
            Files.writeString(path, text);

            assertThatThrownBy(() -> PidFile.create(path)).hasMessageContaining("is another Plenum running?");

            assertThat(path).hasContent(text);
        }
    }

    @Test
    void fileOfAProcessThatIsGoneOrOfOurOwnNumberIsReplaced() throws Exception {
        Path path = folder.resolve("pid");
        Process gone = new ProcessBuilder("true").start();
        gone.waitFor();
        for (long pid : new long[] {gone.pid(), ProcessHandle.current().pid()}) {
            Files.writeString(path, pid + "\n");

            try (PidFile _ = PidFile.create(path)) {
                assertThat(path)
                        .hasContent(Long.toString(ProcessHandle.current().pid()));
            }
        }
    }

    @Test
    void fileThatCannotBeWrittenIsNamed() {
        assertThatThrownBy(() -> PidFile.create(folder.resolve("no/where/pid")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cannot be written");
    }

    private static long livingProcess() {
        return ProcessHandle.current().parent().orElseThrow().pid();
    }
}
