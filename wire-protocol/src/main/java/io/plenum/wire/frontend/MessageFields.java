package io.plenum.wire.frontend;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.Limits;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.error.SqlState;

/** What the views share: finding fields in place, and PostgreSQL's words (pqformat.c) where there are none. */
final class MessageFields {
    private MessageFields() {}

    /** Where the body of the message at this index begins. */
    static int body(int start) {
        return start + Limits.HEADER;
    }

    /** Whether the message is present to its end, and not only its first part. */
    static boolean isWhole(ByteBuf bytes, int start, int end) {
        // The length word counts itself but not the type byte. Subtracting keeps a hostile length from overflowing.
        return bytes.getInt(start + 1) == end - start - 1;
    }

    /** Index of the NUL that ends the string beginning here; a string that is cut off before it is refused. */
    static int endOfName(ByteBuf bytes, int from, int end, boolean whole) {
        int nul = from > end ? -1 : bytes.indexOf(from, end, (byte) 0);
        if (nul >= 0) {
            return nul;
        }
        if (whole) {
            throw invalidString();
        }
        throw new ProtocolException(
                SqlState.PROGRAM_LIMIT_EXCEEDED, "name of more than " + (end - from) + " bytes in message");
    }

    /**
     * Index of the NUL that ends the string beginning here, or {@code end} when only the message's first part is
     * present.
     */
    static int endOfText(ByteBuf bytes, int from, int end, boolean whole) {
        int nul = from > end ? -1 : bytes.indexOf(from, end, (byte) 0);
        if (nul >= 0) {
            return nul;
        }
        if (whole) {
            throw invalidString();
        }
        return Math.max(from, end);
    }

    static ProtocolException invalidString() {
        return new ProtocolException("invalid string in message");
    }

    static ProtocolException tooShort() {
        return new ProtocolException("insufficient data left in message");
    }

    static ProtocolException tooLong() {
        return new ProtocolException("invalid message format");
    }
}
