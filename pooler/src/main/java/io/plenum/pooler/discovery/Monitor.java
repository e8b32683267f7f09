package io.plenum.pooler.discovery;

import io.netty.util.concurrent.Future;
import io.plenum.pooler.net.Loop;
import io.plenum.routing.topology.Node;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps asking one node what it is: every second, and more often while something is amiss. Confined to the control loop.
 */
final class Monitor {
    /** Whom the answers are for. */
    interface Listener {
        void onAnswer(Monitor monitor, ProbeResult.Answered answer);

        /** Nobody is there: refused, or {@value #MISSES} probes in a row without an answer. */
        void onUnreachable(Monitor monitor, String reason);

        /** It takes no new sessions. */
        void onRefusing(Monitor monitor, String reason);

        void onBarred(Monitor monitor, String reason);

        void onUnasked();

        /** Whether news of any node is awaited: then it is asked more often. */
        boolean isEager();
    }

    static final int MISSES = 3;
    static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);
    static final long EAGER_INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** Logins that fail cost the server a process each and fill its log. */
    private static final long BARRED_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final long SUSPECTED_NANOS = TimeUnit.SECONDS.toNanos(3);
    private static final long APART_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final Node node;
    private final Loop loop;
    private final LongSupplier clock;
    private final Listener listener;
    private final Prober prober;

    private @Nullable Future<?> next;
    private boolean probing;
    private boolean again;
    private boolean renewing;
    private boolean stopped;
    private int misses;
    private long endedNanos;
    private long suspectedUntilNanos;
    private long startedMicros;

    Monitor(Node node, Loop loop, LongSupplier clock, Prober.Factory probers, Listener listener) {
        this.node = node;
        this.loop = loop;
        this.clock = clock;
        this.listener = listener;
        this.prober = probers.of(node, this::suspect);
        long now = clock.getAsLong();
        this.endedNanos = now - APART_NANOS;
        this.suspectedUntilNanos = now;
    }

    Node node() {
        return node;
    }

    /** When the server that answered last was started; 0 while none answers. Two nodes with the same are one server. */
    long startedMicros() {
        return startedMicros;
    }

    /** Asks now, unless it has just been done. */
    void probeSoon() {
        if (stopped) {
            return;
        }
        if (probing) {
            again = true; // what is under way may have been answered before whatever made us ask
            return;
        }
        plan(Math.max(0, APART_NANOS - (clock.getAsLong() - endedNanos)));
    }

    /** Something about the node is odd: asks now, and often for a while. */
    void suspect() {
        suspectedUntilNanos = clock.getAsLong() + SUSPECTED_NANOS;
        probeSoon();
    }

    /** The node has refused somebody else a session. */
    void suspectRefusal() {
        prober.renewConnection();
        suspect();
    }

    /**
     * The node is to end, as far as anybody knows, or is not any more. The smart shutdown of a standby would wait for a connection
     * that we keep. A primary is used until its own begins, and only a new connection is told of that.
     */
    void setLeaving(boolean leaving, boolean replica) {
        prober.keepConnection(!leaving || !replica);
        renewing = leaving && !replica;
    }

    void stop() {
        stopped = true;
        if (next != null) {
            next.cancel(false);
        }
        prober.close();
    }

    private void plan(long delayNanos) {
        if (next != null) {
            next.cancel(false);
        }
        next = loop.executor().schedule(this::probe, delayNanos, TimeUnit.NANOSECONDS);
    }

    private void probe() {
        next = null;
        probing = true;
        again = false;
        if (renewing) {
            prober.renewConnection();
        }
        prober.probe(this::onResult);
    }

    private void onResult(ProbeResult result) {
        probing = false;
        if (stopped) {
            return;
        }
        endedNanos = clock.getAsLong();
        long delay = isHurried(endedNanos) ? EAGER_INTERVAL_NANOS : INTERVAL_NANOS;
        switch (result) {
            case ProbeResult.Answered answer -> {
                misses = 0;
                startedMicros = answer.startedMicros();
                listener.onAnswer(this, answer);
                delay = isHurried(endedNanos) ? EAGER_INTERVAL_NANOS : INTERVAL_NANOS; // the answer may settle things
            }
            case ProbeResult.Gone(String reason) -> onGone(reason);
            case ProbeResult.Refusing(String reason) -> {
                misses = 0;
                startedMicros = 0;
                listener.onRefusing(this, reason);
                delay = isHurried(endedNanos) ? EAGER_INTERVAL_NANOS : INTERVAL_NANOS; // there may be no primary now
            }
            case ProbeResult.Silent() -> {
                misses++;
                if (misses >= MISSES) {
                    onGone("no answer to %d probes".formatted(misses));
                } else {
                    delay = 0;
                }
            }
            case ProbeResult.Barred(String reason) -> {
                misses = 0;
                delay = isHurried(endedNanos) ? INTERVAL_NANOS : BARRED_INTERVAL_NANOS;
                listener.onBarred(this, reason);
            }
            case ProbeResult.Unasked() -> listener.onUnasked();
        }
        if (stopped || next != null) {
            return; // the listener had it stopped, or asked again
        }
        if (again) {
            delay = APART_NANOS;
        }
        plan(delay == 0 ? 0 : jittered(delay));
    }

    private void onGone(String reason) {
        startedMicros = 0;
        listener.onUnreachable(this, reason);
    }

    private boolean isHurried(long now) {
        return now - suspectedUntilNanos < 0 || listener.isEager();
    }

    private static long jittered(long nanos) {
        return nanos - nanos / 10 + ThreadLocalRandom.current().nextLong(nanos / 5);
    }
}
