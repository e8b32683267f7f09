package io.plenum.pooler.admin;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/** The types of the console's columns, and how a value of each travels. */
enum ColumnType {
    TEXT("text", 25, -1) {
        @Override
        void writeBinary(ByteBuf out, Object value) {
            out.writeBytes(text(value).getBytes(StandardCharsets.UTF_8));
        }
    },
    INT4("int4", 23, 4) {
        @Override
        void writeBinary(ByteBuf out, Object value) {
            out.writeInt(Math.clamp(((Number) value).longValue(), Integer.MIN_VALUE, Integer.MAX_VALUE));
        }

        @Override
        String text(Object value) {
            return Integer.toString(Math.clamp(((Number) value).longValue(), Integer.MIN_VALUE, Integer.MAX_VALUE));
        }
    },
    INT8("int8", 20, 8) {
        @Override
        void writeBinary(ByteBuf out, Object value) {
            out.writeLong(((Number) value).longValue());
        }
    },
    /** Whole numbers that PgBouncer declares as numeric. */
    NUMERIC("numeric", 1700, -1) {
        @Override
        void writeBinary(ByteBuf out, Object value) {
            long rest = ((Number) value).longValue();
            int sign = rest < 0 ? NEGATIVE : 0;
            Deque<Integer> digits = new ArrayDeque<>();
            for (; rest != 0; rest /= NUMERIC_BASE) {
                digits.push((int) Math.abs(rest % NUMERIC_BASE));
            }
            int weight = Math.max(0, digits.size() - 1);
            while (!digits.isEmpty() && digits.getLast() == 0) {
                digits.removeLast(); // as PostgreSQL: no zeros at the end, the weight says how many there are
            }
            out.writeShort(digits.size()).writeShort(weight).writeShort(sign).writeShort(0);
            digits.forEach(out::writeShort);
        }
    },
    /** Bytes that are never shown, so only NULL. */
    BYTEA("bytea", 17, -1) {
        @Override
        void writeBinary(ByteBuf out, Object value) {
            throw new IllegalArgumentException("bytes are not shown");
        }
    },
    FLOAT8("float8", 701, 8) {
        @Override
        void writeBinary(ByteBuf out, Object value) {
            out.writeDouble(((Number) value).doubleValue());
        }
    };

    private static final int NUMERIC_BASE = 10_000;
    private static final int NEGATIVE = 0x4000;

    private final String sqlName;
    private final int oid;
    private final int size;

    ColumnType(String sqlName, int oid, int size) {
        this.sqlName = sqlName;
        this.oid = oid;
        this.size = size;
    }

    /** As PostgreSQL calls it. */
    String sqlName() {
        return sqlName;
    }

    /** Its row in pg_type. */
    int oid() {
        return oid;
    }

    /** Bytes of a value, -1 when they vary. */
    int size() {
        return size;
    }

    /** The value in the text format. */
    String text(Object value) {
        return value.toString();
    }

    /** Appends the value, without its length, in the binary format of the type's receive function. */
    abstract void writeBinary(ByteBuf out, Object value);
}
