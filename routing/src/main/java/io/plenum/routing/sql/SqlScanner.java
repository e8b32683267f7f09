package io.plenum.routing.sql;

import java.util.Arrays;

/**
 * Confined to its event loop: cuts a text into tokens as PostgreSQL's lexer ({@code scan.l}) does, in one pass and
 * without allocating. It agrees with PostgreSQL on where each token ends, for texts in an encoding whose bytes below
 * 128 are always ASCII (all server encodings and most client encodings are) and with
 * {@code standard_conforming_strings} on. Whether that holds, the caller must know.
 *
 * <p>A word that PostgreSQL would cut off after 63 bytes is longer than any that we know, and so is what is left of it.
 */
public final class SqlScanner {
    // Classes of bytes. Those up to DOLLAR can stand inside an identifier.
    private static final byte LETTER = 0;
    private static final byte DIGIT = 1;
    private static final byte DOLLAR = 2;
    private static final byte SPACE = 3;
    private static final byte SIGN = 4;
    private static final byte APOSTROPHE = 5;
    private static final byte QUOTE = 6;
    private static final byte DOT = 7;
    private static final byte COLON = 8;
    /** And above: a token by itself, whose lexeme is what remains when this is taken away. */
    private static final byte SINGLE = 16;

    private static final int STRING = Lexeme.of(Token.STRING);
    private static final int NUMBER = Lexeme.of(Token.NUMBER);

    private static final byte[] CLASSES = classes();
    private static final byte[] LOWER_CASE = lowerCase();
    private static final byte[] AS_IT_IS = asItIs();
    private static final byte[] IN_WORD = inWord();
    private static final byte[] NOTHING = {};

    private byte[] text = NOTHING;
    private int start;
    private int position;
    private int end;

    // The name or operator that was found last, without its quotes, and the key of a name's letters.
    private int nameStart;
    private int nameEnd;
    private long nameKey;
    private boolean nameIsQuoted;
    private boolean nameHasQuotes;

    /** Begins the text in {@code [start, end)} of the array, which must not change until it is read. */
    public void over(byte[] text, int start, int end) {
        this.text = text;
        this.start = start;
        this.end = end;
        rewind();
    }

    /** Back to the beginning of the text. */
    public void rewind() {
        position = start;
    }

    /** Lets go of the text. */
    public void clear() {
        over(NOTHING, 0, 0);
    }

    /** Where reading goes on: behind the last token, and behind the space that follows a word. */
    public int position() {
        return position;
    }

    /** Where the token begins that {@link #next()} found when reading went on from there. */
    public int begin(int from) {
        int at = from;
        while (at < end) {
            if (CLASSES[text[at] & 0xFF] == SPACE) {
                at++;
            } else if (startsLineComment(at)) {
                at = afterLine(at + 2);
            } else {
                int after = startsComment(at) ? afterComment(at + 2) : -1;
                if (after < 0) {
                    break;
                }
                at = after;
            }
        }
        return at;
    }

    /** The {@link Lexeme} of the next token; white space and comments lie between tokens. */
    public int next() {
        byte[] text = this.text;
        int end = this.end;
        int at = position;
        while (at < end) {
            byte type = CLASSES[text[at] & 0xFF];
            switch (type) {
                case SPACE -> at++;
                case LETTER -> {
                    return word(at);
                }
                case DIGIT -> {
                    return number(at);
                }
                case DOLLAR -> {
                    return dollar(at);
                }
                case APOSTROPHE -> {
                    return string(at + 1);
                }
                case QUOTE -> {
                    return quoted(at + 1);
                }
                case DOT -> {
                    return isDigit(at + 1) ? number(at) : token(Token.DOT, at + 1);
                }
                case COLON -> {
                    boolean doubled = at + 1 < end && text[at + 1] == ':';
                    return doubled ? token(Token.CAST, at + 2) : token(Token.OTHER, at + 1);
                }
                case SIGN -> {
                    if (startsLineComment(at)) {
                        at = afterLine(at + 2);
                    } else if (startsComment(at)) {
                        at = afterComment(at + 2);
                        if (at < 0) {
                            return broken();
                        }
                    } else {
                        return operator(at);
                    }
                }
                default -> {
                    position = at + 1;
                    return type - SINGLE;
                }
            }
        }
        position = end;
        return Lexeme.NOTHING;
    }

    /** What the table knows of the name that {@link #next()} found last; 0 for nothing. */
    public int look(NameTable names) {
        if (nameHasQuotes) {
            return names.ofQuotes();
        }
        return names.bits(text, nameStart, nameEnd, nameKey, nameIsQuoted ? AS_IT_IS : LOWER_CASE);
    }

    /** Whether these are, in lower case, the letters of the word that {@link #next()} found last. */
    boolean isName(byte[] letters) {
        if (nameEnd - nameStart != letters.length) {
            return false;
        }
        for (int i = 0; i < letters.length; i++) {
            if (LOWER_CASE[text[nameStart + i] & 0xFF] != letters[i]) {
                return false;
            }
        }
        return true;
    }

    /** What the table knows of the operator that {@link #next()} found last; 0 for nothing. */
    public int lookOperator(NameTable names) {
        return names.bitsOfOperator(text, nameStart, nameEnd, AS_IT_IS);
    }

    /** Whether the operator that {@link #next()} found last is one that reckons with or compares numbers, and one sign. */
    public boolean isOrdinaryOperator() {
        return nameEnd - nameStart == 1
                && switch (text[nameStart]) {
                    case '+', '-', '*', '/', '<', '>', '=' -> true;
                    default -> false;
                };
    }

    /**
     * Whether the next two tokens are a plain string with a dot in it and what ends an argument. Nothing is consumed.
     */
    public boolean isDottedLiteralNext() {
        int at = begin(position);
        if (at >= end || text[at] != '\'') {
            return false;
        }
        boolean dotted = false;
        for (at++; at < end && text[at] != '\''; at++) {
            dotted |= text[at] == '.';
        }
        int behind = begin(at + 1);
        return dotted && behind < end && (text[behind] == ',' || text[behind] == ')');
    }

    /**
     * The {@link Lexeme} of the next identifier or semicolon, or {@link Token#OTHER} for what may begin a comment, wherever
     * it stands: in strings and comments too. For texts whose quotes cannot be trusted.
     */
    public int nextAnywhere() {
        while (position < end) {
            byte type = CLASSES[text[position] & 0xFF];
            if (type == LETTER) {
                return identifier(position);
            }
            if (type == SIGN && (startsLineComment(position) || startsComment(position))) {
                return token(Token.OTHER, position + 2);
            }
            position++;
            if (type == SINGLE + Lexeme.of(Token.SEMICOLON)) {
                return type - SINGLE;
            }
        }
        return Lexeme.NOTHING;
    }

    /** The key of a word grown by a letter: the letters themselves for up to 8, a hash for more. */
    static long key(long key, byte letter) {
        return Long.rotateLeft(key, 8) ^ (letter & 0xFF);
    }

    private int token(Token token, int after) {
        position = after;
        return Lexeme.of(token);
    }

    private int broken() {
        return token(Token.BROKEN, end); // what stands behind an open quote is not SQL
    }

    /** An identifier, or the prefix of a literal. */
    private int word(int start) {
        byte[] text = this.text;
        int next = start + 1;
        if (next < end) {
            byte second = text[next];
            if (second == '\'') {
                switch (text[start]) {
                    case 'E', 'e' -> {
                        return escapedString(next + 1);
                    }
                    case 'B', 'b', 'X', 'x', 'N', 'n' -> {
                        return string(next + 1);
                    }
                    default -> {}
                }
            } else if (second == '&' && (text[start] | 0x20) == 'u' && next + 1 < end) {
                if (text[next + 1] == '\'') {
                    return string(next + 2);
                }
                if (text[next + 1] == '"') {
                    int quoted = quoted(next + 2);
                    return quoted == Lexeme.of(Token.BROKEN) ? quoted : Lexeme.of(Token.ESCAPED);
                }
            }
        }
        return identifier(start);
    }

    private int identifier(int start) {
        byte[] text = this.text;
        int end = this.end;
        long key = 0;
        int at = start;
        while (at < end) {
            byte letter = IN_WORD[text[at] & 0xFF];
            if (letter == 0) {
                break;
            }
            key = key(key, letter);
            at++;
        }
        position = at < end && text[at] == ' ' ? at + 1 : at; // most words have a space behind them
        nameStart = start;
        nameEnd = at;
        nameKey = key;
        nameIsQuoted = false;
        nameHasQuotes = false;
        int word = Vocabulary.word(text, start, at, key, LOWER_CASE);
        return isSystemName(start, at) ? Lexeme.systemName(word) : word;
    }

    /** From behind the opening quote. A name with a doubled quote in it is none that we know. */
    private int quoted(int start) {
        byte[] text = this.text;
        int end = this.end;
        long key = 0;
        boolean doubled = false;
        int at = start;
        while (at < end) {
            byte c = text[at];
            if (c == '"') {
                if (at + 1 >= end || text[at + 1] != '"') {
                    position = at + 1;
                    nameStart = start;
                    nameEnd = at;
                    nameKey = key;
                    nameIsQuoted = true;
                    nameHasQuotes = doubled;
                    int word = doubled ? Lexeme.UNKNOWN_WORD : Vocabulary.word(text, start, at, key, AS_IT_IS);
                    int name = Lexeme.quoted(word);
                    return isSystemName(start, at) ? Lexeme.systemName(name) : name;
                }
                doubled = true;
                at++;
            }
            key = key(key, c);
            at++;
        }
        return broken();
    }

    private boolean isSystemName(int start, int end) {
        return (text[start] | 0x20) == 'p'
                && end - start > 3
                && (text[start + 1] | 0x20) == 'g'
                && text[start + 2] == '_';
    }

    /** From behind the opening quote. Doubled quotes belong to the string; a backslash is a character like others. */
    private int string(int from) {
        byte[] text = this.text;
        int end = this.end;
        int at = from;
        while (at < end) {
            if (text[at++] == '\'') {
                if (at >= end || text[at] != '\'') {
                    position = at;
                    return STRING;
                }
                at++;
            }
        }
        return broken();
    }

    /** As {@link #string}, but a backslash takes the next byte with it, also in a continuation on another line. */
    private int escapedString(int from) {
        byte[] text = this.text;
        int end = this.end;
        int at = from;
        while (at < end) {
            byte c = text[at++];
            if (c == '\\') {
                at++;
            } else if (c == '\'') {
                if (at < end && text[at] == '\'') {
                    at++;
                    continue;
                }
                int continued = continuation(at);
                if (continued < 0) {
                    position = at;
                    return STRING;
                }
                at = continued;
            }
        }
        return broken();
    }

    /**
     * Where the string goes on behind its closing quote, or -1: white space with a line end in it, line comments too,
     * and a quote.
     */
    private int continuation(int from) {
        boolean newLine = false;
        int at = from;
        while (at < end) {
            byte c = text[at];
            if (c == '\n' || c == '\r') {
                newLine = true;
                at++;
            } else if (CLASSES[c & 0xFF] == SPACE) {
                at++;
            } else if (startsLineComment(at)) {
                at = afterLine(at + 2);
            } else {
                return newLine && c == '\'' ? at + 1 : -1;
            }
        }
        return -1;
    }

    /** A parameter, a string in dollars, or a dollar that is neither. */
    private int dollar(int start) {
        byte[] text = this.text;
        int end = this.end;
        int at = start + 1;
        if (isDigit(at)) {
            while (isDigit(at)) {
                at++;
            }
            return token(Token.PARAMETER, at);
        }
        while (at < end) {
            byte type = CLASSES[text[at] & 0xFF];
            if (type != LETTER && type != DIGIT) {
                break;
            }
            at++;
        }
        if (at >= end || text[at] != '$') {
            return token(Token.OTHER, start + 1);
        }
        int tagLength = at + 1 - start;
        at++;
        while (at < end) {
            if (text[at] != '$') {
                at++;
                continue;
            }
            // The tag holds no dollar but its two, so a failed comparison never needs to look at its bytes again.
            int same = 1;
            while (same < tagLength && at + same < end && text[at + same] == text[start + same]) {
                same++;
            }
            if (same == tagLength) {
                position = at + tagLength;
                return STRING;
            }
            at += same;
        }
        return broken();
    }

    /** Digits, with a fraction. What follows them directly, be it an exponent, comes as a word. */
    private int number(int start) {
        int at = start;
        while (isDigit(at)) {
            at++;
        }
        // Two dots are a range of PL/pgSQL.
        if (at < end && text[at] == '.' && !(at + 1 < end && text[at + 1] == '.')) {
            at++;
            while (isDigit(at)) {
                at++;
            }
        }
        position = at;
        return NUMBER;
    }

    /** As long as PostgreSQL's: up to where a comment begins. */
    private int operator(int start) {
        int at = start + 1;
        while (at < end && CLASSES[text[at] & 0xFF] == SIGN && !startsLineComment(at) && !startsComment(at)) {
            at++;
        }
        nameStart = start;
        nameEnd = at;
        return token(Token.OPERATOR, at);
    }

    private boolean isDigit(int at) {
        return at < end && text[at] >= '0' && text[at] <= '9';
    }

    private boolean startsLineComment(int at) {
        return at + 1 < end && text[at] == '-' && text[at + 1] == '-';
    }

    private boolean startsComment(int at) {
        return at + 1 < end && text[at] == '/' && text[at + 1] == '*';
    }

    private int afterLine(int from) {
        int at = from;
        while (at < end && text[at] != '\n' && text[at] != '\r') {
            at++;
        }
        return at;
    }

    /** Behind the comment whose opening is before {@code from}, comments nested in it included; -1 if it is open. */
    private int afterComment(int from) {
        int depth = 1;
        int at = from;
        while (at + 1 < end) {
            if (text[at] == '*' && text[at + 1] == '/') {
                at += 2;
                if (--depth == 0) {
                    return at;
                }
            } else if (text[at] == '/' && text[at + 1] == '*') {
                at += 2;
                depth++;
            } else {
                at++;
            }
        }
        return -1;
    }

    private static byte[] classes() {
        byte[] classes = new byte[256];
        Arrays.fill(classes, single(Token.OTHER));
        for (int c = 'a'; c <= 'z'; c++) {
            classes[c] = LETTER;
            classes[c - 'a' + 'A'] = LETTER;
        }
        Arrays.fill(classes, 128, 256, LETTER);
        classes['_'] = LETTER;
        Arrays.fill(classes, '0', '9' + 1, DIGIT);
        for (byte space : new byte[] {' ', '\t', '\n', '\r', '\f', 0x0B}) {
            classes[space] = SPACE;
        }
        String signs = "~!@#^&|`?+-*/%<>=";
        for (int i = 0; i < signs.length(); i++) {
            classes[signs.charAt(i)] = SIGN;
        }
        classes['$'] = DOLLAR;
        classes['\''] = APOSTROPHE;
        classes['"'] = QUOTE;
        classes['.'] = DOT;
        classes[':'] = COLON;
        classes['('] = single(Token.OPEN);
        classes[')'] = single(Token.CLOSE);
        classes[','] = single(Token.COMMA);
        classes[';'] = single(Token.SEMICOLON);
        return classes;
    }

    private static byte single(Token token) {
        return (byte) (SINGLE + Lexeme.of(token));
    }

    /** What a byte inside an identifier is in lower case; 0 for those that end it. */
    private static byte[] inWord() {
        byte[] letters = new byte[256];
        for (int c = 0; c < 256; c++) {
            if (CLASSES[c] <= DOLLAR) {
                letters[c] = LOWER_CASE[c];
            }
        }
        return letters;
    }

    private static byte[] asItIs() {
        byte[] same = new byte[256];
        for (int c = 0; c < 256; c++) {
            same[c] = (byte) c;
        }
        return same;
    }

    private static byte[] lowerCase() {
        byte[] lower = asItIs();
        for (int c = 'A'; c <= 'Z'; c++) {
            lower[c] = (byte) (c - 'A' + 'a');
        }
        return lower;
    }
}
