package io.plenum.pooler.client;

import io.plenum.wire.startup.CancelKey;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The keys by which clients cancel: random, and compared in constant time. Any thread. */
public final class CancelKeys {
    private static final int LONG_SECRET = 32;

    /** So many random bytes are drawn at once: a key needs few, and each draw asks the kernel. */
    private static final int DRAWN = 1024;

    private final SecureRandom random = new SecureRandom();
    private final ByteBuffer drawn = ByteBuffer.allocate(DRAWN).limit(0);
    private final Map<Integer, Holder> holders = new ConcurrentHashMap<>();

    private record Holder(CancelKey key, ClientConnection client) {}

    /** A key for the client; {@code longSecret} where its protocol is 3.2 or later. */
    CancelKey issue(ClientConnection client, boolean longSecret) {
        while (true) {
            var key = draw(longSecret ? LONG_SECRET : CancelKey.OLD_SECRET);
            if (key.processId() != 0 && holders.putIfAbsent(key.processId(), new Holder(key, client)) == null) {
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
        holders.remove(key.processId());
    }

    /** Whose key it is; null when it is nobody's or the secret is wrong. */
    @Nullable
    ClientConnection holder(CancelKey key) {
        Holder holder = holders.get(key.processId());
        return holder != null && holder.key().equals(key) ? holder.client() : null;
    }
}
