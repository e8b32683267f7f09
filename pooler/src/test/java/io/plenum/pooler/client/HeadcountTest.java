package io.plenum.pooler.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.client.Headcount.Full;
import io.plenum.pooler.client.Headcount.Seat;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class HeadcountTest {
    private final Headcount headcount = new Headcount();

    private Headcount.Entry enter(String database, int ofDatabase, String user, int ofUser) {
        return headcount.enter(10, database, ofDatabase, user, ofUser);
    }

    @Test
    void eachLimitIsHeldAndAPlaceThatIsLeftIsFreeAgain() {
        Headcount.Entry first = enter("a", 2, "x", 0);
        enter("a", 2, "y", 1);

        assertThat(enter("a", 2, "z", 0)).isEqualTo(Full.DATABASE);
        assertThat(enter("b", 0, "y", 1)).isEqualTo(Full.USER);
        assertThat(headcount.enter(2, "c", 0, "z", 0)).isEqualTo(Full.ALL);
        assertThat(headcount.all()).isEqualTo(2);

        ((Seat) first).leave();
        ((Seat) first).leave();
        assertThat(headcount.all()).isEqualTo(1);
        assertThat(enter("a", 2, "z", 0)).isInstanceOf(Seat.class);
        assertThat(enter("a", 2, "z", 0)).isEqualTo(Full.DATABASE);
    }

    @Test
    void limitHoldsWhileManyComeAndGo() throws InterruptedException {
        int limit = 2;
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        AtomicInteger entered = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            threads.add(Thread.ofPlatform().start(() -> {
                for (int round = 0; round < 20_000; round++) {
                    if (enter("a", limit, "x", 0) instanceof Seat seat) {
                        entered.incrementAndGet();
                        most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                        inside.decrementAndGet();
                        seat.leave();
                    }
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }

        assertThat(most.get()).isBetween(1, limit);
        assertThat(entered.get()).isPositive();
        assertThat(headcount.all()).isZero();
        assertThat(enter("a", 1, "x", 1)).isInstanceOf(Seat.class);
    }
}
