package io.plenum.routing.sql;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A text of SQL as it may be shown to others: each string and number is a question mark, comments are gone, and it is not long.
 *
 * <p>Where a string ends depends on settings and encodings that whoever asks may not know. So the outline ends with the first
 * string that has a backslash, as it does with a text that is not complete.
 */
public final class Outline {
    private static final String CUT = "…";

    /** A longer text is taken for one that ends here. */
    private static final int READ = 4096;

    private Outline() {}

    /** Of the text in {@code [start, end)}, in {@code most} characters at most, the mark of what was left out included. */
    public static String of(ByteBuf sql, int start, int end, int most) {
        byte[] text = new byte[Math.max(0, Math.min(end - start, READ))];
        sql.getBytes(start, text);
        return of(text, text.length < end - start, most);
    }

    /** The same for a text in hand. */
    public static String of(String sql, int most) {
        byte[] all = sql.getBytes(StandardCharsets.UTF_8);
        byte[] text = all.length > READ ? Arrays.copyOf(all, READ) : all;
        return of(text, text.length < all.length, most);
    }

    private static String of(byte[] text, boolean cut, int most) {
        var scanner = new SqlScanner();
        scanner.over(text, 0, text.length);
        StringBuilder outline = new StringBuilder();
        int before = 0;
        Token previous = Token.END;
        while (true) {
            int from = scanner.position();
            Token token = Lexeme.token(scanner.next());
            if (token == Token.END) {
                return shortened(outline, cut, most);
            }
            int start = scanner.begin(from);
            int end = scanner.position();
            if (token == Token.BROKEN) {
                return shortened(outline, true, most);
            }
            boolean gap = start > before || (before > 0 && text[before - 1] == ' ');
            if (gap && !outline.isEmpty()) {
                outline.append(' ');
            }
            before = end;
            switch (token) {
                case STRING, NUMBER -> outline.append('?');
                case WORD -> {
                    if (previous != Token.NUMBER || gap) { // else digits and exponent of the number
                        outline.append(new String(text, start, end - start, StandardCharsets.UTF_8).strip());
                    }
                }
                default -> outline.append(new String(text, start, end - start, StandardCharsets.UTF_8));
            }
            if ((token == Token.STRING && hasBackslash(text, start, end)) || outline.length() > most) {
                return shortened(outline, true, most);
            }
            previous = token;
        }
    }

    private static boolean hasBackslash(byte[] text, int start, int end) {
        for (int at = start; at < end; at++) {
            if (text[at] == '\\') {
                return true;
            }
        }
        return false;
    }

    private static String shortened(StringBuilder outline, boolean cut, int most) {
        if (outline.length() > most - (cut ? CUT.length() : 0)) {
            outline.setLength(most - CUT.length());
            return outline + CUT;
        }
        return cut ? outline + CUT : outline.toString();
    }
}
