package io.plenum.wire;

import io.plenum.wire.error.SqlState;

/**
 * Bytes that are no message of the protocol: the stream cannot be read further and its connection ends.
 *
 * <p>Carries no stack trace, for a hostile peer may cause it at will.
 */
public final class ProtocolException extends RuntimeException {
    private final SqlState sqlState;
    private final boolean silent;

    public ProtocolException(String message) {
        this(SqlState.PROTOCOL_VIOLATION, message);
    }

    public ProtocolException(SqlState sqlState, String message) {
        this(sqlState, message, false);
    }

    private ProtocolException(SqlState sqlState, String message, boolean silent) {
        super(message, null, false, false);
        this.sqlState = sqlState;
        this.silent = silent;
    }

    /** A length word that no message of its kind may have. */
    static ProtocolException length(String message) {
        return new ProtocolException(SqlState.PROTOCOL_VIOLATION, message, true);
    }

    /** Whether PostgreSQL closes without a word: the peer would not find its message in what it takes for the stream. */
    public boolean isSilent() {
        return silent;
    }

    public SqlState sqlState() {
        return sqlState;
    }
}
