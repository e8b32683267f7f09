package io.plenum.wire.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.plenum.wire.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class FrontendMessagesTest {
    @Test
    void messagesHaveTheBytesOfTheManual() {
        assertThat(hex(out -> FrontendMessages.password(out, ascii("pw")))).isEqualTo("7000000007" + "707700");
        assertThat(hex(out -> FrontendMessages.saslInitialResponse(out, "M", ascii("n,,"))))
                .isEqualTo("700000000d" + "4d00" + "00000003" + "6e2c2c");
        assertThat(hex(out -> FrontendMessages.saslInitialResponse(out, "M", null)))
                .isEqualTo("700000000a" + "4d00" + "ffffffff");
        assertThat(hex(out -> FrontendMessages.saslResponse(out, ascii("c=")))).isEqualTo("7000000006" + "633d");
        assertThat(hex(out -> FrontendMessages.query(out, "ä"))).isEqualTo("5100000007" + "c3a400");
        assertThat(hex(out -> FrontendMessages.parse(out, "s", "q", 23)))
                .isEqualTo("500000000e" + "7300" + "7100" + "0001" + "00000017");
        assertThat(hex(out -> FrontendMessages.bind(out, "p", "s", Arrays.asList(ascii("1"), null, ascii("")))))
                .isEqualTo("420000001b" + "7000" + "7300" + "0000" + "0003" + "00000001" + "31" + "ffffffff"
                        + "00000000" + "0000");
        assertThat(hex(out -> FrontendMessages.describeStatement(out, "s"))).isEqualTo("4400000007" + "53" + "7300");
        assertThat(hex(out -> FrontendMessages.describePortal(out, ""))).isEqualTo("4400000006" + "50" + "00");
        assertThat(hex(out -> FrontendMessages.closeStatement(out, "s"))).isEqualTo("4300000007" + "53" + "7300");
        assertThat(hex(out -> FrontendMessages.closePortal(out, ""))).isEqualTo("4300000006" + "50" + "00");
        assertThat(hex(out -> FrontendMessages.execute(out, "", 2))).isEqualTo("4500000009" + "00" + "00000002");
        assertThat(hex(out -> FrontendMessages.functionCall(out, 2308, List.of(ascii("7")))))
                .isEqualTo("4600000013" + "00000904" + "0000" + "0001" + "00000001" + "37" + "0000");
        assertThat(hex(FrontendMessages::sync)).isEqualTo("5300000004");
        assertThat(hex(FrontendMessages::flush)).isEqualTo("4800000004");
        assertThat(hex(FrontendMessages::terminate)).isEqualTo("5800000004");
        assertThat(hex(FrontendMessages::copyDone)).isEqualTo("6300000004");
        assertThat(hex(out -> FrontendMessages.copyData(out, ascii("x")))).isEqualTo("6400000005" + "78");
        assertThat(hex(out -> FrontendMessages.copyFail(out, "x"))).isEqualTo("6600000006" + "7800");
    }

    @Test
    void nulWouldEndAStringEarlyAndIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FrontendMessages.query(Unpooled.buffer(), "select 1\0; drop table t"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FrontendMessages.password(Unpooled.buffer(), new byte[] {'a', 0, 'b'}));
    }

    @Test
    void passwordIsReadUpToTheNulThatMustEndIt() {
        for (int length : new int[] {1, 996, 1024, 4096, 65_530}) {
            byte[] password = "p".repeat(length).getBytes(StandardCharsets.US_ASCII);
            ByteBuf out = Unpooled.buffer();
            FrontendMessages.password(out, password);
            assertThat(PasswordMessage.parse(out, 5, out.writerIndex())).isEqualTo(password);
        }
        for (byte[] body : List.of(ascii(""), ascii("abc"), ascii("abc\0\0"), ascii("a\0bc\0"))) {
            assertThatExceptionOfType(ProtocolException.class)
                    .isThrownBy(() -> PasswordMessage.parse(body))
                    .withMessage("invalid password packet size");
        }
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> PasswordMessage.parse(ascii("\0")))
                .withMessage("empty password returned by client");
    }

    @Test
    void anyBytesGiveASaslChoiceOrOneProtocolException() {
        Random random = new Random(10);
        ByteBuf message = Unpooled.buffer();
        FrontendMessages.saslInitialResponse(message, "SCRAM-SHA-256", ascii("n,,n=,r=abc"));
        assertThat(SaslInitialResponse.parse(message, 5, message.writerIndex()).mechanism())
                .isEqualTo("SCRAM-SHA-256");
        for (int round = 0; round < 20_000; round++) {
            ByteBuf damaged = message.copy();
            for (int damage = random.nextInt(3); damage >= 0; damage--) {
                damaged.setByte(5 + random.nextInt(damaged.writerIndex() - 5), random.nextInt(256));
            }
            try {
                SaslInitialResponse.parse(damaged, 5, damaged.writerIndex() - random.nextInt(4));
            } catch (ProtocolException e) {
                assertThat(e.sqlState().code()).isEqualTo("08P01");
            }
        }
    }

    private static String hex(Consumer<ByteBuf> writer) {
        ByteBuf out = Unpooled.buffer();
        writer.accept(out);
        return ByteBufUtil.hexDump(out);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
