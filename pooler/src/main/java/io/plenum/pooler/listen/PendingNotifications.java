package io.plenum.pooler.listen;

import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What one client has yet to hear because it is inside a transaction, or does not read; oldest first, bounded in number and
 * bytes.
 *
 * <p>Manual, "NOTIFY": a notification is delivered between transactions only. A client that listens to nothing costs one
 * empty reference. Confined to the client's loop.
 */
public final class PendingNotifications {
    public static final int MAX_COUNT = 4_096;
    public static final int MAX_BYTES = 1024 * 1024;

    private final int maxCount;
    private final int maxBytes;
    private @Nullable ArrayDeque<Notification> queue;
    private int bytes;

    public PendingNotifications() {
        this(MAX_COUNT, MAX_BYTES);
    }

    PendingNotifications(int maxCount, int maxBytes) {
        this.maxCount = maxCount;
        this.maxBytes = maxBytes;
    }

    /** Appends it; false, and nothing is appended, when there would be too many: then the client cannot be served on. */
    boolean offer(Notification notification) {
        if (size() >= maxCount || bytes + notification.size() > maxBytes) {
            return false;
        }
        ArrayDeque<Notification> waiting = queue;
        if (waiting == null) {
            waiting = new ArrayDeque<>();
            queue = waiting;
        }
        waiting.addLast(notification);
        bytes += notification.size();
        return true;
    }

    /** Takes all out, oldest first. */
    void drainTo(Consumer<Notification> taker) {
        ArrayDeque<Notification> waiting = queue;
        clear();
        if (waiting != null) {
            waiting.forEach(taker);
        }
    }

    /** Takes all out and appends their messages, oldest first. */
    void writeTo(ByteBuf out) {
        drainTo(notification -> notification.writeTo(out));
    }

    /** Forgets what is on other channels than these. */
    void retain(Predicate<String> channels) {
        ArrayDeque<Notification> waiting = queue;
        if (waiting == null) {
            return;
        }
        waiting.removeIf(notification -> {
            boolean forget = !channels.test(notification.channel());
            if (forget) {
                bytes -= notification.size();
            }
            return forget;
        });
        if (waiting.isEmpty()) {
            clear();
        }
    }

    /** Forgets all of them and the memory that they took. */
    void clear() {
        queue = null;
        bytes = 0;
    }

    boolean isEmpty() {
        return queue == null;
    }

    int size() {
        return queue == null ? 0 : queue.size();
    }

    /** Sum of the messages' sizes. */
    int bytes() {
        return bytes;
    }
}
