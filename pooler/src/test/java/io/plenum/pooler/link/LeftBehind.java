package io.plenum.pooler.link;

import static io.plenum.testbed.Frames.bind;
import static io.plenum.testbed.Frames.execute;
import static io.plenum.testbed.Frames.query;
import static io.plenum.testbed.Frames.sync;

import io.plenum.testbed.Message;
import io.plenum.testbed.WireClient;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** All that a session can find of what was done in it before, asked with the eyes of the client that has it now. */
final class LeftBehind {
    /** What is asked, in the order of the columns; a name in parentheses is the client's own business and not compared. */
    private static final Map<String, String> LOOKS = new LinkedHashMap<>();

    static {
        LOOKS.put("(backend)", "pg_backend_pid()");
        LOOKS.put(
                "settings of the session",
                "(SELECT string_agg(name || '=' || setting, ', ' ORDER BY name) FROM pg_settings"
                        + " WHERE source = 'session' AND (name, setting) NOT IN"
                        + " (('application_name', 'next'), ('DateStyle', 'SQL, MDY')))");
        LOOKS.put("application_name", "current_setting('application_name')");
        LOOKS.put("DateStyle", "current_setting('DateStyle')");
        LOOKS.put("work_mem", "current_setting('work_mem')");
        LOOKS.put("search_path", "current_setting('search_path')");
        LOOKS.put("read only", "current_setting('transaction_read_only')");
        LOOKS.put("isolation", "current_setting('transaction_isolation')");
        LOOKS.put("current_user", "current_user");
        LOOKS.put("session_user", "session_user");
        LOOKS.put("role", "current_setting('role')");
        LOOKS.put("custom setting", "coalesce(current_setting('app.trace', true), '')");
        LOOKS.put(
                "locks",
                "(SELECT string_agg(objid || ' ' || mode, ', ' ORDER BY classid, objid) FROM pg_locks"
                        + " WHERE locktype = 'advisory' AND pid = pg_backend_pid())");
        LOOKS.put("cursors", "(SELECT string_agg(name, ', ' ORDER BY name) FROM pg_cursors WHERE name <> '')");
        LOOKS.put(
                "prepared", "(SELECT string_agg(name, ', ' ORDER BY name) FROM pg_prepared_statements WHERE from_sql)");
        LOOKS.put("channels", "(SELECT string_agg(c, ', ' ORDER BY c) FROM pg_listening_channels() c)");
        LOOKS.put(
                "temporary relations",
                "(SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class"
                        + " WHERE relnamespace = pg_my_temp_schema())");
        LOOKS.put(
                "temporary functions",
                "(SELECT string_agg(proname, ', ' ORDER BY proname) FROM pg_proc WHERE pronamespace ="
                        + " pg_my_temp_schema())");
        LOOKS.put(
                "temporary types",
                "(SELECT string_agg(typname, ', ' ORDER BY typname) FROM pg_type"
                        + " WHERE typnamespace = pg_my_temp_schema() AND typname !~ '^_')");
        LOOKS.put("loaded", "current_setting('auto_explain.log_min_duration', true)");
    }

    /** Settings that a client may have asked for itself, so that it may find them. */
    static final Map<String, String> OWN = Map.of("application_name", "next", "DateStyle", "SQL, MDY");

    private static final String STATE = "SELECT " + String.join(", ", LOOKS.values());

    private final Set<String> seeded;

    private LeftBehind(Set<String> seeded) {
        this.seeded = seeded;
    }

    /** Learns from a session of its own what comes after the seed. */
    static LeftBehind startingAt(WireClient own) throws IOException {
        own.rows("SELECT setseed(" + Mutators.SEED + ")");
        List<String> values = new ArrayList<>();
        for (List<@Nullable String> row : own.rows("SELECT random() FROM generate_series(1, 50)")) {
            values.add(String.valueOf(row.getFirst()));
        }
        return new LeftBehind(Set.copyOf(values));
    }

    /** What this client finds, by name. All is asked in one write, so that one server answers it. */
    Map<String, String> foundBy(WireClient client) throws IOException {
        client.send(
                bind("", ""), // first, for a Query ends the unnamed statement
                sync(),
                bind("", "left_named"),
                sync(),
                execute("left_portal", 0),
                sync(),
                query(STATE),
                query("SELECT random()"),
                query("SELECT lastval()"),
                query("SELECT currval('left_sequence')"),
                query("SELECT loread(0, 1)"));
        Map<String, String> found = new LinkedHashMap<>();
        for (String look : List.of("unnamed statement", "named statement", "portal")) {
            found.put(look, client.readUntilReady().getFirst().toString());
        }
        List<@Nullable String> state = row(client.readUntilReady());
        int column = 0;
        for (String look : LOOKS.keySet()) {
            found.put(look, String.valueOf(state.get(column++)));
        }
        String random = String.valueOf(row(client.readUntilReady()).getFirst());
        found.put("random()", seeded.contains(random) ? "of the seeded sequence" : "random");
        for (String look : List.of("lastval()", "currval()", "large object")) {
            found.put(look, answer(client.readUntilReady()));
        }
        return found;
    }

    private static String answer(List<Message> messages) {
        return messages.stream()
                .filter(message -> "DE".indexOf(message.type()) >= 0)
                .map(Message::text)
                .findFirst()
                .orElse("nothing");
    }

    private static List<@Nullable String> row(List<Message> answer) {
        for (Message message : answer) {
            if (message.type() == 'D') {
                return message.columns();
            }
        }
        throw new IllegalStateException("no row: " + answer);
    }

    /** What of {@code found} is not as in {@code clean}. */
    static Map<String, String> differences(Map<String, String> clean, Map<String, String> found) {
        Map<String, String> differences = new LinkedHashMap<>();
        found.forEach((look, value) -> {
            if (!look.startsWith("(") && !value.equals(clean.get(look))) {
                differences.put(look, value + ", not " + clean.get(look));
            }
        });
        return differences;
    }
}
