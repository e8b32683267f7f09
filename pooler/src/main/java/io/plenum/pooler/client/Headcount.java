package io.plenum.pooler.client;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How many clients each database and each user has, over all loops: those that have proved who they are, but for the
 * console's. Any thread.
 */
public final class Headcount {
    private final AtomicInteger all = new AtomicInteger();
    private final Map<String, Integer> databases = new ConcurrentHashMap<>();
    private final Map<String, Integer> users = new ConcurrentHashMap<>();

    /** What one who wants to enter gets. */
    sealed interface Entry {}

    /** Which limit leaves no place. */
    enum Full implements Entry {
        ALL,
        DATABASE,
        USER
    }

    /** A place, to be left once; more often changes nothing. */
    final class Seat implements Entry {
        private final String database;
        private final String user;
        private final AtomicBoolean left = new AtomicBoolean();

        private Seat(String database, String user) {
            this.database = database;
            this.user = user;
        }

        void leave() {
            if (!left.getAndSet(true)) {
                giveBack(databases, database);
                giveBack(users, user);
                all.decrementAndGet();
            }
        }
    }

    /** One more client, of the database and the user, if all limits allow it; of theirs 0 is none. */
    Entry enter(int most, String database, int mostOfDatabase, String user, int mostOfUser) {
        if (all.incrementAndGet() > most) {
            all.decrementAndGet();
            return Full.ALL;
        }
        Entry entry = enter(database, mostOfDatabase, user, mostOfUser);
        if (!(entry instanceof Seat)) {
            all.decrementAndGet();
        }
        return entry;
    }

    private Entry enter(String database, int mostOfDatabase, String user, int mostOfUser) {
        if (!take(databases, database, mostOfDatabase)) {
            return Full.DATABASE;
        }
        if (!take(users, user, mostOfUser)) {
            giveBack(databases, database);
            return Full.USER;
        }
        return new Seat(database, user);
    }

    /** All who are in. */
    int all() {
        return all.get();
    }

    private static boolean take(Map<String, Integer> counts, String name, int most) {
        int now = counts.merge(name, 1, Integer::sum);
        if (most > 0 && now > most) {
            giveBack(counts, name);
            return false;
        }
        return true;
    }

    private static void giveBack(Map<String, Integer> counts, String name) {
        counts.computeIfPresent(name, (key, count) -> count == 1 ? null : count - 1);
    }
}
