package io.plenum.pooler.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.server.ServerConnection;
import io.plenum.wire.error.ErrorResponse;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class WaitQueueTest {
    private final WaitQueue queue = new WaitQueue();
    private final List<String> told = new ArrayList<>();

    @Test
    void everybodyIsToldOnceThoughTheToldOnesLeaveAndEnterAgain() {
        var first = new Client("first");
        var second = new Client("second");
        first.onTold = () -> {
            first.place.leave();
            queue.enter(first.place, 0);
        };
        second.onTold = second.place::leave;

        queue.trouble(null);

        assertThat(told).containsExactly("first", "second");
        assertThat(queue.size()).isEqualTo(1);
    }

    @Test
    void othersAreToldThoughTheNextOneIsMadeToLeave() {
        var first = new Client("first");
        var second = new Client("second");
        new Client("third");
        first.onTold = second.place::leave;

        queue.trouble(null);

        assertThat(told).containsExactly("first", "third");
    }

    @Test
    void whoeverTellsAllWhileAllAreToldIsTheLastToTell() {
        var first = new Client("first");
        new Client("second");
        first.onTold = () -> {
            first.onTold = () -> {};
            queue.trouble(null);
        };

        queue.trouble(null);

        assertThat(told).containsExactly("first", "first", "second");
    }

    private final class Client implements WaitQueue.Waiter {
        private final String name;
        private final WaitQueue.Place place = new WaitQueue.Place(this);
        private Runnable onTold = () -> {};

        Client(String name) {
            this.name = name;
            queue.enter(place, 0);
        }

        @Override
        public void onServer(ServerConnection server) {}

        @Override
        public void onTrouble(@Nullable ErrorResponse refusal) {
            told.add(name);
            onTold.run();
        }
    }
}
