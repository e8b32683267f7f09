package io.plenum.routing;

/** Confined to its event loop: the parentheses that are open in a statement, and what each is around. */
final class Nesting {
    /** Parentheses nested deeper are not understood. */
    private static final int MAX_DEPTH = 512;

    /** Around nothing of the following. */
    static final byte GROUP = 0;
    /** Around the arguments of a function. */
    static final byte CALL = 1;
    /** Around a query. */
    static final byte QUERY = 2;
    /** Behind the word OPERATOR. */
    static final byte OPERATOR_NAME = 3;
    /** Added to a level: the names of a WITH list are read at the moment. */
    private static final byte WITH_LIST = 8;

    private final byte[] levels = new byte[MAX_DEPTH];
    private int depth;
    /** What the last closing parenthesis closed. */
    private byte closed;

    /** To the beginning of a statement, which is like a query. */
    void clear() {
        depth = 0;
        levels[0] = QUERY;
        closed = GROUP;
    }

    /** Begins a level; false if there are too many. */
    boolean open(byte kind) {
        depth++;
        become(kind);
        return !isTooDeep();
    }

    /** Ends a level, of which there must be one. */
    void close() {
        closed = kind();
        depth--;
    }

    /** The level at hand is of another kind than it seemed. */
    void become(byte kind) {
        if (!isTooDeep()) {
            levels[depth] = kind;
        }
    }

    /** The names of a WITH list follow. */
    void becomeWithList() {
        become((byte) (QUERY | WITH_LIST));
    }

    /** They were read, or this is no list. */
    void endWithList() {
        become(kind());
    }

    byte kind() {
        return isTooDeep() ? GROUP : (byte) (levels[depth] & ~WITH_LIST);
    }

    boolean isWithList() {
        return !isTooDeep() && (levels[depth] & WITH_LIST) != 0;
    }

    /** How many parentheses are open. */
    int depth() {
        return depth;
    }

    /** Whether so many are open that nobody knows what this level is. */
    boolean isTooDeep() {
        return depth >= MAX_DEPTH;
    }

    /** What the last closing parenthesis closed. */
    byte closed() {
        return closed;
    }
}
