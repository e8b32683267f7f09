package io.plenum.wire;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * The three strokes that every message is written with: type and length word, strings, and the length filled in at the
 * end.
 *
 * <p>Appends to a buffer that stays the caller's; allocates nothing but the buffer's own growth.
 */
public final class WireWriter {
    private WireWriter() {}

    /** Writes the type byte and room for the length word; returns what {@link #end} wants back. */
    public static int begin(ByteBuf out, byte type) {
        int start = out.writerIndex();
        out.writeByte(type).writeInt(0);
        return start;
    }

    /** Closes the message that {@link #begin} opened at this index. */
    public static void end(ByteBuf out, int start) {
        out.setInt(start + 1, out.writerIndex() - start - 1); // the length word counts itself, not the type
    }

    /** A message without a body. */
    public static void empty(ByteBuf out, byte type) {
        out.writeByte(type).writeInt(4);
    }

    /**
     * Writes the text as UTF-8 and the NUL that ends it.
     *
     * @throws IllegalArgumentException when the text holds a NUL, which would end the string early and let the rest be
     *     read as something else
     */
    public static void cstring(ByteBuf out, CharSequence text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '\0') {
                throw new IllegalArgumentException("NUL at index " + i + " of a string of the protocol");
            }
        }
        out.writeCharSequence(text, StandardCharsets.UTF_8);
        out.writeByte(0);
    }

    /** The number of columns or parameters as the Int16 that a message holds it in. */
    public static int count(int number) {
        if (number > 0xffff) {
            throw new IllegalArgumentException(number + " do not fit into one message");
        }
        return number;
    }
}
