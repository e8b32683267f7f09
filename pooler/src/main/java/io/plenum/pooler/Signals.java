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
 * the JVM: SIGQUIT prints the threads, and SIGUSR2 is used by profilers unless {@code _JAVA_SR_SIGNUM} in the
 * environment gives them another one.
 */
final class Signals {
    private static final Logger LOG = LoggerFactory.getLogger(Signals.class);

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

    private static void run(String name, Runnable action) {
        LOG.info("event=signal signal={}", name);
        try {
            action.run();
        } catch (RuntimeException e) {
            LOG.error("event=signal_failed signal={}", name, e);
        }
    }
}
