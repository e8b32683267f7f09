package io.plenum.testbed;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Short-lived programs of the system, and what Linux says of a process. */
final class Programs {
    private Programs() {}

    /** Runs to the end and gives what the program wrote; throws when it fails. */
    static String run(String... command) {
        try {
            var process = new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            requireSuccess(process, String.join(" ", command) + ": " + output);
            return output;
        } catch (IOException e) {
            throw new TestbedException("cannot run " + String.join(" ", command), e);
        }
    }

    /** Whether the program is there and ends well. */
    static boolean works(String... command) {
        try {
            run(command);
            return true;
        } catch (TestbedException _) {
            return false;
        }
    }

    static void requireSuccess(Process process, String what) {
        try {
            int status = process.waitFor();
            if (status != 0) {
                throw new TestbedException("status " + status + " from " + what);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TestbedException("interrupted while waiting for " + what, e);
        }
    }

    /** Sends a signal, named without SIG. A process that is gone already is no error. */
    static void signal(String name, Collection<Long> pids) {
        if (pids.isEmpty()) {
            return;
        }
        // kill is a word of the shell; the program of that name is missing from slim images
        var command = new ArrayList<>(List.of("sh", "-c", "kill -s \"$0\" \"$@\" || true", name));
        pids.forEach(pid -> command.add(pid.toString()));
        run(command.toArray(String[]::new));
    }

    /** The state letter of a process: R, S, D run, T is stopped, Z is dead and not yet collected, X is gone. */
    static char state(long pid) {
        try {
            var stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"), StandardCharsets.ISO_8859_1);
            return stat.charAt(stat.lastIndexOf(')') + 2); // the program's name before it may hold anything
        } catch (IOException _) {
            return 'X';
        }
    }

    static boolean isGone(long pid) {
        char state = state(pid);
        return state == 'X' || state == 'Z';
    }

    /** The processes below this one, at any depth. */
    static List<Long> descendants(long pid) {
        return ProcessHandle.of(pid).stream()
                .flatMap(ProcessHandle::descendants)
                .map(ProcessHandle::pid)
                .toList();
    }
}
