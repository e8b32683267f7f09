package io.plenum.routing.balance;

import io.netty.buffer.ByteBuf;

/** Hashes that are the same in every process and for all time, so that all send a key to the same node. */
public final class Hashes {
    private static final long FNV_OFFSET = 0xcbf2_9ce4_8422_2325L;
    private static final long FNV_PRIME = 0x100_0000_01b3L;

    private Hashes() {}

    /** Of a text, as it is in UTF-8. */
    public static long of(CharSequence text) {
        long hash = FNV_OFFSET;
        for (int i = 0; i < text.length(); i++) {
            int letter = Character.codePointAt(text, i);
            int more = letter < 0x80 ? 0 : letter < 0x800 ? 1 : letter < 0x10000 ? 2 : 3;
            // The first byte begins with as many ones as there are bytes, each further one with a one.
            int first = more == 0 ? letter : ((0xFF00 >> (more + 1)) & 0xFF) | (letter >> (6 * more));
            hash = (hash ^ first) * FNV_PRIME;
            for (int left = more - 1; left >= 0; left--) {
                hash = (hash ^ (0x80 | ((letter >> (6 * left)) & 0x3F))) * FNV_PRIME;
            }
            i += Character.charCount(letter) - 1;
        }
        return mix(hash);
    }

    /** Of the bytes in {@code [start, end)}. */
    public static long of(ByteBuf bytes, int start, int end) {
        long hash = FNV_OFFSET;
        for (int i = start; i < end; i++) {
            hash = (hash ^ (bytes.getByte(i) & 0xFF)) * FNV_PRIME;
        }
        return mix(hash);
    }

    /** Spreads a hash, or a number, over all values: two that are near each other are far apart afterwards. */
    static long mix(long hash) {
        long mixed = (hash ^ (hash >>> 30)) * 0xbf58_476d_1ce4_e5b9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94d0_49bb_1331_11ebL;
        return mixed ^ (mixed >>> 31);
    }
}
