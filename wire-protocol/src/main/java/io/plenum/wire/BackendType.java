package io.plenum.wire;

import org.jspecify.annotations.Nullable;

/**
 * The messages that a server sends.
 *
 * <p>Manual, "Message Formats". Only those whose head is {@link Limits#WHOLE} are ever looked into.
 */
public enum BackendType {
    AUTHENTICATION('R', "Authentication", Limits.WHOLE),
    BACKEND_KEY_DATA('K', "BackendKeyData", Limits.WHOLE),
    BIND_COMPLETE('2', "BindComplete", Limits.WHOLE),
    CLOSE_COMPLETE('3', "CloseComplete", Limits.WHOLE),
    COMMAND_COMPLETE('C', "CommandComplete", Limits.WHOLE),
    COPY_DATA('d', "CopyData", Limits.HEADER),
    COPY_DONE('c', "CopyDone", Limits.WHOLE),
    COPY_IN_RESPONSE('G', "CopyInResponse", Limits.WHOLE),
    COPY_OUT_RESPONSE('H', "CopyOutResponse", Limits.WHOLE),
    COPY_BOTH_RESPONSE('W', "CopyBothResponse", Limits.WHOLE),
    DATA_ROW('D', "DataRow", Limits.HEADER),
    EMPTY_QUERY_RESPONSE('I', "EmptyQueryResponse", Limits.WHOLE),
    ERROR_RESPONSE('E', "ErrorResponse", Limits.LOOKED_AT),
    FUNCTION_CALL_RESPONSE('V', "FunctionCallResponse", Limits.HEADER),
    NEGOTIATE_PROTOCOL_VERSION('v', "NegotiateProtocolVersion", Limits.WHOLE),
    NO_DATA('n', "NoData", Limits.WHOLE),
    NOTICE_RESPONSE('N', "NoticeResponse", Limits.LOOKED_AT),
    NOTIFICATION_RESPONSE('A', "NotificationResponse", Limits.WHOLE),
    PARAMETER_DESCRIPTION('t', "ParameterDescription", Limits.HEADER),
    PARAMETER_STATUS('S', "ParameterStatus", Limits.LOOKED_AT),
    PARSE_COMPLETE('1', "ParseComplete", Limits.WHOLE),
    PORTAL_SUSPENDED('s', "PortalSuspended", Limits.WHOLE),
    READY_FOR_QUERY('Z', "ReadyForQuery", Limits.WHOLE),
    ROW_DESCRIPTION('T', "RowDescription", Limits.HEADER);

    private static final @Nullable BackendType[] BY_CODE = new BackendType[128];

    static {
        for (BackendType type : values()) {
            BY_CODE[type.code] = type;
        }
    }

    private final byte code;
    private final String manualName;
    private final int head;

    BackendType(char code, String manualName, int head) {
        this.code = (byte) code;
        this.manualName = manualName;
        this.head = head;
    }

    public byte code() {
        return code;
    }

    /** The message's name in PostgreSQL's manual. */
    public String manualName() {
        return manualName;
    }

    /** Bytes of a message that must be present before it is handed over; a smaller message must be whole. */
    int head() {
        return head;
    }

    public static @Nullable BackendType of(byte code) {
        return code >= 0 ? BY_CODE[code] : null;
    }
}
