package io.plenum.routing.sql;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.AsciiCase;
import java.nio.charset.StandardCharsets;

/** Letters that are looked for in a text, whether large or small, wherever they stand. Immutable; any thread. */
public final class Letters {
    private final byte[] wanted;

    /** {@code letters} are of ASCII. */
    public Letters(String letters) {
        wanted = AsciiCase.lower(letters).getBytes(StandardCharsets.US_ASCII);
    }

    /** Whether they stand in {@code [start, end)}. */
    public boolean isIn(ByteBuf text, int start, int end) {
        for (int at = start; at <= end - wanted.length; at++) {
            int found = 0;
            while (found < wanted.length && small(text.getByte(at + found)) == wanted[found]) {
                found++;
            }
            if (found == wanted.length) {
                return true;
            }
        }
        return false;
    }

    private static int small(byte letter) {
        return letter >= 'A' && letter <= 'Z' ? letter | 0x20 : letter;
    }
}
