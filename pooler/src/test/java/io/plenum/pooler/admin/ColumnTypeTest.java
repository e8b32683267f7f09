package io.plenum.pooler.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ColumnTypeTest {
    /** The bytes are PostgreSQL's own: {@code SELECT numeric_send(...)}. */
    @ParameterizedTest
    @CsvSource({
        "NUMERIC, 0, 0000000000000000",
        "NUMERIC, 1, 00010000000000000001",
        "NUMERIC, 9999, 0001000000000000270f",
        "NUMERIC, 10000, 00010001000000000001",
        "NUMERIC, 10001, 000200010000000000010001",
        "NUMERIC, 123456789, 0003000200000000000109291a85",
        "NUMERIC, -42, 0001000040000000002a",
        "NUMERIC, 9223372036854775807, 0005000400000000039a0d2c0170156516af",
        "INT4, 7, 00000007",
        "INT4, 9223372036854775807, 7fffffff",
        "INT8, 4294967296, 0000000100000000",
    })
    void binaryFormIsThatOfPostgres(ColumnType type, long value, String hex) {
        var out = Unpooled.buffer();

        type.writeBinary(out, value);

        assertThat(ByteBufUtil.hexDump(out)).isEqualTo(hex);
    }

    @ParameterizedTest
    @CsvSource({"FLOAT8, 0.25, 3fd0000000000000"})
    void doubleIsItsBits(ColumnType type, double value, String hex) {
        var out = Unpooled.buffer();

        type.writeBinary(out, value);

        assertThat(ByteBufUtil.hexDump(out)).isEqualTo(hex);
    }
}
