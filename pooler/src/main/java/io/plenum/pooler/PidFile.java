package io.plenum.pooler;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The file that holds our process id while we run: {@code pidfile}. */
final class PidFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PidFile.class);

    private final Path path;

    /** For an end that does not come by {@link #close}, such as a signal while the pooler is still starting. */
    private final Thread atExit;

    private PidFile(Path path) {
        this.path = path;
        atExit = new Thread(this::delete, "plenum-pidfile");
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    /**
     * Writes the file. One that is there already is replaced if the process it names is gone, or if it names us: in a
     * container we are process 1 each time, and so was whoever left the file.
     *
     * @throws IOException with a message for the operator
     */
    static PidFile create(Path path) throws IOException {
        return create(path, false);
    }

    /** The same, where {@code takesOver} says that the process that the file names has made room for us. */
    static PidFile create(Path path, boolean takesOver) throws IOException {
        long self = ProcessHandle.current().pid();
        byte[] text = (self + "\n").getBytes(StandardCharsets.US_ASCII);
        try {
            if (Files.exists(path) && (takesOver || isStale(path, self))) {
                Files.delete(path);
            }
            Files.write(path, text, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (FileAlreadyExistsException _) {
            throw new IOException("pidfile " + path + " exists: is another Plenum running? If not, remove the file.");
        } catch (IOException e) {
            throw new IOException("pidfile " + path + " cannot be written", e);
        }
        return new PidFile(path);
    }

    private static String read(Path path) throws IOException {
        try (var in = Files.newInputStream(path)) {
            return new String(in.readNBytes(32), StandardCharsets.US_ASCII).strip();
        }
    }

    private static boolean isStale(Path path, long self) throws IOException {
        String text = read(path);
        if (!text.matches("[1-9][0-9]{0,17}")) {
            return false; // not written by us: leave it to the operator
        }
        long pid = Long.parseLong(text);
        return pid == self || ProcessHandle.of(pid).isEmpty();
    }

    /** Removes the file; one that is gone already is fine. */
    @Override
    public void close() {
        delete();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException _) {
            // The end has begun already; the hook finds no file.
        }
    }

    private void delete() {
        try {
            if (Files.exists(path)
                    && read(path).equals(Long.toString(ProcessHandle.current().pid()))) {
                Files.delete(path); // else it is that of whoever took over from us
            }
        } catch (IOException e) {
            LOG.warn("event=pidfile_stays pidfile={} reason=\"{}\"", path, e.toString());
        }
    }
}
