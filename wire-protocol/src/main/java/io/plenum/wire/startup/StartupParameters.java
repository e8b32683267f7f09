package io.plenum.wire.startup;

import io.netty.buffer.ByteBuf;
import io.plenum.wire.AsciiCase;
import io.plenum.wire.ProtocolException;
import io.plenum.wire.error.SqlState;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The names and values of a StartupMessage, in the order they were sent.
 *
 * <p>Nothing of it is trusted: whoever sent it has not yet proved anything. Immutable.
 */
public final class StartupParameters {
    /** What the parameter {@code replication} asks for. */
    public enum Replication {
        /** An ordinary session. */
        NONE,
        /** A WAL sender that is connected to no database. */
        PHYSICAL,
        /** A WAL sender that is connected to the database. */
        DATABASE
    }

    private static final String USER = "user";
    private static final String DATABASE = "database";
    private static final String OPTIONS = "options";
    private static final String REPLICATION = "replication";
    private static final String PROTOCOL_OPTION = "_pq_.";

    /** Bytes of a name that PostgreSQL keeps, NAMEDATALEN - 1; it cuts off the rest without a word. */
    private static final int MAX_NAME = 63;

    private final Map<String, String> sent;
    private final List<String> unknownProtocolOptions;
    private final String user;
    private final String database;
    private final Replication replication;

    private StartupParameters(Map<String, String> sent, List<String> unknownProtocolOptions, Replication replication) {
        this.sent = Collections.unmodifiableMap(sent);
        this.unknownProtocolOptions = List.copyOf(unknownProtocolOptions);
        this.replication = replication;
        user = cut(sent.getOrDefault(USER, ""));
        if (user.isEmpty()) {
            throw new ProtocolException(
                    SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
                    "no PostgreSQL user name specified in startup packet");
        }
        String named = cut(sent.getOrDefault(DATABASE, ""));
        database = named.isEmpty() ? user : named;
    }

    /**
     * Reads what stands behind the version: names and values, then an empty name as the last byte.
     *
     * <p>A faithful copy of the loop of ProcessStartupPacket, with its two peculiarities: the end of the packet may
     * stand for the NUL of the last string (which the check of the layout then refuses), and one stray byte may stand
     * for the terminator.
     */
    static StartupParameters parse(ByteBuf bytes, int start, int end) {
        Reading reading = new Reading();
        int position = start;
        while (position < end && bytes.getByte(position) != 0) {
            int nameEnd = endOfString(bytes, position, end);
            int value = nameEnd + 1;
            if (value >= end) {
                break;
            }
            int valueEnd = endOfString(bytes, value, end);
            reading.put(bytes, position, nameEnd, value, valueEnd);
            position = valueEnd + 1;
        }
        if (position != end - 1) {
            throw new ProtocolException("invalid startup packet layout: expected terminator as last byte");
        }
        return reading.finish();
    }

    private static int endOfString(ByteBuf bytes, int start, int end) {
        int nul = bytes.indexOf(start, end, (byte) 0);
        return nul < 0 ? end : nul;
    }

    /** Parameters as they come in; the last of a name counts, as in PostgreSQL. */
    private static final class Reading {
        private final Map<String, String> sent = new LinkedHashMap<>();
        private final List<String> unknownProtocolOptions = new ArrayList<>();
        private Replication replication = Replication.NONE;

        void put(ByteBuf bytes, int name, int nameEnd, int value, int valueEnd) {
            String key = decode(bytes, name, nameEnd);
            // PostgreSQL makes printable ASCII of the application's name, whatever its bytes are.
            String text = key.equals("application_name")
                    ? bytes.toString(value, valueEnd - value, StandardCharsets.UTF_8)
                    : decode(bytes, value, valueEnd);
            put(key, text);
        }

        void put(String name, String value) {
            sent.put(name, value);
            if (name.equals(REPLICATION)) {
                replication = replication(value);
            } else if (name.startsWith(PROTOCOL_OPTION)) {
                unknownProtocolOptions.add(name);
            }
        }

        StartupParameters finish() {
            return new StartupParameters(sent, unknownProtocolOptions, replication);
        }
    }

    /** Names and values as they were sent, in their order. */
    public Map<String, String> sent() {
        return sent;
    }

    /** The role that wants the session; never empty, at most 63 bytes. */
    public String user() {
        return user;
    }

    /** The database that is wanted, by default the one that is called like the user; at most 63 bytes. */
    public String database() {
        return database;
    }

    public Replication replication() {
        return replication;
    }

    /** The words of the parameter {@code options}, as PostgreSQL would hand them to its command line. */
    public List<String> options() {
        return CommandLine.split(sent.getOrDefault(OPTIONS, ""));
    }

    /**
     * All run-time parameters with the values that the session is to start with: those out of {@code options} first,
     * then those that were named, which win. The names are in lower case, as PostgreSQL does not tell the case apart.
     *
     * @throws ProtocolException when {@code options} is no command line for a server, or a name cannot be a setting's.
     *     PostgreSQL says so only to a user that has logged in; ask no earlier than that
     */
    public Map<String, String> settings() {
        return settings(null);
    }

    /** The same, but out of {@code options} only those that are named here in lower case; null is all. */
    public Map<String, String> settings(@Nullable Set<String> ofOptions) {
        Map<String, String> settings = new LinkedHashMap<>();
        CommandLine.settings(sent.getOrDefault(OPTIONS, ""), (name, value) -> {
            String setting = settingName(name);
            if (ofOptions == null || ofOptions.contains(setting)) {
                settings.put(setting, value);
            }
        });
        sent.forEach((name, value) -> {
            if (!isReserved(name)) {
                settings.put(settingName(name), value);
            }
        });
        return settings;
    }

    /** The protocol options that were asked for; none exists yet, so all are to be listed as not understood. */
    public List<String> unknownProtocolOptions() {
        return unknownProtocolOptions;
    }

    private static boolean isReserved(String name) {
        return switch (name) {
            case USER, DATABASE, OPTIONS, REPLICATION -> true;
            default -> name.startsWith(PROTOCOL_OPTION);
        };
    }

    /** The name in lower case, or PostgreSQL's refusal of one that no setting can have. */
    private static String settingName(String name) {
        boolean first = true;
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            boolean letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
            boolean inside = (c >= '0' && c <= '9') || c == '$' || c == '.';
            if (!letter && (first || !inside)) {
                throw noSetting(name);
            }
            first = c == '.';
        }
        String setting = AsciiCase.lower(name);
        if (first || isReserved(setting)) { // empty, or ends with a dot
            throw noSetting(name);
        }
        return setting;
    }

    private static ProtocolException noSetting(String name) {
        return name.indexOf('.') < 0
                ? new ProtocolException(
                        SqlState.UNDEFINED_OBJECT, "unrecognized configuration parameter \"" + name + "\"")
                : new ProtocolException(SqlState.INVALID_NAME, "invalid configuration parameter name \"" + name + "\"");
    }

    private static Replication replication(String value) {
        if (value.equals("database")) {
            return Replication.DATABASE;
        }
        Boolean physical = bool(value);
        if (physical == null) {
            throw new ProtocolException(
                    SqlState.INVALID_PARAMETER_VALUE, "invalid value for parameter \"replication\": \"" + value + "\"");
        }
        return physical ? Replication.PHYSICAL : Replication.NONE;
    }

    /** What parse_bool of PostgreSQL's bool.c makes of a text, null when it refuses it. */
    private static @Nullable Boolean bool(String value) {
        if (isPrefix(value, "true", 1) || isPrefix(value, "yes", 1) || isPrefix(value, "on", 2) || value.equals("1")) {
            return true;
        }
        if (isPrefix(value, "false", 1) || isPrefix(value, "no", 1) || isPrefix(value, "off", 2) || value.equals("0")) {
            return false;
        }
        return null;
    }

    private static boolean isPrefix(String value, String word, int atLeast) {
        return value.length() >= atLeast && word.regionMatches(true, 0, value, 0, value.length());
    }

    private static String decode(ByteBuf bytes, int start, int end) {
        try {
            ByteBuffer view = bytes.nioBuffer(start, end - start);
            return StandardCharsets.UTF_8.newDecoder().decode(view).toString();
        } catch (CharacterCodingException e) {
            throw new ProtocolException(
                    SqlState.CHARACTER_NOT_IN_REPERTOIRE,
                    "invalid byte sequence for encoding \"UTF8\" in startup packet");
        }
    }

    /** Cuts a name where PostgreSQL does; a character that the cut splits is left out. */
    private static String cut(String name) {
        byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
        if (utf8.length <= MAX_NAME) {
            return name;
        }
        int length = MAX_NAME;
        while ((utf8[length] & 0xc0) == 0x80) {
            length--;
        }
        return new String(Arrays.copyOf(utf8, length), StandardCharsets.UTF_8);
    }

    /** Names only: values may be anything, even a password put into {@code options}. */
    @Override
    public String toString() {
        return "StartupParameters" + sent.keySet();
    }
}
