package io.plenum.pooler.listen;

/**
 * The names of channels: identifiers, which PostgreSQL cuts to {@value #MAX_BYTES} bytes and which we send quoted, so that
 * nothing of a client's text is ever read as SQL on the listener connection.
 */
public final class ChannelName {
    /** NAMEDATALEN - 1 of PostgreSQL. */
    static final int MAX_BYTES = 63;

    private ChannelName() {}

    /**
     * The name as PostgreSQL keeps it: no longer than {@value #MAX_BYTES} bytes of UTF-8, cut between two characters. In a
     * database of another encoding PostgreSQL counts that one's bytes and may keep more.
     */
    static String cut(String name) {
        int bytes = 0;
        int at = 0;
        while (at < name.length()) {
            int character = name.codePointAt(at);
            bytes += character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
            if (bytes > MAX_BYTES) {
                return name.substring(0, at);
            }
            at += Character.charCount(character);
        }
        return name;
    }

    /** The name as a quoted identifier. */
    public static String quoted(String name) {
        var sql = new StringBuilder(name.length() + 2);
        quote(sql, name);
        return sql.toString();
    }

    /** Appends the name as a quoted identifier. Manual, "Lexical Structure": a quote inside is written twice. */
    static void quote(StringBuilder sql, String name) {
        sql.append('"');
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == '"') {
                sql.append('"');
            }
            sql.append(c);
        }
        sql.append('"');
    }
}
