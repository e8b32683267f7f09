package io.plenum.testbed;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * As whom the server runs: PostgreSQL refuses to run as root.
 *
 * <p>An ordinary user runs it as himself. Root runs it in a user namespace, where it looks like an ordinary user and
 * the files stay root's; where namespaces are refused, as by some containers, it runs as nobody and the data
 * directories are given to nobody.
 */
enum ServerAccount {
    SAME_USER,
    USER_NAMESPACE,
    NOBODY;

    static ServerAccount detect() {
        if (!Programs.run("id", "-u").strip().equals("0")) {
            return SAME_USER;
        }
        return Programs.works("unshare", "-U", "true") ? USER_NAMESPACE : NOBODY;
    }

    /**
     * What stands before the server's command line; each of these replaces itself, so that the process number stays.
     */
    List<String> prefix() {
        return switch (this) {
            case SAME_USER -> List.of();
            case USER_NAMESPACE -> List.of("unshare", "-U");
            case NOBODY -> List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");
        };
    }

    /** Gives the server a tree that this JVM made. */
    void give(Path tree) {
        if (this == NOBODY) {
            try (var files = Files.walk(tree)) {
                for (var file : (Iterable<Path>) files::iterator) {
                    Files.setAttribute(file, "unix:uid", 65534);
                    Files.setAttribute(file, "unix:gid", 65534);
                }
            } catch (IOException e) {
                throw new TestbedException("cannot give " + tree + " to nobody", e);
            }
        }
    }
}
