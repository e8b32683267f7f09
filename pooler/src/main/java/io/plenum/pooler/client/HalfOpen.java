package io.plenum.pooler.client;

import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The clients that have not proved yet who they are, of all loops. Any thread.
 *
 * <p>When there are too many, of one address or at all, one makes room for the newest: the oldest of those that are refused
 * and only wait to hear of it, else the oldest of all. A login takes milliseconds, so whoever holds connections open without
 * logging in pushes out its own, and nobody who means it.
 *
 * <p>Clients that connect for each of their queries come and go here thousands of times a second, so the queues are chains
 * of the clients' own places and not collections.
 */
public final class HalfOpen {
    /** One of them; told on whatever thread another one came. */
    interface Client {
        void onEvicted();
    }

    private final Queue all = new Queue(); // guarded by this
    private final Map<InetAddress, Queue> byAddress = new HashMap<>(); // guarded by this
    private final AtomicLong evictions = new AtomicLong();

    /** One client among them, from {@link #enter} to {@link #leave}. */
    static final class Entry {
        private final Client client;
        private final @Nullable InetAddress address;
        private final Place ofAll = new Place(this);
        private final Place ofAddress = new Place(this);

        private Entry(Client client, @Nullable InetAddress address) {
            this.client = client;
            this.address = address;
        }
    }

    /** A place in a chain that is closed to a ring by the one place without a client, behind the newest. */
    private static final class Place {
        private final @Nullable Entry entry;
        private @Nullable Queue queue;
        private Place previous = this;
        private Place next = this;

        private Place(@Nullable Entry entry) {
            this.entry = entry;
        }

        void standBefore(Place other) {
            previous = other.previous;
            next = other;
            previous.next = this;
            other.previous = this;
        }

        void stepOut() {
            previous.next = next;
            next.previous = previous;
        }
    }

    /** Those who may be evicted, each kind oldest first. */
    private static final class Queue {
        private final Place open = new Place(null);
        private final Place refused = new Place(null);
        private int size;

        void add(Place newest) {
            newest.queue = this;
            newest.standBefore(open);
            size++;
        }

        @Nullable
        Entry victim() {
            return (refused.next == refused ? open : refused).next.entry;
        }

        void refuse(Place place) {
            if (place.queue == this) {
                place.stepOut();
                place.standBefore(refused);
            }
        }

        void remove(Place place) {
            if (place.queue == this) {
                place.queue = null;
                place.stepOut();
                size--;
            }
        }
    }

    /** Takes the client in, for which others may have to go. At a Unix socket there is no address to count by. */
    Entry enter(Client client, @Nullable InetAddress address, int most, int mostOfAddress) {
        var entry = new Entry(client, address);
        Entry neighbour = null;
        Entry other;
        synchronized (this) {
            all.add(entry.ofAll);
            if (address != null) {
                Queue same = byAddress.get(address);
                if (same == null) {
                    same = new Queue();
                    byAddress.put(address, same);
                }
                same.add(entry.ofAddress);
                neighbour = same.size > mostOfAddress ? same.victim() : null;
                if (neighbour != null) {
                    same.remove(neighbour.ofAddress);
                    all.remove(neighbour.ofAll);
                }
            }
            other = all.size > most ? all.victim() : null;
            if (other != null) {
                all.remove(other.ofAll); // its address forgets it when it leaves
            }
        }
        evict(neighbour);
        evict(other);
        return entry;
    }

    private void evict(@Nullable Entry victim) {
        if (victim != null) {
            evictions.incrementAndGet();
            victim.client.onEvicted();
        }
    }

    /** The client is refused, and stays only because it is to hear of it later. */
    synchronized void refuse(Entry entry) {
        all.refuse(entry.ofAll);
        Queue same = entry.ofAddress.queue;
        if (same != null) {
            same.refuse(entry.ofAddress);
        }
    }

    /** The client has got in, or is gone. A second call changes nothing. */
    synchronized void leave(Entry entry) {
        all.remove(entry.ofAll);
        Queue same = entry.ofAddress.queue;
        if (same != null) {
            same.remove(entry.ofAddress);
            if (same.size == 0) {
                byAddress.remove(entry.address);
            }
        }
    }

    public synchronized int size() {
        return all.size;
    }

    /** Those who had to make room, since the start. */
    public long evictions() {
        return evictions.get();
    }
}
