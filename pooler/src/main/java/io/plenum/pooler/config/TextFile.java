package io.plenum.pooler.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads whole files of text: UTF-8, bounded. */
final class TextFile {
    private TextFile() {}

    /**
     * @throws IOException with a message that says what is wrong with the file, to stand behind its name
     */
    static String read(Path file, int mostBytes) throws IOException {
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(mostBytes + 1);
        } catch (NoSuchFileException e) {
            throw new IOException("does not exist", e);
        } catch (AccessDeniedException e) {
            throw new IOException("may not be read by this user", e);
        } catch (IOException e) {
            throw new IOException(
                    "cannot be read: " + (Files.isDirectory(file) ? "it is a directory" : e.getMessage()), e);
        }
        if (bytes.length > mostBytes) {
            throw new IOException("is larger than " + mostBytes + " bytes");
        }
        ByteBuffer rest = ByteBuffer.wrap(bytes);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(rest).toString();
        } catch (CharacterCodingException e) {
            int line = 1;
            for (int i = 0; i < rest.position(); i++) {
                line += bytes[i] == '\n' ? 1 : 0;
            }
            throw new IOException("is not UTF-8 in line " + line, e);
        }
    }

    /**
     * The file that {@code name} means inside {@code writtenIn}: relative to the working directory, as PgBouncer has
     * it, or, where there is none, beside the file that names it.
     */
    static Path locate(String name, Path writtenIn) {
        Path path = Path.of(name);
        if (path.isAbsolute() || Files.exists(path)) {
            return path;
        }
        Path beside = writtenIn.resolveSibling(path);
        return Files.exists(beside) ? beside : path;
    }
}
