package io.plenum.pooler.config;

import java.util.ArrayList;
import java.util.List;

/**
 * The {@code key=value key='a value'} of [databases], [users] and [peers], as PgBouncer's {@code cstr_get_pair} reads
 * it: blanks around the equals sign may be left out or not, a single quote inside quotes is doubled, no value is empty.
 */
final class ConnectionString {
    /** One pair; {@code column} counts from 1. */
    record Pair(String key, String value, int column) {}

    private final String text;
    private int at;

    private ConnectionString(String text) {
        this.text = text;
    }

    /**
     * @throws InvalidValueException with a message that tells the column and no part of the text, for it may be the
     *     rest of a password
     */
    static List<Pair> read(String text) throws InvalidValueException {
        return new ConnectionString(text).pairs();
    }

    private List<Pair> pairs() throws InvalidValueException {
        List<Pair> pairs = new ArrayList<>();
        skipBlanks();
        while (at < text.length()) {
            int start = at;
            String key = key(start + 1);
            skipBlanks();
            pairs.add(new Pair(key, value(key), start + 1));
            skipBlanks();
        }
        return pairs;
    }

    private String key(int column) throws InvalidValueException {
        int start = at;
        while (at < text.length() && text.charAt(at) != '=' && !isBlank()) {
            at++;
        }
        String key = text.substring(start, at);
        skipBlanks();
        if (key.isEmpty() || at >= text.length() || text.charAt(at) != '=') {
            throw new InvalidValueException(
                    "expected KEY=VALUE at column " + column + "; a value with blanks stands in single quotes");
        }
        at++;
        return key;
    }

    private String value(String key) throws InvalidValueException {
        int column = at + 1;
        String value = at < text.length() && text.charAt(at) == '\'' ? quoted(key) : bare();
        if (value.isEmpty()) {
            throw new InvalidValueException("no value for " + Findings.quote(key) + " at column " + column);
        }
        return value;
    }

    private String bare() {
        int start = at;
        while (at < text.length() && !isBlank()) {
            at++;
        }
        return text.substring(start, at);
    }

    private String quoted(String key) throws InvalidValueException {
        int column = at + 1;
        StringBuilder value = new StringBuilder();
        for (at++; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == '\'') {
                boolean doubled = at + 1 < text.length() && text.charAt(at + 1) == '\'';
                if (!doubled) {
                    at++;
                    if (at < text.length() && !isBlank()) {
                        throw new InvalidValueException("text right behind the quote that ends the value of "
                                + Findings.quote(key) + " at column " + (at + 1)
                                + "; a single quote inside quotes is written twice");
                    }
                    return value.toString();
                }
                at++;
            }
            value.append(c);
        }
        throw new InvalidValueException(
                "the quoted value of " + Findings.quote(key) + " at column " + column + " does not end");
    }

    private void skipBlanks() {
        while (at < text.length() && isBlank()) {
            at++;
        }
    }

    private boolean isBlank() {
        return text.charAt(at) == ' ' || text.charAt(at) == '\t';
    }
}
