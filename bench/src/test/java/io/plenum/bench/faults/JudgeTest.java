package io.plenum.bench.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.plenum.testbed.Frames;
import io.plenum.testbed.WireClient;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Each fault of a pooler that the judge is there to see is played to it once. */
class JudgeTest {
    private static final byte[] READY = Frames.frame('Z', new byte[] {'I'});
    private static final byte[] IN_TRANSACTION = Frames.frame('Z', new byte[] {'T'});
    private static final byte[] DESCRIPTION = Frames.frame('T', new byte[] {0, 0});
    private static final byte[] MINE = complete("MINE");
    private static final byte[] TERMINATED = error("FATAL", "57P01");

    private final Tally tally = new Tally();
    private final ListenerAbsences absences = new ListenerAbsences();
    private final Notifications notifications = new Notifications("me", tally, absences);
    private final SessionExchanges states = new SessionExchanges(
            "me", 7, new SplittableRandom(1), "4MB", new Semaphore(1), notifications, () -> {}, tally);

    @Test
    void theRightReplyIsInOrder() throws IOException {
        assertThat(judge(MINE, READY)).isEqualTo(Judge.Verdict.ANSWERED);
        assertThat(tally.report().isClean()).isTrue();
    }

    @Test
    void theReplyOfAnotherIsWrong() throws IOException {
        judge(complete("YOURS"), READY);

        assertThat(tally.report().wrong()).isOne();
    }

    @Test
    void readyWithoutTheReplyIsAMissingReply() throws IOException {
        judge(READY);

        assertThat(tally.report().missing()).isOne();
    }

    @Test
    void anEndWithoutAWordIsAMissingReply() throws IOException {
        judge();

        assertThat(tally.report().missing()).isOne();
    }

    @Test
    void silenceIsAMissingReply() throws IOException {
        judgeOf(false, MINE);

        assertThat(tally.report().missing()).isOne();
    }

    @Test
    void aSecondReplyIsExtra() throws IOException {
        judge(MINE, MINE, READY);

        assertThat(tally.report().extra()).isOne();
    }

    @Test
    void aMessageAfterReadyIsExtra() throws IOException {
        judge(MINE, READY, MINE);

        assertThat(tally.report().extra()).isOne();
    }

    @Test
    void readyInATransactionThatNobodyBeganIsWrong() throws IOException {
        judge(MINE, IN_TRANSACTION);

        assertThat(tally.report().wrong()).isOne();
    }

    @Test
    void anErrorThatNoFaultExplainsIsWrong() throws IOException {
        judge(error("ERROR", "42601"), READY);

        assertThat(tally.report().wrong()).isOne();
    }

    @Test
    void theCancelOfAnotherIsWrong() throws IOException {
        judge(error("ERROR", "57014"), READY);

        assertThat(tally.report().wrong()).isOne();
    }

    @Test
    void aKilledServerIsALossAndNoFault() throws IOException {
        assertThat(judge(TERMINATED)).isEqualTo(Judge.Verdict.OVER);
        assertThat(tally.report().isClean()).isTrue();
        assertThat(tally.lost.sum()).isOne();
    }

    @Test
    void twoErrorsForOneDeathAreOneTooMany() throws IOException {
        judge(TERMINATED, TERMINATED);

        assertThat(tally.report().extra()).isOne();
    }

    // --- state of the session --------------------------------------------------------------------------------------

    @Test
    void theSettingOfAnotherIsWrong() throws IOException {
        var settings = onlySimple(states::ownSettings);
        judgeOf(settings, true, DESCRIPTION, row("", "4MB", ""), complete("SELECT 1"), READY);
        assertThat(tally.report().isClean()).isTrue();

        judgeOf(settings, true, DESCRIPTION, row("you", "4MB", ""), complete("SELECT 1"), READY);

        assertThat(tally.report().wrong()).isOne();
    }

    @Test
    void whatAnotherLeftInTheServerIsWrong() throws IOException {
        var nothing = states.nothingOfOthers();
        judgeOf(nothing, true, DESCRIPTION, row("", "0", "0", "0", "0", "0"), complete("SELECT 1"), READY);
        assertThat(tally.report().isClean()).isTrue();

        judgeOf(nothing, true, DESCRIPTION, row("", "1", "0", "0", "0", "0"), complete("SELECT 1"), READY);
        judgeOf(nothing, true, DESCRIPTION, row("you", "0", "0", "0", "0", "0"), complete("SELECT 1"), READY);

        assertThat(tally.report().wrong()).isEqualTo(2);
    }

    @Test
    void aTemporaryTableThatIsGoneIsWrong() throws IOException {
        judgeOf(states.temporaryTable(), true, complete("SELECT 1"), READY, error("ERROR", "42P01"), READY);

        assertThat(tally.report().wrong()).isOne();
    }

    @Test
    void theTemporaryTableOfAnotherIsWrong() throws IOException {
        judgeOf(
                states.temporaryTable(),
                true,
                complete("SELECT 1"),
                READY,
                DESCRIPTION,
                row("you.1"),
                complete("SELECT 1"),
                READY);

        assertThat(tally.report().wrong()).isOne();
    }

    @Test
    void anAdvisoryLockThatIsGoneIsWrong() throws IOException {
        judgeOf(
                states.advisoryLock(),
                true,
                DESCRIPTION,
                row(""),
                complete("SELECT 1"),
                READY,
                DESCRIPTION,
                row("0"),
                complete("SELECT 1"),
                READY);

        assertThat(tally.report().wrong()).isOne();
    }

    @Test
    void whatAClientNotifiedItselfIsHeardOnceBeforeOrAfterItIsReady() throws IOException {
        notifications.onSending("me.1", 0);
        judge(notification("me", "me.1"), MINE, READY);
        notifications.onCommitted(0);
        notifications.onSending("me.2", 0);
        judge(MINE, READY);
        notifications.onCommitted(0);
        judge(notification("me", "me.2"), MINE, READY, notification("me", "me.2"));

        assertThat(tally.report().notifications()).isEqualTo(2);
        assertThat(tally.report().extra()).isOne();
        assertThat(tally.report().wrong() + tally.report().missing()).isZero();
    }

    @Test
    void theNotificationOfAnotherIsWrong() throws IOException {
        judge(notification("you", "you.1"), MINE, READY);
        judge(notification("me", "you.1"), MINE, READY);

        assertThat(tally.report().wrong()).isEqualTo(2);
    }

    @Test
    void aNotificationThatWasRolledBackIsExtra() throws IOException {
        notifications.onSending("me.1", 0);
        notifications.onRolledBack();
        judge(MINE, READY, notification("me", "me.1"));

        assertThat(tally.report().extra()).isOne();
    }

    @Test
    void aNotificationThatDoesNotComeIsMissing() {
        notifications.onSending("me.1", 0);
        notifications.onCommitted(10);
        notifications.expire(Notifications.LATEST.toNanos() + 10);
        assertThat(tally.report().missing()).isZero();
        absences.begin(-2);
        absences.end(-1);

        notifications.expire(Notifications.LATEST.toNanos() + 11);

        assertThat(tally.report().missing()).isOne();
    }

    @Test
    void aNotificationThatALaterOneOvertookIsMissing() throws IOException {
        for (String payload : List.of("me.1", "me.2")) {
            notifications.onSending(payload, 0);
            notifications.onCommitted(0);
        }
        judge(notification("me", "me.2"), MINE, READY);

        assertThat(tally.report().missing()).isOne();
        assertThat(tally.report().notifications()).isOne();
    }

    @Test
    void aNotificationOfATimeWithoutListenerMayBeLost() {
        absences.begin(5);
        absences.end(8);
        notifications.onSending("me.1", 7);
        notifications.onCommitted(10);

        notifications.expire(Notifications.LATEST.toNanos() + 11);

        assertThat(tally.report().isClean()).isTrue();
    }

    /** Half of the exchanges ask by the extended protocol, and what is played is a simple query's answer. */
    private static Exchange onlySimple(Supplier<Exchange> exchanges) {
        return Stream.generate(exchanges)
                .filter(exchange -> exchange.steps().getFirst().request()[0] == 'Q')
                .findFirst()
                .orElseThrow();
    }

    private Judge.Verdict judge(byte[]... reply) throws IOException {
        return judgeOf(true, reply);
    }

    /** Plays a reply to a client that expects {@code MINE} and ReadyForQuery. */
    private Judge.Verdict judgeOf(boolean closes, byte[]... reply) throws IOException {
        return judgeOf(
                Exchange.of("test", Exchange.Step.of(Frames.query("MINE"), Group.of(Expected.complete("MINE")))),
                closes,
                reply);
    }

    private Judge.Verdict judgeOf(Exchange exchange, boolean closes, byte[]... reply) throws IOException {
        try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var client = WireClient.open("127.0.0.1", listener.getLocalPort());
                var pooler = listener.accept()) {
            client.timeout(Duration.ofMillis(closes ? 5_000 : 100));
            if (reply.length > 0) {
                pooler.getOutputStream().write(Frames.join(reply));
            }
            if (closes) {
                pooler.shutdownOutput();
            }
            return new Judge(client, "client", tally, notifications, () -> false).run(exchange);
        }
    }

    private static byte[] complete(String tag) {
        return Frames.frame('C', (tag + "\0").getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] row(String... columns) {
        return frame('D', out -> {
            out.writeShort(columns.length);
            for (var column : columns) {
                out.writeInt(column.length());
                out.writeBytes(column);
            }
        });
    }

    private static byte[] notification(String channel, String payload) {
        return frame('A', out -> {
            out.writeInt(1);
            out.writeBytes(channel + "\0" + payload + "\0");
        });
    }

    private static byte[] error(String severity, String sqlState) {
        return frame(
                'E', out -> out.writeBytes("S" + severity + "\0V" + severity + "\0C" + sqlState + "\0Mplayed\0\0"));
    }

    private interface Body {
        void writeTo(DataOutputStream out) throws IOException;
    }

    private static byte[] frame(char type, Body body) {
        var bytes = new ByteArrayOutputStream();
        try (var out = new DataOutputStream(bytes)) {
            body.writeTo(out);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return Frames.frame(type, bytes.toByteArray());
    }
}
