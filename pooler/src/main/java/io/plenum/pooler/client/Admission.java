package io.plenum.pooler.client;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** How many clients there are, over all loops, and whether new ones are welcome. Any thread. */
public final class Admission {
    private final AtomicInteger connected = new AtomicInteger();
    private final AtomicLong ids = new AtomicLong();
    private final Set<String> disabled = ConcurrentHashMap.newKeySet();
    private volatile boolean closing;

    long enter() {
        connected.incrementAndGet();
        return ids.incrementAndGet();
    }

    void leave() {
        connected.decrementAndGet();
    }

    /** All sockets of clients, those that still log in among them. */
    public int connected() {
        return connected.get();
    }

    /** Refuses new logins to a database, or takes them again. */
    public void setDisabled(String database, boolean disable) {
        if (disable) {
            disabled.add(database);
        } else {
            disabled.remove(database);
        }
    }

    public boolean isDisabled(String database) {
        return disabled.contains(database);
    }

    /** No new logins, and clients leave between their transactions: the process ends. */
    public void close() {
        closing = true;
    }

    public boolean isClosing() {
        return closing;
    }
}
