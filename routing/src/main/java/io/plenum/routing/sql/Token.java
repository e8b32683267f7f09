package io.plenum.routing.sql;

/** The kinds of tokens that {@link SqlScanner#next()} finds. Names stand first, what ends a statement last. */
public enum Token {
    /** An identifier or keyword without quotes. */
    WORD,
    /** An identifier in double quotes. */
    QUOTED,
    /** An identifier as {@code U&"..."}, which can spell any name in escapes. */
    ESCAPED,
    /** A literal of any of the forms {@code '' E'' U&'' B'' X'' N'' $tag$ $tag$}. */
    STRING,
    /** A number without its sign, or the head of one: {@code 0x1F} comes as a number and a word. */
    NUMBER,
    /** {@code $1} */
    PARAMETER,
    /** {@code (} */
    OPEN,
    /** {@code )} */
    CLOSE,
    /** {@code .} */
    DOT,
    /** {@code ,} */
    COMMA,
    /** {@code ::} */
    CAST,
    /** One or more of the characters that operators are made of. */
    OPERATOR,
    /** Any other byte: brackets, a colon, and what PostgreSQL would refuse. */
    OTHER,
    /** {@code ;} */
    SEMICOLON,
    /** The text ends within a comment, a string or a quoted identifier; END follows. */
    BROKEN,
    /** The end of the text. Comes again and again. */
    END
}
