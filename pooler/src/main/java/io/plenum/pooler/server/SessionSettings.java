package io.plenum.pooler.server;

import io.plenum.wire.AsciiCase;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The run-time parameters of a session that differ from what the server starts with: names in lower case, with values.
 *
 * <p>A client has one and a server has one; while they are equal nothing is sent. Immutable; any thread.
 */
public final class SessionSettings {
    /** By which PostgreSQL ends a session that says nothing outside a transaction. */
    public static final String IDLE_TIMEOUT = "idle_session_timeout";

    public static final SessionSettings NONE = new SessionSettings(new String[0], new String[0]);

    private final String[] names; // sorted
    private final String[] values;
    private final int hash;
    private final String parsing;
    private final boolean endsIdle;

    private SessionSettings(String[] names, String[] values) {
        this.names = names;
        this.values = values;
        this.hash = 31 * Arrays.hashCode(names) + Arrays.hashCode(values);
        this.parsing = parsing(names, values);
        this.endsIdle = Arrays.binarySearch(names, IDLE_TIMEOUT) >= 0;
    }

    private static String parsing(String[] names, String[] values) {
        var found = new StringBuilder(0);
        for (int i = 0; i < names.length; i++) {
            if (isParsing(names[i])) {
                found.append(names[i]).append('=').append(values[i]).append('\0');
            }
        }
        return found.isEmpty() ? "" : found.toString().intern(); // compared for each Bind
    }

    /**
     * Whether PostgreSQL parses texts by this setting, in lower case. A literal becomes a date, an interval, an array there and
     * then, and a prepared statement keeps that until PostgreSQL parses it anew by itself, whatever is set meanwhile. Of
     * search_path it sees by itself that it is another one.
     */
    public static boolean isParsing(String name) {
        return switch (name) {
            case "array_nulls",
                    "backslash_quote",
                    "client_encoding",
                    "datestyle",
                    "intervalstyle",
                    "lc_monetary",
                    "standard_conforming_strings",
                    "timezone",
                    "timezone_abbreviations",
                    "transform_null_equals",
                    "xmloption" -> true;
            default -> false;
        };
    }

    /** Whether a reported parameter is one that a session may set. */
    public static boolean isSettable(String name) {
        return switch (name) {
            case "server_version",
                    "server_encoding",
                    "integer_datetimes",
                    "is_superuser",
                    "session_authorization",
                    "in_hot_standby" -> false;
            default -> true;
        };
    }

    public static SessionSettings of(Map<String, String> settings) {
        var sorted = new TreeMap<String, String>();
        settings.forEach((name, value) -> sorted.put(AsciiCase.lower(name), value));
        return sorted.isEmpty()
                ? NONE
                : new SessionSettings(
                        sorted.keySet().toArray(String[]::new), sorted.values().toArray(String[]::new));
    }

    int size() {
        return names.length;
    }

    public @Nullable String get(String name) {
        int at = Arrays.binarySearch(names, AsciiCase.lower(name));
        return at < 0 ? null : values[at];
    }

    /** Those by which PostgreSQL {@linkplain #isParsing parses} texts; the same text for equal ones. */
    public String parsing() {
        return parsing;
    }

    /** Whether PostgreSQL may end a session that has these while it waits in a pool. */
    public boolean endsIdle() {
        return endsIdle;
    }

    /** These settings with one changed; the same object when it is not a change. */
    public SessionSettings with(String name, String value) {
        if (value.equals(get(name))) {
            return this;
        }
        var more = new TreeMap<String, String>();
        forEach(more::put);
        more.put(AsciiCase.lower(name), value);
        return of(more);
    }

    /** These settings without one; the same object when it is not among them. */
    public SessionSettings without(String name) {
        if (get(name) == null) {
            return this;
        }
        var fewer = new TreeMap<String, String>();
        forEach(fewer::put);
        fewer.remove(AsciiCase.lower(name));
        return of(fewer);
    }

    public void forEach(BiConsumer<String, String> each) {
        for (int i = 0; i < names.length; i++) {
            each.accept(names[i], values[i]);
        }
    }

    /**
     * What must be told to a session with {@code these} settings so that it has {@code wanted}: a null value means back to
     * the session's start value.
     */
    public static void difference(SessionSettings these, SessionSettings wanted, Change change) {
        for (int i = 0; i < wanted.names.length; i++) {
            if (!wanted.values[i].equals(these.get(wanted.names[i]))) {
                change.set(wanted.names[i], wanted.values[i]);
            }
        }
        for (String name : these.names) {
            if (wanted.get(name) == null) {
                change.set(name, null);
            }
        }
    }

    /** One step of a difference. */
    public interface Change {
        void set(String name, @Nullable String value);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other
                || (other instanceof SessionSettings that
                        && hash == that.hash
                        && Arrays.equals(names, that.names)
                        && Arrays.equals(values, that.values));
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public String toString() {
        return "SessionSettings" + Arrays.toString(names);
    }
}
