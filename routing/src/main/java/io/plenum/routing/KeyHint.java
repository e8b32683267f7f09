package io.plenum.routing;

import io.netty.buffer.ByteBuf;
import io.plenum.routing.balance.Hashes;

/**
 * What a client wants its reads to be kept together by, where they are balanced by a key: the setting {@value #SETTING}, or
 * one of the comments that its text begins with, {@code /* plenum:key=acme *}{@code /}. A key holds no blanks.
 */
public final class KeyHint {
    /** The setting that says it for a session. */
    public static final String SETTING = "plenum.key";

    /** What such a comment begins with, but for white space. */
    static final String MARK = "plenum:key=";

    private KeyHint() {}

    /** The hash of the key that the text begins with; 0 when that names none. */
    public static long of(ByteBuf sql, int start, int end) {
        int at = start;
        while (true) {
            at = afterSpace(sql, at, end);
            if (at + 1 >= end || sql.getByte(at) != '/' || sql.getByte(at + 1) != '*') {
                return 0;
            }
            at = afterSpace(sql, at + 2, end);
            int close = endOfComment(sql, at, end);
            if (close < 0) {
                return 0;
            }
            if (isMarked(sql, at, close)) {
                int from = at + MARK.length();
                int to = from;
                while (to < close && !isSpace(sql.getByte(to))) {
                    to++;
                }
                return to == from ? 0 : Hashes.of(sql, from, to);
            }
            at = close + 2;
        }
    }

    /** At the end of a comment; -1 where there is none, or another comment stands in it. */
    private static int endOfComment(ByteBuf sql, int start, int end) {
        for (int at = start; at + 1 < end; at++) {
            byte one = sql.getByte(at);
            byte next = sql.getByte(at + 1);
            if (one == '*' && next == '/') {
                return at;
            }
            if (one == '/' && next == '*') {
                return -1;
            }
        }
        return -1;
    }

    private static boolean isMarked(ByteBuf sql, int at, int end) {
        if (end - at < MARK.length()) {
            return false;
        }
        for (int i = 0; i < MARK.length(); i++) {
            byte letter = sql.getByte(at + i);
            if ((letter >= 'A' && letter <= 'Z' ? letter + ('a' - 'A') : letter) != MARK.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static int afterSpace(ByteBuf sql, int from, int end) {
        int at = from;
        while (at < end && isSpace(sql.getByte(at))) {
            at++;
        }
        return at;
    }

    private static boolean isSpace(byte letter) {
        return letter == ' ' || (letter >= '\t' && letter <= '\r');
    }
}
