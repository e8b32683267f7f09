package io.plenum.routing.sql;

import java.util.Arrays;

/**
 * A token and what is known of it, packed into an int. A reader of SQL keeps several of them at each step, and a field
 * that holds a reference costs a barrier of the garbage collector each time it is written; a short query has fifty
 * tokens.
 */
@SuppressWarnings("EnumOrdinal") // packed and unpacked within one run, never stored
public final class Lexeme {
    /** Nothing: what stands before a text and behind it. */
    public static final int NOTHING = of(Token.END);

    /** A {@link Token#WORD} in no list: most words are. */
    public static final int UNKNOWN_WORD = word(Term.NONE, Call.UNKNOWN);

    private static final int LAST_NAME = of(Token.ESCAPED);
    private static final int FIRST_END = of(Token.SEMICOLON);

    private static final int SYSTEM_NAME = 1 << 31;

    private static final Token[] TOKENS = Arrays.copyOf(Token.values(), 16);
    // As long as the masks are wide, so that no bound needs to be checked.
    private static final Term[] TERMS = Arrays.copyOf(Term.values(), 256);
    private static final Call[] CALLS = Arrays.copyOf(Call.values(), 16);

    private Lexeme() {}

    /** A token that is no name. */
    static int of(Token token) {
        return token.ordinal();
    }

    /** A {@link Token#WORD}. */
    static int word(Term term, Call call) {
        return of(Token.WORD) | term.ordinal() << 8 | term.ordinal() << 16 | call.ordinal() << 24;
    }

    /** The same letters in double quotes. */
    static int quoted(int word) {
        return (word & 0xFFFF_0000) | of(Token.QUOTED);
    }

    /** The same with a name that begins with {@code pg_}, as those do that belong to PostgreSQL. */
    static int systemName(int name) {
        return name | SYSTEM_NAME;
    }

    /** The same name where it can be nothing else, as behind a dot or AS: it is no term, whatever its letters. */
    static int asName(int name) {
        return name & ~(0xFF << 8);
    }

    /** What kind of token it is. */
    public static Token token(int lexeme) {
        return TOKENS[lexeme & 0xF];
    }

    /** Whether it is a WORD, QUOTED or ESCAPED. */
    public static boolean isName(int lexeme) {
        return (lexeme & 0xF) <= LAST_NAME;
    }

    /** Whether it is a SEMICOLON, BROKEN or END. */
    static boolean endsStatement(int lexeme) {
        return (lexeme & 0xF) >= FIRST_END;
    }

    /** What the word means; NONE for all that is no word, or is one in quotes. */
    public static Term term(int lexeme) {
        return TERMS[lexeme >>> 8 & 0xFF];
    }

    /** The term whose letters the name has, in quotes or not. */
    public static Term letters(int lexeme) {
        return TERMS[lexeme >>> 16 & 0xFF];
    }

    /** What a call of the name does, in quotes or not. */
    public static Call call(int lexeme) {
        return CALLS[lexeme >>> 24 & 0xF];
    }

    /** Whether it is a name that begins with {@code pg_}. */
    public static boolean isSystemName(int lexeme) {
        return lexeme < 0;
    }
}
