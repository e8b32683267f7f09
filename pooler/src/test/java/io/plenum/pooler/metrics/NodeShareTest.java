package io.plenum.pooler.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.plenum.pooler.metrics.Census.HeldFacts;
import io.plenum.pooler.metrics.Census.NodeFacts;
import io.plenum.pooler.metrics.Census.PoolFacts;
import io.plenum.pooler.metrics.Census.ServerCounts;
import io.plenum.pooler.metrics.NodeShare.Verdict;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NodeShareTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long MINUTE = 60 * SECOND;

    private final History history = new History();

    @Test
    void evenReadsAreBalancedAndThePrimaryHasItsShare() {
        add(0, primary("p", 0), replica("a", 0), replica("b", 0));

        List<NodeShare> shares = shares(10, primary("p", 200), replica("a", 400), replica("b", 400));

        assertThat(shares).extracting(NodeShare::share).containsExactly(0.2, 0.4, 0.4);
        assertThat(shares).extracting(NodeShare::fairShare).containsExactly(0.2, 0.4, 0.4);
        assertThat(shares).extracting(NodeShare::transactionsPerSecond).containsExactly(20.0, 40.0, 40.0);
        assertThat(shares).extracting(NodeShare::variation).containsOnly(0.0);
        assertThat(shares).extracting(NodeShare::verdict).containsOnly(Verdict.BALANCED);
    }

    @Test
    void unevenReadsAreSkewed() {
        add(0, replica("a", 0), replica("b", 0));

        List<NodeShare> shares = shares(10, replica("a", 900), replica("b", 100));

        assertThat(shares).extracting(NodeShare::fairShare).containsExactly(0.5, 0.5);
        assertThat(shares.getFirst().variation()).isCloseTo(0.8, within(1e-9));
        assertThat(shares).extracting(NodeShare::verdict).containsOnly(Verdict.SKEWED);
    }

    @Test
    void weightsAreWhatIsFair() {
        add(0, heavy("a", 3, 0), replica("b", 0));

        List<NodeShare> shares = shares(10, heavy("a", 3, 750), replica("b", 250));

        assertThat(shares).extracting(NodeShare::fairShare).containsExactly(0.75, 0.25);
        assertThat(shares).extracting(NodeShare::verdict).containsOnly(Verdict.BALANCED);
    }

    @Test
    void fewTransactionsSayNothing() {
        add(0, replica("a", 1000), replica("b", 0));

        assertThat(shares(10, replica("a", 1015), replica("b", 0)))
                .extracting(NodeShare::verdict)
                .containsOnly(Verdict.IDLE);
    }

    @Test
    void nodeThatJoinedIsMeasuredByTheTimeSince() {
        add(0, replica("a", 0), replica("b", 0));
        add(30, replica("a", 3000), replica("b", 3000));
        add(31, replica("a", 3000), replica("b", 3000), replica("c", 0));

        List<NodeShare> shares = shares(32, replica("a", 3100), replica("b", 3100), replica("c", 100));

        assertThat(shares).extracting(NodeShare::verdict).containsOnly(Verdict.BALANCED);
        assertThat(shares).extracting(NodeShare::transactionsPerSecond).containsOnly(100.0);
    }

    @Test
    void singleNodeHasAllThereIs() {
        add(0, primary("p", 0));

        NodeShare only = shares(1, primary("p", 50)).getFirst();

        assertThat(only.share()).isEqualTo(1);
        assertThat(only.fairShare()).isEqualTo(1);
        assertThat(only.verdict()).isEqualTo(Verdict.BALANCED);
    }

    @Test
    void beforeTheFirstSampleThereIsNoShare() {
        NodeShare only = shares(0, primary("p", 50)).getFirst();

        assertThat(only.share()).isZero();
        assertThat(only.transactionsPerSecond()).isZero();
        assertThat(only.verdict()).isEqualTo(Verdict.IDLE);
    }

    @Test
    void whatIsOlderThanThePeriodIsForgotten() {
        for (int second = 0; second <= 600; second++) {
            add(second, replica("a", second < 500 ? second * 100L : 50_000), replica("b", 0));
        }

        assertThat(shares(600, replica("a", 50_000), replica("b", 0)))
                .extracting(NodeShare::verdict)
                .containsOnly(Verdict.IDLE);
    }

    @Test
    void averagesAreThoseOfTheLastWholePeriod() {
        assertThat(history.add(census(0, pool(0)), MINUTE)).isFalse();
        assertThat(history.add(census(30, pool(600)), MINUTE)).isFalse();
        assertThat(history.averages("app")).isEqualTo(Totals.ZERO);

        assertThat(history.add(census(60, pool(6000)), MINUTE)).isTrue();
        history.add(census(90, pool(60_000)), MINUTE);

        assertThat(history.averages("app").get(Count.TRANSACTIONS)).isEqualTo(100);
        assertThat(history.averages().get(Count.TRANSACTIONS)).isEqualTo(100);
        assertThat(history.averages("other")).isEqualTo(Totals.ZERO);
    }

    private List<NodeShare> shares(long second, NodeFacts... nodes) {
        return NodeShare.of(census(second, List.of(), nodes), history, MINUTE);
    }

    private void add(long second, NodeFacts... nodes) {
        history.add(census(second, List.of(), nodes), MINUTE);
    }

    private static Census census(long second, PoolFacts pool) {
        return census(second, List.of(pool));
    }

    private static Census census(long second, List<PoolFacts> pools, NodeFacts... nodes) {
        return new Census(second * SECOND, second * 1000, pools, List.of(nodes), List.of(), List.of());
    }

    private static PoolFacts pool(long transactions) {
        Totals totals = Totals.of(0, transactions, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        return new PoolFacts(
                "app", "ada", totals, 0, 0, 0, 0, ServerCounts.NONE, 0, HeldFacts.NONE, Map.of(), Map.of());
    }

    private static NodeFacts primary(String name, long transactions) {
        return node(name, 1, false, transactions);
    }

    private static NodeFacts replica(String name, long transactions) {
        return node(name, 1, true, transactions);
    }

    private static NodeFacts heavy(String name, int weight, long transactions) {
        return node(name, weight, true, transactions);
    }

    private static NodeFacts node(String name, int weight, boolean replica, long transactions) {
        return new NodeFacts(
                "app",
                name,
                name,
                5432,
                replica ? "replica" : "primary",
                "up",
                "",
                weight,
                replica,
                !replica,
                true,
                ServerCounts.NONE,
                0,
                transactions,
                0,
                0,
                -1,
                0);
    }
}
