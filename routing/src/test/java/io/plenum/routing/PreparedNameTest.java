package io.plenum.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.plenum.routing.PreparedName.Use;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PreparedNameTest {
    private final PreparedName prepared = new PreparedName();

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        DEALLOCATE q                     | DEALLOCATE | q    | q
        deallocate prepare Q ;           | DEALLOCATE | q    | Q
        DEALLOCATE "Q x"                 | DEALLOCATE | Q x  | "Q x"
        DEALLOCATE "a""b"                | DEALLOCATE | a"b  | "a""b"
        /* why */ DEALLOCATE -- it ↵ q;; | DEALLOCATE | q    | q
        DEALLOCATE prepare               | DEALLOCATE | prepare | prepare
        DEALLOCATE "all"                 | DEALLOCATE | all  | "all"
        EXECUTE q                        | EXECUTE    | q    | q
        EXECUTE q (1, 'a;b')             | EXECUTE    | q    | q
        PREPARE q AS SELECT 1            | PREPARE    | q    | q
        PREPARE q (int) AS SELECT $1     | PREPARE    | q    | q
        """)
    void findsTheNameOfALoneStatement(String sql, Use use, String name, String asWritten) {
        ByteBuf text = Unpooled.copiedBuffer("Q    " + sql.replace('↵', '\n'), StandardCharsets.UTF_8);

        assertThat(prepared.read(text, 5, text.writerIndex())).isEqualTo(use);
        assertThat(new String(prepared.name(), StandardCharsets.UTF_8)).isEqualTo(name);
        assertThat(text.toString(
                        prepared.nameStart(), prepared.nameEnd() - prepared.nameStart(), StandardCharsets.UTF_8))
                .isEqualTo(asWritten);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        DEALLOCATE ALL
        DEALLOCATE PREPARE ALL
        DEALLOCATE q; SELECT 1
        DEALLOCATE q x
        DEALLOCATE
        DEALLOCATE U&"q"
        EXECUTE q; EXECUTE q
        EXECUTE 'q'
        PREPARE TRANSACTION 'x'
        EXPLAIN EXECUTE q
        SELECT 1
        EXECUTE q ('
        """)
    void seesNoneInAnythingElse(String sql) {
        ByteBuf text = Unpooled.copiedBuffer(sql, StandardCharsets.UTF_8);

        assertThat(prepared.read(text, 0, text.writerIndex())).isEqualTo(Use.NONE);
    }
}
