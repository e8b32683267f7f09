package io.plenum.wire;

/**
 * Large and small letters of ASCII alone, as PostgreSQL's {@code guc_name_compare} and PgBouncer's {@code strcasecmp} tell
 * settings and words apart; every other character stays as it is.
 *
 * <p>For whatever may come from outside: {@link String#toLowerCase} copies the whole text again for each letter that becomes
 * longer, so a text of such letters costs the square of its length. Here it is linear. Any thread.
 */
public final class AsciiCase {
    private static final int DISTANCE = 'a' - 'A';

    private AsciiCase() {}

    /** The text with {@code A} to {@code Z} made small; the same object where there is none. */
    public static String lower(String text) {
        return moved(text, 'A', DISTANCE);
    }

    /** The text with {@code a} to {@code z} made large; the same object where there is none. */
    public static String upper(String text) {
        return moved(text, 'a', -DISTANCE);
    }

    private static String moved(String text, char first, int distance) {
        char[] moved = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= first && c < first + 26) {
                if (moved == null) {
                    moved = text.toCharArray();
                }
                moved[i] = (char) (c + distance);
            }
        }
        return moved == null ? text : new String(moved);
    }
}
