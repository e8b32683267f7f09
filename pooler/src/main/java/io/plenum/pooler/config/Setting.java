package io.plenum.pooler.config;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One row of the table of settings. The parser, the range check, SHOW CONFIG, the manual page and the sample file are
 * all made from it. Two settings are equal if they are the same row.
 *
 * @param index its place in the table, from 0
 * @param keys where it may be written and under which key; the first of a list is the one we show
 * @param pgbouncerDefault PgBouncer's default, where ours differs, else null
 * @param secret never shown, logged or quoted in a fault
 */
public record Setting<T>(
        int index,
        String name,
        Group group,
        Values<T> values,
        T defaultValue,
        @Nullable String pgbouncerDefault,
        boolean own,
        Reload reload,
        Map<Scope, List<String>> keys,
        boolean secret,
        Effect<T> effect,
        String doc) {

    /** When a change of the file is taken over. */
    public enum Reload {
        LIVE,
        RESTART
    }

    /** Where a setting may be written, from the widest to the narrowest. A narrower one wins. */
    public enum Scope {
        GLOBAL,
        DATABASE,
        USER,
        PEER
    }

    /** Whether this release does what the setting says. */
    public sealed interface Effect<T> {
        /** It does. */
        record InForce<T>() implements Effect<T> {}

        /** There is nothing in Plenum that it could change; accepted so that PgBouncer's files work. */
        record NoMeaning<T>(String why) implements Effect<T> {}
    }

    /** A chapter of the manual page. */
    public enum Group {
        LISTENING("Where clients connect"),
        POOLING("Pooling"),
        ROUTING("Nodes and reads"),
        AUTHENTICATION("Authentication and console rights"),
        SERVERS("Life and checks of server connections"),
        TIMEOUTS("Timeouts of clients and queries"),
        LOGGING("Log"),
        PROCESS("Process"),
        TLS("TLS"),
        NETWORK("Network"),
        DATABASE("Connection of a database"),
        PEERS("Peers");

        private final String title;

        Group(String title) {
            this.title = title;
        }

        public String title() {
            return title;
        }
    }

    /** The value as text; null if it stands for "not set". A secret is shown as stars. */
    public @Nullable String show(T value) {
        String text = values.writer().apply(value);
        return secret && text != null && !text.isEmpty() ? "***" : text;
    }

    public boolean inForce() {
        return effect instanceof Effect.InForce;
    }

    public boolean isGlobal() {
        return keys.containsKey(Scope.GLOBAL);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return name.hashCode();
    }
}
