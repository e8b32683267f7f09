package io.plenum.pooler.client;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * How many clients each database and each user has, over all loops: those that have proved who they are, but for the
 * console's. Any thread.
 */
public final class Headcount {
    private final Map<String, Integer> databases = new ConcurrentHashMap<>();
    private final Map<String, Integer> users = new ConcurrentHashMap<>();

    /** What one who wants to enter gets. */
    sealed interface Entry {}

    /** Which limit leaves no place. */
    enum Full implements Entry {
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
            }
        }
    }

    /** One more client of the database and the user, if their limits allow it; 0 is none. */
    Entry enter(String database, int mostOfDatabase, String user, int mostOfUser) {
        if (!take(databases, database, mostOfDatabase)) {
            return Full.DATABASE;
        }
        if (!take(users, user, mostOfUser)) {
            giveBack(databases, database);
            return Full.USER;
        }
        return new Seat(database, user);
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
