package io.plenum.pooler.causal;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.pooler.config.ReadConsistency;
import io.plenum.routing.topology.Node;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;

class ReadFloorTest {
    private final Positions positions = new Positions();
    private final ReadFloor session = new ReadFloor(ReadConsistency.SESSION);

    ReadFloorTest() {
        positions.onLayout(8192, 16 * 1024 * 1024, false);
    }

    @Test
    void clientThatWroteNothingReadsAnywhere() {
        session.beginRead(positions);

        assertThat(session.isRaised()).isFalse();
    }

    @Test
    void answerToAQuestionThatWasUnderWayAtTheCommitIsNotEnough() {
        positions.onAsked();
        session.onCommit(positions, false);
        positions.onAnswer(1000, 2000);

        assertThat(session.required()).isEqualTo(Positions.UNKNOWN);

        answer(1100, 2100);

        assertThat(session.required()).isEqualTo(1100);
    }

    @Test
    void questionThatWasNeverAnsweredIsServedByALaterOne() {
        session.onCommit(positions, false);
        positions.onAsked();
        answer(1100, 2100);

        assertThat(session.required()).isEqualTo(1100);
    }

    @Test
    void commitThatMayNotBeFlushedNeedsAllThatIsWritten() {
        session.onCommit(positions, true);
        session.onCommit(positions, false);
        answer(1100, 2100);

        assertThat(session.required()).isEqualTo(2100);
    }

    @Test
    void serverThatCommitsWithoutAFlushNeedsAllThatIsWritten() {
        positions.onLayout(8192, 16 * 1024 * 1024, true);
        session.onCommit(positions, false);
        answer(1100, 2100);

        assertThat(session.required()).isEqualTo(2100);
    }

    @Test
    void oldTicketHasItsOwnPositionAndNotTheNewest() {
        session.onCommit(positions, false);
        for (int i = 1; i <= 500; i++) {
            answer(1000L * i, 1000L * i);
        }

        assertThat(session.required()).isEqualTo(1000);
    }

    @Test
    void ticketOlderThanWhatIsKeptHasTheOldestThatIs() {
        session.onCommit(positions, false);
        for (int i = 1; i <= 5000; i++) {
            answer(1000L * i, 1000L * i);
        }

        assertThat(session.required()).isEqualTo(1000 * (5000 - 1023));
    }

    @Test
    void anotherPrimaryMakesItsFirstPositionTheFloor() {
        session.onCommit(positions, false);
        answer(5000, 5000);
        assertThat(session.required()).isEqualTo(5000);
        positions.onNewEpoch();

        assertThat(session.required()).isEqualTo(Positions.UNKNOWN);

        answer(3000, 3000);
        answer(4000, 4000);

        assertThat(session.required()).isEqualTo(3000);
    }

    @Test
    void ticketOfTheOldPrimaryIsServedByTheNewOne() {
        session.onCommit(positions, false);
        positions.onNewEpoch();
        answer(3000, 3000);

        assertThat(session.required()).isEqualTo(3000);
    }

    @Test
    void commitOnTheNewPrimaryIsNotHiddenByTheBeginOfItsEpoch() {
        session.onCommit(positions, false);
        answer(5000, 5000);
        assertThat(session.required()).isEqualTo(5000);
        positions.onNewEpoch();
        answer(3000, 3000);
        session.onCommit(positions, false);
        answer(4000, 4000);

        assertThat(session.required()).isEqualTo(4000);
    }

    @Test
    void primaryThatGoesBackBeginsAnEpoch() {
        answer(5000, 5000);
        int before = positions.epoch();
        answer(4000, 4000);

        assertThat(positions.epoch()).isGreaterThan(before);
    }

    @Test
    void namedPositionIsAFloorForAnyPromise() {
        var eventual = new ReadFloor(ReadConsistency.EVENTUAL);
        eventual.setNamed("0/1000");
        eventual.beginRead(positions);

        assertThat(eventual.isRaised()).isTrue();
        assertThat(eventual.required()).isEqualTo(0x1000);

        eventual.setNamed("nonsense");

        assertThat(eventual.required()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void eventualReadsNeedNothing() {
        var eventual = new ReadFloor(ReadConsistency.EVENTUAL);
        eventual.onCommit(positions, true);
        eventual.beginRead(positions);

        assertThat(eventual.isRaised()).isFalse();
    }

    @Test
    void whoReadsForEverybodySeesWhatOthersCommittedBeforeAndAfterItCame() {
        var pod = new ReadFloor(ReadConsistency.POD);
        session.onCommit(positions, false);
        answer(1000, 1000);
        pod.beginRead(positions);
        answer(2000, 2000);
        assertThat(pod.required()).isEqualTo(2000);

        session.onCommit(positions, false);
        answer(3000, 3000);
        pod.beginRead(positions);

        assertThat(pod.required()).isEqualTo(3000);
    }

    @Test
    void readOfTheWholeClusterNeedsThePositionOfItsOwnMoment() {
        var cluster = new ReadFloor(ReadConsistency.CLUSTER);
        answer(1000, 1000);
        cluster.beginRead(positions);

        assertThat(cluster.required()).isEqualTo(Positions.UNKNOWN);

        answer(2000, 2500);

        assertThat(cluster.required()).isEqualTo(2500);
    }

    @Test
    void readIsNeverBehindTheOneBeforeIt() {
        var monotonic = new ReadFloor(ReadConsistency.MONOTONIC);
        NodePosition here = watched(1);
        NodePosition there = watched(2);
        answer(here, 700);
        monotonic.onRead(positions, here);

        assertThat(monotonic.required()).isZero();
        assertThat(monotonic.allows(here)).isTrue();
        assertThat(monotonic.allows(there)).isFalse();

        answer(here, 900);

        assertThat(monotonic.required()).isEqualTo(900);
        assertThat(monotonic.allows(there)).isTrue();
    }

    @Test
    void standbyThatWasLostSinceTheReadLeavesThePrimaryAsTheJudge() {
        var monotonic = new ReadFloor(ReadConsistency.MONOTONIC);
        NodePosition here = watched(1);
        monotonic.onRead(positions, here);
        here.onLost();
        here.onWatched();

        assertThat(monotonic.required()).isEqualTo(Positions.UNKNOWN);

        answer(2000, 2500);

        assertThat(monotonic.required()).isEqualTo(2500);
    }

    private void answer(long flushed, long inserted) {
        positions.onAsked();
        positions.onAnswer(flushed, inserted);
    }

    private static void answer(NodePosition node, long replayed) {
        node.onAsked();
        node.onAnswer(replayed, System.nanoTime());
    }

    private NodePosition watched(int host) {
        byte[] address = {127, 0, 0, (byte) host};
        NodePosition node;
        try {
            node = positions.of(Node.at(new InetSocketAddress(InetAddress.getByAddress(address), 5432)));
        } catch (java.net.UnknownHostException impossible) {
            throw new IllegalStateException(impossible);
        }
        node.onWatched();
        return node;
    }
}
