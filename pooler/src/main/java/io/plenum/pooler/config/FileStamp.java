package io.plenum.pooler.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import org.jspecify.annotations.Nullable;

/**
 * What a file looks like from outside. As long as that is the same, so is what it says: PgBouncer takes it so too.
 *
 * @param name as it was written in {@code writtenIn}
 * @param file the one that is meant now
 * @param bytes its length; -1 if it is not there or may not be read
 * @param key tells it from another that was put in its place; null where the file system has none
 */
record FileStamp(
        String name,
        Path writtenIn,
        Path file,
        long bytes,
        FileTime modified,
        @Nullable Object key) {
    private static final FileTime NEVER = FileTime.fromMillis(0);

    /** Looks for the file and at it; waits for the file system. */
    static FileStamp of(String name, Path writtenIn) {
        Path file = TextFile.locate(name, writtenIn);
        try {
            BasicFileAttributes seen = Files.readAttributes(file, BasicFileAttributes.class);
            if (Files.isReadable(file)) {
                return new FileStamp(name, writtenIn, file, seen.size(), seen.lastModifiedTime(), seen.fileKey());
            }
        } catch (IOException unseen) {
            // as good as not there
        }
        return new FileStamp(name, writtenIn, file, -1, NEVER, null);
    }

    /** Looks again: a relative name may mean another file by now, as it would to whoever starts now. */
    FileStamp now() {
        return of(name, writtenIn);
    }

    boolean isReadable() {
        return bytes >= 0;
    }
}
