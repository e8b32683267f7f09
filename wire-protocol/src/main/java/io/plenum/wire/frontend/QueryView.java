package io.plenum.wire.frontend;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.ProtocolException;

/**
 * A Query message, read in place.
 *
 * <p>All indexes are into the bytes that {@link #at} was given; the end is exclusive and leaves the NUL out.
 */
public final class QueryView {
    private int textStart;
    private int textEnd;
    private boolean whole;

    /**
     * Moves to the message whose type byte is at {@code start} and of which the bytes before {@code end} are present:
     * all of it, or a first part.
     *
     * @throws ProtocolException when PostgreSQL would refuse the message
     */
    public QueryView at(ByteBuf bytes, int start, int end) {
        whole = MessageFields.isWhole(bytes, start, end);
        textStart = MessageFields.body(start);
        textEnd = MessageFields.endOfText(bytes, textStart, end, whole);
        if (whole ? textEnd + 1 != end : textEnd != end) {
            throw MessageFields.tooLong();
        }
        return this;
    }

    /** Whether all of the message is present; if not, the text is cut off at the end. */
    public boolean isWhole() {
        return whole;
    }

    public int textStart() {
        return textStart;
    }

    public int textEnd() {
        return textEnd;
    }
}
