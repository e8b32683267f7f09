package io.plenum.routing.causal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LsnTest {
    private static final int PAGE = 8192;
    private static final long SEGMENT = 16L * 1024 * 1024;

    @ParameterizedTest
    @CsvSource({
        "0/0,0",
        "0/3000148,50331976",
        "1/0,4294967296",
        "A/ff,42949673215",
        "7FFFFFFF/FFFFFFFF,9223372036854775807"
    })
    void readsWhatPostgresWrites(String text, long lsn) {
        assertThat(Lsn.parse(text)).isEqualTo(lsn);
        assertThat(Lsn.parse(Lsn.format(lsn))).isEqualTo(lsn);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "1/", "/1", "1", "1/2/3", "-1/2", "+1/2", "1/123456789", "g/1", "1/ 2", "0x1/2"})
    void nothingElseIsAPosition(String text) {
        assertThat(Lsn.parse(text)).isEqualTo(Lsn.MALFORMED);
    }

    @Test
    void headerOfAPageThatHasNoRecordYetIsNeverReached() {
        assertThat(Lsn.reachable(SEGMENT + 40, PAGE, SEGMENT)).isEqualTo(SEGMENT);
        assertThat(Lsn.reachable(SEGMENT + PAGE + 24, PAGE, SEGMENT)).isEqualTo(SEGMENT + PAGE);
    }

    @Test
    void everyOtherPositionIsReachedAsItIs() {
        for (long offset : new long[] {0, 8, 32, 48, 104, PAGE - 8, PAGE + 40, PAGE}) {
            assertThat(Lsn.reachable(SEGMENT + offset, PAGE, SEGMENT)).isEqualTo(SEGMENT + offset);
        }
    }
}
