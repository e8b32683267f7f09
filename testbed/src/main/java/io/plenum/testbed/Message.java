package io.plenum.testbed;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One backend message as it came: its type byte and its body without the length word.
 *
 * <p>Two messages are equal when their bytes are, so that the answers of two servers can be compared as lists. The body
 * is not copied.
 */
@SuppressWarnings("ArrayRecordComponent") // equality is by content, below
public record Message(char type, byte[] body) {
    /**
     * Field of an ErrorResponse or NoticeResponse, such as 'C' for the SQLSTATE and 'M' for the message; null where it
     * is not there.
     */
    public @Nullable String field(char code) {
        require("EN");
        var in = ByteBuffer.wrap(body);
        while (in.hasRemaining()) {
            byte found = in.get();
            if (found == 0) {
                return null;
            }
            var value = string(in);
            if (found == code) {
                return value;
            }
        }
        return null;
    }

    /** The values of a DataRow as text; null is SQL's NULL. */
    public List<@Nullable String> columns() {
        require("D");
        var in = ByteBuffer.wrap(body);
        int count = in.getShort();
        List<@Nullable String> columns = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int length = in.getInt();
            if (length < 0) {
                columns.add(null);
            } else {
                var value = new byte[length];
                in.get(value);
                columns.add(new String(value, StandardCharsets.UTF_8));
            }
        }
        return Collections.unmodifiableList(columns);
    }

    /** The column names of a RowDescription. */
    public List<String> columnNames() {
        require("T");
        var in = ByteBuffer.wrap(body);
        int count = in.getShort();
        List<String> names = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            names.add(string(in));
            in.position(in.position() + 18); // table, column, type, size, modifier, format
        }
        return Collections.unmodifiableList(names);
    }

    /** The tag of a CommandComplete. */
    public String commandTag() {
        require("C");
        return string(ByteBuffer.wrap(body));
    }

    /** The transaction status of a ReadyForQuery: I, T or E. */
    public char transactionStatus() {
        require("Z");
        return (char) body[0];
    }

    /** The first value of the first row in an answer; where there is none, a text that says so. */
    public static String value(List<Message> answer) {
        return answer.stream()
                .filter(message -> message.type == 'D')
                .map(message -> String.valueOf(message.columns().getFirst()))
                .findFirst()
                .orElse("no row in " + answer);
    }

    /** The SQLSTATE of the first error in an answer; where there is none, a text that says so. */
    public static String sqlState(List<Message> answer) {
        return answer.stream()
                .filter(message -> message.type == 'E')
                .map(message -> String.valueOf(message.field('C')))
                .findFirst()
                .orElse("no error in " + answer);
    }

    /**
     * What a person wants to read of it: severity, SQLSTATE and message of an error, the values of a row, otherwise the
     * body as UTF-8.
     */
    public String text() {
        return switch (type) {
            case 'E', 'N' -> field('S') + " " + field('C') + " " + field('M');
            case 'D' -> columns().toString();
            case 'T' -> columnNames().toString();
            default ->
                new String(body, StandardCharsets.UTF_8).replace('\0', ' ').strip();
        };
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Message that && type == that.type && Arrays.equals(body, that.body);
    }

    @Override
    public int hashCode() {
        return 31 * type + Arrays.hashCode(body);
    }

    @Override
    public String toString() {
        return type + "(" + text() + ")";
    }

    private void require(String types) {
        if (types.indexOf(type) < 0) {
            throw new IllegalStateException(
                    "expected a message of type " + types + ", it is " + type + " with " + body.length + " bytes");
        }
    }

    /** Reads up to the terminating zero and steps over it. */
    static String string(ByteBuffer in) {
        int start = in.position();
        while (in.get() != 0) {
            // the position moves
        }
        return new String(in.array(), in.arrayOffset() + start, in.position() - start - 1, StandardCharsets.UTF_8);
    }
}
