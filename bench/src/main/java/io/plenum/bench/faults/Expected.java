package io.plenum.bench.faults;

import io.plenum.testbed.Message;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A message that must come, with what must stand in it.
 *
 * @param columns of a DataRow, as text
 * @param tag of a CommandComplete
 * @param body of a CopyData or FunctionCallResponse, to the byte
 */
@SuppressWarnings("ArrayRecordComponent") // equals and hashCode are written out below
record Expected(
        char type, @Nullable List<String> columns, @Nullable String tag, byte @Nullable [] body) {
    /** A message of which only the type counts. */
    static Expected type(char type) {
        return new Expected(type, null, null, null);
    }

    static Expected row(String... columns) {
        return new Expected('D', List.of(columns), null, null);
    }

    static Expected complete(String tag) {
        return new Expected('C', null, tag, null);
    }

    static Expected body(char type, byte[] body) {
        return new Expected(type, null, null, body);
    }

    boolean matches(Message message) {
        return message.type() == type
                && (columns == null || columns.equals(message.columns()))
                && (tag == null || tag.equals(message.commandTag()))
                && (body == null || Arrays.equals(body, message.body()));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Expected that && toString().equals(that.toString()) && Arrays.equals(body, that.body);
    }

    @Override
    public int hashCode() {
        return toString().hashCode();
    }

    @Override
    public String toString() {
        return type + (columns == null ? "" : " " + columns) + (tag == null ? "" : " " + tag);
    }
}
