package io.plenum.pooler;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Signals of the operating system, each delivered on a thread of its own that may block.
 *
 * <p>The JDK has no public way to them. {@code sun.misc.Signal} of the module jdk.unsupported is the one that stays
 * (JEP 260), and is called by reflection because javac's warning about it cannot be turned off. Two signals belong to
 * the JVM: SIGQUIT prints the threads, and {@link #onQuit} takes it away; SIGUSR2 is used by profilers unless
 * {@code _JAVA_SR_SIGNUM} in the environment gives them another one.
 */
final class Signals {
    private static final Logger LOG = LoggerFactory.getLogger(Signals.class);

    private static final int SIGQUIT = 3;

    /** Set by the launchers, which reserve the descriptor 3 for {@link #onQuit}. */
    private static final String QUIT_DESCRIPTOR = "plenum.quit.descriptor";

    private Signals() {}

    /** Runs {@code action} on each signal of that name (without SIG); false if the JVM keeps it for itself. */
    @SuppressWarnings("ReferenceEquality") // equals of a proxy that calls equals would not end
    static boolean on(String name, Runnable action) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object proxy = Proxy.newProxyInstance(
                    Signals.class.getClassLoader(), new Class<?>[] {handler}, (self, method, arguments) -> {
                        switch (method.getName()) {
                            case "handle" -> run(name, action);
                            case "equals" -> {
                                return arguments[0] == self;
                            }
                            case "hashCode" -> {
                                return System.identityHashCode(self);
                            }
                            case "toString" -> {
                                return "handler of SIG" + name;
                            }
                            default -> {}
                        }
                        return null;
                    });
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
            return true;
        } catch (InvocationTargetException e) {
            // IllegalArgumentException of Signal: unknown here, or "already used by VM or OS"
            return false;
        } catch (ReflectiveOperationException e) {
            LOG.warn("event=no_signals signal={}", name, e);
            return false;
        }
    }

    /**
     * Runs {@code action} on SIGQUIT; a second one ends the process there and then. False where the launcher has reserved no
     * descriptor: then the JVM prints its threads, as always.
     *
     * <p>No Java code may run where a signal interrupts the JVM, and of this signal the JVM tells Java nothing. So its handler
     * is close(2) itself: it is called with the number of the signal, 3, closes the descriptor 3, which is the writing end of a
     * pipe, and whoever reads the other end sees the end of the file.
     */
    static boolean onQuit(Runnable action) {
        if (!Libc.isLinux() || Integer.getInteger(QUIT_DESCRIPTOR, -1) != SIGQUIT) {
            return false;
        }
        int reading = Libc.pipeInto(SIGQUIT);
        if (reading < 0) {
            return false;
        }
        Libc.onSignal(SIGQUIT, "close");
        Thread.ofPlatform().name("plenum-sigquit").daemon().start(() -> {
            Libc.awaitEnd(reading);
            Libc.onSignal(SIGQUIT, "_exit"); // descriptor 3 may be another's from here on
            run("QUIT", action);
        });
        return true;
    }

    private static void run(String name, Runnable action) {
        try {
            action.run();
        } catch (RuntimeException e) {
            LOG.error("event=signal_failed signal={}", name, e);
        }
    }
}
