package io.plenum.routing.balance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BalancerTest {
    private static final Balancer.Loads IDLE = candidate -> 0;

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"RING_HASH", "MAGLEV"})
    void eachCandidateIsChosenAndNoOther(BalancePolicy policy) {
        Balancer balancer = policy.create(new Random(1));
        for (int candidates = 1; candidates < 20; candidates++) {
            int[] chosen = shares(balancer, candidates, 1_000, IDLE);
            assertThat(chosen).hasSize(candidates).doesNotContain(0);
        }
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"RANDOM", "RING_HASH", "MAGLEV"})
    void sharesAreEvenWithOneClientAndNoLoad(BalancePolicy policy) {
        for (int seed = 0; seed < 100; seed++) {
            int[] chosen = shares(policy.create(new Random(seed)), 7, 10_000, IDLE);
            assertThat(variation(chosen)).isLessThanOrEqualTo(0.001);
        }
    }

    @Test
    void sharesOfPureChanceAreEvenInTheLongRun() {
        int[] chosen = shares(new RandomChoice(new Random(1)), 7, 1_000_000, IDLE);
        assertThat(variation(chosen)).isLessThanOrEqualTo(0.01);
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"RANDOM", "ROUND_ROBIN", "RING_HASH", "MAGLEV"})
    void workThatRunsIsSpreadEvenly(BalancePolicy policy) {
        int[] inFlight = new int[7];
        Balancer balancer = policy.create(new Random(3));
        for (int i = 0; i < 700; i++) {
            inFlight[balancer.choose(7, candidate -> inFlight[candidate])]++;
        }
        for (int load : inFlight) {
            assertThat(load).isBetween(98, 102);
        }
    }

    @Test
    void twoChoicesAvoidsACandidateThatHangs() {
        Balancer balancer = new TwoChoices(new Random(5));
        int[] chosen = shares(balancer, 5, 10_000, candidate -> candidate == 2 ? 100 : 0);

        assertThat(chosen[2]).isZero();
        assertThat(chosen[0]).isBetween(2_300, 2_700);
    }

    @Test
    void leastRequestTakesTheLeastLoaded() {
        int[] loads = {5, 3, 4, 1, 9};
        Balancer balancer = new LeastRequest(new Random(5));
        for (int i = 0; i < 100; i++) {
            assertThat(balancer.choose(5, candidate -> loads[candidate])).isEqualTo(3);
        }
    }

    @Test
    void roundRobinsOfSeveralLoopsDoNotBeginAtTheSameCandidate() {
        assertThat(new Random(1)
                        .ints(100)
                        .mapToLong(seed -> new RoundRobin(new Random(seed)).choose(7, IDLE))
                        .distinct())
                .hasSize(7);
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"RING_HASH", "MAGLEV"})
    void aChangedNumberOfCandidatesTakesEffectAtOnce(BalancePolicy policy) {
        Balancer balancer = policy.create(new Random(9));
        shares(balancer, 5, 101, IDLE);

        assertThat(shares(balancer, 7, 700, IDLE)).doesNotContain(0);
        assertThat(shares(balancer, 2, 100, IDLE)).doesNotContain(0);
    }

    @ParameterizedTest
    @EnumSource
    void choosingFromNothingIsRefused(BalancePolicy policy) {
        Balancer balancer = policy.create(new Random(9));

        assertThatIllegalArgumentException().isThrownBy(() -> balancer.choose(0, IDLE));
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"RING_HASH", "MAGLEV"})
    void choosingAllocatesNothing(BalancePolicy policy) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long self = Thread.currentThread().threadId();
        Balancer balancer = policy.create(new Random(9));
        long allocated = Long.MAX_VALUE;
        for (int round = 0; round < 10 && allocated > 0; round++) {
            long before = threads.getThreadAllocatedBytes(self);
            sum(balancer, 50_000);
            allocated = threads.getThreadAllocatedBytes(self) - before;
        }

        assertThat(allocated).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void policiesAreFoundByTheNamesOfTheirSetting(BalancePolicy policy) {
        assertThat(BalancePolicy.named(policy.label())).isEqualTo(policy);
        assertThat(BalancePolicy.named("fastest")).isNull();
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"RING_HASH", "MAGLEV"})
    void weightsAreKeptWithOneClientAndNoLoad(BalancePolicy policy) {
        Balancer balancer = policy.create(new Random(7));
        balancer.prepare(new double[] {1, 2, 5}, new String[] {"a", "b", "c"});

        int[] chosen = shares(balancer, 3, 80_000, IDLE);

        assertThat(chosen[0]).isBetween(9_600, 10_400);
        assertThat(chosen[1]).isBetween(19_500, 20_500);
        assertThat(chosen[2]).isBetween(49_400, 50_600);
    }

    @ParameterizedTest
    @EnumSource(names = {"TWO_CHOICES", "LEAST_REQUEST"})
    void workThatRunsIsSpreadByWeight(BalancePolicy policy) {
        int[] inFlight = new int[3];
        Balancer balancer = policy.create(new Random(3));
        balancer.prepare(new double[] {1, 2, 5}, new String[] {"a", "b", "c"});
        for (int i = 0; i < 800; i++) {
            inFlight[balancer.choose(3, candidate -> inFlight[candidate])]++;
        }

        assertThat(inFlight[0]).isBetween(95, 105);
        assertThat(inFlight[1]).isBetween(194, 206);
        assertThat(inFlight[2]).isBetween(492, 508);
    }

    @Test
    void roundRobinMixesThoseOfUnequalWeight() {
        Balancer balancer = new RoundRobin(new Random(1));
        balancer.prepare(new double[] {1, 2}, new String[] {"a", "b"});
        String order = "";
        for (int i = 0; i < 12; i++) {
            order += balancer.choose(2, IDLE);
        }

        assertThat(order).doesNotContain("111").doesNotContain("00");
    }

    @Test
    void ewmaPrefersTheFasterButTriesTheUnknown() {
        double[] latencies = {3e6, 1e6, 1e6};
        Balancer balancer = new LowestLatency(new Random(5));
        int[] chosen = shares(balancer, 3, 9_000, loads(latencies));
        assertThat(chosen[0]).isZero();
        assertThat(chosen[1]).isBetween(4_200, 4_800);

        latencies[0] = 0;
        assertThat(shares(balancer, 3, 9_000, loads(latencies))[0]).isGreaterThan(4_500);
    }

    private static Balancer.Loads loads(double[] latencies) {
        return new Balancer.Loads() {
            @Override
            public int inFlight(int candidate) {
                return 0;
            }

            @Override
            public double latencyNanos(int candidate) {
                return latencies[candidate];
            }
        };
    }

    private static int sum(Balancer balancer, int times) {
        int sum = 0;
        for (int i = 0; i < times; i++) {
            sum += balancer.choose(7, IDLE);
        }
        return sum;
    }

    private static int[] shares(Balancer balancer, int candidates, int times, Balancer.Loads loads) {
        int[] chosen = new int[candidates];
        for (int i = 0; i < times; i++) {
            chosen[balancer.choose(candidates, loads)]++;
        }
        return chosen;
    }

    /** Coefficient of variation: standard deviation over mean. */
    private static double variation(int[] shares) {
        double mean = 0;
        for (int share : shares) {
            mean += (double) share / shares.length;
        }
        double squares = 0;
        for (int share : shares) {
            squares += (share - mean) * (share - mean);
        }
        return Math.sqrt(squares / shares.length) / mean;
    }
}
