package io.plenum.pooler.client;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The clients that have not proved yet who they are, of all loops, oldest first. Any thread.
 *
 * <p>When there are too many, of one address or at all, the oldest makes room for the newest: a login takes milliseconds,
 * so whoever holds connections open without logging in pushes out its own, and nobody who means it.
 */
public final class HalfOpen {
    /** One of them; told on whatever thread another one came. */
    interface Client {
        void onEvicted();
    }

    private final Set<Client> all = new LinkedHashSet<>(); // guarded by this
    private final Map<InetAddress, Set<Client>> byAddress = new HashMap<>(); // guarded by this
    private final AtomicLong evictions = new AtomicLong();

    /** Takes the client in, for which others may have to go. At a Unix socket there is no address to count by. */
    void enter(Client client, @Nullable InetAddress address, int most, int mostOfAddress) {
        List<Client> evicted = new ArrayList<>();
        synchronized (this) {
            all.add(client);
            if (address != null) {
                Set<Client> same = byAddress.computeIfAbsent(address, _ -> new LinkedHashSet<>());
                same.add(client);
                if (same.size() > mostOfAddress) {
                    evicted.add(takeOldest(same));
                }
            }
            all.removeAll(evicted);
            if (all.size() > most) {
                evicted.add(takeOldest(all));
            }
        }
        evictions.addAndGet(evicted.size());
        evicted.forEach(Client::onEvicted);
    }

    private static Client takeOldest(Set<Client> clients) {
        Iterator<Client> oldest = clients.iterator();
        Client client = oldest.next();
        oldest.remove();
        return client;
    }

    /** The client has got in, or is gone. A second call changes nothing. */
    synchronized void leave(Client client, @Nullable InetAddress address) {
        all.remove(client);
        Set<Client> same = address == null ? null : byAddress.get(address);
        if (same != null) {
            same.remove(client);
            if (same.isEmpty()) {
                byAddress.remove(address);
            }
        }
    }

    public synchronized int size() {
        return all.size();
    }

    /** Those who had to make room, since the start. */
    public long evictions() {
        return evictions.get();
    }
}
