package io.plenum.pooler.auth;

import java.net.InetAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Who has failed to log in of late, and how long the next failure is held back. Any thread.
 *
 * <p>Only what is wrong waits: a right password gets in at once, from wherever and after however many wrong ones, so that
 * nobody can lock out anybody else. Addresses that fail often are suspect: their work goes behind that of others.
 */
final class FailedLogins {
    static final Duration FORGET_AFTER = Duration.ofSeconds(60);

    /** Failures of one user from one address that nobody notices. */
    static final int FREE = 3;

    /** Failures from one address, whoever they were to be, that make it suspect. */
    static final int SUSPICIOUS = 30;

    private static final long FIRST_NANOS = 100_000_000L;
    private static final long LONGEST_NANOS = 2_000_000_000L;
    private static final long OF_SUSPECTS_NANOS = 500_000_000L;

    /** More than are kept of either kind push out those who have not failed for longest. */
    private static final int MOST = 10_000;

    private static final InetAddress UNIX = InetAddress.ofLiteral("0.0.0.0");

    private final Map<Pair, Count> pairs = bounded(); // guarded by this
    private final Map<InetAddress, Count> places = bounded(); // guarded by this

    private record Pair(InetAddress address, String user) {}

    /** Failures that are not forgotten yet, and the last of them. */
    private record Count(int failures, long lastNanos) {
        static Count next(@Nullable Count before, long now) {
            boolean forgotten = before == null || now - before.lastNanos() > FORGET_AFTER.toNanos();
            return new Count(forgotten ? 1 : Math.min(before.failures() + 1, 1_000_000), now);
        }

        boolean isBeyond(int most, long now) {
            return failures > most && now - lastNanos <= FORGET_AFTER.toNanos();
        }
    }

    private static <K> Map<K, Count> bounded() {
        return new LinkedHashMap<>(64, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<K, Count> eldest) {
                return size() > MOST;
            }
        };
    }

    /** Takes note of a failure and says for how long the client is not to hear of it, in nanoseconds. */
    synchronized long onFailure(@Nullable InetAddress address, String user, long now) {
        InetAddress place = place(address);
        Count ofPlace = places.compute(place, (_, before) -> Count.next(before, now));
        Count ofPair = pairs.compute(new Pair(place, user), (_, before) -> Count.next(before, now));
        long delay = 0;
        if (ofPair.failures() > FREE) {
            int doublings = Math.min(ofPair.failures() - FREE - 1, 20);
            delay = Math.min(FIRST_NANOS << doublings, LONGEST_NANOS);
        }
        return ofPlace.failures() > SUSPICIOUS ? Math.max(delay, OF_SUSPECTS_NANOS) : delay;
    }

    /** The user has got in from there: what was wrong before is forgotten. */
    synchronized void onSuccess(@Nullable InetAddress address, String user) {
        if (!pairs.isEmpty()) {
            pairs.remove(new Pair(place(address), user));
        }
    }

    synchronized boolean isSuspect(@Nullable InetAddress address, long now) {
        Count count = places.isEmpty() ? null : places.get(place(address));
        return count != null && count.isBeyond(SUSPICIOUS, now);
    }

    /** All who come over Unix sockets are in one place. */
    private static InetAddress place(@Nullable InetAddress address) {
        return address == null ? UNIX : address;
    }
}
