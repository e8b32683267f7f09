package io.plenum.pooler.config;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The users of {@code auth_file} and their secrets.
 *
 * <p>Syntax as PgBouncer's: {@code "user" "secret"} a line, a double quote inside doubled, the rest of the line not
 * read, comments begin with a semicolon. A secret is a plain password, {@code md5} with 32 hexadecimal digits, or a
 * SCRAM-SHA-256 secret. An empty secret names a user who cannot log in by password.
 */
public final class UserList {
    /** PgBouncer's bounds, in characters, and our own for the number of users. */
    static final int LONGEST_USER = 127;

    static final int LONGEST_SECRET = 2047;
    static final int MOST_USERS = 1_000_000;

    private static final int LARGEST_FILE = 256 << 20;

    public static final UserList EMPTY = new UserList(Map.of(), null);

    private final Map<String, Optional<Secret>> users;
    private final @Nullable FileStamp stamp;

    private UserList(Map<String, Optional<Secret>> users, @Nullable FileStamp stamp) {
        this.users = users;
        this.stamp = stamp;
    }

    /** The file as it was when it was looked at last; null if there is none. */
    @Nullable
    FileStamp stamp() {
        return stamp;
    }

    /** The same users, of whom the file says nothing else now that it looks like this. */
    UserList with(FileStamp seen) {
        return new UserList(users, seen);
    }

    /** Whether the user is in the file, with or without a secret. */
    public boolean knows(String user) {
        return users.containsKey(user);
    }

    /** The user's secret; null if the user is not in the file or has none there. */
    public @Nullable Secret secret(String user) {
        Optional<Secret> secret = users.get(user);
        return secret == null ? null : secret.orElse(null);
    }

    /** All users of the file. */
    public Set<String> names() {
        return Collections.unmodifiableSet(users.keySet());
    }

    public int size() {
        return users.size();
    }

    /**
     * Reads the file that looked like this, and tells {@code findings} what is wrong or doubtful in it.
     *
     * @throws IOException with a message that says what is wrong with the file, to stand behind its name
     */
    static UserList read(FileStamp seen, Findings findings) throws IOException {
        return parse(seen.file(), TextFile.read(seen.file(), LARGEST_FILE), findings)
                .with(seen);
    }

    /** Reads the text of a user list and tells {@code findings} what is wrong or doubtful. */
    static UserList parse(Path file, String text, Findings findings) {
        Map<String, Optional<Secret>> users = new LinkedHashMap<>();
        Map<String, Integer> lines = new HashMap<>();
        Reader reader = new Reader(text);
        while (reader.toNextEntry()) {
            int line = reader.line;
            String user = reader.quoted();
            String secret = user == null ? null : reader.quotedOnThisLine();
            if (user == null || secret == null) {
                findings.fault(
                        file,
                        line,
                        "expected \"user\" \"secret\", both in double quotes, a double quote inside written twice");
                reader.toEndOfLine();
                continue;
            }
            reader.toEndOfLine();
            if (user.isEmpty() || user.length() > LONGEST_USER) {
                findings.fault(file, line, "a user name has 1 to " + LONGEST_USER + " characters");
            } else if (secret.length() > LONGEST_SECRET) {
                findings.fault(file, line, "a secret has at most " + LONGEST_SECRET + " characters");
            } else if (secret.startsWith(Secret.Forms.SCRAM_PREFIX) && Secret.of(secret) == null) {
                findings.fault(
                        file,
                        line,
                        "the secret of \"" + user + "\" begins as a SCRAM secret but is none;"
                                + " allowed: SCRAM-SHA-256$iterations:salt$storedKey:serverKey as pg_authid has it");
            } else {
                Integer earlier = lines.put(user, line);
                if (earlier != null) {
                    findings.warn(
                            file,
                            line,
                            "user \"" + user + "\" stood in line " + earlier + " already; this line counts");
                }
                users.put(user, Optional.ofNullable(Secret.of(secret)));
            }
            if (users.size() > MOST_USERS) {
                findings.fault(file, line, "more than " + MOST_USERS + " users");
                break;
            }
        }
        return new UserList(Map.copyOf(users), null);
    }

    /** Shows no secret. */
    @Override
    public String toString() {
        return "UserList[" + users.size() + " users]";
    }

    /** A place in the text of a user list. */
    private static final class Reader {
        private final String text;
        private int at;
        private int line = 1;

        Reader(String text) {
            this.text = text;
        }

        /** Skips blanks, empty lines and comments; false at the end. */
        boolean toNextEntry() {
            while (at < text.length()) {
                char c = text.charAt(at);
                if (c == ';') {
                    toEndOfLine();
                } else if (!Character.isWhitespace(c)) {
                    return true;
                } else {
                    advance();
                }
            }
            return false;
        }

        void toEndOfLine() {
            while (at < text.length() && text.charAt(at) != '\n') {
                at++;
            }
        }

        @Nullable
        String quotedOnThisLine() {
            while (at < text.length() && text.charAt(at) != '"' && text.charAt(at) != '\n') {
                at++;
            }
            return quoted();
        }

        /** The text between quotes, or null if there is no quote here or it does not end on this line. */
        @Nullable
        String quoted() {
            if (at >= text.length() || text.charAt(at) != '"') {
                return null;
            }
            StringBuilder value = new StringBuilder();
            for (at++; at < text.length() && text.charAt(at) != '\n'; at++) {
                char c = text.charAt(at);
                if (c == '"') {
                    if (at + 1 < text.length() && text.charAt(at + 1) == '"') {
                        at++;
                    } else {
                        at++;
                        return value.toString();
                    }
                }
                value.append(c);
            }
            return null;
        }

        private void advance() {
            if (text.charAt(at) == '\n') {
                line++;
            }
            at++;
        }
    }
}
