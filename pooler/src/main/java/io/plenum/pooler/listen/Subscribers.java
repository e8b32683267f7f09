package io.plenum.pooler.listen;

import io.plenum.pooler.net.Loop;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Who subscribed to one channel, by loop. Confined to the hub's loop; the arrays are replaced and never changed, so that
 * another loop may walk one that it was handed.
 */
final class Subscribers {
    /** Those of one loop. */
    static final class OfLoop {
        private final Loop loop;
        private Subscription[] subscriptions = new Subscription[0];

        OfLoop(Loop loop) {
            this.loop = loop;
        }

        Loop loop() {
            return loop;
        }

        Subscription[] now() {
            return subscriptions;
        }
    }

    private final List<OfLoop> loops = new ArrayList<>(1);

    void add(Subscription subscription) {
        OfLoop part = part(subscription.loop());
        Subscription[] more = Arrays.copyOf(part.subscriptions, part.subscriptions.length + 1);
        more[more.length - 1] = subscription;
        part.subscriptions = more;
    }

    private OfLoop part(Loop loop) {
        for (OfLoop part : loops) {
            if (part.loop.equals(loop)) {
                return part;
            }
        }
        var made = new OfLoop(loop);
        loops.add(made);
        return made;
    }

    void remove(Subscription subscription) {
        OfLoop part = part(subscription.loop());
        List<Subscription> rest = new ArrayList<>(part.subscriptions.length);
        for (Subscription one : part.subscriptions) {
            if (one != subscription) {
                rest.add(one);
            }
        }
        part.subscriptions = rest.toArray(Subscription[]::new);
        if (rest.isEmpty()) {
            loops.remove(part);
        }
    }

    boolean isEmpty() {
        return loops.isEmpty();
    }

    int size() {
        int size = 0;
        for (OfLoop part : loops) {
            size += part.subscriptions.length;
        }
        return size;
    }

    List<OfLoop> loops() {
        return loops;
    }

    void forEach(Consumer<Subscription> task) {
        for (OfLoop part : List.copyOf(loops)) {
            for (Subscription subscription : part.subscriptions) {
                task.accept(subscription);
            }
        }
    }
}
