package io.plenum.pooler.client;

import io.plenum.pooler.peer.PeerKeys;
import io.plenum.wire.startup.CancelKey;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The keys by which clients cancel: random, and compared in constant time. Any thread. */
public final class CancelKeys {
    private static final int LONG_SECRET = 32;

    /** So many random bytes are drawn at once: a key needs few, and each draw asks the kernel. */
    private static final int DRAWN = 1024;

    private final SecureRandom random = new SecureRandom();
    private final ByteBuffer drawn = ByteBuffer.allocate(DRAWN).limit(0);
    private final IntSupplier ownId;

    private record Held(CancelKey key, ClientConnection client) {}

    /** By the number of the process: keys of peers have so few random bits in it that it comes twice. No list is empty. */
    private final Map<Integer, List<Held>> holders = new ConcurrentHashMap<>();

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
            if (key.processId() != 0 && enter(new Held(key, client))) {
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

    /** False if somebody has the key. */
    private boolean enter(Held held) {
        List<Held> all = holders.merge(held.key().processId(), List.of(held), (before, added) -> {
            boolean taken = before.stream().anyMatch(other -> other.key().equals(held.key()));
            return taken
                    ? before
                    : Stream.concat(before.stream(), added.stream()).toList();
        });
        return all.getLast() == held;
    }

    void withdraw(CancelKey key) {
        holders.computeIfPresent(key.processId(), (_, before) -> {
            List<Held> rest =
                    before.stream().filter(held -> !held.key().equals(key)).toList();
            return rest.isEmpty() ? null : rest;
        });
    }

    /** The client to whom we have given this as the number of its process; null where that is nobody, or not one alone. */
    @Nullable
    ClientConnection holder(int processId) {
        List<Held> held = holders.getOrDefault(processId, List.of());
        return held.size() == 1 ? held.getFirst().client() : null;
    }

    /** Whose key it is, however often a peer has passed it on; null when it is nobody's or the secret is wrong. */
    @Nullable
    ClientConnection holder(CancelKey key) {
        ClientConnection holder = find(key);
        return holder == null && ownId.getAsInt() != 0 ? find(PeerKeys.asIssued(key)) : holder;
    }

    private @Nullable ClientConnection find(CancelKey key) {
        for (Held held : holders.getOrDefault(key.processId(), List.of())) {
            if (held.key().equals(key)) {
                return held.client();
            }
        }
        return null;
    }
}
