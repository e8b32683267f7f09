package io.plenum.testbed;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Copies a running primary's data directory, for the packed binaries come without pg_basebackup.
 *
 * <p>Manual, "Making a Base Backup Using the Low Level API": files may change or go while they are copied; the WAL of
 * that time repairs them.
 */
final class BaseCopy {
    /** Directories that a copy has, but empty. */
    private static final Set<String> EMPTIED = Set.of(
            "pg_wal",
            "pg_replslot",
            "pg_dynshmem",
            "pg_notify",
            "pg_serial",
            "pg_snapshots",
            "pg_stat_tmp",
            "pg_subtrans");

    private static final Set<String> LEFT_OUT = Set.of("postmaster.pid", "postmaster.opts", "standby.signal");

    private BaseCopy() {}

    /** Takes one backup of the source and writes it into each of the data directories, which do not exist yet. */
    static void take(PostgresNode source, List<Path> targets) {
        try (var connection = source.connect();
                var statement = connection.createStatement()) {
            statement.execute("SELECT pg_backup_start('testbed', true)");
            for (var target : targets) {
                copy(source.data(), target);
            }
            try (var stopped =
                    statement.executeQuery("SELECT labelfile, coalesce(spcmapfile, '') FROM pg_backup_stop(false)")) {
                stopped.next();
                if (!stopped.getString(2).isEmpty()) {
                    throw source.failure("has tablespaces outside its data directory; a base copy here cannot", null);
                }
                for (var target : targets) {
                    Files.writeString(target.resolve("backup_label"), stopped.getString(1));
                }
            }
        } catch (SQLException | IOException e) {
            throw source.failure("cannot be copied", e);
        }
    }

    private static void copy(Path source, Path target) throws IOException {
        Files.walkFileTree(source, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                var relative = source.relativize(directory).toString();
                Files.createDirectories(target.resolve(relative), ownerOnly());
                return EMPTIED.contains(relative) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                var relative = source.relativize(file);
                if (!LEFT_OUT.contains(relative.toString())) {
                    try {
                        Files.copy(file, target.resolve(relative), LinkOption.NOFOLLOW_LINKS);
                    } catch (NoSuchFileException _) {
                        // dropped since the directory was listed
                    }
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                if (e instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw e;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e) throws IOException {
                if (e != null && !(e instanceof NoSuchFileException)) {
                    throw e;
                }
                return FileVisitResult.CONTINUE;
            }
        });
        Files.createDirectories(target.resolve("pg_wal/archive_status"), ownerOnly());
        Files.createDirectories(target.resolve("pg_wal/summaries"), ownerOnly());
    }

    private static FileAttribute<?> ownerOnly() {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    }
}
