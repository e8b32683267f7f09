package io.plenum.bench.process;

/** A program could not do its work: something is missing or broke. The message is for the person at the terminal. */
public final class BenchException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public BenchException(String message) {
        super(message);
    }

    public BenchException(String message, Throwable cause) {
        super(message, cause);
    }
}
