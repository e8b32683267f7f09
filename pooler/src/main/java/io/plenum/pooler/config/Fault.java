package io.plenum.pooler.config;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Something wrong, or worth a warning, in what the operator wrote.
 *
 * @param file the file as it was named, or {@link #ENVIRONMENT}
 * @param line counted from 1; 0 if it concerns the file as a whole
 * @param message what is wrong and what is allowed; holds no secret
 * @param nearestName the known name that was probably meant
 */
public record Fault(
        Path file, int line, String message, @Nullable String nearestName) {
    /** Stands in the place of the file for an environment variable. */
    public static final Path ENVIRONMENT = Path.of("environment");

    /** Stands in the place of the file for SET on the console. */
    public static final Path CONSOLE = Path.of("console");

    static Fault at(Path file, int line, String message) {
        return new Fault(file, line, message, null);
    }

    /** {@code FILE:LINE: MESSAGE; did you mean NAME?} */
    @Override
    public String toString() {
        return file
                + (line > 0 ? ":" + line : "")
                + ": "
                + message
                + (nearestName == null ? "" : "; did you mean " + nearestName + "?");
    }
}
