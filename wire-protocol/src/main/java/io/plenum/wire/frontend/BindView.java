package io.plenum.wire.frontend;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.ProtocolException;

/**
 * The two names at the head of a Bind message, read in place, and where one of the values behind them stands.
 *
 * <p>All indexes are into the bytes that {@link #at} was given; each end is exclusive and leaves the NUL out.
 */
public final class BindView {
    private int portalStart;
    private int portalEnd;
    private int statementEnd;
    private int valueStart;
    private int valueEnd;

    /**
     * Moves to the message whose type byte is at {@code start} and of which the bytes before {@code end} are present.
     *
     * @throws ProtocolException when a name has no end, or goes beyond the part that is present
     */
    public BindView at(ByteBuf bytes, int start, int end) {
        boolean whole = MessageFields.isWhole(bytes, start, end);
        portalStart = MessageFields.body(start);
        portalEnd = MessageFields.endOfName(bytes, portalStart, end, whole);
        statementEnd = MessageFields.endOfName(bytes, portalEnd + 1, end, whole);
        return this;
    }

    /**
     * Looks for the value of a parameter, counted from 1; false when there is none such, when it is null, or when it goes
     * beyond what is present.
     */
    public boolean findValue(ByteBuf bytes, int end, int number) {
        int at = statementEnd + 1;
        if (end - at < Short.BYTES) {
            return false;
        }
        at += Short.BYTES + bytes.getUnsignedShort(at) * Short.BYTES; // the formats
        if (end - at < Short.BYTES || number < 1 || number > bytes.getUnsignedShort(at)) {
            return false;
        }
        at += Short.BYTES;
        for (int i = 1; end - at >= Integer.BYTES; i++) {
            int length = bytes.getInt(at);
            at += Integer.BYTES;
            if (length > end - at) {
                return false;
            }
            if (i == number) {
                valueStart = at;
                valueEnd = at + length;
                return length >= 0;
            }
            at += Math.max(0, length);
        }
        return false;
    }

    /** Where the value that was {@linkplain #findValue found} begins. */
    public int valueStart() {
        return valueStart;
    }

    public int valueEnd() {
        return valueEnd;
    }

    public int portalStart() {
        return portalStart;
    }

    public int portalEnd() {
        return portalEnd;
    }

    public int statementStart() {
        return portalEnd + 1;
    }

    public int statementEnd() {
        return statementEnd;
    }

    /** Whether it binds the unnamed statement. */
    public boolean isStatementUnnamed() {
        return statementStart() == statementEnd;
    }

    /** Whether it makes the unnamed portal. */
    public boolean isPortalUnnamed() {
        return portalStart == portalEnd;
    }
}
