package io.plenum.wire.error;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ErrorResponseTest {
    @Test
    void errorHasTheFieldsOfTheManual() {
        ByteBuf out = Unpooled.buffer();
        ErrorResponse.fatal(SqlState.TOO_MANY_CONNECTIONS, "full")
                .detail("10 of 10")
                .hint("wait")
                .writeTo(out);

        assertThat(out.getByte(0)).isEqualTo((byte) 'E');
        assertThat(out.toString(5, out.writerIndex() - 5, StandardCharsets.UTF_8))
                .isEqualTo("SFATAL\0VFATAL\0C53300\0Mfull\0D10 of 10\0Hwait\0\0");
        assertThat(out.getInt(1)).isEqualTo(out.writerIndex() - 1);
    }

    @Test
    void noticeGoesOutAsNotice() {
        ByteBuf out = Unpooled.buffer();
        ErrorResponse.notice(SqlState.SUCCESSFUL_COMPLETION, "hello").writeTo(out);

        assertThat(out.getByte(0)).isEqualTo((byte) 'N');
        assertThat(ErrorResponse.parse(out, 5, out.writerIndex()).isNotice()).isTrue();
    }

    @Test
    void nulInATextDoesNotEndItsField() {
        ByteBuf out = Unpooled.buffer();
        ErrorResponse.error(SqlState.INVALID_PARAMETER_VALUE, "bad: a\0Cfaked").writeTo(out);

        ErrorResponse read = ErrorResponse.parse(out, 5, out.writerIndex());
        assertThat(read.code()).isEqualTo("22023");
        assertThat(read.message()).isEqualTo("bad: a\ufffdCfaked");
    }

    @Test
    void whatIsMissingIsFilledIn() {
        assertThat(parse("")).isEqualTo(new ErrorResponse("ERROR", "XX000", "", null, null, null));
        assertThat(parse("SFEHLER\0C57P01\0\0")).isEqualTo(new ErrorResponse("FEHLER", "57P01", "", null, null, null));
        assertThat(parse("SFEHLER\0VFATAL\0Mweg\0\0").isFatal()).isTrue();
        assertThat(parse("SERROR\0VERROR\0C25006\0Mcannot exec").message()).isEqualTo("cannot exec");
        assertThat(parse("?unknown\0Mknown\0\0").message()).isEqualTo("known");
        assertThat(parse("Mfirst\0\0Mbehind the end\0").message()).isEqualTo("first");
    }

    @Test
    void longFieldsAreKeptUpToTheirBound() {
        assertThat(parse("M" + "x".repeat(100_000) + "\0C25006\0\0")).satisfies(error -> {
            assertThat(error.message()).hasSize(ErrorResponse.MAX_FIELD_BYTES);
            assertThat(error.is(SqlState.READ_ONLY_SQL_TRANSACTION)).isTrue();
        });
    }

    @Test
    void codesAreFiveCharactersAndUnique() {
        Set<String> codes = new HashSet<>();
        for (SqlState state : SqlState.values()) {
            assertThat(state.code()).matches("[0-9A-Z]{5}");
            assertThat(codes.add(state.code())).isTrue();
            assertThat(SqlState.of(state.code())).isEqualTo(state);
        }
        assertThat(SqlState.of("99999")).isNull();
    }

    private static ErrorResponse parse(String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        ByteBuf buffer = Unpooled.buffer()
                .writeZero(3)
                .writeBytes(bytes)
                .writeBytes("Mnot ours\0".getBytes(StandardCharsets.US_ASCII));
        String before = ByteBufUtil.hexDump(buffer);
        ErrorResponse error = ErrorResponse.parse(buffer, 3, 3 + bytes.length);
        assertThat(ByteBufUtil.hexDump(buffer)).isEqualTo(before);
        return error;
    }
}
