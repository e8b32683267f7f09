package io.plenum.routing;

import io.plenum.wire.AsciiCase;
import org.jspecify.annotations.Nullable;

/**
 * Where a client asks to be sent: by the setting {@value #SETTING}, or by a comment that its text begins with, behind
 * that of a {@link KeyHint} if there is one, and that holds nothing but {@code plenum:} and the word.
 */
public enum RoutingHint {
    /** Nowhere in particular. */
    AUTO("auto"),
    PRIMARY("primary"),
    REPLICA("replica");

    /** The setting that says it for a session. */
    public static final String SETTING = "plenum.route";

    private static final String MARK = "plenum:";
    private static final RoutingHint[] ALL = values();

    private final String word;

    RoutingHint(String word) {
        this.word = word;
    }

    /** The hint that the setting's value means, in any case; {@link #AUTO} for null and for what is none. */
    public static RoutingHint named(@Nullable String value) {
        String word = value == null ? "" : AsciiCase.lower(value.strip());
        for (RoutingHint hint : ALL) {
            if (hint.word.equals(word)) {
                return hint;
            }
        }
        return AUTO;
    }

    /** What the comment says that the text begins with, but for white space; null when that is no hint. */
    static @Nullable RoutingHint at(byte[] text, int start, int end) {
        int at = inComment(text, start, end);
        while (at < end && stands(KeyHint.MARK, text, at, end)) {
            while (at + 1 < end && (text[at] != '*' || text[at + 1] != '/')) {
                at++;
            }
            at = inComment(text, at + 2, end);
        }
        if (!stands(MARK, text, at, end)) {
            return null;
        }
        at = afterSpace(text, at + MARK.length(), end);
        for (RoutingHint hint : ALL) {
            if (stands(hint.word, text, at, end)) {
                int behind = afterSpace(text, at + hint.word.length(), end);
                return behind + 1 < end && text[behind] == '*' && text[behind + 1] == '/' ? hint : null;
            }
        }
        return null;
    }

    /** At the first word of the comment that stands there, but for white space; {@code end} where there is none. */
    private static int inComment(byte[] text, int start, int end) {
        int at = afterSpace(text, start, end);
        boolean begins = at + 1 < end && text[at] == '/' && text[at + 1] == '*';
        return begins ? afterSpace(text, at + 2, end) : end;
    }

    private static int afterSpace(byte[] text, int from, int end) {
        int at = from;
        while (at < end && (text[at] == ' ' || (text[at] >= '\t' && text[at] <= '\r'))) {
            at++;
        }
        return at;
    }

    /** Whether the word stands there, in any case. */
    private static boolean stands(String word, byte[] text, int at, int end) {
        if (end - at < word.length()) {
            return false;
        }
        for (int i = 0; i < word.length(); i++) {
            char letter = (char) (text[at + i] & 0xFF);
            if ((letter >= 'A' && letter <= 'Z' ? letter + 'a' - 'A' : letter) != word.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
