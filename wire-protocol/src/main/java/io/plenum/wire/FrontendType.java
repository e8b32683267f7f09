package io.plenum.wire;

import org.jspecify.annotations.Nullable;

/**
 * The messages that a client sends after the startup packet.
 *
 * <p>Manual, "Message Formats". The letters clash with those of {@link BackendType}: two tables.
 */
public enum FrontendType {
    PASSWORD('p', "PasswordMessage", Limits.PASSWORD, Limits.WHOLE),
    QUERY('Q', "Query", Limits.LARGE, Limits.LOOKED_AT),
    PARSE('P', "Parse", Limits.LARGE, Limits.LOOKED_AT),
    BIND('B', "Bind", Limits.LARGE, Limits.LOOKED_AT),
    DESCRIBE('D', "Describe", Limits.SMALL, Limits.WHOLE),
    EXECUTE('E', "Execute", Limits.SMALL, Limits.WHOLE),
    CLOSE('C', "Close", Limits.SMALL, Limits.WHOLE),
    SYNC('S', "Sync", Limits.SMALL, Limits.WHOLE),
    FLUSH('H', "Flush", Limits.SMALL, Limits.WHOLE),
    FUNCTION_CALL('F', "FunctionCall", Limits.LARGE, Limits.HEADER),
    COPY_DATA('d', "CopyData", Limits.LARGE, Limits.HEADER),
    COPY_DONE('c', "CopyDone", Limits.SMALL, Limits.WHOLE),
    COPY_FAIL('f', "CopyFail", Limits.SMALL, Limits.WHOLE),
    TERMINATE('X', "Terminate", Limits.SMALL, Limits.WHOLE);

    private static final @Nullable FrontendType[] BY_CODE = new FrontendType[128];

    static {
        for (FrontendType type : values()) {
            BY_CODE[type.code] = type;
        }
    }

    private final byte code;
    private final String manualName;
    private final int maxLength;
    private final int head;

    FrontendType(char code, String manualName, int maxLength, int head) {
        this.code = (byte) code;
        this.manualName = manualName;
        this.maxLength = maxLength;
        this.head = head;
    }

    public byte code() {
        return code;
    }

    /** The message's name in PostgreSQL's manual. */
    public String manualName() {
        return manualName;
    }

    /** Largest length word that PostgreSQL takes for this message (SocketBackend in its postgres.c). */
    int maxLength() {
        return maxLength;
    }

    /** Bytes of a message that must be present before it is handed over; a smaller message must be whole. */
    int head() {
        return head;
    }

    public static @Nullable FrontendType of(byte code) {
        return code >= 0 ? BY_CODE[code] : null;
    }
}
