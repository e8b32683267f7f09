package io.plenum.pooler.client;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** How many clients there are, over all loops, and whether new ones are welcome. Any thread. */
public final class Admission {
    /** How long who waits for servers leaves those alone who ask for none, as PgBouncer does for as long as it waits. */
    private static final long QUIET_NANOS = 1_000_000_000L;

    private final AtomicInteger connected = new AtomicInteger();
    private final HalfOpen halfOpen = new HalfOpen();
    private final Set<String> disabled = ConcurrentHashMap.newKeySet();
    private final AtomicInteger consoles = new AtomicInteger();
    private final Headcount headcount = new Headcount();
    private volatile long freeingSinceNanos;
    private volatile Phase phase = Phase.OPEN;
    private volatile boolean suspended;

    /** From the first to the last thing that a pooler does; never backwards. */
    public enum Phase {
        /** All are welcome. */
        OPEN,
        /** Still all are welcome, but balancers in front of us are told to send no more: {@code /readyz}. */
        UNREADY,
        /** No new logins, save to the console; whoever is there may stay. */
        REFUSING,
        /** No new logins, and no transaction begins; in session mode, who has a server keeps it. */
        FREEING,
        /** No new logins, and clients leave between their transactions. */
        CLOSING
    }

    void enter() {
        connected.incrementAndGet();
    }

    void leave() {
        connected.decrementAndGet();
    }

    /** Those who have logged in, by database and user. */
    Headcount headcount() {
        return headcount;
    }

    /** Clients that are still logging in. */
    public HalfOpen halfOpen() {
        return halfOpen;
    }

    void enterConsole() {
        consoles.incrementAndGet();
    }

    void leaveConsole() {
        consoles.decrementAndGet();
    }

    /** All sockets of clients, but for those that are logged in to the console. */
    public int connectedToDatabases() {
        return connected.get() - consoles.get();
    }

    /** Those of {@link #connected()} that are logged in to the console. */
    public int consoles() {
        return consoles.get();
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

    /** Whether nothing is read of clients that are logged in, save those of the console. */
    public boolean isSuspended() {
        return suspended;
    }

    public void setSuspended(boolean suspend) {
        suspended = suspend;
    }

    /** Goes on to that phase; one that has passed stays so. */
    public synchronized void advance(Phase next) {
        if (next.compareTo(phase) > 0) {
            freeingSinceNanos = next == Phase.FREEING ? System.nanoTime() : freeingSinceNanos;
            phase = next;
        }
    }

    public Phase phase() {
        return phase;
    }

    /** Whether nobody new may log in to a database. */
    public boolean isRefusing() {
        return phase.compareTo(Phase.REFUSING) >= 0;
    }

    /** Whether no transaction begins any more. */
    public boolean isClosing() {
        return phase.compareTo(Phase.FREEING) >= 0;
    }

    /** Whether clients that ask for nothing are sent away too. */
    boolean isSendingAway() {
        Phase now = phase;
        return now == Phase.CLOSING || (now == Phase.FREEING && System.nanoTime() - freeingSinceNanos > QUIET_NANOS);
    }
}
