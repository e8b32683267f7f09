package io.plenum.wire.frontend;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.ProtocolException;

/**
 * A Parse message, read in place: name of the statement, its text, the types of its parameters.
 *
 * <p>All indexes are into the bytes that {@link #at} was given; each end is exclusive and leaves the NUL out.
 */
public final class ParseView {
    private int nameStart;
    private int nameEnd;
    private int queryEnd;
    private int typesStart;
    private int typesEnd;
    private boolean whole;

    /**
     * Moves to the message whose type byte is at {@code start} and of which the bytes before {@code end} are present:
     * all of it, or a first part that holds the name.
     *
     * @throws ProtocolException when PostgreSQL would refuse the message, or when the name goes beyond the first part
     */
    public ParseView at(ByteBuf bytes, int start, int end) {
        whole = MessageFields.isWhole(bytes, start, end);
        nameStart = MessageFields.body(start);
        nameEnd = MessageFields.endOfName(bytes, nameStart, end, whole);
        queryEnd = MessageFields.endOfText(bytes, nameEnd + 1, end, whole);
        typesStart = Math.min(queryEnd + 1, end);
        typesEnd = end;
        if (whole) {
            int present = end - typesStart - Short.BYTES;
            if (present < 0) {
                throw MessageFields.tooShort();
            }
            int needed = bytes.getUnsignedShort(typesStart) * Integer.BYTES;
            if (present != needed) {
                throw present < needed ? MessageFields.tooShort() : MessageFields.tooLong();
            }
        }
        return this;
    }

    /** Whether all of the message is present; if not, the text and the types may be cut off at the end. */
    public boolean isWhole() {
        return whole;
    }

    public int nameStart() {
        return nameStart;
    }

    public int nameEnd() {
        return nameEnd;
    }

    /** Whether it is the unnamed statement. */
    public boolean isUnnamed() {
        return nameStart == nameEnd;
    }

    public int queryStart() {
        return nameEnd + 1;
    }

    public int queryEnd() {
        return queryEnd;
    }

    /** The Int16 that counts the types; their OIDs follow. */
    public int typesStart() {
        return typesStart;
    }

    public int typesEnd() {
        return typesEnd;
    }
}
