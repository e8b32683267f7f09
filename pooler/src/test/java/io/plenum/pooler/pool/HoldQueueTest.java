package io.plenum.pooler.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.server.ServerConnection;
import io.plenum.wire.error.ErrorResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class HoldQueueTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final HoldLimits limits = new HoldLimits();
    private HoldLimits.Bounds bounds = new HoldLimits.Bounds(10 * SECOND, 3, 1_000);
    private long now = Long.MAX_VALUE - 5 * SECOND; // the clock may wrap at any moment
    private final HoldQueue queue = new HoldQueue("app", limits, () -> bounds, now);

    @Test
    void nobodyIsHeldLongerThanTheWindow() {
        Client client = hold(10);
        now += 10 * SECOND - 1;
        assertThat(queue.brokenBy(client.place, now)).isNull();
        now++;

        ErrorResponse end = queue.brokenBy(client.place, now);

        assertThat(end).isNotNull();
        assertThat(end.code()).isEqualTo("57P03");
        assertThat(end.severity()).isEqualTo("ERROR");
        assertThat(end.message()).startsWith("hold_window");
    }

    @Test
    void theOldestMakesRoomForOneMore() {
        List<Client> clients = List.of(hold(10), hold(10), hold(10), hold(10));

        assertThat(clients.getFirst().refused).isNotNull();
        assertThat(clients.getFirst().refused.code()).isEqualTo("57P03");
        assertThat(clients.subList(1, 4)).allMatch(client -> client.place.isWaiting() && client.refused == null);
        assertThat(limits.requests()).isEqualTo(3);
        assertThat(queue.refused()).isEqualTo(1);
    }

    @Test
    void bytesAreBoundedToo() {
        Client small = hold(10);
        Client large = hold(900);
        hold(95);

        assertThat(small.refused).isNotNull();
        assertThat(large.refused).isNull();
        assertThat(limits.bytes()).isEqualTo(995);
        assertThat(queue.bytes()).isEqualTo(995);

        Client tooLarge = hold(1_001);
        assertThat(tooLarge.answer).as("it is told, and all others had to go").isNotNull();
        assertThat(limits.requests()).isZero();
    }

    @Test
    void whatAnotherLoopHoldsIsNotOursToRefuse() {
        var other = new HoldQueue("app", limits, () -> bounds, now);
        for (int i = 0; i < 3; i++) {
            assertThat(other.hold(new Client().place, now, 1, now)).isNull();
        }

        assertThat(hold(1).answer).isNotNull();
        assertThat(other.size()).isEqualTo(3);
    }

    @Test
    void whoLeavesGivesBackItsPlace() {
        Client client = hold(10);
        client.place.leave();

        assertThat(limits.requests()).isZero();
        assertThat(limits.bytes()).isZero();
    }

    @Test
    void primaryThatStaysAwayIsWaitedForTwoWindowsAndNoLonger() {
        now += 15 * SECOND;
        assertThat(hold(1).answer).as("one who comes late has a window too").isNull();
        now += 5 * SECOND;
        assertThat(hold(1).answer).isNotNull();

        queue.onPrimary(true, now);
        queue.onPrimary(false, now);
        assertThat(hold(1).answer).as("a primary for a moment earns nothing").isNotNull();
        queue.onPrimary(true, now);
        now += 30 * SECOND;
        queue.onPrimary(false, now);
        assertThat(hold(1).answer).as("half a minute earns one window").isNull();
        now += 10 * SECOND;
        assertThat(hold(1).answer).isNotNull();
    }

    @Test
    void withoutAWindowNobodyIsRefusedForTime() {
        bounds = new HoldLimits.Bounds(0, 3, 1_000);
        Client client = hold(1);
        now += 1_000 * SECOND;

        assertThat(queue.brokenBy(client.place, now)).isNull();
        assertThat(hold(1).answer).isNull();
    }

    private Client hold(int bytes) {
        var client = new Client();
        client.answer = queue.hold(client.place, now, bytes, now);
        return client;
    }

    private static final class Client implements WaitQueue.Waiter {
        private final WaitQueue.Place place = new WaitQueue.Place(this);
        private final List<ServerConnection> servers = new ArrayList<>();
        private @Nullable ErrorResponse answer;
        private @Nullable ErrorResponse refused;

        @Override
        public void onServer(ServerConnection server) {
            servers.add(server);
        }

        @Override
        public void onTrouble(@Nullable ErrorResponse refusal) {}

        @Override
        public void onRefused(ErrorResponse error) {
            refused = error;
        }
    }
}
