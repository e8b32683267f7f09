package io.plenum.pooler.client;

import io.plenum.wire.startup.CancelKey;
import java.security.SecureRandom;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The keys by which clients cancel: random, and compared in constant time. Any thread. */
public final class CancelKeys {
    private static final int LONG_SECRET = 32;

    private final SecureRandom random = new SecureRandom();
    private final Map<Integer, Holder> holders = new ConcurrentHashMap<>();

    private record Holder(CancelKey key, ClientConnection client) {}

    /** A key for the client; {@code longSecret} where its protocol is 3.2 or later. */
    CancelKey issue(ClientConnection client, boolean longSecret) {
        byte[] secret = new byte[longSecret ? LONG_SECRET : CancelKey.OLD_SECRET];
        random.nextBytes(secret);
        while (true) {
            int processId = random.nextInt(1, Integer.MAX_VALUE); // drivers show it as a process, so it is positive
            var key = new CancelKey(processId, secret);
            if (holders.putIfAbsent(processId, new Holder(key, client)) == null) {
                return key;
            }
        }
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
