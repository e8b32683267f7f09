package io.plenum.routing.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RosterTest {
    private static final long CLUSTER = 7_000_000_000_000_000_001L;
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final Node a = node(1);
    private final Node b = node(2);
    private final Node c = node(3);
    private final Roster roster = new Roster();
    private long now = Long.MAX_VALUE - 3 * SECOND; // the clock may wrap at any moment

    @Test
    void rolesComeFromProbesAlone() {
        discovered(a, b, c);
        assertThat(roster.topology().primary()).isNull();
        assertThat(roster.topology().replicas()).isEmpty();
        assertThat(roster.topology().nodes()).extracting(NodeStatus::role).containsOnly(NodeRole.UNKNOWN);

        primary(b, 1);
        replica(a);
        replica(c);

        assertThat(roster.topology().primary()).isEqualTo(b);
        assertThat(roster.topology().replicas()).containsExactly(a, c);
        assertThat(roster.topology().splitBrain()).isFalse();
    }

    @Test
    void theVersionGrowsWithDecisionsButNotWithEachProbe() {
        cluster();
        long version = roster.topology().version();

        Topology later = roster.observed(b, new Observation(true, CLUSTER, 1, 4711, tick()));

        assertThat(later.version()).isEqualTo(version);
        assertThat(status(b).lastSeen())
                .isNotNull()
                .extracting(Observation::replayLsn)
                .isEqualTo(4711L);
        assertThat(unreachable(b).version()).isEqualTo(version + 1);
        assertThat(unreachable(b)).isSameAs(roster.topology());
    }

    @Test
    void anAnswerWithoutNodesChangesNothing() {
        cluster();
        Topology before = roster.topology();

        assertThat(discovered()).isSameAs(before);
    }

    @Test
    void aNodeThatDiscoveryForgetsIsDrainedWhileItAnswers() {
        cluster();
        for (int i = 0; i < 100; i++) {
            discovered(a, b);
            replica(c);
        }

        assertThat(status(c).health()).isEqualTo(NodeHealth.DRAINING);
        assertThat(roster.topology().replicas()).containsExactly(b);

        discovered(a, b, c);
        assertThat(status(c).health()).isEqualTo(NodeHealth.UP);
        assertThat(roster.topology().replicas()).containsExactly(b, c);
    }

    @Test
    void aPrimaryThatDiscoveryForgetsStaysThePrimary() {
        cluster();
        discovered(b, c);

        assertThat(status(a).health()).isEqualTo(NodeHealth.DRAINING);
        assertThat(roster.topology().primary()).isEqualTo(a);
    }

    @Test
    void aNodeIsForgottenWhenItIsMissingLongEnoughAndSilent() {
        cluster();
        discovered(a, b);
        unreachable(c);
        discovered(a, b);
        discovered(a, b);
        assertThat(roster.topology().status(c)).isNotNull();

        now += 10 * SECOND;
        discovered(a, b);

        assertThat(roster.topology().status(c)).isNull();
    }

    @Test
    void aLongAbsenceInFewAnswersIsNotEnough() {
        cluster();
        discovered(a, b);
        unreachable(c);
        now += 60 * SECOND;
        discovered(a, b);

        assertThat(roster.topology().status(c)).isNotNull();
        discovered(a, b);
        assertThat(roster.topology().status(c)).isNull();
    }

    @Test
    void silenceAfterALongAbsenceEndsIt() {
        cluster();
        for (int i = 0; i < 20; i++) {
            discovered(a, b);
            now += SECOND;
        }
        assertThat(roster.topology().status(c)).isNotNull();

        unreachable(c);

        assertThat(roster.topology().status(c)).isNull();
    }

    @Test
    void flappingMembershipNeverForgetsANode() {
        cluster();
        for (int i = 0; i < 300; i++) {
            now += SECOND;
            if (i % 2 == 0) {
                discovered(a);
            } else {
                discovered(a, b, c);
            }
            unreachable(c);
            assertThat(roster.topology().nodes()).hasSize(3);
        }
    }

    @Test
    void anAddressThatNeverAnsweredGoesAtOnce() {
        cluster();
        Node d = node(4);
        discovered(a, b, c, d);
        discovered(a, b, c);

        assertThat(roster.topology().status(d)).isNull();
    }

    @Test
    void aNodeThatIsDownComesBackWithItsNextAnswer() {
        cluster();
        unreachable(b);
        assertThat(roster.topology().replicas()).containsExactly(c);

        replica(b);

        assertThat(roster.topology().replicas()).containsExactly(b, c);
    }

    @Test
    void aPrimaryThatIsDownIsNoPrimary() {
        cluster();
        unreachable(a);

        assertThat(roster.topology().primary()).isNull();
        assertThat(roster.topology().splitBrain()).isFalse();
    }

    @Test
    void ofTwoPrimariesTheOneWithTheHigherTimelineWins() {
        cluster();
        primary(b, 2);

        assertThat(roster.topology().primary()).isEqualTo(b);
        assertThat(roster.topology().replicas()).containsExactly(c);
        assertThat(roster.topology().splitBrain()).isFalse();
    }

    @Test
    void theOrderInWhichTwoPrimariesAreSeenPlaysNoPart() {
        discovered(a, b, c);
        primary(b, 2);
        primary(a, 1);

        assertThat(roster.topology().primary()).isEqualTo(b);
        assertThat(roster.topology().splitBrain()).isFalse();
    }

    @Test
    void twoPrimariesOnOneTimelineAreNoPrimary() {
        cluster();
        primary(b, 1);

        assertThat(roster.topology().primary()).isNull();
        assertThat(roster.topology().splitBrain()).isTrue();

        primary(c, 1);
        assertThat(roster.topology().primary()).isNull();

        primary(c, 2);
        assertThat(roster.topology().primary()).isEqualTo(c);
        assertThat(roster.topology().splitBrain()).isFalse();
    }

    @Test
    void theOldPrimaryIsNotBelievedWhenItComesBack() {
        cluster();
        unreachable(a);
        primary(b, 2);
        unreachable(b);
        primary(a, 1);

        assertThat(roster.topology().primary()).isNull();
        assertThat(roster.topology().replicas()).containsExactly(c);
    }

    @Test
    void aSwitchoverSwapsTheRoles() {
        cluster();
        replica(a);
        assertThat(roster.topology().primary()).isNull();

        primary(b, 2);

        assertThat(roster.topology().primary()).isEqualTo(b);
        assertThat(roster.topology().replicas()).containsExactly(a, c);
    }

    @Test
    void aStandbyThatDoesNotFollowTheNewPrimaryServesNoReads() {
        cluster();
        unreachable(a);
        roster.observed(b, new Observation(false, CLUSTER, 2, 5_000, tick()));
        roster.observed(c, new Observation(true, CLUSTER, 1, 4_000, tick()));
        assertThat(roster.topology().replicas())
                .as("it has some seconds to begin")
                .containsExactly(c);

        now += 6 * SECOND;
        roster.observed(c, new Observation(true, CLUSTER, 1, 4_000, tick()));
        assertThat(roster.topology().replicas()).isEmpty();

        roster.observed(c, new Observation(true, CLUSTER, 2, 5_000, tick()));
        assertThat(roster.topology().replicas()).containsExactly(c);
    }

    @Test
    void aStandbyThatLagsWithoutATakeoverIsFit() {
        cluster();
        roster.observed(a, new Observation(false, CLUSTER, 1, 5_000, tick()));
        now += 60 * SECOND;
        roster.observed(c, new Observation(true, CLUSTER, 1, 200, tick()));

        assertThat(roster.topology().replicas()).containsExactly(b, c);
    }

    @Test
    void aReportWithoutTimelineKeepsTheOneThatIsKnown() {
        cluster();
        primary(b, 2);
        roster.observed(b, new Observation(false, 0, 0, 0, tick()));

        assertThat(roster.topology().primary()).isEqualTo(b);
        assertThat(status(b).lastSeen())
                .isNotNull()
                .extracting(Observation::timeline)
                .isEqualTo(2);
    }

    @Test
    void aNodeOfAnotherClusterGetsNothing() {
        cluster();
        roster.observed(c, new Observation(true, CLUSTER + 1, 1, 0, tick()));
        assertThat(status(c).foreign()).isTrue();
        assertThat(roster.topology().replicas()).containsExactly(b);

        roster.observed(b, new Observation(false, CLUSTER + 1, 9, 0, tick()));
        assertThat(roster.topology().primary()).isEqualTo(a);

        replica(c);
        assertThat(roster.topology().replicas()).containsExactly(c);
    }

    @Test
    void aNodeOfAnotherClusterGoesWhenDiscoveryForgetsIt() {
        cluster();
        roster.observed(c, new Observation(true, CLUSTER + 1, 1, 0, tick()));
        discovered(a, b);

        assertThat(roster.topology().status(c)).isNull();
    }

    @Test
    void anAnswerThatWasOvertakenIsIgnored() {
        cluster();
        long early = tick();
        primary(b, 2);
        roster.observed(b, new Observation(true, CLUSTER, 1, 0, early));

        assertThat(roster.topology().primary()).isEqualTo(b);
    }

    @Test
    void probesOfStrangersAreIgnored() {
        cluster();
        Topology before = roster.topology();

        assertThat(roster.observed(node(9), new Observation(false, CLUSTER, 9, 0, tick())))
                .isSameAs(before);
        assertThat(unreachable(node(9))).isSameAs(before);
    }

    @Test
    void aNewWeightIsTaken() {
        cluster();
        long version = roster.topology().version();
        discovered(a, new Node(b.address(), b.name(), 3, "west"), c);

        assertThat(roster.topology().version()).isEqualTo(version + 1);
        assertThat(status(b).node().weight()).isEqualTo(3);
        assertThat(roster.topology().replicas().getFirst().weight()).isEqualTo(3);
        assertThat(roster.topology().replicas().getFirst().zone()).isEqualTo("west");
    }

    @Test
    void nodeThatIsLeavingIsDrainedAtOnceAndComesBackWhenItStays() {
        cluster();
        roster.discovered(List.of(a, b, c), Set.of(b), tick());
        assertThat(status(b).health()).isEqualTo(NodeHealth.DRAINING);
        assertThat(roster.topology().replicas()).containsExactly(c);

        replica(b);
        assertThat(status(b).health()).as("a probe changes nothing").isEqualTo(NodeHealth.DRAINING);

        discovered(a, b, c);
        assertThat(roster.topology().replicas()).containsExactly(b, c);
    }

    @Test
    void primaryThatIsLeavingStaysThePrimaryAsLongAsItIsThat() {
        cluster();
        roster.discovered(List.of(a, b, c), Set.of(a), tick());
        assertThat(roster.topology().primary()).isEqualTo(a);

        primary(b, 2);
        assertThat(roster.topology().primary()).isEqualTo(b);
    }

    @Test
    void standbyWithoutAReceiverThatStandsStillBehindThePrimaryIsOutUntilItMoves() {
        cluster();
        for (int second = 0; second < 15; second++) {
            now += SECOND;
            roster.observed(a, new Observation(false, CLUSTER, 1, 10_000 + second, tick()));
            roster.observed(b, new Observation(true, CLUSTER, 0, 100, tick(), false));
            roster.observed(c, new Observation(true, CLUSTER, 1, 100, tick(), true));
            assertThat(roster.topology().replicas().contains(b))
                    .as("%d s after the first", second)
                    .isEqualTo(second < 9);
            assertThat(roster.topology().replicas()).as("slow, but fed").contains(c);
        }

        roster.observed(b, new Observation(true, CLUSTER, 0, 200, tick(), false));
        assertThat(roster.topology().replicas())
                .as("it replays from an archive")
                .containsExactly(b, c);
    }

    @Test
    void standbyWithoutAReceiverGoesOnWhileThereIsNoPrimaryOrNothingToFollow() {
        cluster();
        for (int second = 0; second < 15; second++) {
            now += SECOND;
            roster.observed(a, new Observation(false, CLUSTER, 1, 100, tick()));
            roster.observed(b, new Observation(true, CLUSTER, 0, 100, tick(), false));
        }
        assertThat(roster.topology().replicas()).as("the primary is idle").contains(b);

        unreachable(a);
        for (int second = 0; second < 60; second++) {
            now += SECOND;
            roster.observed(b, new Observation(true, CLUSTER, 0, 100, tick(), false));
        }
        assertThat(roster.topology().replicas()).contains(b);

        roster.observed(a, new Observation(false, CLUSTER, 1, 10_000, tick()));
        roster.observed(b, new Observation(true, CLUSTER, 0, 100, tick(), false));
        assertThat(roster.topology().replicas())
                .as("it has time to find the primary again")
                .contains(b);
    }

    @Test
    void sinceIsTheMomentOfTheLastChange() {
        cluster();
        long down = tick();
        roster.unreachable(b, down);
        roster.unreachable(b, tick());

        assertThat(status(b).sinceNanos()).isEqualTo(down);
    }

    @Test
    void nodesAreNamedAfterTheirAddresses() throws UnknownHostException {
        InetAddress six = InetAddress.getByAddress(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});

        assertThat(a.name()).isEqualTo("127.0.0.1:5432");
        assertThat(Node.at(new InetSocketAddress(six, 5432)).name()).isEqualTo("[0:0:0:0:0:0:0:1]:5432");
        assertThatIllegalArgumentException().isThrownBy(() -> Node.at(InetSocketAddress.createUnresolved("db", 5432)));
        assertThatIllegalArgumentException().isThrownBy(() -> new Node(a.address(), "a", 0, ""));
    }

    private void cluster() {
        discovered(a, b, c);
        primary(a, 1);
        replica(b);
        replica(c);
    }

    private Topology discovered(Node... nodes) {
        return roster.discovered(List.of(nodes), tick());
    }

    private void primary(Node node, int timeline) {
        roster.observed(node, new Observation(false, CLUSTER, timeline, 100, tick()));
    }

    private void replica(Node node) {
        roster.observed(node, new Observation(true, CLUSTER, 1, 100, tick()));
    }

    private Topology unreachable(Node node) {
        return roster.unreachable(node, tick());
    }

    private NodeStatus status(Node node) {
        return Objects.requireNonNull(roster.topology().status(node));
    }

    private long tick() {
        return now += TimeUnit.MILLISECONDS.toNanos(10);
    }

    private static Node node(int last) {
        try {
            return Node.at(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, (byte) last}), 5432));
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }
}
