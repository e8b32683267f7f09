package io.plenum.wire;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * Reads the fields of one message in order and never beyond its end, whatever the bytes claim.
 *
 * <p>For messages that are rare (startup, login, errors): strings and arrays are copied out. Messages of the hot path
 * have views instead. Every fault is a {@link ProtocolException} in PostgreSQL's words (pqformat.c).
 */
public final class WireReader {
    private final ByteBuf bytes;
    private final int end;
    private int position;

    /** Reads from one index up to, not including, another. */
    public WireReader(ByteBuf bytes, int start, int end) {
        if (start < 0 || end < start || end > bytes.writerIndex()) {
            throw new IndexOutOfBoundsException("%d to %d of %d bytes".formatted(start, end, bytes.writerIndex()));
        }
        this.bytes = bytes;
        this.position = start;
        this.end = end;
    }

    public int remaining() {
        return end - position;
    }

    public byte readByte() {
        require(1);
        return bytes.getByte(position++);
    }

    public int readUnsignedShort() {
        require(2);
        int value = bytes.getUnsignedShort(position);
        position += 2;
        return value;
    }

    public int readInt() {
        require(4);
        int value = bytes.getInt(position);
        position += 4;
        return value;
    }

    /** Copies so many bytes out; more than are left is refused before anything is allocated. */
    public byte[] readBytes(int length) {
        require(length);
        byte[] value = new byte[length];
        bytes.getBytes(position, value);
        position += length;
        return value;
    }

    /** A string up to its NUL; malformed UTF-8 becomes replacement characters. */
    public String readCString() {
        int stop = bytes.indexOf(position, end, (byte) 0);
        if (stop < 0) {
            throw new ProtocolException("invalid string in message");
        }
        String value = bytes.toString(position, stop - position, StandardCharsets.UTF_8);
        position = stop + 1;
        return value;
    }

    /** Refuses a message that goes on behind its last field. */
    public void expectEnd() {
        if (position != end) {
            throw new ProtocolException("invalid message format");
        }
    }

    private void require(int length) {
        if (length < 0 || length > end - position) {
            throw new ProtocolException("insufficient data left in message");
        }
    }
}
