package io.plenum.wire;

import io.plenum.wire.error.SqlState;

/**
 * Bytes that are no message of the protocol: the stream cannot be read further and its connection ends.
 *
 * <p>Carries no stack trace, for a hostile peer may cause it at will.
 */
public final class ProtocolException extends RuntimeException {
    private final SqlState sqlState;

    public ProtocolException(String message) {
        this(SqlState.PROTOCOL_VIOLATION, message);
    }

    public ProtocolException(SqlState sqlState, String message) {
        super(message, null, false, false);
        this.sqlState = sqlState;
    }

    public SqlState sqlState() {
        return sqlState;
    }
}
