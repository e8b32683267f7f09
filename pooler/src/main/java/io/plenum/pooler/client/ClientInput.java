package io.plenum.pooler.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.plenum.wire.FrameCutter;
import io.plenum.wire.FrontendType;
import io.plenum.wire.ProtocolException;
import org.jspecify.annotations.Nullable;

/**
 * What a client has sent and what of it is still to be handled; the cutter stands where that begins.
 *
 * <p>Owns the bytes. While they are in hand ({@link #begin} to {@link #end}) that is the buffer they were received in; what is
 * left then is kept in one of its own ({@link #keepRest}), and where nothing is left there is none: an idle client holds no
 * buffer. Confined to the event loop of its client.
 */
final class ClientInput {
    private final FrameCutter cutter = new FrameCutter(FrameCutter.Side.FRONTEND);

    private @Nullable ByteBuf bytes;

    /** The bytes are in a buffer of our own, which more can be appended to. */
    private boolean kept;

    /** So many bytes must be there before they are looked at again: those of a message that is taken whole. */
    private int awaited;

    private boolean inHand;

    FrameCutter cutter() {
        return cutter;
    }

    /** What is not handled yet, or is in hand; null for nothing. */
    @Nullable
    ByteBuf bytes() {
        return bytes;
    }

    /** Takes over what was received. */
    void add(ByteBuf received) {
        ByteBuf before = bytes;
        if (before != null) {
            before.writeBytes(received);
            received.release();
        } else {
            bytes = received;
            kept = false;
        }
    }

    // --- being handled ---------------------------------------------------------------------------------------------

    /** Takes what is there in hand; null when there is nothing, or too little, or it is in hand already. */
    @Nullable
    ByteBuf begin() {
        ByteBuf there = bytes;
        if (inHand || there == null || there.readableBytes() < awaited) {
            return null;
        }
        awaited = 0;
        inHand = true;
        cutter.show(there);
        return there;
    }

    /** What the message is that was handed over last. */
    FrontendType type() {
        FrontendType type = bytes == null ? null : FrontendType.of(bytes.getByte(cutter.start()));
        if (type == null) {
            throw new ProtocolException("invalid frontend message type");
        }
        return type;
    }

    /** As much is handled as could be. */
    void end() {
        inHand = false;
    }

    /** Whether messages are being handled further up the stack, which will go on with those that follow. */
    boolean isInHand() {
        return inHand;
    }

    /** The message that was handed over last is to be handed over again, when all of its {@code size} bytes are there. */
    void awaitWhole(int size) {
        awaited = size;
        cutter.rewind(cutter.start());
    }

    /**
     * What is not handled yet, for a look at it between two messages; the cutter is shown it again where it is not in hand, for
     * it may have been put elsewhere since. Null for nothing.
     */
    @Nullable
    ByteBuf shown() {
        ByteBuf there = bytes;
        if (there != null && !inHand) {
            cutter.show(there);
        }
        return there;
    }

    /** Whether the last of what is not handled is Terminate, as far as its bytes tell. */
    boolean endsWithTerminate() {
        ByteBuf there = bytes;
        int start = there == null ? 0 : there.writerIndex() - 1 - Integer.BYTES;
        return there != null
                && start >= cutter.position()
                && there.getByte(start) == FrontendType.TERMINATE.code()
                && there.getInt(start + 1) == Integer.BYTES;
    }

    /** Takes over what is to be handled in front of what {@linkplain #shown is shown}. */
    void putInFront(ByteBuf first) {
        ByteBuf rest = bytes;
        if (rest != null) {
            first.writeBytes(rest, cutter.position(), rest.writerIndex() - cutter.position());
            rest.release();
        }
        bytes = first;
        kept = false;
        awaited = 0;
    }

    // --- behind it -------------------------------------------------------------------------------------------------

    /** Lets the receive buffer go; what is not handled moves to a buffer of its own. Gives the number of those bytes. */
    int keepRest(ByteBufAllocator allocator) {
        ByteBuf there = bytes;
        if (there == null) {
            return 0;
        }
        int from = cutter.position();
        int rest = there.writerIndex() - from;
        if (rest == 0) {
            release();
        } else if (!kept || from > there.readerIndex()) {
            ByteBuf own = allocator.directBuffer(Math.max(256, rest + rest / 2));
            own.writeBytes(there, from, rest);
            there.release();
            bytes = own;
            kept = true;
        }
        return rest;
    }

    void release() {
        if (bytes != null) {
            bytes.release();
            bytes = null;
        }
    }
}
