package io.plenum.wire.frontend;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.FrontendType;
import io.plenum.wire.ProtocolException;

/**
 * A Close or Describe message, read in place, whose bodies are alike: which kind of thing it is about, and its name.
 *
 * <p>All indexes are into the bytes that {@link #at} was given; the end is exclusive and leaves the NUL out. Statements
 * and portals have separate name spaces.
 */
public final class TargetView {
    private boolean statement;
    private int nameStart;
    private int nameEnd;

    /**
     * Moves to the whole message whose type byte is at {@code start}.
     *
     * @throws ProtocolException when PostgreSQL would refuse the message
     */
    public TargetView at(ByteBuf bytes, int start, int end) {
        int kindAt = MessageFields.body(start);
        if (kindAt >= end) {
            throw new ProtocolException("no data left in message");
        }
        nameStart = kindAt + 1;
        nameEnd = MessageFields.endOfName(bytes, nameStart, end, true);
        if (nameEnd + 1 != end) {
            throw MessageFields.tooLong();
        }
        byte kind = bytes.getByte(kindAt);
        if (kind != 'S' && kind != 'P') {
            boolean close = bytes.getByte(start) == FrontendType.CLOSE.code();
            throw new ProtocolException(
                    "invalid %s message subtype %d".formatted(close ? "CLOSE" : "DESCRIBE", kind & 0xff));
        }
        statement = kind == 'S';
        return this;
    }

    /** Whether it names a statement; if not, a portal. */
    public boolean isStatement() {
        return statement;
    }

    public int nameStart() {
        return nameStart;
    }

    public int nameEnd() {
        return nameEnd;
    }

    /** Whether it means the unnamed statement or portal. */
    public boolean isUnnamed() {
        return nameStart == nameEnd;
    }
}
