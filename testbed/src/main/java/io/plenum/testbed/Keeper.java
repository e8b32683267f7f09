package io.plenum.testbed;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A cluster's temporary directory, the processes that run in it, and the small shell that ends both.
 *
 * <p>The shell waits at a pipe from this JVM. The pipe closes when the cluster is closed or when the JVM is gone, by
 * whatever death: then the shell ends every process that was launched here and removes the directory. So there is one
 * way to clean up, and tests that end well exercise the way that crashes need. Linux only: processes are looked up in
 * /proc.
 */
final class Keeper implements AutoCloseable {
    private static final String WAIT_THEN_END_ALL = """
        trap '' HUP INT TERM
        cat >/dev/null
        dir=$1
        # Numbers are used again: a process is ours only if its command line names our directory.
        ours() { tr '\\0' ' ' <"/proc/$1/cmdline" | grep -qF "$dir/"; }
        launched() { while read -r pid; do ours "$pid" && echo "$pid"; done <"$dir/pids"; }
        children() {
            for stat in /proc/[0-9]*/stat; do
                read -r line <"$stat" || continue
                rest=${line##*) } parent=${rest#* }
                [ "${parent%% *}" = "$1" ] && echo "${line%% *}"
            done
        }
        for pid in $(launched); do
            kill -QUIT "$pid"                    # PostgreSQL's immediate shutdown
            kill -CONT "$pid" $(children "$pid") # a frozen one must first run again
        done
        n=0
        while [ -n "$(launched)" ] && [ $n -lt 100 ]; do sleep 0.05; n=$((n+1)); done
        for pid in $(launched); do
            kill -STOP "$pid"                    # or it starts new children
            kill -KILL $(children "$pid") "$pid"
        done
        for lock in "$dir"/*/data/postmaster.pid; do
            [ -f "$lock" ] && ipcrm -m "$(sed -n '7s/.* //p' "$lock")" # a killed server's shared memory
        done
        n=0
        until rm -rf "$dir" || [ $n -ge 100 ]; do sleep 0.05; n=$((n+1)); done
        """;

    /** Those that do not stop are killed after 100 looks at them, and a look takes its time where the machine is busy. */
    private static final int LONGEST_END_SECONDS = 90;

    private static final String RECORD_THEN_RUN = "echo $$ >>\"$0/pids\"; exec \"$@\"";

    private final Path directory;
    private final ServerAccount account;
    private final Process shell;

    Keeper(ServerAccount account) {
        this.account = account;
        try {
            directory = Files.createTempDirectory("plenum-postgres-");
            shell = new ProcessBuilder("sh", "-c", WAIT_THEN_END_ALL, "keeper", directory.toString())
                    .directory(new File("/"))
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            Files.createFile(directory.resolve("pids"));
            // nobody must be able to reach its own directories below
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
        } catch (IOException e) {
            throw new TestbedException("cannot make a temporary directory", e);
        }
    }

    Path directory() {
        return directory;
    }

    ServerAccount account() {
        return account;
    }

    /**
     * Starts a program as the server's account, in a session of its own, so that Ctrl-C on a demo's terminal does not
     * reach it.
     *
     * <p>Its number is written down before it runs: whenever this JVM dies, the shell knows of it. The command line
     * must name a path in the directory.
     *
     * @param log receives what the program writes, appended
     */
    Process launch(Path workingDirectory, Path log, List<String> program) {
        var command = new ArrayList<>(List.of("sh", "-c", RECORD_THEN_RUN, directory.toString(), "setsid"));
        command.addAll(account.prefix());
        command.addAll(program);
        var builder = new ProcessBuilder(command)
                .directory(workingDirectory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().keySet().removeIf(name -> name.startsWith("PG") || name.startsWith("LC_"));
        builder.environment().put("LC_ALL", "C");
        try {
            return builder.start();
        } catch (IOException e) {
            throw new TestbedException("cannot run " + String.join(" ", program), e);
        }
    }

    /** Ends all processes and removes the directory; does nothing the second time. */
    @Override
    public void close() {
        try {
            shell.getOutputStream().close();
            if (!shell.waitFor(LONGEST_END_SECONDS, TimeUnit.SECONDS)) {
                throw new TestbedException("servers in " + directory + " do not end");
            }
        } catch (IOException e) {
            throw new TestbedException("cannot close the keeper of " + directory, e);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // the shell goes on by itself
        }
    }
}
