package io.plenum.pooler;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The file that holds our process id while we run: {@code pidfile}. */
final class PidFile implements AutoCloseable {
    private final Path path;

    private PidFile(Path path) {
        this.path = path;
    }

    /**
     * Writes the file. One that is there already is replaced if the process it names is gone, or if it names us: in a
     * container we are process 1 each time, and so was whoever left the file.
     *
     * @throws IOException with a message for the operator
     */
    static PidFile create(Path path) throws IOException {
        long self = ProcessHandle.current().pid();
        byte[] text = (self + "\n").getBytes(StandardCharsets.US_ASCII);
        try {
            if (Files.exists(path) && isStale(path, self)) {
                Files.delete(path);
            }
            Files.write(path, text, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (FileAlreadyExistsException e) {
            throw new IOException(
                    "pidfile " + path + " exists: is another Plenum running? If not, remove the file.", e);
        } catch (IOException e) {
            throw new IOException("pidfile " + path + " cannot be written: " + e, e);
        }
        return new PidFile(path);
    }

    private static boolean isStale(Path path, long self) throws IOException {
        String text;
        try (var in = Files.newInputStream(path)) {
            text = new String(in.readNBytes(32), StandardCharsets.US_ASCII).strip();
        }
        if (!text.matches("[1-9][0-9]{0,17}")) {
            return false; // not written by us: leave it to the operator
        }
        long pid = Long.parseLong(text);
        return pid == self || ProcessHandle.of(pid).isEmpty();
    }

    /** Removes the file; one that is gone already is fine. */
    @Override
    public void close() throws IOException {
        Files.deleteIfExists(path);
    }
}
