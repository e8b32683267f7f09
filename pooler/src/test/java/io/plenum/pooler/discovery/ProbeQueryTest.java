package io.plenum.pooler.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.plenum.routing.topology.Observation;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.backend.DataRow;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProbeQueryTest {
    @Test
    void primaryTellsItsTimelineAndHowFarItWrote() {
        var answer = ProbeQuery.FULL.read(
                row("f", "7561234567890123456", "0000001F", "2A/FF000028", "1700000000123456", "t"), 5);

        assertThat(answer.seen()).isEqualTo(new Observation(false, 7561234567890123456L, 31, 0x2A_FF000028L, 5));
        assertThat(answer.startedMicros()).isEqualTo(1700000000123456L);
    }

    @Test
    void standbyMayNotKnowItsTimelineNorHowFarItReplayed() {
        var answer = ProbeQuery.FULL.read(row("t", "1", null, null, "2", "t"), 5);

        assertThat(answer.seen()).isEqualTo(new Observation(true, 1, 0, 0, 5));
    }

    @Test
    void standbyWithoutAWalReceiverIsNotFed() {
        var answer = ProbeQuery.FULL.read(row("t", "1", null, "0/3000000", "2", "f"), 5);

        assertThat(answer.seen()).isEqualTo(new Observation(true, 1, 0, 0x3000000, 5, false));
    }

    @Test
    void roleAloneLeavesTheRestUnknown() {
        assertThat(ProbeQuery.ROLE.read(row("f"), 5).seen()).isEqualTo(new Observation(false, 0, 0, 0, 5));
    }

    @ParameterizedTest
    @CsvSource({"x,1,1,0/0,1", "f,one,1,0/0,1", "f,1,zz,0/0,1", "f,1,1,00,1", "f,1,1,0/100000000,1"})
    void whatWasNotAskedForIsRefused(String role, String identifier, String timeline, String lsn, String started) {
        DataRow row = row(role, identifier, timeline, lsn, started, "t");

        assertThatThrownBy(() -> ProbeQuery.FULL.read(row, 0)).isInstanceOf(ProtocolException.class);
    }

    private static DataRow row(@Nullable String... values) {
        return new DataRow(Arrays.asList(values));
    }
}
