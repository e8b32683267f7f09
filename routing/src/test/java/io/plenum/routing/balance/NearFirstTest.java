package io.plenum.routing.balance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class NearFirstTest {
    private final NearFirst balancer = new NearFirst(() -> new TwoChoices(new Random(3)));
    private final int[] inFlight = new int[4];

    NearFirstTest() {
        near(true, false, true, false);
    }

    @Test
    void nearOnesGetEverythingAsLongAsNobodyWaitsThere() {
        int[] chosen = choose(1_000, 10);

        assertThat(chosen[0]).isBetween(450, 550);
        assertThat(chosen[2]).isBetween(450, 550);
        assertThat(chosen[0] + chosen[2]).isEqualTo(1_000);
    }

    @Test
    void whatWouldHaveToWaitGoesFar() {
        inFlight[0] = 10;
        assertThat(choose(100, 10)).containsExactly(0, 0, 100, 0);

        inFlight[2] = 10;
        int[] chosen = choose(1_000, 10);
        assertThat(chosen[1]).isBetween(450, 550);
        assertThat(chosen[1] + chosen[3]).isEqualTo(1_000);
    }

    @Test
    void whereAllAreFullTheNearOnesAreWaitedFor() {
        inFlight[0] = inFlight[1] = inFlight[2] = inFlight[3] = 10;

        int[] chosen = choose(100, 10);

        assertThat(chosen[0] + chosen[2]).isEqualTo(100);
    }

    @Test
    void withoutNearOnesTheOthersGetEverything() {
        near(false, false, false, false);

        for (int count : choose(1_000, 10)) {
            assertThat(count).isGreaterThan(200);
        }
    }

    private void near(boolean... near) {
        balancer.setNear(near);
        balancer.prepare(new double[] {1, 1, 1, 1}, new String[] {"a", "b", "c", "d"});
    }

    private int[] choose(int times, int capacity) {
        int[] chosen = new int[4];
        for (int i = 0; i < times; i++) {
            chosen[
                    balancer.choose(4, new Balancer.Loads() {
                        @Override
                        public int inFlight(int candidate) {
                            return inFlight[candidate];
                        }

                        @Override
                        public boolean isFull(int candidate) {
                            return inFlight[candidate] >= capacity;
                        }
                    })]++;
        }
        return chosen;
    }
}
