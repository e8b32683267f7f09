package io.plenum.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.routing.balance.Hashes;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeyHintTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "/* plenum:key=acme */ SELECT 1",
                " /*plenum:key=acme*/SELECT 1",
                "/* PLENUM:Key=acme but for what follows */",
                "/* by the framework */ /* plenum:replica */\n/* plenum:key=acme */ SELECT 1",
            })
    void keyStandsInAnyCommentThatTheTextBeginsWith(String sql) {
        assertThat(key(sql)).isEqualTo(Hashes.of("acme"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT 1",
                "",
                "/*",
                "/* plenum:key=acme",
                "/* plenum:key= */ SELECT 1",
                "/* plenum:key */ SELECT 1",
                "/* the plenum:key=acme */ SELECT 1",
                "SELECT 1 /* plenum:key=acme */",
                "-- plenum:key=acme\nSELECT 1",
                "/* /* plenum:key=acme */ */ SELECT 1",
            })
    void whatIsNoKeyIsNone(String sql) {
        assertThat(key(sql)).isZero();
    }

    @Test
    void keysDifferAsTheirTextsDo() {
        assertThat(key("/* plenum:key=a */")).isNotEqualTo(key("/* plenum:key=A */"));
        for (String word : new String[] {"Größe", "大きさ", "\uD83D\uDC18s"}) {
            assertThat(key("/* plenum:key=" + word + " */")).as(word).isEqualTo(Hashes.of(word));
        }
    }

    @Test
    void routeMayStandBehindTheKey() {
        byte[] text = "/* plenum:key=acme */ /* plenum:replica */ SELECT 1".getBytes(StandardCharsets.UTF_8);

        assertThat(RoutingHint.at(text, 0, text.length)).isEqualTo(RoutingHint.REPLICA);
        byte[] keyAlone = "/* plenum:key=acme */ SELECT 1".getBytes(StandardCharsets.UTF_8);
        assertThat(RoutingHint.at(keyAlone, 0, keyAlone.length)).isNull();
    }

    private static long key(String sql) {
        ByteBuf text = Unpooled.wrappedBuffer(("x" + sql + "x").getBytes(StandardCharsets.UTF_8));
        return KeyHint.of(text, 1, text.writerIndex() - 1);
    }
}
