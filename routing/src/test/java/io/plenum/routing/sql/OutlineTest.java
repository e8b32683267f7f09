package io.plenum.routing.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OutlineTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "SELECT 1|SELECT ?",
                "PREPARE q AS SELECT * FROM t WHERE a = 'x''y' AND b = $1|PREPARE q AS SELECT * FROM t WHERE a = ? AND"
                        + " b = $1",
                "SELECT 0xCAFE, 1e7, 1.5, .5|SELECT ?, ?, ?, ?",
                "SELECT a.b, t1.c::int FROM \"odd name\"|SELECT a.b, t1.c::int FROM \"odd name\"",
                "ALTER ROLE ada PASSWORD 'secret';|ALTER ROLE ada PASSWORD ?;",
                "DO $x$ secret $x$|DO ?",
                "SELECT /* secret */ 1 -- secret|SELECT ?",
                "SELECT  -1+2|SELECT -?+?"
            })
    void literalsAreQuestionMarksAndCommentsAreGone(String sql, String outline) {
        assertThat(Outline.of(sql, 200)).isEqualTo(outline);
        byte[] bytes = ("##" + sql + "##").getBytes(StandardCharsets.UTF_8);
        assertThat(Outline.of(Unpooled.wrappedBuffer(bytes), 2, bytes.length - 2, 200))
                .isEqualTo(outline);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT 'it\\', 'secret'",
                "SELECT E'it\\'s', secret",
                "SELECT 'secret",
                "SELECT /* secret",
                "SELECT $a$secret"
            })
    void nothingIsShownBehindAStringWhoseEndIsNotCertain(String sql) {
        assertThat(Outline.of(sql, 200)).startsWith("SELECT").endsWith("…").doesNotContain("secret");
    }

    @Test
    void longTextIsCut() {
        assertThat(Outline.of("SELECT " + "a, ".repeat(100) + "b", 20))
                .hasSize(20)
                .endsWith("…");
        assertThat(Outline.of("SELECT '" + "secret".repeat(1000) + "'", 20)).isEqualTo("SELECT…");
        assertThat(Outline.of("", 20)).isEmpty();
    }
}
