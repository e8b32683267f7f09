package io.plenum.wire.backend;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.WireReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A row that answers a statement of our own (probes, look-ups of secrets), in text format; clients' rows are never
 * looked into.
 *
 * @param values null is SQL's NULL
 */
public record DataRow(List<@Nullable String> values) {
    private static final int NULL = -1;

    /** Reads the body of a whole DataRow; a {@link ProtocolException} when it is malformed. */
    public static DataRow parse(ByteBuf bytes, int bodyStart, int bodyEnd) {
        WireReader body = new WireReader(bytes, bodyStart, bodyEnd);
        int count = body.readUnsignedShort();
        List<@Nullable String> values = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int length = body.readInt();
            values.add(length == NULL ? null : new String(body.readBytes(length), StandardCharsets.UTF_8));
        }
        body.expectEnd();
        return new DataRow(Collections.unmodifiableList(values));
    }

    /**
     * The value of a column, counted from 0; a {@link ProtocolException} when the row is shorter than was asked for.
     */
    public @Nullable String value(int column) {
        if (column >= values.size()) {
            throw new ProtocolException("row of %d columns lacks column %d".formatted(values.size(), column));
        }
        return values.get(column);
    }
}
