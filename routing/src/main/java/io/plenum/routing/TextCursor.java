package io.plenum.routing;

import io.plenum.routing.sql.Token;
import io.plenum.routing.sql.TokenCursor;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Confined to its event loop: goes over the tokens of a text and says what they spell. Names are folded as PostgreSQL folds them:
 * a word without quotes is in lower case, a name in quotes is exact and without the quotes, both are cut to {@value
 * #MAX_NAME_BYTES} bytes. It allocates them.
 */
final class TextCursor extends TokenCursor {
    /** PostgreSQL cuts longer identifiers off: NAMEDATALEN - 1. */
    private static final int MAX_NAME_BYTES = 63;

    private static final byte[] NOTHING = {};

    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    private byte[] text = NOTHING;

    /** Goes in front of the text in {@code [start, end)} of the array, which must not change until {@link #letGo}. */
    void read(byte[] text, int start, int end) {
        this.text = text;
        over(text, start, end);
    }

    /** Lets go of the text. */
    void letGo() {
        clear();
        text = NOTHING;
    }

    /** Whether the token at hand is this word, which is in lower case, without quotes. */
    boolean is(String word) {
        return token() == Token.WORD && word.equals(name());
    }

    /** The statement ends here, and properly. */
    boolean isEnd() {
        return token() == Token.SEMICOLON || token() == Token.END;
    }

    /** Goes on behind this word, if it is at hand; says whether it was. */
    boolean skip(String word) {
        boolean found = is(word);
        if (found) {
            advance();
        }
        return found;
    }

    /** What stands there in the text. */
    byte at(int index) {
        return text[index];
    }

    /** The identifier at hand; null if it is none, or none that can be told. */
    @Nullable
    String name() {
        int start = begin();
        int end = end();
        return switch (token()) {
            case WORD -> {
                int after = text[end - 1] == ' ' ? end - 1 : end; // the scanner takes a space behind a word with it
                byte[] letters = Arrays.copyOfRange(text, start, Math.min(after, start + MAX_NAME_BYTES + 1));
                String word = identifier(letters, letters.length);
                yield word == null ? null : lowerCase(word);
            }
            case QUOTED -> {
                byte[] letters = new byte[MAX_NAME_BYTES + 1];
                int length = 0;
                for (int at = start + 1; at < end - 1 && length < letters.length; at++) {
                    letters[length++] = text[at];
                    if (text[at] == '"') {
                        at++; // it is doubled
                    }
                }
                yield identifier(letters, length);
            }
            default -> null;
        };
    }

    /** Cut where PostgreSQL cuts it, which is between two characters. */
    private @Nullable String identifier(byte[] letters, int length) {
        int end = length;
        if (length > MAX_NAME_BYTES) {
            end = MAX_NAME_BYTES;
            while (end > 0 && (letters[end] & 0xC0) == 0x80) {
                end--;
            }
        }
        return end == 0 ? null : decoded(letters, 0, end);
    }

    /** What the string at hand says; null unless it is plain: {@code ''}, {@code E''} without escapes, {@code $$ $$}. */
    @Nullable
    String literal() {
        int start = begin();
        int end = end();
        if (text[start] == '$') {
            int tag = 1;
            while (text[start + tag] != '$') {
                tag++;
            }
            return decoded(text, start + tag + 1, end - tag - 1);
        }
        boolean escapes = text[start] == 'E' || text[start] == 'e';
        if (!escapes && text[start] != '\'') {
            return null; // bits, or with escapes of another kind
        }
        byte[] letters = new byte[end - start];
        int length = 0;
        for (int at = escapes ? start + 2 : start + 1; at < end - 1; at++) {
            byte letter = text[at];
            if (letter == '\'' && text[++at] != '\'') {
                return null; // goes on behind a line end
            }
            if (letter == '\\' && escapes) {
                return null;
            }
            letters[length++] = letter;
        }
        return decoded(letters, 0, length);
    }

    private @Nullable String decoded(byte[] letters, int start, int end) {
        try {
            return decoder.decode(ByteBuffer.wrap(letters, start, end - start)).toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    /** The letters of ASCII only, as PostgreSQL folds names. */
    static String lowerCase(CharSequence name) {
        StringBuilder lower = new StringBuilder(name);
        for (int i = 0; i < lower.length(); i++) {
            char letter = lower.charAt(i);
            if (letter >= 'A' && letter <= 'Z') {
                lower.setCharAt(i, (char) (letter - 'A' + 'a'));
            }
        }
        return lower.toString();
    }
}
