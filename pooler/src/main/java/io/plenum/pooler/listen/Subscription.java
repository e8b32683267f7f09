package io.plenum.pooler.listen;

import io.netty.util.concurrent.Future;
import io.plenum.pooler.net.Loop;
import io.plenum.wire.error.ErrorResponse;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One client's wish to hear one channel: waiting until the hub listens, then confirmed, in the end over.
 *
 * <p>Confined to the client's loop, save for the final fields and {@link #heldByHub}.
 */
public final class Subscription {
    private final String channel;
    private final NotificationListener listener;
    private final Loop loop;
    private final Runnable confirmed;
    private final Consumer<ErrorResponse> failed;
    private State state = State.WAITING;
    private @Nullable Future<?> deadline;

    /** Whether the hub has confirmed it. Confined to the hub's loop. */
    boolean heldByHub;

    private enum State {
        WAITING,
        CONFIRMED,
        OVER
    }

    Subscription(
            String channel,
            NotificationListener listener,
            Loop loop,
            Runnable confirmed,
            Consumer<ErrorResponse> failed) {
        this.channel = channel;
        this.listener = listener;
        this.loop = loop;
        this.confirmed = confirmed;
        this.failed = failed;
    }

    String channel() {
        return channel;
    }

    /** Whether the hub was known to listen when this was last looked at, and the subscription is not over. */
    boolean isConfirmed() {
        return state == State.CONFIRMED;
    }

    Loop loop() {
        return loop;
    }

    void setDeadline(Future<?> deadline) {
        this.deadline = deadline;
    }

    void confirm() {
        if (state == State.WAITING) {
            state = State.CONFIRMED;
            cancelDeadline();
            confirmed.run();
        }
    }

    /** Ends a subscription that still waits; whether it did. */
    boolean fail(ErrorResponse error) {
        if (state != State.WAITING) {
            return false;
        }
        end();
        failed.accept(error);
        return true;
    }

    /** Whether this ended it: nothing is called from here on. */
    boolean end() {
        boolean ends = state != State.OVER;
        state = State.OVER;
        cancelDeadline();
        return ends;
    }

    void deliver(Notification notification) {
        if (state == State.CONFIRMED) {
            listener.onNotification(notification);
        }
    }

    void tellGap() {
        if (state == State.CONFIRMED) {
            listener.onGap(channel);
        }
    }

    private void cancelDeadline() {
        if (deadline != null) {
            deadline.cancel(false);
            deadline = null;
        }
    }
}
