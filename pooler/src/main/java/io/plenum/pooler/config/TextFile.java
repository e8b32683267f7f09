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

/** Reads whole files of text: UTF-8, with or without a byte order mark, bounded. A line of comment may be in any encoding. */
final class TextFile {
    /** What editors of Windows put in front. */
    private static final String BYTE_ORDER_MARK = "\ufeff";

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
        blankComments(bytes);
        ByteBuffer rest = ByteBuffer.wrap(bytes);
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(rest).toString();
            return text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            int line = 1;
            for (int i = 0; i < rest.position(); i++) {
                line += bytes[i] == '\n' ? 1 : 0;
            }
            throw new IOException("is not UTF-8 in line " + line, e);
        }
    }

    /** Lines that begin with a semicolon or a hash sign, in all these files comments, keep nothing that only some encodings have. */
    private static void blankComments(byte[] bytes) {
        boolean begins = true;
        boolean comment = false;
        for (int i = 0; i < bytes.length; i++) {
            byte b = bytes[i];
            if (b == '\n') {
                begins = true;
                comment = false;
            } else if (comment && b < 0) {
                bytes[i] = '?';
            } else if (begins && b != ' ' && b != '\t') {
                begins = false;
                comment = b == ';' || b == '#';
            }
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
