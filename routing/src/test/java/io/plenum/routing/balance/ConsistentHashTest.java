package io.plenum.routing.balance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ConsistentHashTest {
    private static final int KEYS = 20_000;

    @ParameterizedTest
    @EnumSource(names = {"RING_HASH", "MAGLEV"})
    void keyHasItsCandidateInEveryProcess(BalancePolicy policy) {
        Balancer one = prepared(policy, 5);
        Balancer other = prepared(policy, 5);

        for (int key = 0; key < 1_000; key++) {
            assertThat(choose(one, 5, key)).isEqualTo(choose(other, 5, key)).isEqualTo(choose(one, 5, key));
        }
    }

    @Test
    void maglevIsEvenAndTheRingNearlyIs() {
        for (double share : shares(prepared(BalancePolicy.MAGLEV, 5), 5)) {
            assertThat(share).isBetween(0.19, 0.21);
        }
        for (double share : shares(prepared(BalancePolicy.RING_HASH, 5), 5)) {
            assertThat(share).isBetween(0.15, 0.25);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RING_HASH", "MAGLEV"})
    void weightsAreKept(BalancePolicy policy) {
        Balancer balancer = policy.create(new Random(1));
        balancer.prepare(new double[] {1, 1, 3}, names(3));

        double[] shares = shares(balancer, 3);

        assertThat(shares[0]).isBetween(0.15, 0.25);
        assertThat(shares[2]).isBetween(0.54, 0.66);
    }

    @Test
    void nodeThatLeavesTheRingMovesNoKeyButItsOwn() {
        assertThat(movedBesideItsOwn(BalancePolicy.RING_HASH)).isZero();
    }

    @Test
    void nodeThatLeavesMaglevMovesFewKeysBesideItsOwn() {
        assertThat(movedBesideItsOwn(BalancePolicy.MAGLEV)).isLessThan(KEYS / 10);
    }

    private static int movedBesideItsOwn(BalancePolicy policy) {
        Balancer before = prepared(policy, 5);
        Balancer after = prepared(policy, 4); // the last is gone
        int moved = 0;
        for (int key = 0; key < KEYS; key++) {
            int was = choose(before, 5, key);
            if (was != 4 && choose(after, 4, key) != was) {
                moved++;
            }
        }
        return moved;
    }

    @ParameterizedTest
    @EnumSource(names = {"RING_HASH", "MAGLEV"})
    void whoWasNotPreparedForTheCandidatesSaysSo(BalancePolicy policy) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> prepared(policy, 3).choose(4, candidate -> 0));
    }

    private static Balancer prepared(BalancePolicy policy, int count) {
        Balancer balancer = policy.create(new Random(1));
        double[] weights = new double[count];
        Arrays.fill(weights, 1);
        balancer.prepare(weights, names(count));
        return balancer;
    }

    private static String[] names(int count) {
        return IntStream.range(0, count).mapToObj(i -> "10.0.0." + i + ":5432").toArray(String[]::new);
    }

    private static double[] shares(Balancer balancer, int count) {
        double[] shares = new double[count];
        for (int key = 0; key < KEYS; key++) {
            shares[choose(balancer, count, key)] += 1.0 / KEYS;
        }
        return shares;
    }

    private static int choose(Balancer balancer, int count, int key) {
        return balancer.choose(count, new Balancer.Loads() {
            @Override
            public int inFlight(int candidate) {
                return 0;
            }

            @Override
            public long key() {
                return Hashes.of("user " + key);
            }
        });
    }
}
