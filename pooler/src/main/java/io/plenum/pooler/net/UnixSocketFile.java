package io.plenum.pooler.net;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The Unix socket that we listen on, as a file.
 *
 * @param directory {@code @} in front is the abstract namespace, which has no files
 * @param mode of the file
 * @param group by name or number; empty leaves ours
 */
public record UnixSocketFile(String directory, int port, int mode, String group) {
    private static final PosixFilePermission[] BITS = {
        PosixFilePermission.OTHERS_EXECUTE,
        PosixFilePermission.OTHERS_WRITE,
        PosixFilePermission.OTHERS_READ,
        PosixFilePermission.GROUP_EXECUTE,
        PosixFilePermission.GROUP_WRITE,
        PosixFilePermission.GROUP_READ,
        PosixFilePermission.OWNER_EXECUTE,
        PosixFilePermission.OWNER_WRITE,
        PosixFilePermission.OWNER_READ
    };

    String path() {
        return UnixSockets.path(directory, port);
    }

    private boolean isAbstract() {
        return directory.startsWith("@");
    }

    /** Removes what a process left that is gone; refuses where one still listens, or where the file is no socket. */
    void makeRoom() throws IOException {
        Path file = Path.of(path());
        if (isAbstract() || !Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (!Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                .isOther()) {
            throw new IOException(file + " is there and is no socket");
        }
        boolean answers;
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            answers = probe.connect(UnixDomainSocketAddress.of(file));
        } catch (IOException nobody) {
            answers = false;
        }
        if (answers) {
            throw new IOException(file + " is in use by another process");
        }
        Files.delete(file);
    }

    /** Gives the file its group and mode; between its birth and this it has what the umask of the process leaves. */
    void protect() throws IOException {
        if (isAbstract()) {
            return;
        }
        PosixFileAttributeView view = Files.getFileAttributeView(Path.of(path()), PosixFileAttributeView.class);
        if (!group.isEmpty()) {
            GroupPrincipal wanted = Path.of(path())
                    .getFileSystem()
                    .getUserPrincipalLookupService()
                    .lookupPrincipalByGroupName(group);
            view.setGroup(wanted);
        }
        Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
        for (int bit = 0; bit < BITS.length; bit++) {
            if ((mode >> bit & 1) == 1) {
                permissions.add(BITS[bit]);
            }
        }
        view.setPermissions(permissions);
    }

    /** What tells the file from another one of the same name; null where there is none. */
    @Nullable
    Object key() {
        try {
            return isAbstract()
                    ? null
                    : Files.readAttributes(Path.of(path()), BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                            .fileKey();
        } catch (IOException gone) {
            return null;
        }
    }

    /** Gives the file a second name, if it is there. */
    boolean keepAside() {
        try {
            Files.createLink(aside(), Path.of(path()));
            return true;
        } catch (IOException | UnsupportedOperationException cannot) {
            return false;
        }
    }

    /** Gives it its first name again. */
    void putBack() {
        try {
            if (Files.exists(Path.of(path()), LinkOption.NOFOLLOW_LINKS)) {
                Files.delete(aside());
            } else {
                Files.move(aside(), Path.of(path()), StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (IOException _) {
            // it can still be had under its second name
        }
    }

    private Path aside() {
        return Path.of(path() + ".next");
    }

    /** The listener is closed: so goes the file. */
    void remove() {
        if (!isAbstract()) {
            try {
                Files.deleteIfExists(Path.of(path()));
            } catch (IOException _) {
                // the next start finds it stale
            }
        }
    }
}
