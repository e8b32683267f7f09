package io.plenum.routing.sql;

/**
 * Confined to its event loop: cuts a text into tokens as PostgreSQL's lexer ({@code scan.l}) does, in one pass and
 * without allocating. It agrees with PostgreSQL on where each token ends, for texts in an encoding whose bytes below
 * 128 are always ASCII (all server encodings and most client encodings are) and with
 * {@code standard_conforming_strings} on. Whether that holds, the caller must know.
 *
 * <p>A word that PostgreSQL would cut off after 63 bytes is longer than any that we know, and so is what is left of it.
 */
public final class SqlScanner {
    // Classes of bytes; 0 for all others. Those from LETTER to DOLLAR can stand inside an identifier.
    private static final byte SPACE = 1;
    private static final byte LETTER = 2;
    private static final byte DIGIT = 3;
    private static final byte DOLLAR = 4;
    private static final byte OPERATOR = 5;
    private static final byte APOSTROPHE = 6;
    private static final byte QUOTE = 7;
    private static final byte OPEN = 8;
    private static final byte CLOSE = 9;
    private static final byte DOT = 10;
    private static final byte COMMA = 11;
    private static final byte SEMICOLON = 12;
    private static final byte COLON = 13;

    private static final byte[] CLASSES = classes();
    private static final byte[] LOWER_CASE = lowerCase();
    private static final byte[] AS_IT_IS = asItIs();
    private static final byte[] NOTHING = {};

    private byte[] text = NOTHING;
    private int start;
    private int position;
    private int end;
    private int tokenStart;
    private Word word = Word.NONE;

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
        tokenStart = start;
        word = Word.NONE;
    }

    /** Lets go of the text. */
    public void clear() {
        over(NOTHING, 0, 0);
    }

    /** What is known of the last {@link Token#WORD} or {@link Token#QUOTED}; after other tokens it means nothing. */
    public Word word() {
        return word;
    }

    /** Whether the last WORD or QUOTED begins with {@code pg_}, as names that belong to PostgreSQL do. */
    public boolean isSystemName() {
        int at = text[tokenStart] == '"' ? tokenStart + 1 : tokenStart;
        return position - at > 3 && (text[at] | 0x20) == 'p' && (text[at + 1] | 0x20) == 'g' && text[at + 2] == '_';
    }

    /** The next token; white space and comments lie between tokens. */
    public Token next() {
        byte[] text = this.text;
        int end = this.end;
        int at = position;
        while (at < end) {
            int c = text[at] & 0xFF;
            switch (CLASSES[c]) {
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
                    return string(at, at + 1);
                }
                case QUOTE -> {
                    return quoted(at);
                }
                case OPEN -> {
                    return single(Token.OPEN, at);
                }
                case CLOSE -> {
                    return single(Token.CLOSE, at);
                }
                case COMMA -> {
                    return single(Token.COMMA, at);
                }
                case SEMICOLON -> {
                    return single(Token.SEMICOLON, at);
                }
                case DOT -> {
                    return isDigit(at + 1) ? number(at) : single(Token.DOT, at);
                }
                case COLON -> {
                    if (at + 1 < end && text[at + 1] == ':') {
                        position = at + 2;
                        return Token.CAST;
                    }
                    return single(Token.OTHER, at);
                }
                case OPERATOR -> {
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
                    return single(Token.OTHER, at);
                }
            }
        }
        position = end;
        return Token.END;
    }

    /**
     * The next identifier without quotes, or SEMICOLON, wherever it stands: inside of strings and comments too. For
     * texts whose quotes cannot be trusted.
     */
    public Token nextAnywhere() {
        while (position < end) {
            int at = position;
            switch (CLASSES[text[at] & 0xFF]) {
                case LETTER -> {
                    return identifier(at);
                }
                case SEMICOLON -> {
                    return single(Token.SEMICOLON, at);
                }
                default -> position++;
            }
        }
        return Token.END;
    }

    static int hash(int hash, byte letter) {
        return hash * 31 + letter;
    }

    private Token single(Token token, int at) {
        position = at + 1;
        return token;
    }

    private Token broken() {
        position = end; // what stands behind an open quote is not SQL
        return Token.BROKEN;
    }

    private Token word(int start) {
        byte[] text = this.text;
        int next = start + 1;
        if (next < end) {
            byte second = text[next];
            switch (text[start]) {
                case 'E', 'e' -> {
                    if (second == '\'') {
                        return escapedString(start, next + 1);
                    }
                }
                case 'B', 'b', 'X', 'x', 'N', 'n' -> {
                    if (second == '\'') {
                        return string(start, next + 1);
                    }
                }
                case 'U', 'u' -> {
                    if (second == '&' && next + 1 < end) {
                        if (text[next + 1] == '\'') {
                            return string(start, next + 2);
                        }
                        if (text[next + 1] == '"') {
                            Token token = quoted(next + 1);
                            return token == Token.QUOTED ? Token.ESCAPED : token;
                        }
                    }
                }
                default -> {}
            }
        }
        return identifier(start);
    }

    private Token identifier(int start) {
        byte[] text = this.text;
        int end = this.end;
        int hash = 0;
        int at = start;
        while (at < end) {
            int c = text[at] & 0xFF;
            int type = CLASSES[c];
            if (type < LETTER || type > DOLLAR) {
                break;
            }
            hash = hash(hash, LOWER_CASE[c]);
            at++;
        }
        tokenStart = start;
        position = at;
        word = Vocabulary.find(text, start, at, hash, LOWER_CASE);
        return Token.WORD;
    }

    /** From the opening quote. A name with a doubled quote in it is none that we know. */
    private Token quoted(int start) {
        byte[] text = this.text;
        int end = this.end;
        int hash = 0;
        boolean doubled = false;
        int at = start + 1;
        while (true) {
            if (at >= end) {
                return broken();
            }
            byte c = text[at];
            if (c == '"') {
                if (at + 1 >= end || text[at + 1] != '"') {
                    break;
                }
                doubled = true;
                at++;
            }
            hash = hash(hash, c);
            at++;
        }
        tokenStart = start;
        position = at + 1;
        word = doubled ? Word.NONE : Vocabulary.find(text, start + 1, at, hash, AS_IT_IS);
        return Token.QUOTED;
    }

    /** From behind the opening quote. Doubled quotes belong to the string; a backslash is a character like others. */
    private Token string(int start, int from) {
        byte[] text = this.text;
        int end = this.end;
        int at = from;
        while (at < end) {
            if (text[at++] == '\'') {
                if (at < end && text[at] == '\'') {
                    at++;
                } else {
                    tokenStart = start;
                    position = at;
                    return Token.STRING;
                }
            }
        }
        return broken();
    }

    /** As {@link #string}, but a backslash takes the next byte with it, also in a continuation on another line. */
    private Token escapedString(int start, int from) {
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
                    tokenStart = start;
                    position = at;
                    return Token.STRING;
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
    private Token dollar(int start) {
        byte[] text = this.text;
        int end = this.end;
        int at = start + 1;
        if (isDigit(at)) {
            while (isDigit(at)) {
                at++;
            }
            position = at;
            return Token.PARAMETER;
        }
        while (at < end) {
            int type = CLASSES[text[at] & 0xFF];
            if (type != LETTER && type != DIGIT) {
                break;
            }
            at++;
        }
        if (at >= end || text[at] != '$') {
            return single(Token.OTHER, start);
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
                tokenStart = start;
                position = at + tagLength;
                return Token.STRING;
            }
            at += same;
        }
        return broken();
    }

    /** Digits, with a fraction. What follows them directly, be it an exponent, comes as a word. */
    private Token number(int start) {
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
        return Token.NUMBER;
    }

    /** As long as PostgreSQL's: up to where a comment begins. */
    private Token operator(int start) {
        int at = start + 1;
        while (at < end && CLASSES[text[at] & 0xFF] == OPERATOR && !startsLineComment(at) && !startsComment(at)) {
            at++;
        }
        position = at;
        return Token.OPERATOR;
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
        for (int c = 'a'; c <= 'z'; c++) {
            classes[c] = LETTER;
            classes[c - 'a' + 'A'] = LETTER;
        }
        classes['_'] = LETTER;
        for (int c = 128; c < 256; c++) {
            classes[c] = LETTER;
        }
        for (int c = '0'; c <= '9'; c++) {
            classes[c] = DIGIT;
        }
        for (char c : " \t\n\r\f\u000B".toCharArray()) {
            classes[c] = SPACE;
        }
        for (char c : "~!@#^&|`?+-*/%<>=".toCharArray()) {
            classes[c] = OPERATOR;
        }
        classes['$'] = DOLLAR;
        classes['\''] = APOSTROPHE;
        classes['"'] = QUOTE;
        classes['('] = OPEN;
        classes[')'] = CLOSE;
        classes['.'] = DOT;
        classes[','] = COMMA;
        classes[';'] = SEMICOLON;
        classes[':'] = COLON;
        return classes;
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
