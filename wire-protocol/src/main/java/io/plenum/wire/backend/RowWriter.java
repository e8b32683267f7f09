package io.plenum.wire.backend;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.plenum.wire.BackendType;
import io.plenum.wire.WireWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes tables that we answer with ourselves, in text format.
 *
 * <p>Manual, "Message Formats", RowDescription and DataRow. Appends to the caller's buffer.
 */
public final class RowWriter {
    private static final int NO_TABLE = 0;
    private static final int NO_TYPE_MODIFIER = -1;
    private static final int TEXT_FORMAT = 0;
    private static final int NULL = -1;

    /**
     * A column.
     *
     * @param typeOid the type's row in pg_type
     * @param size the type's width in bytes, -1 when it varies
     */
    public record Column(String name, int typeOid, int size) {
        public static Column bool(String name) {
            return new Column(name, 16, 1);
        }

        public static Column int8(String name) {
            return new Column(name, 20, 8);
        }

        public static Column int4(String name) {
            return new Column(name, 23, 4);
        }

        public static Column text(String name) {
            return new Column(name, 25, -1);
        }

        public static Column float8(String name) {
            return new Column(name, 701, 8);
        }

        public static Column timestamptz(String name) {
            return new Column(name, 1184, 8);
        }

        public static Column numeric(String name) {
            return new Column(name, 1700, -1);
        }
    }

    private RowWriter() {}

    public static void rowDescription(ByteBuf out, Column... columns) {
        rowDescription(out, List.of(columns));
    }

    public static void rowDescription(ByteBuf out, List<Column> columns) {
        int start = WireWriter.begin(out, BackendType.ROW_DESCRIPTION.code());
        out.writeShort(WireWriter.count(columns.size()));
        for (Column column : columns) {
            WireWriter.cstring(out, column.name());
            out.writeInt(NO_TABLE)
                    .writeShort(0)
                    .writeInt(column.typeOid())
                    .writeShort(column.size())
                    .writeInt(NO_TYPE_MODIFIER)
                    .writeShort(TEXT_FORMAT);
        }
        WireWriter.end(out, start);
    }

    /** One row; null is SQL's NULL. */
    public static void dataRow(ByteBuf out, @Nullable String... values) {
        int start = WireWriter.begin(out, BackendType.DATA_ROW.code());
        out.writeShort(WireWriter.count(values.length));
        for (String value : values) {
            if (value == null) {
                out.writeInt(NULL);
            } else {
                int length = out.writerIndex();
                out.writeInt(0);
                out.setInt(length, ByteBufUtil.writeUtf8(out, value));
            }
        }
        WireWriter.end(out, start);
    }

    /** One row; null is SQL's NULL. */
    public static void dataRow(ByteBuf out, List<@Nullable String> values) {
        dataRow(out, values.toArray(new @Nullable String[0]));
    }
}
