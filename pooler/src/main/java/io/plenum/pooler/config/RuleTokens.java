package io.plenum.pooler.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
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

    private static final Set<String> INCLUDES = Set.of("include", "include_if_exists", "include_dir");

    /** As PostgreSQL's. */
    private static final int DEEPEST_INCLUDE = 10;

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

    /**
     * The same, with the lines of files that {@code include}, {@code include_if_exists} and {@code include_dir} name in their
     * places; names are relative to the file that has them, as in PostgreSQL. Blocks for the files.
     */
    static List<RuleTokens> withIncluded(Path file, String text, Findings findings) {
        List<RuleTokens> lines = new ArrayList<>();
        include(file, text, findings, 0, lines);
        return lines;
    }

    private static void include(Path file, String text, Findings findings, int depth, List<RuleTokens> lines) {
        for (RuleTokens line : of(file, text, findings)) {
            String directive = line.words.getFirst().text();
            if (!INCLUDES.contains(directive)) {
                lines.add(line);
            } else if (line.words.size() != 2 || line.words.getLast() == COMMA) {
                findings.fault(file, line.line, directive + " names one file or directory");
            } else if (depth == DEEPEST_INCLUDE) {
                findings.fault(file, line.line, directive + " is nested deeper than " + DEEPEST_INCLUDE + " files");
            } else {
                for (Path included : line.included(directive, findings)) {
                    String more = line.read(included, findings);
                    if (more != null && !findings.isFull()) {
                        include(included, more, findings, depth + 1, lines);
                    }
                }
            }
        }
    }

    private List<Path> included(String directive, Findings findings) {
        String name = words.getLast().text();
        try {
            Path path = file.resolveSibling(name);
            return switch (directive) {
                case "include" -> List.of(path);
                case "include_if_exists" -> Files.exists(path) ? List.of(path) : List.of();
                default -> {
                    try (Stream<Path> entries = Files.list(path)) {
                        yield entries.filter(RuleTokens::isOfDirectory).sorted().toList();
                    }
                }
            };
        } catch (IOException | InvalidPathException e) {
            findings.fault(file, line, directive + " " + Findings.quote(name) + " cannot be read");
            return List.of();
        }
    }

    private static boolean isOfDirectory(Path entry) {
        String name = String.valueOf(entry.getFileName());
        return name.endsWith(".conf") && !name.startsWith(".") && !Files.isDirectory(entry);
    }

    private @Nullable String read(Path included, Findings findings) {
        try {
            return TextFile.read(included, HbaRules.LARGEST_FILE);
        } catch (IOException e) {
            findings.fault(file, line, Findings.quote(included.toString()) + " " + e.getMessage());
            return null;
        }
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
