package io.plenum.pooler.admin;

import io.netty.buffer.ByteBuf;
import io.plenum.pooler.admin.ShowTable.Column;
import io.plenum.pooler.admin.ShowTable.Row;
import io.plenum.wire.BackendType;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.WireWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes the console's tables in the formats that a Bind asked for.
 *
 * <p>Manual, "Message Formats", RowDescription, DataRow and Bind. Appends to the caller's buffer.
 */
final class ResultWriter {
    private static final int NULL = -1;

    private ResultWriter() {}

    /** The formats of a result as Bind gives them: none, one for all columns, or one for each. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Formats(int[] codes) {
        static final Formats TEXT = new Formats(new int[0]);

        /** Refuses what does not fit the columns. */
        void check(int columns) {
            if (codes.length > 1 && codes.length != columns) {
                throw new ProtocolException(
                        "bind message has %d result formats but query has %d columns".formatted(codes.length, columns));
            }
            for (int code : codes) {
                if (code != 0 && code != 1) {
                    throw new ProtocolException("unsupported format code: " + code);
                }
            }
        }

        int of(int column) {
            return codes.length == 0 ? 0 : codes[codes.length == 1 ? 0 : column];
        }
    }

    static void rowDescription(ByteBuf out, List<Column> columns, Formats formats) {
        int start = WireWriter.begin(out, BackendType.ROW_DESCRIPTION.code());
        out.writeShort(WireWriter.count(columns.size()));
        for (int i = 0; i < columns.size(); i++) {
            Column column = columns.get(i);
            WireWriter.cstring(out, column.name());
            out.writeInt(0).writeShort(0); // of no table
            out.writeInt(column.type().oid()).writeShort(column.type().size());
            out.writeInt(-1).writeShort(formats.of(i));
        }
        WireWriter.end(out, start);
    }

    static void dataRow(ByteBuf out, List<Column> columns, Row row, Formats formats) {
        int start = WireWriter.begin(out, BackendType.DATA_ROW.code());
        out.writeShort(WireWriter.count(columns.size()));
        for (int i = 0; i < columns.size(); i++) {
            value(out, columns.get(i).type(), row.values().get(i), formats.of(i));
        }
        WireWriter.end(out, start);
    }

    private static void value(ByteBuf out, ColumnType type, @Nullable Object value, int format) {
        if (value == null) {
            out.writeInt(NULL);
            return;
        }
        int length = out.writerIndex();
        out.writeInt(0);
        if (format == 1) {
            type.writeBinary(out, value);
        } else {
            out.writeBytes(type.text(value).getBytes(StandardCharsets.UTF_8));
        }
        out.setInt(length, out.writerIndex() - length - Integer.BYTES);
    }
}
