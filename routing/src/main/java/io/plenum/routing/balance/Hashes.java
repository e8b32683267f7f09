package io.plenum.routing.balance;

/** Hashes that are the same in every process and for all time, so that all send a key to the same node. */
public final class Hashes {
    private static final long FNV_OFFSET = 0xcbf2_9ce4_8422_2325L;
    private static final long FNV_PRIME = 0x100_0000_01b3L;

    private Hashes() {}

    /** Of a text. */
    public static long of(CharSequence text) {
        long hash = FNV_OFFSET;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * FNV_PRIME;
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
