package io.plenum.routing.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FingerprintTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "select f(1)|SELECT f(22)",
                "select f('a')|select f('it''s b')",
                "select  1.5 , x|select 2 , x",
                "select 1|select 3 ;"
            })
    void valuesCaseAndSpaceMakeNoDifference(String one, String other) {
        assertThat(of(one)).isEqualTo(of(other));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "select f(1)|select g(1)",
                "select t1.a|select t2.a",
                "select $1|select $2",
                "select 1|select 'a', 1",
                "select a b|select ab"
            })
    void namesMakeOne(String one, String other) {
        assertThat(of(one)).isNotEqualTo(of(other));
    }

    @Test
    void whatStandsAroundTheTextIsNotRead() {
        ByteBuf text = Unpooled.copiedBuffer("xselect 1y", StandardCharsets.UTF_8);

        assertThat(Fingerprint.of(text, 1, text.writerIndex() - 1)).isEqualTo(of("select 1"));
    }

    private static long of(String sql) {
        ByteBuf text = Unpooled.copiedBuffer(sql, StandardCharsets.UTF_8);
        return Fingerprint.of(text, 0, text.writerIndex());
    }
}
