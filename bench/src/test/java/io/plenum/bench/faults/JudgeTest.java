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
import org.junit.jupiter.api.Test;

/** Each fault of a pooler that the judge is there to see is played to it once. */
class JudgeTest {
    private static final byte[] READY = Frames.frame('Z', new byte[] {'I'});
    private static final byte[] IN_TRANSACTION = Frames.frame('Z', new byte[] {'T'});
    private static final byte[] MINE = complete("MINE");
    private static final byte[] TERMINATED = error("FATAL", "57P01");

    private final Tally tally = new Tally();

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

    private Judge.Verdict judge(byte[]... reply) throws IOException {
        return judgeOf(true, reply);
    }

    /** Plays a reply to a client that expects {@code MINE} and ReadyForQuery. */
    private Judge.Verdict judgeOf(boolean closes, byte[]... reply) throws IOException {
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
            var exchange =
                    Exchange.of("test", Exchange.Step.of(Frames.query("MINE"), Group.of(Expected.complete("MINE"))));
            return new Judge(client, "client", tally, () -> false).run(exchange);
        }
    }

    private static byte[] complete(String tag) {
        return Frames.frame('C', (tag + "\0").getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] error(String severity, String sqlState) {
        try (var bytes = new ByteArrayOutputStream();
                var out = new DataOutputStream(bytes)) {
            out.writeBytes("S" + severity + "\0V" + severity + "\0C" + sqlState + "\0Mplayed\0\0");
            return Frames.frame('E', bytes.toByteArray());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
