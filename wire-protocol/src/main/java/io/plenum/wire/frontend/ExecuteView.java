package io.plenum.wire.frontend;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.ProtocolException;

/**
 * An Execute message, read in place: the portal's name and how many rows are wanted.
 *
 * <p>All indexes are into the bytes that {@link #at} was given; the end is exclusive and leaves the NUL out.
 */
public final class ExecuteView {
    private int portalStart;
    private int portalEnd;
    private int maxRows;

    /**
     * Moves to the whole message whose type byte is at {@code start}.
     *
     * @throws ProtocolException when PostgreSQL would refuse the message
     */
    public ExecuteView at(ByteBuf bytes, int start, int end) {
        portalStart = MessageFields.body(start);
        portalEnd = MessageFields.endOfName(bytes, portalStart, end, true);
        int present = end - portalEnd - 1 - Integer.BYTES;
        if (present != 0) {
            throw present < 0 ? MessageFields.tooShort() : MessageFields.tooLong();
        }
        maxRows = bytes.getInt(portalEnd + 1);
        return this;
    }

    public int portalStart() {
        return portalStart;
    }

    public int portalEnd() {
        return portalEnd;
    }

    /** Whether it runs the unnamed portal. */
    public boolean isPortalUnnamed() {
        return portalStart == portalEnd;
    }

    /** Most rows that are wanted; 0 and below mean all. */
    public int maxRows() {
        return maxRows;
    }
}
