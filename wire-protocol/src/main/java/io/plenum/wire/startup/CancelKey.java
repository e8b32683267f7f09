package io.plenum.wire.startup;

import java.security.MessageDigest;

/**
 * What a client must show to cancel a statement: the number of a backend and the secret that goes with it.
 *
 * <p>Manual, "BackendKeyData": protocol 3.0 has secrets of 4 bytes, 3.2 of up to 256. Equality takes the same time
 * whatever the secrets hold, so that guessing learns nothing; the hash leaves the secret out for the same reason.
 *
 * @param secret 1 to 256 bytes; not copied, so whoever makes the key leaves the array alone afterwards
 */
@SuppressWarnings("ArrayRecordComponent") // equals, hashCode and toString are written out below
public record CancelKey(int processId, byte[] secret) {
    /** Longest secret that the protocol allows, in bytes. */
    public static final int MAX_SECRET = 256;

    /** Length of every secret in protocol 3.0 and 3.1, in bytes. */
    public static final int OLD_SECRET = 4;

    public CancelKey {
        if (secret.length == 0 || secret.length > MAX_SECRET) {
            throw new IllegalArgumentException("cancel key of " + secret.length + " bytes");
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CancelKey key
                && processId == key.processId
                && MessageDigest.isEqual(secret, key.secret);
    }

    @Override
    public int hashCode() {
        return processId;
    }

    @Override
    public String toString() {
        return "CancelKey[" + processId + ", " + secret.length + " secret bytes]";
    }
}
