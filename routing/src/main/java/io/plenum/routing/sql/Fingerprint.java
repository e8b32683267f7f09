package io.plenum.routing.sql;

import io.netty.buffer.ByteBuf;

/**
 * A number for all texts of SQL that differ in nothing but white space, letter case and the values of numbers and plain
 * strings. Two texts may share one by accident, which costs whoever trusts it no more than a needless precaution.
 */
public final class Fingerprint {
    private static final long FIRST = 0xcbf29ce484222325L; // FNV-1a
    private static final long FACTOR = 0x100000001b3L;

    private Fingerprint() {}

    /** Of the text in {@code [start, end)}. */
    public static long of(ByteBuf sql, int start, int end) {
        long hash = FIRST;
        byte before = ' ';
        int at = start;
        while (at < end) {
            byte next = sql.getByte(at);
            at++;
            if (isBlank(next) || next == ';') {
                next = ' ';
            } else if (next == '\'') {
                at = behindString(sql, at, end);
                next = '?';
            } else if (isDigit(next) && !isOfName(before)) {
                while (at < end && (isDigit(sql.getByte(at)) || sql.getByte(at) == '.')) {
                    at++;
                }
                next = '?';
            } else if (next >= 'A' && next <= 'Z') {
                next = (byte) (next + ('a' - 'A'));
            }
            if (next != ' ' || before != ' ') {
                hash = (hash ^ next) * FACTOR;
            }
            before = next;
        }
        return before == ' ' ? hash : (hash ^ ' ') * FACTOR;
    }

    private static int behindString(ByteBuf sql, int start, int end) {
        int at = start;
        while (at < end) {
            if (sql.getByte(at) == '\'') {
                at++;
                if (at == end || sql.getByte(at) != '\'') {
                    return at;
                }
            }
            at++;
        }
        return end;
    }

    private static boolean isBlank(byte character) {
        return character == ' ' || (character >= '\t' && character <= '\r');
    }

    private static boolean isDigit(byte character) {
        return character >= '0' && character <= '9';
    }

    /** Whether a digit behind it belongs to a name, or to the number of a parameter. */
    private static boolean isOfName(byte character) {
        return (character >= 'a' && character <= 'z')
                || isDigit(character)
                || character == '_'
                || character == '$'
                || character == '"'
                || character < 0;
    }
}
