package io.plenum.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * Cuts a byte stream into messages, in place: a cursor over the bytes at hand that never trusts a length.
 *
 * <p>A message is handed over when it is whole, or, when it is larger than its {@linkplain FrontendType#head() head},
 * in pieces: first {@link Step#HEAD}, then {@link Step#PIECE}s until {@link #remaining()} is 0. So no buffer ever grows with
 * what a length word declares.
 *
 * <p>Owns no buffer. The bytes between {@link #position()} and the writer index after {@link Step#NONE} are the start of
 * a message; the owner keeps them and shows them again, with what came behind them. Confined to the thread of its
 * stream.
 */
public final class FrameCutter {
    /** What {@link #next()} found. */
    public enum Step {
        /** Nothing that could be handed over: more bytes are needed. */
        NONE,
        /** A whole message, from {@link #start()} to {@link #end()}. */
        WHOLE,
        /** The first bytes of a large message, its header among them. */
        HEAD,
        /** More bytes of the large message; its last when {@link #remaining()} is 0. */
        PIECE
    }

    /** Which end of the connection the stream comes from. */
    public enum Side {
        FRONTEND {
            @Override
            int head(byte code, int length) {
                FrontendType type = FrontendType.of(code);
                if (type == null) {
                    throw new ProtocolException("invalid frontend message type " + (code & 0xff));
                }
                if (length > type.maxLength()) {
                    throw ProtocolException.length(
                            "invalid message length %d in %s".formatted(length, type.manualName()));
                }
                return type.head();
            }
        },
        BACKEND {
            @Override
            int head(byte code, int length) {
                BackendType type = BackendType.of(code);
                if (type == null) {
                    throw new ProtocolException("invalid backend message type " + (code & 0xff));
                }
                int head = type.head();
                if (head == Limits.WHOLE && length > Limits.SMALL + Limits.LOOKED_AT) {
                    throw ProtocolException.length(
                            "invalid message length %d in %s".formatted(length, type.manualName()));
                }
                return head;
            }
        };

        /** Bytes that must be present of a message; throws for one that this side may not send. */
        abstract int head(byte code, int length);
    }

    private final Side side;
    private ByteBuf bytes = Unpooled.EMPTY_BUFFER;
    private int position;
    private int limit;
    private int start;
    private int end;
    private int remaining;

    public FrameCutter(Side side) {
        this.side = side;
    }

    /** Shows the bytes from their reader to their writer index; they stay the caller's. */
    public void show(ByteBuf bytes) {
        this.bytes = bytes;
        position = bytes.readerIndex();
        limit = bytes.writerIndex();
    }

    /** Goes back to the start of a message that was handed over from the bytes now shown. */
    public void rewind(int position) {
        this.position = position;
        remaining = 0;
    }

    /**
     * The next message or piece.
     *
     * @throws ProtocolException when the bytes are no message of this side
     */
    public Step next() {
        int available = limit - position;
        if (remaining > 0) {
            if (available == 0) {
                return Step.NONE;
            }
            start = position;
            end = position + Math.min(available, remaining);
            remaining -= end - start;
            position = end;
            return Step.PIECE;
        }
        if (available < Limits.HEADER) {
            return Step.NONE;
        }
        int length = bytes.getInt(position + 1);
        if (length < 4) {
            side.head(bytes.getByte(position), 4); // an unknown type is told of first
            throw ProtocolException.length("invalid message length " + length);
        }
        int head = side.head(bytes.getByte(position), length);
        start = position;
        if (length < available) { // the length word does not count the type byte
            end = position + 1 + length;
            position = end;
            return Step.WHOLE;
        }
        if (available < head) {
            return Step.NONE;
        }
        end = limit;
        remaining = length - (available - 1);
        position = limit;
        return Step.HEAD;
    }

    /** First byte of the message or piece. */
    public int start() {
        return start;
    }

    /** Behind the last byte that is present of the message or piece. */
    public int end() {
        return end;
    }

    /** Where the next message or piece begins. */
    public int position() {
        return position;
    }

    /** Bytes of the current large message that are still to come; 0 at a message boundary. */
    public int remaining() {
        return remaining;
    }
}
