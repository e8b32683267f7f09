package io.plenum.routing.sql;

import java.nio.charset.StandardCharsets;

/** A word that we know something about. Immutable; there is one of each. */
public final class Word {
    /** Stands for all words that are in no list, and for what is no word. */
    public static final Word NONE = new Word("", Term.NONE, Call.UNKNOWN);

    private final byte[] letters;
    private final int hash;
    private final Term term;
    private final Call call;

    Word(String lowerCase, Term term, Call call) {
        this.letters = lowerCase.getBytes(StandardCharsets.US_ASCII);
        int hash = 0;
        for (byte letter : letters) {
            hash = SqlScanner.hash(hash, letter);
        }
        this.hash = hash;
        this.term = term;
        this.call = call;
    }

    /** What it means when it stands there without quotes. */
    public Term term() {
        return term;
    }

    /** What it does when it is called. */
    public Call call() {
        return call;
    }

    int hash() {
        return hash;
    }

    /** Whether the bytes from {@code start} to {@code end} are this word after {@code fold} was applied to each. */
    boolean is(byte[] text, int start, int end, byte[] fold) {
        if (end - start != letters.length) {
            return false;
        }
        for (int i = 0; i < letters.length; i++) {
            if (fold[text[start + i] & 0xFF] != letters[i]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return new String(letters, StandardCharsets.US_ASCII);
    }
}
