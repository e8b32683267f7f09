package io.plenum.routing.sql;

/**
 * Confined to its event loop: goes over the tokens of a text and knows the one at hand, the one before it, and of the last
 * name how it is put together and what stands before it. Behind a dot stands a name, whatever its letters mean elsewhere.
 */
public class TokenCursor {
    private final SqlScanner scanner = new SqlScanner();

    /** Where the scanner stood before it read the token at hand. */
    private int from;

    // Lexemes: the token at hand and the one before it.
    private int current = Lexeme.NOTHING;
    private int previous = Lexeme.NOTHING;

    // The last name: how many parts are joined by dots; lexemes of what stands before the last dot and before it all.
    private int nameParts;
    private int qualifier = Lexeme.NOTHING;
    private int lead = Lexeme.NOTHING;

    /** Goes in front of the text in {@code [start, end)} of the array, which must not change until {@link #clear}. */
    public final void over(byte[] text, int start, int end) {
        scanner.over(text, start, end);
        current = Lexeme.NOTHING;
    }

    /** Lets go of the text. */
    public final void clear() {
        scanner.clear();
    }

    /** To the first token of a statement: nothing stands before it. */
    public void beginStatement() {
        current = Lexeme.NOTHING;
        advance();
    }

    /** A statement begins at the token at hand: nothing stands before it. */
    public final void beginHere() {
        previous = Lexeme.NOTHING;
    }

    /** To the next token. */
    public void advance() {
        from = scanner.position();
        int next = scanner.next();
        if (Lexeme.isName(next)) {
            if (Lexeme.token(current) == Token.DOT) {
                next = Lexeme.asName(next);
                nameParts++;
            } else {
                nameParts = 1;
                qualifier = Lexeme.NOTHING;
                lead = current;
            }
        } else if (Lexeme.token(next) == Token.DOT) {
            qualifier = current;
        }
        previous = current;
        current = next;
    }

    /** The word at hand can be nothing but a name. */
    protected final void takeAsName() {
        current = Lexeme.asName(current);
    }

    /** What cuts the text: it stands behind the token at hand. */
    public final SqlScanner scanner() {
        return scanner;
    }

    /** Where the token at hand begins. */
    public final int begin() {
        return scanner.begin(from);
    }

    /** Where the token at hand ends, and the space behind a word. */
    public final int end() {
        return scanner.position();
    }

    /** The {@link Lexeme} at hand. */
    public final int current() {
        return current;
    }

    /** The {@link Lexeme} before the one at hand. */
    public final int previous() {
        return previous;
    }

    public final Token previousToken() {
        return Lexeme.token(previous);
    }

    public final Term previousTerm() {
        return Lexeme.term(previous);
    }

    public final Token token() {
        return Lexeme.token(current);
    }

    /** What the word at hand means; NONE if it is no word. */
    public final Term term() {
        return Lexeme.term(current);
    }

    /** Whether the token at hand is this word, whose letters are in lower case, without quotes. */
    public final boolean isWord(byte[] letters) {
        return token() == Token.WORD && scanner.isName(letters);
    }

    /** Whether the statement is read to its end. */
    public final boolean ended() {
        return Lexeme.endsStatement(current);
    }

    /** How many parts the last name has, which dots join. */
    public final int nameParts() {
        return nameParts;
    }

    /** The {@link Lexeme} before the last dot of the last name; NOTHING if it has no dot. */
    public final int qualifier() {
        return qualifier;
    }

    /** The {@link Lexeme} before the last name and all its parts. */
    public final int lead() {
        return lead;
    }
}
