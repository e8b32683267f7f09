package io.plenum.wire.auth;

import java.security.SecureRandom;
import java.util.Base64;

/** Randomness that a published or recorded exchange once had. */
final class FixedRandom extends SecureRandom {
    private final transient byte[] bytes;

    FixedRandom(String base64) {
        bytes = Base64.getDecoder().decode(base64);
    }

    @Override
    public void nextBytes(byte[] out) {
        System.arraycopy(bytes, 0, out, 0, out.length);
    }
}
