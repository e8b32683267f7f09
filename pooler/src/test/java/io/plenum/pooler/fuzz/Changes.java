package io.plenum.pooler.fuzz;

import java.util.Arrays;

/** What an input does to an honest message, so that a fuzzer need not guess a proof to get beyond it. */
final class Changes {
    private Changes() {}

    /** Three bytes are one change: what is done, where, and with which byte. Nothing is left as it was without changes. */
    static byte[] of(byte[] message, byte[] changes) {
        byte[] changed = message.clone();
        for (int i = 0; i + 2 < changes.length; i += 3) {
            int at = changed.length == 0 ? 0 : (changes[i + 1] & 0xff) % changed.length;
            byte with = changes[i + 2];
            changed = switch (changes[i] & 3) {
                case 0 -> put(changed, at, 1, with);
                case 1 -> put(changed, at, 0, with);
                case 2 -> Arrays.copyOf(changed, at);
                default -> put(changed, at, 1);
            };
        }
        return changed;
    }

    /** Some bytes out, others in. */
    private static byte[] put(byte[] message, int at, int out, byte... in) {
        int gone = Math.min(out, message.length - at);
        byte[] changed = new byte[message.length - gone + in.length];
        System.arraycopy(message, 0, changed, 0, at);
        System.arraycopy(in, 0, changed, at, in.length);
        System.arraycopy(message, at + gone, changed, at + in.length, message.length - at - gone);
        return changed;
    }
}
