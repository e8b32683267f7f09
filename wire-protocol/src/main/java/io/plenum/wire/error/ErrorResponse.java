package io.plenum.wire.error;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.BackendType;
import io.plenum.wire.WireWriter;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * An error or a notice, as it stands in ErrorResponse and NoticeResponse: what we say ourselves, or what a server said.
 *
 * <p>Manual, "Error and Notice Message Fields". Of a server's message the fields are kept that a pooler acts upon or
 * logs; the message itself is relayed from its own bytes.
 *
 * @param severity ERROR, FATAL, PANIC, WARNING, NOTICE, DEBUG, INFO or LOG, never translated
 * @param code the SQLSTATE, five characters
 * @param routine the C function that raised it, absent from what we say ourselves
 */
public record ErrorResponse(
        String severity,
        String code,
        String message,
        @Nullable String detail,
        @Nullable String hint,
        @Nullable String routine) {
    /** Bytes that are kept of one field of a server's message; the rest is left out. */
    public static final int MAX_FIELD_BYTES = 4096;

    private static final String ERROR = "ERROR";
    private static final String FATAL = "FATAL";
    private static final String NOTICE = "NOTICE";

    /** Ends the statement and the transaction; the session goes on. */
    public static ErrorResponse error(SqlState code, String message) {
        return new ErrorResponse(ERROR, code.code(), message, null, null, null);
    }

    /** Ends the session: whoever sends it closes the connection behind it. */
    public static ErrorResponse fatal(SqlState code, String message) {
        return new ErrorResponse(FATAL, code.code(), message, null, null, null);
    }

    /** Ends nothing; goes out as NoticeResponse. */
    public static ErrorResponse notice(SqlState code, String message) {
        return new ErrorResponse(NOTICE, code.code(), message, null, null, null);
    }

    /** The same with this detail. */
    public ErrorResponse detail(String text) {
        return new ErrorResponse(severity, code, message, text, hint, routine);
    }

    /** The same with this hint. */
    public ErrorResponse hint(String text) {
        return new ErrorResponse(severity, code, message, detail, text, routine);
    }

    /** Whether the code is this one. */
    public boolean is(SqlState state) {
        return code.equals(state.code());
    }

    /** Whether the session ends with it. */
    public boolean isFatal() {
        return severity.equals(FATAL) || severity.equals("PANIC");
    }

    /** Whether it goes out as NoticeResponse, because it ends nothing. */
    public boolean isNotice() {
        return !severity.equals(ERROR) && !isFatal();
    }

    /** Appends the whole message: ErrorResponse, or NoticeResponse when it {@linkplain #isNotice() ends nothing}. */
    public void writeTo(ByteBuf out) {
        BackendType type = isNotice() ? BackendType.NOTICE_RESPONSE : BackendType.ERROR_RESPONSE;
        int start = WireWriter.begin(out, type.code());
        field(out, 'S', severity);
        field(out, 'V', severity);
        field(out, 'C', code);
        field(out, 'M', message);
        field(out, 'D', detail);
        field(out, 'H', hint);
        field(out, 'R', routine);
        out.writeByte(0);
        WireWriter.end(out, start);
    }

    private static void field(ByteBuf out, char name, @Nullable String text) {
        if (text == null) {
            return;
        }
        out.writeByte(name);
        // Texts quote what strangers sent; a NUL among it must not end the field.
        WireWriter.cstring(out, text.replace('\0', '\uFFFD'));
    }

    /**
     * Reads the fields that are there from the body of an ErrorResponse or NoticeResponse.
     *
     * <p>Takes every input, for an error that cannot be read is still an error: of a body that is cut off what is
     * present, of an unknown field nothing, of a long field {@link #MAX_FIELD_BYTES}; without a code it is XX000,
     * without a severity ERROR. Text that is no UTF-8 (a server may speak another encoding) has replacement characters.
     */
    public static ErrorResponse parse(ByteBuf bytes, int bodyStart, int bodyEnd) {
        @Nullable String severity = null;
        @Nullable String translatedSeverity = null;
        @Nullable String code = null;
        @Nullable String message = null;
        @Nullable String detail = null;
        @Nullable String hint = null;
        @Nullable String routine = null;
        int position = bodyStart;
        while (position < bodyEnd) {
            byte name = bytes.getByte(position);
            if (name == 0) {
                break;
            }
            int start = position + 1;
            int nul = bytes.indexOf(start, bodyEnd, (byte) 0);
            int stop = nul < 0 ? bodyEnd : nul;
            switch (name) {
                case 'S' -> translatedSeverity = text(bytes, start, stop);
                case 'V' -> severity = text(bytes, start, stop);
                case 'C' -> code = text(bytes, start, stop);
                case 'M' -> message = text(bytes, start, stop);
                case 'D' -> detail = text(bytes, start, stop);
                case 'H' -> hint = text(bytes, start, stop);
                case 'R' -> routine = text(bytes, start, stop);
                default -> {
                    // Manual: fields of unrecognized types are silently ignored.
                }
            }
            position = stop + 1;
        }
        return new ErrorResponse(
                orElse(severity, orElse(translatedSeverity, ERROR)),
                orElse(code, SqlState.INTERNAL_ERROR.code()),
                orElse(message, ""),
                detail,
                hint,
                routine);
    }

    private static String text(ByteBuf bytes, int start, int stop) {
        return bytes.toString(start, Math.min(stop - start, MAX_FIELD_BYTES), StandardCharsets.UTF_8);
    }

    private static String orElse(@Nullable String text, String otherwise) {
        return text == null ? otherwise : text;
    }
}
