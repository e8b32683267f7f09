package io.plenum.testbed;

/** PostgreSQL's three ways to shut down, as pg_ctl names them. */
public enum StopMode {
    /** Takes no new sessions and waits until the last one has left. */
    SMART("TERM"),
    /** Ends all sessions with 57P01 and shuts down cleanly; standbys get all WAL. */
    FAST("INT"),
    /** Ends all sessions at once, some without a word; the next start recovers as after a crash. */
    IMMEDIATE("QUIT");

    private final String signal;

    StopMode(String signal) {
        this.signal = signal;
    }

    String signal() {
        return signal;
    }
}
