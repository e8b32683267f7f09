package io.plenum.pooler.client;

import io.plenum.pooler.peer.PeerKeys;
import io.plenum.wire.startup.CancelKey;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/** The keys by which clients cancel: random, and compared in constant time. Any thread. */
public final class CancelKeys {
    private static final int LONG_SECRET = 32;

    /** So many random bytes are drawn at once: a key needs few, and each draw asks the kernel. */
    private static final int DRAWN = 1024;

    private final SecureRandom random = new SecureRandom();
    private final ByteBuffer drawn = ByteBuffer.allocate(DRAWN).limit(0);
    private final IntSupplier ownId;

    /** By whole keys: those of peers have so few random bits in the number of the process that numbers come twice. */
    private final Map<CancelKey, ClientConnection> holders = new ConcurrentHashMap<>();

    /** {@code ownId} among peers, asked for each key; 0 if there are none. */
    public CancelKeys(IntSupplier ownId) {
        this.ownId = ownId;
    }

    /** A key for the client; {@code longSecret} where its protocol is 3.2 or later. */
    CancelKey issue(ClientConnection client, boolean longSecret) {
        int id = ownId.getAsInt();
        while (true) {
            CancelKey plain = draw(longSecret ? LONG_SECRET : CancelKey.OLD_SECRET);
            CancelKey key = id == 0 ? plain : PeerKeys.issuedBy(id, plain);
            if (key.processId() != 0 && holders.putIfAbsent(key, client) == null) {
                return key;
            }
        }
    }

    private synchronized CancelKey draw(int secretLength) {
        if (drawn.remaining() < Integer.BYTES + secretLength) {
            random.nextBytes(drawn.array());
            drawn.clear();
        }
        int processId = drawn.getInt() & Integer.MAX_VALUE; // drivers show it as a process, so it is positive
        byte[] secret = new byte[secretLength];
        drawn.get(secret);
        return new CancelKey(processId, secret);
    }

    void withdraw(CancelKey key) {
        holders.remove(key);
    }

    /** The client to whom we have given this as the number of its process; null where that is nobody, or not one alone. */
    @Nullable
    ClientConnection holder(int processId) {
        ClientConnection only = null;
        for (Map.Entry<CancelKey, ClientConnection> held : holders.entrySet()) {
            if (held.getKey().processId() == processId) {
                if (only != null) {
                    return null;
                }
                only = held.getValue();
            }
        }
        return only;
    }

    /** Whose key it is, however often a peer has passed it on; null when it is nobody's or the secret is wrong. */
    @Nullable
    ClientConnection holder(CancelKey key) {
        ClientConnection holder = holders.get(key);
        return holder == null && ownId.getAsInt() != 0 ? holders.get(PeerKeys.asIssued(key)) : holder;
    }
}
