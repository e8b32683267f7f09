package io.plenum.pooler.listen;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ChannelNameTest {
    @Test
    void nameIsQuotedAsAnIdentifier() {
        assertThat(quoted("jobs")).isEqualTo("\"jobs\"");
        assertThat(quoted("Jobs; DROP TABLE t --")).isEqualTo("\"Jobs; DROP TABLE t --\"");
        assertThat(quoted("a\"; NOTIFY b; LISTEN \"c")).isEqualTo("\"a\"\"; NOTIFY b; LISTEN \"\"c\"");
        assertThat(quoted("\"")).isEqualTo("\"\"\"\"");
        assertThat(quoted("back\\slash'")).isEqualTo("\"back\\slash'\"");
    }

    @Test
    void nameOf63BytesIsKept() {
        String ascii = "x".repeat(63);
        assertThat(ChannelName.cut(ascii)).isEqualTo(ascii);
        String umlauts = "x" + "ä".repeat(31);
        assertThat(ChannelName.cut(umlauts)).isEqualTo(umlauts);
    }

    @Test
    void longerNameIsCutBetweenCharacters() {
        assertThat(ChannelName.cut("x".repeat(64))).isEqualTo("x".repeat(63));
        assertThat(ChannelName.cut("ä".repeat(32))).isEqualTo("ä".repeat(31));
        assertThat(ChannelName.cut("x".repeat(61) + "€uro")).isEqualTo("x".repeat(61));
        assertThat(ChannelName.cut("😀".repeat(20))).isEqualTo("😀".repeat(15));
        assertThat(ChannelName.cut("😀".repeat(20)).getBytes(StandardCharsets.UTF_8))
                .hasSize(60);
    }

    private static String quoted(String name) {
        var sql = new StringBuilder();
        ChannelName.quote(sql, name);
        return sql.toString();
    }
}
