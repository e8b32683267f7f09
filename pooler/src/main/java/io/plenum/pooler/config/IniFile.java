package io.plenum.pooler.config;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * PgBouncer's ini syntax: what its {@code parse_ini_file} takes, with the line of each entry.
 *
 * <p>Comment lines begin with a semicolon or a hash sign; later in a line neither is special. A name is letters, digits
 * and {@code _.-*}, or anything in single quotes, or in double quotes with a double quote inside doubled. A value ends
 * with its line and is trimmed. {@code %include FILE} reads another file in this place, and its last section goes on
 * behind it.
 */
final class IniFile {
    static final int LARGEST_FILE = 16 << 20;
    static final int MOST_FILES = 1000;

    /** As PgBouncer's. */
    static final int DEEPEST_INCLUDE = 10;

    private static final int MOST_ENTRIES = 1_000_000;

    /** One {@code name = value}. */
    record Entry(String section, String name, String value, Path file, int line) {}

    /** One {@code [section]}. */
    record Section(String name, Path file, int line) {}

    private final List<Entry> entries = new ArrayList<>();
    private final List<Section> sections = new ArrayList<>();
    private final Findings findings;
    private int filesRead;
    private String section = "";

    private IniFile(Findings findings) {
        this.findings = findings;
    }

    /** Reads a text; {@code file} names it in faults and is where relative names of included files are tried. */
    static IniFile read(String text, Path file, Findings findings) {
        IniFile ini = new IniFile(findings);
        ini.read(text, file, 0);
        return ini;
    }

    List<Entry> entries() {
        return entries;
    }

    List<Section> sections() {
        return sections;
    }

    private void read(String text, Path file, int depth) {
        filesRead++;
        String[] lines = text.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            if (entries.size() > MOST_ENTRIES || findings.isFull()) {
                return;
            }
            if (lines[i].indexOf('\0') >= 0) {
                findings.fault(file, i + 1, "the line has a zero byte");
            } else {
                readLine(lines[i].trim(), file, i + 1, depth);
            }
        }
    }

    private void readLine(String line, Path file, int number, int depth) {
        if (line.isEmpty() || line.startsWith("#") || line.startsWith(";")) {
            return;
        }
        if (line.startsWith("%")) {
            directive(line, file, number, depth);
            return;
        }
        if (line.startsWith("[")) {
            int end = line.indexOf(']');
            if (end < 0) {
                findings.fault(file, number, "a section's name ends with ]");
                return;
            }
            section = line.substring(1, end);
            sections.add(new Section(section, file, number));
            readLine(line.substring(end + 1).trim(), file, number, depth);
            return;
        }
        entry(line, file, number);
    }

    private void entry(String line, Path file, int number) {
        int afterName;
        String name;
        char first = line.charAt(0);
        if (first == '\'' || first == '"') {
            afterName = endOfQuoted(line, first);
            if (afterName < 0) {
                findings.fault(file, number, "the quoted name does not end");
                return;
            }
            name = line.substring(1, afterName - 1);
            name = first == '"' ? name.replace("\"\"", "\"") : name;
        } else {
            afterName = 0;
            while (afterName < line.length() && isNameCharacter(line.charAt(afterName))) {
                afterName++;
            }
            name = line.substring(0, afterName);
        }
        String rest = line.substring(afterName).trim();
        if (!rest.startsWith("=") || name.isEmpty()) {
            // The line itself is not quoted: it may be the rest of a password.
            findings.fault(
                    file,
                    number,
                    "expected NAME = VALUE, [SECTION], %include FILE or a comment; a name with other characters than"
                            + " letters, digits and _.-* is written in quotes");
            return;
        }
        if (section.isEmpty()) {
            findings.fault(file, number, "\"" + name + "\" stands before the first [section]");
            return;
        }
        entries.add(new Entry(section, name, rest.substring(1).trim(), file, number));
    }

    /** Index behind the closing quote, or -1. Only a double quote can be doubled. */
    private static int endOfQuoted(String line, char quote) {
        for (int i = 1; i < line.length(); i++) {
            if (line.charAt(i) == quote) {
                if (quote == '"' && i + 1 < line.length() && line.charAt(i + 1) == '"') {
                    i++;
                } else {
                    return i + 1;
                }
            }
        }
        return -1;
    }

    private static boolean isNameCharacter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || "_.-*".indexOf(c) >= 0;
    }

    private void directive(String line, Path file, int number, int depth) {
        if (!line.matches("%include\\s.*")) {
            findings.fault(file, number, "unknown directive; allowed: %include FILE");
            return;
        }
        if (depth >= DEEPEST_INCLUDE) {
            findings.fault(file, number, "%include is nested deeper than " + DEEPEST_INCLUDE + " files");
            return;
        }
        if (filesRead >= MOST_FILES) {
            findings.fault(file, number, "%include reads more than " + MOST_FILES + " files");
            return;
        }
        String name = line.substring("%include".length()).trim();
        try {
            Path included = TextFile.locate(name, file);
            read(TextFile.read(included, LARGEST_FILE), included, depth + 1);
        } catch (IOException | InvalidPathException e) {
            findings.fault(file, number, "%include " + Findings.quote(name) + " " + e.getMessage());
        }
    }
}
