package io.plenum.wire.startup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.wire.ProtocolException;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProxyHeaderTest {
    private static final String SIGNATURE = "0d0a0d0a000d0a515549540a";

    private static ByteBuf bytes(String hex) {
        return Unpooled.wrappedBuffer(HexFormat.of().parseHex(hex));
    }

    private static ProxyHeader parse(String hex) {
        ByteBuf bytes = bytes(hex);
        int length = ProxyHeader.lengthAt(bytes, 0, bytes.writerIndex());
        assertThat(length).isEqualTo(bytes.writerIndex());
        return ProxyHeader.parse(bytes, 0, length);
    }

    @Test
    void clientIsWhereTheHeaderSays() {
        ProxyHeader four = parse(SIGNATURE + "2111000c" + "0a000007" + "c0a80001" + "a141" + "1920");
        assertThat(four.address()).containsExactly(10, 0, 0, 7);
        assertThat(four.port()).isEqualTo(0xA141);

        ProxyHeader six =
                parse(SIGNATURE + "21210024" + "20010db8000000000000000000000001" + "00".repeat(16) + "0050" + "1920");
        assertThat(six.address()).hasSize(16).startsWith(0x20, 0x01);
        assertThat(six.port()).isEqualTo(80);
    }

    @Test
    void whatAProxyAddsOfItsOwnIsSkipped() {
        ProxyHeader header = parse(SIGNATURE + "21110011" + "0a000007" + "c0a80001" + "a141" + "1920" + "0400020102");
        assertThat(header.address()).containsExactly(10, 0, 0, 7);
    }

    @Test
    void proxyThatSpeaksForItselfNamesNobody() {
        assertThat(parse(SIGNATURE + "20000000").address()).isNull();
        assertThat(parse(SIGNATURE + "21000000").address()).isNull();
        assertThat(parse(SIGNATURE + "213100d8" + "00".repeat(216)).address()).isNull(); // a Unix socket
    }

    @Test
    void headerIsKnownByItsBeginning() {
        ByteBuf header = bytes(SIGNATURE + "20000000");
        for (int end = 1; end <= header.writerIndex(); end++) {
            assertThat(ProxyHeader.begins(header, 0, end)).isTrue();
            assertThat(ProxyHeader.lengthAt(header, 0, end)).isEqualTo(end < 16 ? 0 : 16);
        }
        assertThat(ProxyHeader.begins(header, 0, 0)).isFalse();
        assertThat(ProxyHeader.begins(bytes("0000000804d2162f"), 0, 8)).isFalse();
        assertThat(ProxyHeader.begins(bytes("0d0a0d0b"), 0, 4)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1111000c", "31110000", "2111ffff"})
    void otherVersionsAndEndlessHeadersAreRefused(String rest) {
        ByteBuf bytes = bytes(SIGNATURE + rest);
        assertThatExceptionOfType(ProtocolException.class).isThrownBy(() -> ProxyHeader.lengthAt(bytes, 0, 16));
    }

    @ParameterizedTest
    @ValueSource(strings = {"22110000", "21110004", "2121000c"})
    void otherCommandsAndAddressesThatEndTooEarlyAreRefused(String rest) {
        ByteBuf bytes = bytes(SIGNATURE + rest + "00".repeat(12));
        int length = ProxyHeader.lengthAt(bytes, 0, 16);
        assertThatExceptionOfType(ProtocolException.class).isThrownBy(() -> ProxyHeader.parse(bytes, 0, length));
    }
}
