package io.plenum.pooler.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The words of one line of an hba or ident file, from left to right.
 *
 * <p>As PostgreSQL and PgBouncer read them: blanks end a word, a comma goes on with a list and may have blanks around it, a
 * {@code #} outside quotes begins a comment, quotes keep blanks, commas and {@code #} and make a keyword a plain name, a
 * doubled quote inside quotes is one. A backslash at the end of a line goes on with it in the next.
 */
final class RuleTokens {
    /** One word; {@code quoted} if it began with a quote, for then it is no keyword, no file and no group. */
    record Word(String text, boolean quoted) {
        boolean is(String keyword) {
            return !quoted && text.equals(keyword);
        }

        boolean begins(String prefix) {
            return !quoted && text.startsWith(prefix) && text.length() > prefix.length();
        }
    }

    private static final Word COMMA = new Word(",", false);

    private final Path file;
    private final int line;
    private final List<Word> words;
    private int at;

    private RuleTokens(Path file, int line, List<Word> words) {
        this.file = file;
        this.line = line;
        this.words = words;
    }

    /** All lines of a text that hold a word. A quote without its end is a fault of the line. */
    static List<RuleTokens> of(Path file, String text, Findings findings) {
        List<RuleTokens> lines = new ArrayList<>();
        String[] physical = text.split("\n", -1);
        for (int i = 0; i < physical.length; i++) {
            int first = i + 1;
            StringBuilder whole = new StringBuilder(withoutReturn(physical[i]));
            while (!whole.isEmpty() && whole.charAt(whole.length() - 1) == '\\' && i + 1 < physical.length) {
                whole.setLength(whole.length() - 1);
                whole.append(withoutReturn(physical[++i]));
            }
            List<Word> words = words(whole.toString());
            if (words == null) {
                findings.fault(file, first, "a quote without its end");
            } else if (!words.isEmpty()) {
                lines.add(new RuleTokens(file, first, words));
            }
        }
        return lines;
    }

    private static String withoutReturn(String line) {
        return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
    }

    /** Null for a quote without its end. */
    private static @Nullable List<Word> words(String line) {
        List<Word> words = new ArrayList<>();
        int at = 0;
        while (at < line.length() && line.charAt(at) != '#') {
            char c = line.charAt(at);
            if (Character.isWhitespace(c)) {
                at++;
            } else if (c == ',') {
                words.add(COMMA);
                at++;
            } else {
                StringBuilder word = new StringBuilder();
                int end = endOfWord(line, at, word);
                if (end < 0) {
                    return null;
                }
                words.add(new Word(word.toString(), c == '"'));
                at = end;
            }
        }
        return words;
    }

    /** Appends the word that begins there and returns where it ends; -1 for a quote without its end. */
    private static int endOfWord(String line, int start, StringBuilder word) {
        boolean inQuotes = false;
        int at = start;
        while (at < line.length()) {
            char c = line.charAt(at);
            if (!inQuotes && (Character.isWhitespace(c) || c == ',' || c == '#')) {
                break;
            }
            if (c != '"') {
                word.append(c);
            } else if (inQuotes && at + 1 < line.length() && line.charAt(at + 1) == '"') {
                word.append(c);
                at++;
            } else {
                inQuotes = !inQuotes;
            }
            at++;
        }
        return inQuotes ? -1 : at;
    }

    Path file() {
        return file;
    }

    int line() {
        return line;
    }

    /** The word that stands here, without going on; null at the end and at a comma. */
    @Nullable
    Word peek() {
        Word word = at < words.size() ? words.get(at) : null;
        return word == COMMA ? null : word;
    }

    /** The next word; null at the end and at a comma. */
    @Nullable
    Word next() {
        Word word = peek();
        if (word != null) {
            at++;
        }
        return word;
    }

    /** The words up to the first that no comma joins to the one before; empty at the end and beside a stray comma. */
    List<Word> list() {
        List<Word> list = new ArrayList<>();
        while (true) {
            Word word = next();
            if (word == null) {
                return List.of(); // a list that begins or ends with a comma
            }
            list.add(word);
            if (at == words.size() || words.get(at) != COMMA) {
                return list;
            }
            at++;
        }
    }

    /** All words that are left; commas between them only part them. */
    List<Word> rest() {
        List<Word> rest = new ArrayList<>();
        for (; at < words.size(); at++) {
            if (words.get(at) != COMMA) {
                rest.add(words.get(at));
            }
        }
        return rest;
    }
}
