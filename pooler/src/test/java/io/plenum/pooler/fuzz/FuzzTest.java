package io.plenum.pooler.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The targets with what the fuzzer begins with, and with all that it has found: without it, and so quick. */
class FuzzTest {
    @ParameterizedTest
    @EnumSource
    void whatTheFuzzerBeginsWithPasses(FuzzTarget target) {
        List<byte[]> seeds = target.seeds();

        assertThat(seeds).isNotEmpty();
        for (byte[] seed : seeds) {
            assertThatCode(() -> target.run(seed)).as(() -> shown(seed)).doesNotThrowAnyException();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatWasOnceFoundStaysMended(FuzzTarget target) {
        for (byte[] input : Seeds.found(target)) {
            assertThatCode(() -> target.run(input)).as(() -> shown(input)).doesNotThrowAnyException();
        }
    }

    @Test
    void executionThatKeepsABufferFails() {
        var kept = new ArrayList<ByteBuf>();
        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> Execution.of(1, () -> kept.add(Execution.ALLOCATOR.directBuffer(16))))
                .withMessage("16 bytes of buffers were not given back");
        kept.forEach(ByteBuf::release);
    }

    private static String shown(byte[] input) {
        return new String(input, StandardCharsets.ISO_8859_1);
    }
}
