package io.plenum.pooler.fuzz;

import java.security.SecureRandom;

/** Anything but random: an input has to mean the same each time. */
final class CountingRandom extends SecureRandom {
    private static final long serialVersionUID = 1;

    private byte next;

    @Override
    public void nextBytes(byte[] bytes) {
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = next++;
        }
    }
}
