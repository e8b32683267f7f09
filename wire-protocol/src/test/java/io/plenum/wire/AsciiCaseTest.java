package io.plenum.wire;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AsciiCaseTest {
    @ParameterizedTest
    @CsvSource(textBlock = """
        '', '', ''
        TimeZone, timezone, TIMEZONE
        a@Z[z`{, a@z[z`{, A@Z[Z`{
        İstanbul.Straße, İstanbul.straße, İSTANBUL.STRAßE
        """)
    void onlyLettersOfAsciiChange(String text, String lower, String upper) {
        assertThat(AsciiCase.lower(text)).isEqualTo(lower);
        assertThat(AsciiCase.upper(text)).isEqualTo(upper);
    }

    @Test
    void whatNeedsNoChangeIsNotCopied() {
        String text = "search_path";

        assertThat(AsciiCase.lower(text)).isSameAs(text);
        assertThat(AsciiCase.upper("123 ß")).isEqualTo("123 ß");
    }
}
