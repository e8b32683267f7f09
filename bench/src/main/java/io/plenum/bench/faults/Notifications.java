package io.plenum.bench.faults;

import io.plenum.testbed.Message;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * What a client notifies itself of, on a channel that is its own, and what it hears of that. Confined to the client's thread.
 *
 * <p>A pooler may deliver late, so what was committed is awaited beyond its ReadyForQuery. What did not come is missing, unless the
 * pooler's listener connection was away meanwhile.
 */
final class Notifications {
    /** A notification that takes longer is missing. */
    static final Duration LATEST = Duration.ofSeconds(10);

    private record Sent(String payload, long sinceNanos, long committedNanos) {}

    private final String token;
    private final Tally tally;
    private final ListenerAbsences absences;
    private final Deque<Sent> awaited = new ArrayDeque<>();
    private boolean listening;
    /** What may come before its transaction is known to be committed; null for nothing. */
    private @Nullable Sent underWay;

    private boolean underWayHeard;

    /** @param token of the session: the channel's name, and the beginning of each payload */
    Notifications(String token, Tally tally, ListenerAbsences absences) {
        this.token = token;
        this.tally = tally;
        this.absences = absences;
    }

    String channel() {
        return token;
    }

    boolean isListening() {
        return listening;
    }

    void onListen() {
        listening = true;
    }

    void onUnlisten() {
        listening = false;
    }

    boolean isAwaiting() {
        return !awaited.isEmpty();
    }

    /** A transaction with this payload begins. */
    void onSending(String payload, long nowNanos) {
        underWay = new Sent(payload, nowNanos, nowNanos);
        underWayHeard = false;
    }

    void onCommitted(long nowNanos) {
        if (underWay != null && !underWayHeard) {
            awaited.addLast(new Sent(underWay.payload(), underWay.sinceNanos(), nowNanos));
        }
        underWay = null;
    }

    /** Must not come any more. */
    void onRolledBack() {
        underWay = null;
    }

    /** A NotificationResponse came. */
    void onMessage(Message message) {
        // Manual, "Message Formats", NotificationResponse: process, channel, payload.
        var fields = new String(
                        message.body(), Integer.BYTES, message.body().length - Integer.BYTES, StandardCharsets.UTF_8)
                .split("\0", -1);
        var channel = fields[0];
        var payload = fields[1];
        if (!channel.equals(token) || !payload.startsWith(token + ".")) {
            tally.wrong.increment();
            tally.find("%s heard what is another's: %s on %s".formatted(token, payload, channel));
        } else if (underWay != null && underWay.payload().equals(payload) && !underWayHeard) {
            underWayHeard = true;
            awaited.forEach(this::lose);
            awaited.clear();
            tally.notifications.increment();
        } else if (awaited.stream().anyMatch(sent -> sent.payload().equals(payload))) {
            var first = awaited.removeFirst();
            while (!first.payload().equals(payload)) {
                lose(first); // notifications come in order
                first = awaited.removeFirst();
            }
            tally.notifications.increment();
        } else {
            tally.extra.increment();
            tally.find("%s heard what it did not notify, took back, or heard before: %s".formatted(token, payload));
        }
    }

    /** Gives up what has been awaited for too long. */
    void expire(long nowNanos) {
        var first = awaited.peekFirst();
        while (first != null && nowNanos - first.committedNanos() > LATEST.toNanos()) {
            awaited.removeFirst();
            lose(first);
            first = awaited.peekFirst();
        }
    }

    private void lose(Sent sent) {
        if (absences.touches(sent.sinceNanos(), sent.committedNanos() + LATEST.toNanos())) {
            tally.count("notifications gone with the listener");
        } else {
            tally.missing.increment();
            tally.find("%s did not hear what it notified: %s".formatted(token, sent.payload()));
        }
    }
}
