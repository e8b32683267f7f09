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
    /** Half of what failed before is forgotten each time this has passed. */
    static final Duration HALF_LIFE = Duration.ofSeconds(30);

    /** Failures of one user from one address that nobody notices. */
    static final int FREE = 3;

    /** Failures from one address, and new names asked for in vain or not yet proved, that make it suspect. */
    static final int SUSPICIOUS = 200;

    private static final long FIRST_NANOS = 100_000_000L;
    private static final long LONGEST_NANOS = 2_000_000_000L;
    private static final long OF_SUSPECTS_NANOS = 500_000_000L;

    /** More than are kept of either kind push out those who have not failed for longest. */
    private static final int MOST = 10_000;

    private static final InetAddress UNIX = InetAddress.ofLiteral("0.0.0.0");

    private final Map<Pair, Count> pairs = bounded(); // guarded by this
    private final Map<InetAddress, Count> places = bounded(); // guarded by this

    private record Pair(InetAddress address, String user) {}

    /** Failures that are not forgotten yet, as of then. */
    private record Count(int failures, long atNanos) {
        static Count plus(@Nullable Count before, int more, long now) {
            Count kept = before == null ? new Count(0, now) : before.at(now);
            return new Count(Math.clamp((long) kept.failures() + more, 0, MOST), kept.atNanos());
        }

        Count at(long now) {
            long halves = (now - atNanos) / HALF_LIFE.toNanos();
            return halves == 0
                    ? this
                    : new Count(failures >> Math.min(halves, 31), atNanos + halves * HALF_LIFE.toNanos());
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
        Count ofPlace = places.compute(place, (_, before) -> Count.plus(before, 1, now));
        Count ofPair = pairs.compute(new Pair(place, user), (_, before) -> Count.plus(before, 1, now));
        long delay = 0;
        if (ofPair.failures() > FREE) {
            int doublings = Math.min(ofPair.failures() - FREE - 1, 20);
            delay = Math.min(FIRST_NANOS << doublings, LONGEST_NANOS);
        }
        return ofPlace.failures() > SUSPICIOUS ? Math.max(delay, OF_SUSPECTS_NANOS) : delay;
    }

    /** The user has got in from there: what was wrong before is forgotten. */
    synchronized void onSuccess(@Nullable InetAddress address, String user, boolean wasAskedFor, long now) {
        if (!pairs.isEmpty()) {
            pairs.remove(new Pair(place(address), user));
        }
        if (wasAskedFor) {
            places.computeIfPresent(place(address), (_, before) -> Count.plus(before, -1, now));
        }
    }

    synchronized boolean isSuspect(@Nullable InetAddress address, long now) {
        Count count = places.isEmpty() ? null : places.get(place(address));
        return count != null && count.at(now).failures() > SUSPICIOUS;
    }

    /** The same for whoever asks for a name that is new: it counts as a failure until it has succeeded. */
    synchronized boolean isSuspectToAsk(@Nullable InetAddress address, long now) {
        return places.compute(place(address), (_, before) -> Count.plus(before, 1, now))
                        .failures()
                > SUSPICIOUS;
    }

    /** All who come over Unix sockets are in one place. */
    private static InetAddress place(@Nullable InetAddress address) {
        return address == null ? UNIX : address;
    }
}
