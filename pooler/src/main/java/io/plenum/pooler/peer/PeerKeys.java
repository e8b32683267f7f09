package io.plenum.pooler.peer;

import io.plenum.wire.startup.CancelKey;
import java.net.InetAddress;
import java.util.zip.CRC32;

/**
 * What stands in the cancel keys of peers: who gave the key, and how often it may still be passed on.
 *
 * <p>The places are PgBouncer's, so that both can be peers of each other: the second and the third byte of the number of
 * the process are the peer's id, low byte first; the two lowest bits of the last byte of the secret are the hops left.
 * Keys of protocol 3.2 have the same places, and a longer secret between them.
 */
public final class PeerKeys {
    /** The largest id that PgBouncer takes. */
    static final int MAX_ID = 16_383;

    private static final int HOPS = 0x03;
    private static final int ID_BITS = 0x00ff_ff00;

    private PeerKeys() {}

    /** The key with the id of the peer that gives it, and all its hops. The array of the secret is changed. */
    public static CancelKey issuedBy(int id, CancelKey key) {
        int bits = ((id & 0xff) << 16) | (id & 0xff00);
        byte[] secret = key.secret();
        secret[secret.length - 1] |= HOPS;
        return new CancelKey((key.processId() & ~ID_BITS) | bits, secret);
    }

    /** The key as it was before anybody passed it on. */
    public static CancelKey asIssued(CancelKey key) {
        return withHops(key, HOPS);
    }

    /** Who gave the key, if it was a peer. */
    static int idOf(CancelKey key) {
        return ((key.processId() >>> 16) & 0xff) | (key.processId() & 0xff00);
    }

    static int hopsLeft(CancelKey key) {
        return key.secret()[key.secret().length - 1] & HOPS;
    }

    /** The key for the next peer, with one hop less; there must be one left. */
    static CancelKey passedOn(CancelKey key) {
        return withHops(key, hopsLeft(key) - 1);
    }

    private static CancelKey withHops(CancelKey key, int hops) {
        byte[] secret = key.secret().clone();
        int last = secret.length - 1;
        secret[last] = (byte) ((secret[last] & ~HOPS) | hops);
        return new CancelKey(key.processId(), secret);
    }

    /**
     * The id of a peer that was found by its address: the same for everybody who finds it, with nothing to be agreed on.
     * Two addresses may have one id; a request for it then goes to both.
     */
    static int idOf(InetAddress address) {
        var sum = new CRC32();
        sum.update(address.getAddress());
        return 1 + (int) (sum.getValue() % MAX_ID);
    }
}
