package io.plenum.pooler.client;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * How many clients each database and each user has, over all loops: those that have proved who they are, but for the
 * console's. Any thread.
 */
public final class Headcount {
    private final AtomicInteger all = new AtomicInteger();
    private final Map<String, Count> databases = new ConcurrentHashMap<>();
    private final Map<String, Count> users = new ConcurrentHashMap<>();

    /** How many of one name there are; names of which there are none are not kept. */
    private static final class Count {
        /** Taken out of its map, or about to be. */
        private static final int GONE = -1;

        private final String name;
        private final AtomicInteger taken = new AtomicInteger();

        Count(String name) {
            this.name = name;
        }

        /** One more of the name; null when there are as many as may be, 0 for any number. */
        static @Nullable Count take(Map<String, Count> counts, String name, int most) {
            while (true) {
                Count count = counts.get(name);
                if (count == null) {
                    count = counts.computeIfAbsent(name, Count::new);
                }
                int now = count.taken.get();
                if (now == GONE) {
                    counts.remove(name, count); // whoever left last is on the way to it
                } else if (most > 0 && now >= most) {
                    return null;
                } else if (count.taken.compareAndSet(now, now + 1)) {
                    return count;
                }
            }
        }

        void giveBack(Map<String, Count> counts) {
            if (taken.decrementAndGet() == 0 && taken.compareAndSet(0, GONE)) {
                counts.remove(name, this);
            }
        }
    }

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
        private final Count database;
        private final Count user;
        private final AtomicBoolean left = new AtomicBoolean();

        private Seat(Count database, Count user) {
            this.database = database;
            this.user = user;
        }

        void leave() {
            if (!left.getAndSet(true)) {
                database.giveBack(databases);
                user.giveBack(users);
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
        Count ofDatabase = Count.take(databases, database, mostOfDatabase);
        if (ofDatabase == null) {
            return Full.DATABASE;
        }
        Count ofUser = Count.take(users, user, mostOfUser);
        if (ofUser == null) {
            ofDatabase.giveBack(databases);
            return Full.USER;
        }
        return new Seat(ofDatabase, ofUser);
    }

    /** Whether more than {@code expected} says are in a database of which that is asked, by the name that clients give. */
    boolean hasMore(Predicate<String> meant, ToIntFunction<String> expected) {
        return databases.values().stream()
                .anyMatch(count -> count.taken.get() > expected.applyAsInt(count.name) && meant.test(count.name));
    }

    /** All who are in. */
    int all() {
        return all.get();
    }
}
