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
 * The clients that have not proved yet who they are, of all loops. Any thread.
 *
 * <p>When there are too many, of one address or at all, one makes room for the newest: the oldest of those that are refused
 * and only wait to hear of it, else the oldest of all. A login takes milliseconds, so whoever holds connections open without
 * logging in pushes out its own, and nobody who means it.
 */
public final class HalfOpen {
    /** One of them; told on whatever thread another one came. */
    interface Client {
        void onEvicted();
    }

    private final Queue all = new Queue(); // guarded by this
    private final Map<InetAddress, Queue> byAddress = new HashMap<>(); // guarded by this
    private final AtomicLong evictions = new AtomicLong();

    /** Those who may be evicted, each kind oldest first. */
    private static final class Queue {
        private final Set<Client> open = new LinkedHashSet<>();
        private final Set<Client> refused = new LinkedHashSet<>();

        int size() {
            return open.size() + refused.size();
        }

        Client victim() {
            Iterator<Client> clients = (refused.isEmpty() ? open : refused).iterator();
            return clients.next();
        }

        void refuse(Client client) {
            if (open.remove(client)) {
                refused.add(client);
            }
        }

        void remove(Client client) {
            if (!open.remove(client)) {
                refused.remove(client);
            }
        }
    }

    /** Takes the client in, for which others may have to go. At a Unix socket there is no address to count by. */
    void enter(Client client, @Nullable InetAddress address, int most, int mostOfAddress) {
        List<Client> evicted = new ArrayList<>();
        synchronized (this) {
            all.open.add(client);
            if (address != null) {
                Queue same = byAddress.computeIfAbsent(address, _ -> new Queue());
                same.open.add(client);
                if (same.size() > mostOfAddress) {
                    Client victim = same.victim();
                    same.remove(victim);
                    all.remove(victim);
                    evicted.add(victim);
                }
            }
            if (all.size() > most) {
                Client victim = all.victim();
                all.remove(victim); // its address forgets it when it leaves
                evicted.add(victim);
            }
        }
        evictions.addAndGet(evicted.size());
        evicted.forEach(Client::onEvicted);
    }

    /** The client is refused, and stays only because it is to hear of it later. */
    synchronized void refuse(Client client, @Nullable InetAddress address) {
        all.refuse(client);
        Queue same = address == null ? null : byAddress.get(address);
        if (same != null) {
            same.refuse(client);
        }
    }

    /** The client has got in, or is gone. A second call changes nothing. */
    synchronized void leave(Client client, @Nullable InetAddress address) {
        all.remove(client);
        Queue same = address == null ? null : byAddress.get(address);
        if (same != null) {
            same.remove(client);
            if (same.size() == 0) {
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
