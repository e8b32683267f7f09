package io.plenum.wire.frontend;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.ProtocolException;

/**
 * The two names at the head of a Bind message, read in place; the values behind them are the server's business.
 *
 * <p>All indexes are into the bytes that {@link #at} was given; each end is exclusive and leaves the NUL out.
 */
public final class BindView {
    private int portalStart;
    private int portalEnd;
    private int statementEnd;

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
