package io.plenum.routing.sql;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Names of a database with what is known of each, as bits: looked up by the bytes of a text, without allocating.
 * Immutable; any thread.
 *
 * <p>Operators are names too: no identifier is spelt like one. What is longer than an identifier of PostgreSQL is cut where
 * PostgreSQL cuts it.
 */
public final class NameTable {
    public static final NameTable EMPTY = of(Map.of());

    /** NAMEDATALEN - 1. */
    private static final int LONGEST = 63;

    private final long[] keys;
    private final byte[][] letters;
    private final int[] bits;
    private final int shift;

    /** The bits of all names that hold a double quote, together: such a name is not unfolded to be looked up. */
    private final int ofQuotes;
    /** The same for names with letters beyond ASCII. */
    private final int ofForeign;
    /** What a name with letters beyond ASCII gets that is not found. */
    private final int ofUnread;

    private NameTable(long[] keys, byte[][] letters, int[] bits, int shift, int ofQuotes, int ofForeign, int ofUnread) {
        this.keys = keys;
        this.letters = letters;
        this.bits = bits;
        this.shift = shift;
        this.ofQuotes = ofQuotes;
        this.ofForeign = ofForeign;
        this.ofUnread = ofUnread;
    }

    /** A table of these names, spelt as the catalogue has them, in UTF-8. Names without bits are left out. */
    public static NameTable of(Map<String, Integer> names) {
        int log = Math.max(4, Integer.SIZE - Integer.numberOfLeadingZeros(2 * names.size()));
        int size = 1 << log;
        var table = new NameTable(
                new long[size],
                new byte[size][],
                new int[size],
                Long.SIZE - log,
                bitsWhere(names, '"', '"'),
                bitsWhere(names, 128, Character.MAX_VALUE),
                0);
        names.forEach(table::put);
        return table;
    }

    private static int bitsWhere(Map<String, Integer> names, int first, int last) {
        int bits = 0;
        for (Map.Entry<String, Integer> name : names.entrySet()) {
            if (name.getKey().chars().anyMatch(letter -> letter >= first && letter <= last)) {
                bits |= name.getValue();
            }
        }
        return bits;
    }

    private void put(String name, int meaning) {
        if (meaning == 0) {
            return;
        }
        byte[] spelt = name.getBytes(StandardCharsets.UTF_8);
        long key = 0;
        for (byte letter : spelt) {
            key = SqlScanner.key(key, letter);
        }
        int slot = slot(key);
        while (bits[slot] != 0) {
            slot = (slot + 1) & (bits.length - 1);
        }
        keys[slot] = key;
        letters[slot] = spelt;
        bits[slot] = meaning;
    }

    /**
     * The same names for texts in another encoding than UTF-8, or of a server that folds letters beyond ASCII: a name with
     * such letters may be any of those that have some.
     */
    public NameTable inAnyEncoding() {
        return ofUnread == ofForeign ? this : new NameTable(keys, letters, bits, shift, ofQuotes, ofForeign, ofForeign);
    }

    /** What any name gets in which a double quote is written twice. */
    int ofQuotes() {
        return ofQuotes;
    }

    /**
     * What is known of the name whose letters stand from {@code start} to {@code end}, each taken through {@code fold};
     * 0 for nothing.
     *
     * @param key {@link SqlScanner#key} over the folded letters
     */
    int bits(byte[] text, int start, int end, long key, byte[] fold) {
        return end - start <= LONGEST ? find(text, start, end, key, fold) : cut(text, start, fold);
    }

    private int cut(byte[] text, int start, byte[] fold) {
        int end = start + LONGEST;
        while ((text[end] & 0xC0) == 0x80 && end > start) {
            end--; // between two characters
        }
        return find(text, start, end, key(text, start, end, fold), fold);
    }

    private int find(byte[] text, int start, int end, long key, byte[] fold) {
        int slot = slot(key);
        while (bits[slot] != 0) {
            if (keys[slot] == key && same(letters[slot], text, start, end, fold)) {
                return bits[slot];
            }
            slot = (slot + 1) & (bits.length - 1);
        }
        return ofUnread == 0 || isAscii(text, start, end) ? 0 : ofUnread;
    }

    /**
     * What is known of the operator there, or of what PostgreSQL may take for one: it leaves signs at the end to the
     * operand behind.
     */
    int bitsOfOperator(byte[] text, int start, int end, byte[] fold) {
        int found = find(text, start, end, key(text, start, end, fold), fold);
        for (int at = end - 1; at > start && (text[at] == '-' || text[at] == '+'); at--) {
            found |= find(text, start, at, key(text, start, at, fold), fold);
        }
        return found;
    }

    private static long key(byte[] text, int start, int end, byte[] fold) {
        long key = 0;
        for (int at = start; at < end; at++) {
            key = SqlScanner.key(key, fold[text[at] & 0xFF]);
        }
        return key;
    }

    private static boolean same(byte[] letters, byte[] text, int start, int end, byte[] fold) {
        if (letters.length != end - start) {
            return false;
        }
        for (int i = 0; i < letters.length; i++) {
            if (fold[text[start + i] & 0xFF] != letters[i]) {
                return false;
            }
        }
        return true;
    }

    private static boolean isAscii(byte[] text, int start, int end) {
        for (int at = start; at < end; at++) {
            if (text[at] < 0) {
                return false;
            }
        }
        return true;
    }

    private int slot(long key) {
        return (int) ((key * 0x9E37_79B9_7F4A_7C15L) >>> shift); // as in Vocabulary
    }
}
