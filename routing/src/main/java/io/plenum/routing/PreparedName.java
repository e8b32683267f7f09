package io.plenum.routing;

import io.netty.buffer.ByteBuf;
import io.plenum.routing.sql.Lexeme;
import io.plenum.routing.sql.Term;
import io.plenum.routing.sql.Token;
import io.plenum.routing.sql.TokenCursor;
import java.util.Arrays;

/**
 * The prepared statement that a text of SQL names, where that is all the text does: {@code PREPARE q AS ...},
 * {@code EXECUTE q(...)}, {@code DEALLOCATE [PREPARE] q}. Names of SQL and those of Parse are of one kind to PostgreSQL.
 *
 * <p>The text must be one that can be trusted, see {@link StatementClassifier}.
 * Confined to its event loop.
 */
public final class PreparedName {
    /** What the text does to the statement. */
    public enum Use {
        /** Nothing, or it does more than one thing, or was not understood. */
        NONE,
        PREPARE,
        EXECUTE,
        DEALLOCATE
    }

    /** PostgreSQL cuts longer identifiers off: NAMEDATALEN - 1. */
    private static final int MAX_NAME_BYTES = 63;

    private static final byte[] NOTHING = {};

    private final TokenCursor tokens = new TokenCursor();
    private byte[] text = NOTHING;
    private byte[] name = NOTHING;
    private Use found = Use.NONE;
    private int nameStart;
    private int nameEnd;

    /** Looks at the text in {@code [start, end)}, which is without its terminating zero; nothing of it is kept. */
    public Use read(ByteBuf sql, int start, int end) {
        name = NOTHING;
        found = Use.NONE;
        if (end <= start || end - start > StatementClassifier.LIMIT) {
            return Use.NONE;
        }
        text = new byte[end - start];
        sql.getBytes(start, text);
        tokens.over(text, 0, text.length);
        tokens.advance();
        Use use = firstWord();
        if (use == Use.NONE || !named(start)) {
            use = Use.NONE;
        } else {
            use = alone(use);
        }
        tokens.clear();
        text = NOTHING;
        found = use;
        return use;
    }

    /** What the last {@link #read} said. */
    public Use use() {
        return found;
    }

    /** As PostgreSQL compares it: folded, without quotes, cut. Only behind a {@link #read} that found one. */
    public byte[] name() {
        return name;
    }

    /** Where the name stands in the buffer that was read. */
    public int nameStart() {
        return nameStart;
    }

    /** Behind the name. */
    public int nameEnd() {
        return nameEnd;
    }

    private Use firstWord() {
        Term first = tokens.term();
        Use use = switch (first) {
            case PREPARE -> Use.PREPARE;
            case EXECUTE -> Use.EXECUTE;
            case DEALLOCATE -> Use.DEALLOCATE;
            default -> Use.NONE;
        };
        if (use != Use.NONE) {
            tokens.advance();
        }
        return use;
    }

    /** Reads the name at hand, and goes on behind it. */
    private boolean named(int offset) {
        if (!readName(offset)) {
            return false;
        }
        boolean word = tokens.term() == Term.PREPARE;
        boolean all = tokens.token() == Token.WORD && Arrays.equals(name, new byte[] {'a', 'l', 'l'});
        tokens.advance();
        if (word && Lexeme.isName(tokens.current())) { // DEALLOCATE PREPARE q
            boolean read = readName(offset);
            all = tokens.token() == Token.WORD && Arrays.equals(name, new byte[] {'a', 'l', 'l'});
            tokens.advance();
            return read && !all;
        }
        return !all;
    }

    private boolean readName(int offset) {
        int start = tokens.begin();
        int end = tokens.end();
        switch (tokens.token()) {
            case WORD -> {
                end = text[end - 1] == ' ' ? end - 1 : end; // the scanner takes a space behind a word with it
                name = Arrays.copyOfRange(text, start, end);
                for (int i = 0; i < name.length; i++) {
                    if (name[i] < 0) {
                        return false; // how it is folded depends on the server's locale
                    }
                    name[i] = name[i] >= 'A' && name[i] <= 'Z' ? (byte) (name[i] - 'A' + 'a') : name[i];
                }
            }
            case QUOTED -> {
                byte[] letters = new byte[end - start];
                int length = 0;
                for (int at = start + 1; at < end - 1; at++) {
                    letters[length++] = text[at];
                    if (text[at] == '"') {
                        at++; // it is doubled
                    }
                }
                name = Arrays.copyOf(letters, length);
            }
            default -> {
                return false;
            }
        }
        nameStart = offset + start;
        nameEnd = offset + end;
        return name.length > 0 && name.length <= MAX_NAME_BYTES;
    }

    /** Whether nothing but what belongs to the statement follows. */
    private Use alone(Use use) {
        if (use == Use.PREPARE && tokens.token() == Token.STRING) {
            return Use.NONE; // PREPARE TRANSACTION 'x'
        }
        if (use == Use.DEALLOCATE && !tokens.ended()) {
            return Use.NONE;
        }
        while (!tokens.ended()) {
            tokens.advance();
        }
        while (tokens.token() == Token.SEMICOLON) {
            tokens.advance();
        }
        return tokens.token() == Token.END ? use : Use.NONE;
    }
}
