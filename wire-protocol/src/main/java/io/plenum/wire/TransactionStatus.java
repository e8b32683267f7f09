package io.plenum.wire;

import org.jspecify.annotations.Nullable;

/** What ReadyForQuery says of the session: the one byte of its body. */
public enum TransactionStatus {
    IDLE('I'),
    IN_TRANSACTION('T'),
    FAILED('E');

    private final byte code;

    TransactionStatus(char code) {
        this.code = (byte) code;
    }

    public byte code() {
        return code;
    }

    /** The status that a server's byte names, or null for a byte that no PostgreSQL sends. */
    public static @Nullable TransactionStatus of(byte code) {
        return switch (code) {
            case 'I' -> IDLE;
            case 'T' -> IN_TRANSACTION;
            case 'E' -> FAILED;
            default -> null;
        };
    }
}
