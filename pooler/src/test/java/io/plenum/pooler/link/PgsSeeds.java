package io.plenum.pooler.link;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What the written conversations send, for a fuzzer to begin with. */
public final class PgsSeeds {
    private static final Path SCRIPTS = Path.of("src/test/resources/io/plenum/pooler/link/scripts");

    /** Longer ones say nothing new. */
    private static final int LONGEST = 4000;

    private PgsSeeds() {}

    /** All that the client sends in a script, for each of them. */
    public static List<byte[]> sent() {
        try (Stream<Path> files = Files.list(SCRIPTS)) {
            return files.sorted()
                    .flatMap(file -> PgsReader.read(file.toString(), text(file)).stream())
                    .map(PgsSeeds::sent)
                    .filter(stream -> stream.length > 0 && stream.length < LONGEST)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] sent(PgsScript script) {
        var stream = new ByteArrayOutputStream();
        for (PgsScript.Step step : script.steps()) {
            if (step instanceof PgsScript.Step.Send(byte[] bytes)) {
                stream.writeBytes(bytes);
            }
        }
        return stream.toByteArray();
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
