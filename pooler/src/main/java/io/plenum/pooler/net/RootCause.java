package io.plenum.pooler.net;

/** What is at the bottom of a failure. */
public final class RootCause {
    private RootCause() {}

    /** The message of the innermost cause, or of the failure itself; for the log. */
    public static String message(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage());
    }
}
