package io.plenum.testbed;

import org.jspecify.annotations.Nullable;

/**
 * A server, a file or the machine did not do what a test's set-up needs; the message says which and shows the end of
 * the server's log.
 */
public final class TestbedException extends RuntimeException {
    TestbedException(String message) {
        super(message);
    }

    TestbedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
